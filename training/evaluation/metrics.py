"""Scores of a classification: accuracy, F1 in its averages, per-class scores, confusion matrix, share outside the format.

Owns definitions and the shapes in events and results. Averages go over all declared labels, one with neither rows nor predictions
counting 0 (as `sklearn.metrics.f1_score(labels=declared, zero_division=0)` does), so that the figures of two evaluations of one
task compare. numpy only: an evaluation during training must not pay for an import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

ClassificationMetric = Literal["macro_f1", "accuracy", "micro_f1", "weighted_f1"]
COLUMNS_NOTE = "predicted; the last column is (invalid)"
DECIMALS = 4


@dataclass(frozen=True)
class ClassScore:
    """Scores of one label, 0 to 1; `support` is its number of actual rows."""

    precision: float
    recall: float
    f1: float
    support: int

    def to_json(self) -> dict[str, float | int]:
        return {
            "precision": round(self.precision, DECIMALS),
            "recall": round(self.recall, DECIMALS),
            "f1": round(self.f1, DECIMALS),
            "support": self.support,
        }


@dataclass(frozen=True)
class ClassificationScores:
    """`counts[i][j]`: rows that are `labels[i]` and were predicted `labels[j]`; column `len(labels)` is outside the format."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    rows: int
    accuracy: float
    macro_f1: float
    micro_f1: float
    weighted_f1: float
    invalid_rate: float
    per_class: dict[str, ClassScore]

    def metric(self, name: str) -> float:
        """The score by its name in task.yaml. Raises KeyError for a metric that is not a classification's."""
        scores = {
            "macro_f1": self.macro_f1,
            "accuracy": self.accuracy,
            "micro_f1": self.micro_f1,
            "weighted_f1": self.weighted_f1,
        }
        return scores[name]

    def confusion_matrix(self) -> dict[str, Any]:
        return {"labels": list(self.labels), "counts": [list(row) for row in self.counts]}

    def to_event(self) -> dict[str, Any]:
        """The part of an `eval` event that is about classes: rows, per_class, confusion_matrix."""
        return {
            "rows": self.rows,
            "per_class": {label: score.to_json() for label, score in self.per_class.items()},
            "confusion_matrix": self.confusion_matrix(),
        }

    def to_results(self) -> dict[str, Any]:
        """The part of results.json that is about scores."""
        return {
            "macro_f1": round(self.macro_f1, DECIMALS),
            "accuracy": round(self.accuracy, DECIMALS),
            "micro_f1": round(self.micro_f1, DECIMALS),
            "weighted_f1": round(self.weighted_f1, DECIMALS),
            "invalid_rate": round(self.invalid_rate, DECIMALS),
            "per_class": {label: score.to_json() for label, score in self.per_class.items()},
            "confusion_matrix": {**self.confusion_matrix(), "rows": "actual", "columns": COLUMNS_NOTE},
        }


def codes_of(values: Sequence[str | None], labels: Sequence[str]) -> NDArray[np.int64]:
    """Labels as their places in `labels`; None and anything else, an answer outside the format, as −1. Shape [rows]."""
    place = {label: index for index, label in enumerate(labels)}
    return np.array([-1 if value is None else place.get(value, -1) for value in values], dtype=np.int64)


def classification_report(actual: Sequence[str], predicted: Sequence[str | None], labels: Sequence[str]) -> ClassificationScores:
    """Every score of predictions against the truth; None is an answer outside the format and counts as wrong.

    Raises ValueError: lists of different length, none at all, or an actual label that is not among `labels`.
    """
    if len(actual) != len(predicted) or not actual:
        raise ValueError(f"{len(actual)} actual, {len(predicted)} predicted")
    size = len(labels)
    truth, guess = codes_of(actual, labels), codes_of(predicted, labels)
    if (truth < 0).any():
        raise ValueError(f"not a label: {actual[int(np.argmin(truth))]!r}")
    guess[guess < 0] = size
    counts = np.bincount(truth * (size + 1) + guess, minlength=size * (size + 1)).reshape(size, size + 1)
    hits = np.diagonal(counts).astype(float)
    support, named = counts.sum(axis=1), counts[:, :size].sum(axis=0)
    precision, recall = _ratio(hits, named), _ratio(hits, support)
    f1 = _ratio(2 * hits, support + named)
    per_class = {
        label: ClassScore(float(precision[i]), float(recall[i]), float(f1[i]), int(support[i])) for i, label in enumerate(labels)
    }
    return ClassificationScores(
        labels=tuple(labels),
        counts=tuple(tuple(int(count) for count in row) for row in counts),
        rows=len(actual),
        accuracy=float(hits.sum() / len(actual)),
        macro_f1=float(f1.mean()),
        micro_f1=float(2 * hits.sum() / (support.sum() + named.sum())),
        weighted_f1=float((f1 * support).sum() / support.sum()),
        invalid_rate=float(counts[:, size].sum() / len(actual)),
        per_class=per_class,
    )


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    """above / below, 0 where below is 0."""
    return np.asarray(np.divide(above, below, out=np.zeros(len(above)), where=below > 0))
