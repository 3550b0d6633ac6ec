"""Answers that do not go together: each said once, kindly, with what follows from it. The plan's cautions stay where they are.

Every rule is a small function in RULES. What a person chose otherwise in the plan is judged by `opinions`; a wish said in words, before
there is a plan, is answered here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from coach.answers import Answers
from coach.estimate import memory_gb
from coach.gpu_cards import find_card
from coach.interview import Topic
from coach.metric_words import metric_words
from coach.recommendation.method import FULL_TUNING_ROWS
from coach.reference_data import model_row
from coach.said_wishes import Wishes, said_wishes
from coach.sentence import Data, Sentence
from coach.situation import FEW_ROWS_PER_CLASS, SHORT_WEEKS, TOO_FEW_ROWS, UNKNOWN_LONG_ROW_TOKENS, days_in

HIDING_METRICS = ("accuracy", "micro_f1", "weighted_f1")  # scores that a large class carries alone
QUICK_MS = 1000  # an answer that thinks first writes hundreds of tokens: judgement


@dataclass(frozen=True)
class Contradiction:
    """`topic` is where one of the answers can be changed. `data` holds the answers, so that other answers are said anew."""

    name: str
    topic: Topic
    data: Data

    @property
    def said(self) -> Sentence:
        return Sentence(f"contradiction.{self.name}", self.data)

    @property
    def signature(self) -> str:
        return " ".join([self.name, *(f"{name}={value}" for name, value in sorted(self.data.items()))])


Rule = Callable[[Answers], Contradiction | None]


def contradictions(answers: Answers) -> list[Contradiction]:
    """Those in the answers so far, in the order of the topics."""
    return [found for rule in RULES if (found := rule(answers)) is not None]


def deadline_is_near(answers: Answers) -> Contradiction | None:
    weeks = answers.business.deadline_weeks
    if weeks is None or weeks > SHORT_WEEKS:
        return None
    return Contradiction("deadline_is_near", "business", {"days": days_in(weeks)})


def pairs_for_a_classification(answers: Answers) -> Contradiction | None:
    pairs = answers.resources.preference_pairs
    if answers.task.type in (None, "generation") or not pairs:
        return None
    return Contradiction("pairs_for_a_classification", "resources", {"pairs": pairs})


def fewer_rows_than_classes_need(answers: Answers) -> Contradiction | None:
    labels, rows = answers.task.labels or [], answers.resources.labelled_rows
    if answers.task.type != "classification" or len(labels) < 2 or not rows or rows >= FEW_ROWS_PER_CLASS * len(labels):
        return None
    needed = max(TOO_FEW_ROWS, FEW_ROWS_PER_CLASS * len(labels))
    data: Data = {"rows": rows, "classes": len(labels), "each": FEW_ROWS_PER_CLASS, "needed": needed}
    return Contradiction("fewer_rows_than_classes_need", "resources", data)


def no_rows_and_no_more(answers: Answers) -> Contradiction | None:
    resources = answers.resources
    if (
        resources.more_data != "none"
        or resources.labelled_rows
        or (resources.labelled_rows is None and resources.data_format != "none")
    ):
        return None
    return Contradiction("no_rows_and_no_more", "resources", {})


def metric_hides_small_classes(answers: Answers) -> Contradiction | None:
    metric = answers.success.primary_metric
    is_of_classes = answers.task.type in (None, "classification")  # who speaks of skewed classes has classes
    if not is_of_classes or metric not in HIDING_METRICS or answers.resources.class_balance != "skewed":
        return None
    return Contradiction("metric_hides_small_classes", "success", {"metric": metric_words(metric)})


def target_is_met_today(answers: Answers) -> Contradiction | None:
    success = answers.success
    if success.threshold is None or success.baseline_score is None or success.baseline_score < success.threshold:
        return None
    return Contradiction("target_is_met_today", "success", {"threshold": success.threshold, "score": success.baseline_score})


def reasoning_at_once(answers: Answers) -> Contradiction | None:
    needs = answers.needs
    if not needs.reasoning or needs.max_latency_ms is None or needs.max_latency_ms >= QUICK_MS:
        return None
    return Contradiction("reasoning_at_once", "needs", {"ms": round(needs.max_latency_ms)})


def full_tuning_of_few_rows(answers: Answers) -> Contradiction | None:
    rows = answers.resources.labelled_rows
    if not rows or rows >= FULL_TUNING_ROWS or not _wishes(answers).full_tuning:
        return None
    return Contradiction("full_tuning_of_few_rows", "resources", {"rows": rows, "limit": FULL_TUNING_ROWS})


def model_larger_than_the_card(answers: Answers) -> Contradiction | None:
    """In 16 bits, as wished; in 4 it would fit."""
    found = _model_and_card(answers)
    if found is None or _wishes(answers).bits != 16 or found.needed <= found.vram or found.small > found.vram:
        return None
    return Contradiction("model_larger_than_the_card", "resources", asdict(found))


def model_too_large_for_the_card(answers: Answers) -> Contradiction | None:
    """Even in 4 bits."""
    found = _model_and_card(answers)
    if found is None or found.small <= found.vram:
        return None
    return Contradiction("model_too_large_for_the_card", "resources", asdict(found))


@dataclass(frozen=True)
class _Fit:
    """GB the named model takes in 16 bits with LoRA (`needed`) and in 4 (`small`), and what the card has."""

    model: str
    vram: float
    needed: float
    small: float


def _model_and_card(answers: Answers) -> _Fit | None:
    resources, model = answers.resources, model_row(_wishes(answers).model or "")
    card = find_card(resources.gpu_name) if resources.gpu_name else None
    vram = resources.vram_gb or (card.vram_gb if card else None)
    if model is None or vram is None or resources.gpu == "none":
        return None
    needed, small = (round(memory_gb(model, way, 1, UNKNOWN_LONG_ROW_TOKENS), 1) for way in ("lora", "qlora"))
    return _Fit(model.id, vram, needed, small)


def _wishes(answers: Answers) -> Wishes:
    return said_wishes(answers.business.problem or "")


RULES: tuple[Rule, ...] = (
    deadline_is_near,
    pairs_for_a_classification,
    fewer_rows_than_classes_need,
    no_rows_and_no_more,
    metric_hides_small_classes,
    target_is_met_today,
    reasoning_at_once,
    full_tuning_of_few_rows,
    model_larger_than_the_card,
    model_too_large_for_the_card,
)
