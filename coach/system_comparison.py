"""A version against the system in use today, on the test rows both answered: the test that tells two versions apart tells these.

Owns what differs from two versions: scores are those on the rows in common, and what the system leaves out is said. Trains nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from coach.comparison import FEWEST_SHARED_ROWS, Comparison, Judged, compare
from coach.errors import WorkspaceError
from coach.metric_words import metric_words
from coach.sentence import Sentence, sentence
from coach.statistics import ScoreName, class_f1, score_of
from coach.systems import Predicted
from coach.text import Language
from coach.verdict import primary_metric

EXAMPLES, EXAMPLE_LETTERS = 3, 30


@dataclass(frozen=True)
class Stated:
    """What the task says of the system in use today: its name and its score on the primary metric, typed by a person."""

    name: str
    score: float


@dataclass(frozen=True)
class SystemComparison:
    """`comparison` goes from the system to the version. `left_out`: test rows the version answered and the system did not.

    `outside`: answers that are no label, by how often; `empty`: answers that are nothing. Both count as wrong. `stated` is None
    where the task names no baseline.
    """

    comparison: Comparison
    left_out: tuple[str, ...]
    outside: Mapping[str, int]
    empty: int
    stated: Stated | None

    @property
    def system(self) -> str:
        return self.comparison.first

    @property
    def rows(self) -> int:
        return self.comparison.shared_rows

    @property
    def system_score(self) -> float:
        assert self.comparison.overall.before is not None  # worked out here, from at least one row
        return self.comparison.overall.before

    def sentences(self) -> list[Sentence]:
        """The judgement and what would settle it, classes, then what to know of the rows, and the figure that was only stated."""
        return [
            *self.comparison.judgement_sentences(),
            *self.comparison.class_sentences(),
            *self._coverage(),
            *self._held_against(),
        ]

    def as_json(self, language: Language) -> dict[str, Any]:
        compared = self.comparison.as_json(language)
        del compared["config"], compared["same_test_rows"]
        return {
            **compared,
            "left_out": list(self.left_out),
            "outside": dict(self.outside),
            "empty": self.empty,
            "stated": asdict(self.stated) if self.stated else None,
            "sentences": [said.say(language) for said in self.sentences()],
        }

    def _coverage(self) -> Iterator[Sentence]:
        if self.left_out:
            numbers = {"missing": len(self.left_out), "test_rows": self.rows + len(self.left_out), "rows": self.rows}
            yield sentence("systems.left_out", system=self.system, **numbers)
        if self.outside:
            often = sorted(self.outside, key=lambda said: (-self.outside[said], said))[:EXAMPLES]
            shown = [sentence("systems.quoted", said=said[:EXAMPLE_LETTERS]) for said in often]
            yield sentence("systems.outside", system=self.system, count=sum(self.outside.values()), examples=shown)
        if self.empty:
            yield sentence("systems.empty", system=self.system, count=self.empty)

    def _held_against(self) -> Iterator[Sentence]:
        if self.stated is not None and self.rows >= FEWEST_SHARED_ROWS:  # what fewer measure is not to go by
            metric = metric_words(self.comparison.metric)
            numbers = {"stated": self.stated.score, "measured": self.system_score, "rows": self.rows}
            yield sentence("systems.stated", name=self.stated.name, system=self.system, metric=metric, **numbers)


def compare_with_system(version: Judged, system: str, predicted: Predicted, *, seed: int) -> SystemComparison:
    """`version` against the `system` that answered `predicted`, on the version's primary metric.

    Raises WorkspaceError: no row in common, or a metric that no two labels can be scored by.
    """
    metric, labels = primary_metric(version.results)[0], list((version.results.get("per_class") or {}).keys())
    if metric not in get_args(ScoreName) or not labels:
        raise WorkspaceError("systems.no_classes", version=version.name, metric=metric)
    answered = {row: given for row, given in version.answers.items() if given[0] in labels}
    shared = {row: given for row, given in answered.items() if row in predicted}
    if not shared:
        raise WorkspaceError("systems.no_shared_rows", system=system, version=version.name, rows=len(answered))
    said = [predicted[row] for row in shared]
    outside = [answer for answer in said if answer is not None and answer not in labels]
    first = _side(version, system, {row: (actual, predicted[row]) for row, (actual, _) in shared.items()}, metric, labels)
    second = _side(version, version.name, shared, metric, labels)
    return SystemComparison(
        comparison=compare(first, second, seed=seed),
        left_out=tuple(row for row in answered if row not in predicted),
        outside={answer: outside.count(answer) for answer in dict.fromkeys(outside)},
        empty=said.count(None),
        stated=_stated(version, metric),
    )


def _side(version: Judged, name: str, answers: Mapping[str, tuple[Any, Any]], metric: Any, labels: list[str]) -> Judged:
    """One side with its scores on these rows, in the shape of a version's results."""
    actual, predicted = (_codes([pair[place] for pair in answers.values()], labels) for place in (0, 1))
    f1 = class_f1(actual, predicted, len(labels))
    score = score_of(actual, predicted, metric, len(labels))
    results = {
        "primary_metric": {"name": metric, "value": score},
        metric: score,
        "per_class": {label: {"f1": float(value)} for label, value in zip(labels, f1)},
    }
    return Judged(name, version.config, results, answers)


def _codes(values: list[Any], labels: list[str]) -> NDArray[np.int64]:
    """Labels as their places; anything else as -1. Shape [rows]."""
    place = {label: number for number, label in enumerate(labels)}
    return np.array([place.get(value, -1) for value in values], dtype=np.int64)


def _stated(version: Judged, metric: str) -> Stated | None:
    criteria = version.config.success_criteria
    said = criteria.baseline
    if said is None or said.score is None or criteria.primary_metric != metric:
        return None
    return Stated(said.name, float(said.score))
