"""How far a score on so many test rows may lie from the true one: the binomial's error, wider for macro-F1 and skewed classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coach.situation import Situation

Z_RANGE = 1.2816  # the normal quantile of a range that holds four times out of five
MACRO_F1_WIDER = 1.13  # evidence.md 6.3: three classes 50/30/20, n 100: ±.088 against ±.078 for accuracy
SKEWED_WIDER = 1.49  # evidence.md 6.3: skew 75/20/5: ±.116


def binomial_error(score: float, rows: int) -> float:
    """Standard error of a share of `rows` rows; near 0 and 1 that of .01, for nobody is that sure."""
    return math.sqrt(max(score * (1 - score), 0.01) / rows)


def score_noise(situation: Situation, score: float, rows: int | None) -> float:
    """Standard error of a score on `rows` test rows: the binomial's, wider for macro-F1 and skewed classes (evidence.md 6.3)."""
    if not rows:
        return 0.0
    wider = 1.0 if situation.metric != "macro_f1" else SKEWED_WIDER if situation.is_skewed else MACRO_F1_WIDER
    return wider * binomial_error(score, rows)


def range_of_noise(situation: Situation, score: float, rows: int | None, z: float = Z_RANGE) -> tuple[float, float]:
    """Where a true `score` may come out on `rows` test rows: Wilson's interval, which near 1 stays as wide as it has to be."""
    score = min(1.0, max(0.0, score))
    if not rows:
        return score, score
    wider = score_noise(situation, 0.5, rows) * 2 * math.sqrt(rows)  # macro-F1 and skewed classes: as if there were fewer rows
    count = rows / wider**2
    middle = (score + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(score * (1 - score) / count + z * z / (4 * count * count))
    return min(score, middle - half), max(score, middle + half)


def with_test_noise(situation: Situation, low: float, expected: float, high: float) -> tuple[float, float, float]:
    """A range of true scores, four times out of five, widened by what the test rows' own noise adds, in quadrature."""
    least, most = range_of_noise(situation, expected, situation.test_rows)
    return (
        expected - math.hypot(expected - low, expected - least),
        expected,
        expected + math.hypot(high - expected, most - expected),
    )
