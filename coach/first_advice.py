"""What can be advised from a first sentence alone, for whoever asks which way to take: the plan so far, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coach.answers import Answers
from coach.hardware import Hardware
from coach.interview import Question
from coach.plan import Advice, Plan
from coach.recommendation import recommend
from coach.reference_data import sources
from coach.telling_questions import most_telling
from coach.text import Language, text


@dataclass(frozen=True)
class FirstAdvice:
    """`telling`: the one or two open questions whose answers would change the plan most."""

    plan: Plan
    telling: tuple[Question, ...]

    @property
    def reason(self) -> Advice:
        """Why this method: what the question of LoRA or full fine-tuning, of prompting or training, is about."""
        return next(advice for advice in self.plan.reasons if advice.topic == "method")

    def lines(self, language: Language) -> list[str]:
        """What is advised, why and by which source, and what to answer for better advice."""
        found = [
            text("cli.coach.ask.advice", language, said=self.plan.headline.say(language)),
            text(
                "cli.coach.ask.because",
                language,
                said=self.reason.because.say(language),
                source=sources()[self.reason.source].citation,
            ),
        ]
        asked = (" " if language == "en" else "").join(question.ask[language] for question in self.telling)
        return [*found, *([text("cli.coach.ask.telling", language, questions=asked)] if asked else [])]

    def as_json(self, language: Language) -> dict[str, Any]:
        return {
            "headline": self.plan.headline.say(language),
            "method": self.plan.method,
            "peft": self.plan.peft,
            **self.reason.as_json(language),
            "would_change": [question.key for question in self.telling],
        }


def first_advice(answers: Answers, hardware: Hardware) -> FirstAdvice:
    return FirstAdvice(recommend(answers, None, hardware), tuple(most_telling(answers, None, hardware)))
