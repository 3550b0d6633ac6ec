"""Whether something stands in wrong rows more often than by chance, class by class: an exact one-sided test and Holm's correction.

With the numbers of rows held as they are, the wrong rows that hold it are hypergeometric in each class, and their sum over classes is
a convolution (the exact form of Mantel and Haenszel's test): a class that is hard as a whole makes nothing stand out. Counts are all it
knows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from coach.mcnemar import log_choose

ALPHA = 0.05
T = TypeVar("T")


@dataclass(frozen=True)
class Stratum:
    """The rows of one class, and how many of them are wrong."""

    rows: int
    wrong: int


Held = tuple[tuple[int, int], ...]  # places of strata, and how many rows there hold the thing; strata without one are left out


def excess_p(strata: Sequence[Stratum], held: Held, wrong_and_held: int) -> float:
    """The chance of `wrong_and_held` or more wrong rows among those that hold it, were it as likely in right ones of the same class."""
    chances, least = np.ones(1), 0
    for place, count in held:
        least += max(0, count + strata[place].wrong - strata[place].rows)
        chances = np.convolve(chances, _chances(strata[place], count))
    return float(min(1.0, chances[max(0, wrong_and_held - least) :].sum()))


def least_p(strata: Sequence[Stratum], held: Held) -> float:
    """The smallest p such numbers of rows could give: every row that holds it wrong, as far as there are wrong ones."""
    return math.exp(sum(_log_chance(strata[place], count, min(count, strata[place].wrong)) for place, count in held))


def holm(p_values: Mapping[T, float], alpha: float = ALPHA) -> dict[T, float]:
    """Those that stand out when all of them were looked at (Holm 1979), each with its adjusted p, smallest first."""
    found: dict[T, float] = {}
    adjusted = 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda pair: pair[1])):
        adjusted = max(adjusted, min(1.0, p * (len(p_values) - rank)))
        if adjusted > alpha:
            break
        found[name] = adjusted
    return found


def worth_testing(least: Mapping[T, float], alpha: float = ALPHA) -> list[T]:
    """Those that could stand out at all beside the others that could (Tarone 1990): the rest need no correction and get no test.

    `least`: the smallest p of each, which hangs on numbers of rows alone and not on which are wrong.
    """
    ordered = sorted(least, key=lambda name: least[name])
    count = 0
    while count < len(ordered) and least[ordered[count]] * (count + 1) <= alpha:
        count += 1
    return ordered[:count]


@lru_cache(maxsize=4096)  # thousands of words stand in few different numbers of rows
def _chances(stratum: Stratum, held: int) -> NDArray[np.float64]:
    """Hypergeometric chances of each possible number of wrong rows among `held`, from the fewest on."""
    fewest, most = max(0, held + stratum.wrong - stratum.rows), min(held, stratum.wrong)
    return np.exp([_log_chance(stratum, held, wrong) for wrong in range(fewest, most + 1)])


def _log_chance(stratum: Stratum, held: int, wrong: int) -> float:
    right = stratum.rows - stratum.wrong
    return log_choose(stratum.wrong, wrong) + log_choose(right, held - wrong) - log_choose(stratum.rows, held)
