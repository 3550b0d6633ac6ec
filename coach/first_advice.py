"""What can be advised from a first sentence alone, for whoever asks which way to take: the plan so far, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coach.answers import Answers
from coach.estimate import memory_gb
from coach.hardware import Hardware
from coach.interview import Question
from coach.plan import Advice, Peft, Plan
from coach.recommendation import recommend
from coach.recommendation.method import FULL_TUNING_ROWS
from coach.reference_data import model_or_unknown, sources
from coach.said_wishes import FULL_TUNING
from coach.sentence import Sentence
from coach.situation import UNKNOWN_LONG_ROW_TOKENS
from coach.telling_questions import most_telling
from coach.text import Language, text

FULL_OR_LORA = "lora-without-regret"
WAYS: dict[str, Peft] = {"full": "none", "lora": "lora"}


@dataclass(frozen=True)
class FirstAdvice:
    """`telling`: the one or two open questions whose answers would change the plan most. `between`: of the ways that were named."""

    plan: Plan
    telling: tuple[Question, ...]
    between: Sentence | None = None

    @property
    def reason(self) -> Advice:
        """Why this method: what the question of LoRA or full fine-tuning, of prompting or training, is about."""
        return next(advice for advice in self.plan.reasons if advice.topic == "method")

    def lines(self, language: Language) -> list[str]:
        """What is advised, why and by which source, and what to answer for better advice."""
        found = [text("cli.coach.ask.advice", language, said=self.plan.headline.say(language))]
        reasons = [(self.between, FULL_OR_LORA)] if self.between else []
        for said, source in (*reasons, (self.reason.because, self.reason.source)):
            cited = {"said": said.say(language), "source": sources()[source].citation}
            found.append(text("cli.coach.ask.because", language, **cited))
        asked = (" " if language == "en" else "").join(question.ask[language] for question in self.telling)
        return [*found, *([text("cli.coach.ask.telling", language, questions=asked)] if asked else [])]

    def as_json(self, language: Language) -> dict[str, Any]:
        return {
            "headline": self.plan.headline.say(language),
            "method": self.plan.method,
            "peft": self.plan.peft,
            **self.reason.as_json(language),
            **({"between": self.between.say(language)} if self.between else {}),
            "would_change": [question.key for question in self.telling],
        }


def first_advice(answers: Answers, hardware: Hardware, methods: Sequence[str] = ()) -> FirstAdvice:
    """`methods`: the ways that were named, as in `FirstSentence.methods`."""
    plan = recommend(answers, None, hardware)
    is_asked = any(name.startswith(FULL_TUNING) for name in methods)
    between = _full_or_lora(plan) if is_asked and (answers.resources.labelled_rows or 0) < FULL_TUNING_ROWS else None
    return FirstAdvice(plan, tuple(most_telling(answers, None, hardware)), between)


def _full_or_lora(plan: Plan) -> Sentence:
    model = model_or_unknown(plan.base_model)
    needed = {name: memory_gb(model, way, 1, UNKNOWN_LONG_ROW_TOKENS) for name, way in WAYS.items()}
    return Sentence("first_words.full_or_lora", {"limit": FULL_TUNING_ROWS, **needed})
