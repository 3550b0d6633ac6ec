"""McNemar's exact test of two systems' accuracy on the same rows: its p, its power, the rows it needs and what it can detect.

Counts of rows the two disagree on are all it knows. numpy only.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coach.statistics import normal_quantile

EXACT_UP_TO = 1_000  # rows that disagree; more take long to sum over
KEPT = 4_096  # answers remembered: the same few counts come up whenever versions are compared
_TINY = 1e-300


def mcnemar_exact(only_first_right: int, only_second_right: int) -> float:
    """Two-sided p of the exact McNemar test, from the rows that just one of two systems got right."""
    rows = only_first_right + only_second_right
    if rows == 0:
        return 1.0
    tail = sum(
        math.exp(log_choose(rows, hits) - rows * math.log(2)) for hits in range(min(only_first_right, only_second_right) + 1)
    )
    return min(1.0, 2 * tail)


def test_rows_needed(difference: float, disagreement: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Test rows that show `difference` in accuracy between two systems that disagree on a share `disagreement` of the rows.

    McNemar's sample size (Miettinen 1968; table in evidence 6.3). Raises ValueError unless 0 < difference <= disagreement <= 1.
    """
    if not 0 < difference <= disagreement <= 1:
        raise ValueError(f"difference {difference}, disagreement {disagreement}")
    wanted = normal_quantile(1 - alpha / 2) * math.sqrt(disagreement)
    wanted += normal_quantile(power) * math.sqrt(disagreement - difference * difference)
    return math.ceil((wanted / difference) ** 2)


def detectable_difference(rows: int, disagreement: float, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """The smallest difference in accuracy that `rows` test rows can show; None where the whole disagreement is too little."""
    if rows <= 0 or test_rows_needed(disagreement, disagreement, power, alpha) > rows:
        return None
    low, high = 1e-9, disagreement
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if test_rows_needed(middle, disagreement, power, alpha) > rows else (low, middle)
    return high


@functools.lru_cache(maxsize=KEPT)
def rows_for_mcnemar(difference: float, disagreement: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Test rows with which the exact test finds `difference` as often as `power`: a few more than the formula says.

    Beyond EXACT_UP_TO rows that disagree the formula is as good. Raises ValueError as `test_rows_needed` does.
    """
    rows = test_rows_needed(difference, disagreement, power, alpha)
    while rows * disagreement <= EXACT_UP_TO and mcnemar_power(rows, difference, disagreement, alpha) < power:
        rows += max(1, rows // 50)
    return rows


def mcnemar_power(rows: int, difference: float, disagreement: float, alpha: float = 0.05) -> float:
    """The chance that the exact McNemar test of `rows` rows calls a system better that is, by `difference` in accuracy.

    Summed over how many rows the two disagree on and who is right there. Raises ValueError unless
    0 <= difference <= disagreement <= 1.
    """
    if not 0 <= difference <= disagreement <= 1:
        raise ValueError(f"difference {difference}, disagreement {disagreement}")
    if disagreement == 0:
        return 0.0
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, rows + 1)))])

    def shares(trials: NDArray[Any], hits: NDArray[Any], chance: float) -> NDArray[Any]:
        """Binomial probabilities; nothing where there are more hits than trials."""
        rest = np.maximum(trials - hits, 0)
        log = log_factorial[trials] - log_factorial[hits] - log_factorial[rest]
        log = log + hits * math.log(max(chance, _TINY)) + rest * math.log(max(1 - chance, _TINY))
        return np.where(hits <= trials, np.exp(log), 0.0)

    spread = 6 * math.sqrt(rows * disagreement * (1 - disagreement)) + 1
    apart = np.arange(max(0, int(rows * disagreement - spread)), min(rows, math.ceil(rows * disagreement + spread)) + 1)[:, None]
    right = np.arange(int(apart.max()) + 1)[None, :]
    tails = np.cumsum(shares(apart, right, 0.5)[:, ::-1], axis=1)[:, ::-1]  # [apart, right]: so many or more by chance
    found = (shares(apart, right, (disagreement + difference) / (2 * disagreement)) * (tails <= alpha / 2)).sum(axis=1)
    return float((shares(np.full(len(apart), rows), apart[:, 0], disagreement) * found).sum())


@functools.lru_cache(maxsize=KEPT)
def detectable_by_mcnemar(rows: int, disagreement: float, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """The smallest difference in accuracy the exact McNemar test finds with `power`; None where the whole disagreement is too little.

    Beyond EXACT_UP_TO rows that disagree the approximation of `test_rows_needed` is as good.
    """
    if rows * disagreement > EXACT_UP_TO:
        return detectable_difference(rows, disagreement, power, alpha)
    if not rows or mcnemar_power(rows, disagreement, disagreement, alpha) < power:
        return None
    low, high = 0.0, disagreement
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if mcnemar_power(rows, middle, disagreement, alpha) < power else (low, middle)
    return high


def log_choose(rows: int, hits: int) -> float:
    return math.lgamma(rows + 1) - math.lgamma(hits + 1) - math.lgamma(rows - hits + 1)
