"""Whether one of two systems is better, by what both answered on the same test rows: told apart or not, how surely, what it would take.

Accuracy is tested by McNemar's exact test, every other score by the paired bootstrap (evidence.md 6.3), whose standard error is taken
to be no smaller than what swapping the two systems' answers gives: in trials of 600 test sets of 100 rows the bootstrap alone called two
equal systems different in up to 7 of 100. Knows codes, not versions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from coach.mcnemar import detectable_by_mcnemar, mcnemar_exact, rows_for_mcnemar
from coach.statistics import (
    Interval,
    ScoreName,
    bootstrap_difference,
    class_differences,
    normal_quantile,
    standard_errors_to_find,
    swapped_deviation,
)
from coach.verdict import MOST_TEST_ROWS

RESAMPLES = 2_000
ALPHA, POWER = 0.05, 0.8
Judgement = Literal["better", "worse", "cannot_tell", "unpaired"]


@dataclass(frozen=True)
class Answers:
    """Codes of the rows both answered, shape [rows]; an answer outside the format has the code -1, as `coach.statistics` has it."""

    labels: list[str]
    actual: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.actual)


@dataclass(frozen=True)
class PairedTest:
    """Second minus first. `p`: of McNemar's test, None where the bootstrap decides.

    `detectable`: the least true difference that test rows like these find four times in five, None where none would do.
    `rows_needed`: rows that would find the present difference as often; None where it is found, is none, or would take more
    than MOST_TEST_ROWS.
    """

    difference: float
    interval: Interval
    p: float | None
    detectable: float | None
    rows_needed: int | None

    @property
    def significant(self) -> bool:
        return self.p <= ALPHA if self.p is not None else self.interval.low > 0 or self.interval.high < 0

    @property
    def judgement(self) -> Judgement:
        if not self.significant:
            return "cannot_tell"
        return "better" if self.difference > 0 else "worse"


def paired_test(answers: Answers, metric: ScoreName, *, seed: int) -> PairedTest:
    """Holds the second system against the first on one score. Needs a row at least."""
    actual, first, second = answers.actual, answers.first, answers.second
    named: dict[str, Any] = {"labels": len(answers.labels), "seed": seed, "resamples": RESAMPLES}
    found = bootstrap_difference(actual, first, second, metric, level=1 - ALPHA, **named)
    if metric == "accuracy":
        return _by_mcnemar(found.value, found.interval, actual, first, second)
    deviation = max(found.deviation, swapped_deviation(actual, first, second, metric, **named))
    half = normal_quantile(1 - ALPHA / 2) * deviation
    interval = _around(found.value, half)
    detectable = standard_errors_to_find(POWER, ALPHA) * deviation
    needed = None
    if detectable and found.value and abs(found.value) <= half:
        needed = _within(len(actual) * (detectable / abs(found.value)) ** 2, len(actual))
    return PairedTest(found.value, interval, None, detectable if 0 < detectable < 1 else None, needed)


def class_changes(answers: Answers, *, seed: int) -> dict[str, tuple[float, Interval]]:
    """F1 of each class, second minus first, with an interval that allows for looking at so many classes (Bonferroni)."""
    values, deviations = class_differences(
        answers.actual, answers.first, answers.second, seed=seed, labels=len(answers.labels), resamples=RESAMPLES
    )
    errors = normal_quantile(1 - ALPHA / (2 * max(1, len(answers.labels))))
    return {
        label: (float(value), _around(float(value), errors * float(deviation)))
        for label, value, deviation in zip(answers.labels, values, deviations)
    }


def _around(value: float, half: float) -> Interval:
    return Interval(max(-1.0, value - half), min(1.0, value + half), 1 - ALPHA, "paired bootstrap and randomisation", RESAMPLES)


def _within(rows: float, now: int) -> int | None:
    """Test rows somebody may yet label; None beyond."""
    needed = max(now + 1, math.ceil(rows))
    return needed if needed <= MOST_TEST_ROWS else None


def _by_mcnemar(
    difference: float, interval: Interval, actual: NDArray[Any], first: NDArray[Any], second: NDArray[Any]
) -> PairedTest:
    rows = len(actual)
    only_first = int(((first == actual) & (second != actual)).sum())
    only_second = int(((second == actual) & (first != actual)).sum())
    p = mcnemar_exact(only_first, only_second)
    disagreement = (only_first + only_second) / rows
    detectable = detectable_by_mcnemar(rows, disagreement, POWER, ALPHA)
    needed = None
    if p > ALPHA and only_first != only_second:
        needed = _within(rows_for_mcnemar(abs(only_second - only_first) / rows, disagreement, POWER, ALPHA), rows)
    return PairedTest(difference, interval, p, detectable, needed)
