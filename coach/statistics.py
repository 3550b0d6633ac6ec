"""How far a score can be trusted: intervals, paired comparison of two systems, test rows needed.

Knows nothing of models or files. Labels come as codes from 0, an answer outside the format as −1. Randomness is an argument. numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

ScoreName = Literal["macro_f1", "accuracy", "micro_f1", "weighted_f1"]
RESAMPLES = 10_000  # evidence 6.3
_CELLS_AT_ONCE = 4_000_000  # counts held while resampling: 32 MB


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a score, or of a difference of scores."""

    low: float
    high: float
    level: float
    method: str
    resamples: int | None = None


@dataclass(frozen=True)
class Difference:
    """Second system minus first on the same rows; `p_not_better` is the share of resamples in which it is not above zero.

    `deviation`: the standard deviation of the resamples' differences.
    """

    value: float
    interval: Interval
    p_not_better: float
    deviation: float


def bootstrap_interval(
    actual: ArrayLike,
    predicted: ArrayLike,
    metric: ScoreName,
    *,
    seed: int,
    labels: int | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap over rows. `actual`, `predicted`: codes, shape [rows]; `labels`: how many the task declares, None for
    those that occur.

    Rows with the same pair of codes are interchangeable, so a resample is one multinomial draw over the cells of the confusion
    matrix. A label that a resample has lost altogether is left out of its macro average.
    """
    _, score, draw = _resampler([np.asarray(predicted)], np.asarray(actual), metric, labels, resamples, seed)
    low, high = _percentiles(np.concatenate([score(0, part) for part in draw()]), level)
    return Interval(low, high, level, "bootstrap", resamples)


def bootstrap_counts(counts: ArrayLike, metric: ScoreName, *, seed: int, resamples: int, level: float = 0.95) -> Interval:
    """The same from a confusion matrix, shape [labels, labels], actual by predicted."""
    table = np.asarray(counts)
    actual, predicted = np.nonzero(table)
    drawn = [_scores(part, actual, predicted, metric, len(table)) for part in _draws(table[actual, predicted], seed, resamples)]
    low, high = _percentiles(np.concatenate(drawn), level)
    return Interval(low, high, level, "bootstrap", resamples)


def bootstrap_difference(
    actual: ArrayLike, first: ArrayLike, second: ArrayLike, metric: ScoreName, *, seed: int, labels: int | None = None,
    resamples: int = RESAMPLES, level: float = 0.95,
) -> Difference:  # fmt: skip
    """Paired bootstrap of second minus first on the same rows (evidence 6.3). All three: codes, shape [rows]."""
    counts, score, draw = _resampler([np.asarray(first), np.asarray(second)], np.asarray(actual), metric, labels, resamples, seed)
    differences = np.concatenate([score(1, part) - score(0, part) for part in draw()])
    low, high = _percentiles(differences, level)
    value = float(score(1, counts[None])[0] - score(0, counts[None])[0])
    interval = Interval(low, high, level, "paired bootstrap", resamples)
    return Difference(value, interval, float((differences <= 0).mean()), float(differences.std()))


def swapped_deviation(
    actual: ArrayLike, first: ArrayLike, second: ArrayLike, metric: ScoreName, *, seed: int, labels: int | None = None,
    resamples: int = RESAMPLES,
) -> float:  # fmt: skip
    """How far two systems' scores lie apart by chance alone: standard deviation of the difference after swapping their answers at random.

    Approximate randomisation (Noreen 1989; evidence 6.3): rows with the same three codes are interchangeable, so a resample is one
    binomial draw a cell. All three: codes, shape [rows].
    """
    cells, counts, declared = _cells_of(actual, first, second, labels)
    swapped_cells = np.concatenate([cells, cells[:, [0, 2, 1]]])
    differences = [
        _scores(part, swapped_cells[:, 0], swapped_cells[:, 2], metric, declared)
        - _scores(part, swapped_cells[:, 0], swapped_cells[:, 1], metric, declared)
        for part in _swaps(cells, counts, seed, resamples)
    ]
    return float(np.concatenate(differences).std())


def class_differences(
    actual: ArrayLike, first: ArrayLike, second: ArrayLike, *, seed: int, labels: int, resamples: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """F1 of each class, second minus first, and its standard error: the bootstrap's, no smaller than that of swapped answers.

    Both of shape [labels]. `actual`, `first`, `second`: codes, shape [rows].
    """
    cells, counts, _ = _cells_of(actual, first, second, labels)

    def differences(drawn: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
        before, after = (_class_f1(drawn, table[:, 0], table[:, system], labels)[0] for system in (1, 2))
        return np.asarray(after - before)

    again = np.concatenate([differences(part, cells) for part in _draws(counts, seed, resamples)])
    both = np.concatenate([cells, cells[:, [0, 2, 1]]])
    swapped = np.concatenate([differences(part, both) for part in _swaps(cells, counts, seed, resamples)])
    return differences(counts[None], cells)[0], np.maximum(again.std(axis=0), swapped.std(axis=0))


def _cells_of(
    actual: ArrayLike, first: ArrayLike, second: ArrayLike, labels: int | None
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """The triples of codes that occur, how often each does, and the number of labels."""
    rows = np.stack([np.asarray(actual), np.asarray(first), np.asarray(second)], axis=1)
    cells, counts = np.unique(rows, axis=0, return_counts=True)
    return cells, counts, int(cells.max()) + 1 if labels is None else labels


def _draws(counts: NDArray[Any], seed: int, resamples: int) -> Iterator[NDArray[Any]]:
    """As many rows drawn anew from the cells, in portions of [resamples, cells]."""
    rng, rows, portion = np.random.default_rng(seed), counts.sum(), max(1, _CELLS_AT_ONCE // len(counts))
    for start in range(0, resamples, portion):
        yield rng.multinomial(rows, counts / rows, size=min(portion, resamples - start))


def _swaps(cells: NDArray[Any], counts: NDArray[Any], seed: int, resamples: int) -> Iterator[NDArray[Any]]:
    """Counts of the cells as they are and with the two answers swapped, in portions of [resamples, 2 × cells]."""
    rng, share = np.random.default_rng(seed), np.where(cells[:, 1] == cells[:, 2], 0.0, 0.5)
    portion = max(1, _CELLS_AT_ONCE // (2 * len(cells)))
    for start in range(0, resamples, portion):
        swapped = rng.binomial(counts, share, size=(min(portion, resamples - start), len(counts)))
        yield np.concatenate([counts - swapped, swapped], axis=1)


def score_of(actual: ArrayLike, predicted: ArrayLike, metric: ScoreName, labels: int) -> float:
    """The score itself. `actual`, `predicted`: codes, shape [rows]; `labels`: how many the task declares."""
    truth = np.asarray(actual)
    return float(_scores(np.ones((1, len(truth)), dtype=np.int64), truth, np.asarray(predicted), metric, labels)[0])


def class_f1(actual: ArrayLike, predicted: ArrayLike, labels: int) -> NDArray[Any]:
    """F1 of each class, shape [labels]; 0 where it has neither rows nor answers."""
    truth = np.asarray(actual)
    return np.asarray(_class_f1(np.ones((1, len(truth)), dtype=np.int64), truth, np.asarray(predicted), labels)[0][0])


def wilson_interval(hits: int, rows: int, level: float = 0.95) -> Interval:
    """Wilson's interval of a share such as accuracy (Wilson 1927). Raises ValueError without rows."""
    if rows <= 0:
        raise ValueError("no rows")
    z = normal_quantile((1 + level) / 2)
    share = hits / rows
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return Interval(max(0.0, centre - half), min(1.0, centre + half), level, "wilson")


def standard_errors_to_find(power: float = 0.8, alpha: float = 0.05) -> float:
    """How many standard errors a difference must be for an interval around it to leave zero out with `power`: 2.80."""
    return normal_quantile(1 - alpha / 2) + normal_quantile(power)


def normal_quantile(share: float) -> float:
    """z with P(Z <= z) = `share`, 0 < share < 1, by bisection of erfc."""
    low, high = -10.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(-middle / math.sqrt(2)) / 2 < share else (low, middle)
    return (low + high) / 2


def _percentiles(values: NDArray[Any], level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _resampler(
    systems: list[NDArray[Any]], actual: NDArray[Any], metric: ScoreName, labels: int | None, resamples: int, seed: int
) -> tuple[NDArray[Any], Callable[[int, NDArray[Any]], NDArray[Any]], Callable[[], list[NDArray[Any]]]]:
    """(cell counts, score of one system over [resamples, cells], draws in portions). A cell is a tuple of codes that occurs."""
    if not len(actual) or any(len(system) != len(actual) for system in systems):
        raise ValueError("codes of different length, or none")
    cells, counts = np.unique(np.stack([actual, *systems], axis=1), axis=0, return_counts=True)
    declared = int(cells.max()) + 1 if labels is None else labels

    def draw() -> list[NDArray[Any]]:
        return list(_draws(counts, seed, resamples))

    def score(system: int, drawn: NDArray[Any]) -> NDArray[Any]:
        return _scores(drawn, cells[:, 0], cells[:, system + 1], metric, declared)

    return counts, score, draw


def _scores(drawn: NDArray[Any], actual: NDArray[Any], predicted: NDArray[Any], metric: ScoreName, labels: int) -> NDArray[Any]:
    """The metric of each resample. `drawn`: [resamples, cells]; `actual`, `predicted`: the cells' codes."""
    rows = drawn.sum(axis=1)
    right = drawn @ (actual == predicted)
    if metric == "accuracy":
        return np.asarray(right / rows)
    if metric == "micro_f1":
        return np.asarray(2 * right / (rows + drawn @ (predicted >= 0)))
    f1, support, named = _class_f1(drawn, actual, predicted, labels)
    if metric == "weighted_f1":
        return np.asarray((f1 * support).sum(axis=1) / rows)
    never_there = labels - np.union1d(actual, predicted[predicted >= 0]).size
    return np.asarray(f1.sum(axis=1) / (((support + named) > 0).sum(axis=1) + never_there))


def _class_f1(
    drawn: NDArray[Any], actual: NDArray[Any], predicted: NDArray[Any], labels: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """F1, support and how often it is named, of each label in each resample: [resamples, labels] each. F1 is 0 where a label is neither."""
    right = actual == predicted
    support, named = _sums(drawn, actual, labels), _sums(drawn, predicted, labels)
    hits = _sums(drawn[:, right], actual[right], labels)
    return np.divide(2.0 * hits, support + named, out=np.zeros(hits.shape), where=support + named > 0), support, named


def _sums(drawn: NDArray[Any], codes: NDArray[Any], labels: int) -> NDArray[Any]:
    """Counts added up by label, [resamples, labels]: along cells put in the order of their codes; codes below 0 count nowhere."""
    found = np.zeros((len(drawn), labels), dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    if len(order):
        present, starts = np.unique(codes[order], return_index=True)
        found[:, present] = np.add.reduceat(drawn[:, order], starts, axis=1)
    return found
