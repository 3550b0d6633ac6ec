"""Which open questions matter most: those whose answers, tried one after another, lead to the most different plans. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from coach.answers import Answers
from coach.hardware import Hardware
from coach.interview import Answer, Question, missing, with_answer
from coach.plan import Plan
from coach.plan_difference import signature_of
from coach.recommendation import recommend
from coach.sentence import Sentence
from coach.situation import DataFacts

TRIED_NUMBERS: Mapping[str, tuple[Answer, ...]] = {  # what an open question may turn out to be; only to see whether it matters
    "resources.labelled_rows": (0, 30, 120, 600, 5000, 200_000),
    "success.threshold": (0.5, 0.7, 0.9),
}


def most_telling(answers: Answers, facts: DataFacts | None, hardware: Hardware, most: int = 2) -> list[Question]:
    """The needed questions, still open, whose answers lead to the most different plans; those that change nothing are left out."""
    counted = []
    for question in missing(answers):
        tried = [recommend(with_answer(answers, question.key, value), facts, hardware) for value in _values_of(question)]
        plans = {(signature_of(plan), _target_of(plan)) for plan in tried}
        if len(plans) > 1:
            counted.append((len(plans), question))
    return [question for _, question in sorted(counted, key=lambda pair: -pair[0])[:most]]


def _values_of(question: Question) -> tuple[Answer, ...]:
    if question.options:
        return tuple(question.options)
    return TRIED_NUMBERS.get(question.key, (None,))


def _target_of(plan: Plan) -> str:
    """How the headline speaks of the target: a key of the catalogue."""
    said = plan.headline.data["target"]
    return said.key if isinstance(said, Sentence) else ""
