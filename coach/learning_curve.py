"""What a learning curve foretells: an inverse power law through the scores by rows, and when not to believe it.

Pure arithmetic on points that were measured. Who measures them is `training.learning_curve`'s, what a score means `forecast`'s.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Refusal = Literal["few_sizes", "few_draws", "growing"]
FEWEST_SIZES, FEWEST_DRAWS = 4, 3  # evidence.md 6.2
SPAN = 4.0  # the largest size over the smallest: below it a law has nothing to hold on to (judgement)
TRUSTED_TIMES, FLAGGED_TIMES = 2.0, 4.0  # evidence.md 6.2: twice the rows, four times with a warning, no further
OFF_EACH_DOUBLING = 0.012  # evidence.md 6.2: at twice the rows off by .012 at most, .007 in the mean
GROWING_BEYOND = 2.0  # standard errors by which the gain of a doubling may grow before the knee counts as still ahead
LITTLE_MORE = 1.05
CEILING = 1.0
_DECAYS = [0.05 * 1.06**step for step in range(60)]  # .05 to 1.56


@dataclass(frozen=True)
class CurvePoint:
    """Scores after learning from `rows` rows, one for each draw."""

    rows: int
    macro_f1: tuple[float, ...]
    accuracy: tuple[float, ...]

    def scores(self, metric: str) -> tuple[float, ...]:
        return self.macro_f1 if metric == "macro_f1" else self.accuracy


@dataclass(frozen=True)
class PowerLaw:
    """score = ceiling - drop * rows ** -decay (Figueroa 2012)."""

    ceiling: float
    drop: float
    decay: float

    def at(self, rows: float) -> float:
        return self.ceiling - self.drop * math.pow(rows, -self.decay)

    def rows_for(self, score: float) -> float | None:
        """Rows at which the law reaches the score; None at or above its ceiling."""
        return (self.drop / (self.ceiling - score)) ** (1 / self.decay) if score < self.ceiling else None


@dataclass(frozen=True)
class LearningCurve:
    """`means` by rows as measured, `error` the standard error of a mean. `law` is None where `refusal` says why not to look beyond."""

    means: tuple[tuple[int, float], ...]
    error: float
    law: PowerLaw | None
    refusal: Refusal | None

    @property
    def largest(self) -> int:
        return self.means[-1][0]

    @property
    def furthest(self) -> float:
        """The most rows it speaks of: a little more, since a split may leave a little more than a fold to learn from."""
        return LITTLE_MORE * self.largest * (1.0 if self.law is None else FLAGGED_TIMES)

    def at(self, rows: float) -> tuple[float, float] | None:
        """The score with `rows` to learn from, and its standard error; None beyond what the curve can say.

        Between sizes as measured; beyond the largest by the law, moved to go through it, less certain with each doubling.
        """
        if rows > self.furthest:
            return None
        if rows <= self.largest or self.law is None:
            return self._measured(rows), self.error
        beyond = OFF_EACH_DOUBLING * math.log2(rows / self.largest)
        return min(CEILING, self.law.at(rows) + self._moved), math.hypot(self.error, beyond)

    def rows_for(self, score: float) -> float | None:
        """Rows to learn from for the score, however far; None where it is out of reach, or nothing may be said."""
        if score <= self.means[-1][1]:
            return float(self.largest)
        return None if self.law is None or score > CEILING else self.law.rows_for(score - self._moved)

    @property
    def _moved(self) -> float:
        return self.means[-1][1] - self.law.at(self.largest) if self.law else 0.0

    def _measured(self, rows: float) -> float:
        if rows <= self.means[0][0]:
            return self.means[0][1]
        rows = min(rows, self.largest)
        (fewer, below), (more, above) = next(pair for pair in pairwise(self.means) if rows <= pair[1][0])
        return below + math.log(rows / fewer) / math.log(more / fewer) * (above - below)


def fit_curve(points: Sequence[CurvePoint], metric: str) -> LearningCurve | None:
    """The curve through the points (smallest first) for the metric; None without points."""
    if not points:
        return None
    means = tuple((point.rows, statistics.fmean(point.scores(metric))) for point in points)
    draws = min(len(point.scores(metric)) for point in points)
    spread = statistics.median(statistics.stdev(point.scores(metric)) for point in points) if draws > 1 else 0.0
    error = spread / math.sqrt(draws)
    refusal = _refusal(means, draws, error)
    return LearningCurve(means, error, None if refusal else power_law(means), refusal)


def power_law(means: Sequence[tuple[int, float]]) -> PowerLaw:
    """The law that fits best, points weighted by their rows; never falling, never above 1."""
    return min((_with_decay(means, decay) for decay in _DECAYS), key=lambda law: _misfit(law, means))


def _with_decay(means: Sequence[tuple[int, float]], decay: float) -> PowerLaw:
    """Ceiling and drop by weighted least squares for a given decay."""
    weight = sum(rows for rows, _ in means)
    power = {rows: rows**-decay for rows, _ in means}
    across = sum(rows * power[rows] for rows, _ in means) / weight
    height = sum(rows * score for rows, score in means) / weight
    within = sum(rows * (power[rows] - across) ** 2 for rows, _ in means)
    drop = -sum(rows * (power[rows] - across) * (score - height) for rows, score in means) / within
    if drop <= 0:
        return PowerLaw(min(CEILING, height), 0.0, decay)
    if height + drop * across <= CEILING:
        return PowerLaw(height + drop * across, drop, decay)
    held = sum(rows * power[rows] * (CEILING - score) for rows, score in means)
    return PowerLaw(CEILING, held / sum(rows * power[rows] ** 2 for rows, _ in means), decay)


def _misfit(law: PowerLaw, means: Sequence[tuple[int, float]]) -> float:
    return sum(rows * (law.at(rows) - score) ** 2 for rows, score in means)


def _refusal(means: Sequence[tuple[int, float]], draws: int, error: float) -> Refusal | None:
    if len(means) < FEWEST_SIZES or means[-1][0] < SPAN * means[0][0]:
        return "few_sizes"
    if draws < FEWEST_DRAWS:
        return "few_draws"
    return "growing" if _is_still_growing(means, error) else None


def _is_still_growing(means: Sequence[tuple[int, float]], error: float) -> bool:
    """Whether a doubling brought more in the upper half of the sizes than in the lower, beyond what the draws explain."""
    (first, low), (half, between), (last, high) = means[0], means[len(means) // 2], means[-1]
    before, after = math.log2(half / first), math.log2(last / half)
    grown = (high - between) / after - (between - low) / before
    return grown > GROWING_BEYOND * error * math.sqrt(2) * math.hypot(1 / before, 1 / after)
