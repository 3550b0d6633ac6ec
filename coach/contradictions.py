"""Answers that do not go together: each said once, kindly, with what follows from it. The plan's cautions stay where they are.

Every rule is a small function in RULES. What a person chose otherwise in the plan is judged by `opinions`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coach.answers import Answers
from coach.interview import Topic
from coach.metric_words import metric_words
from coach.sentence import Data, Sentence
from coach.situation import FEW_ROWS_PER_CLASS, SHORT_WEEKS, TOO_FEW_ROWS, days_in

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
    if answers.task.type != "classification" or metric not in HIDING_METRICS or answers.resources.class_balance != "skewed":
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


RULES: tuple[Rule, ...] = (
    deadline_is_near,
    pairs_for_a_classification,
    fewer_rows_than_classes_need,
    no_rows_and_no_more,
    metric_hides_small_classes,
    target_is_met_today,
    reasoning_at_once,
)
