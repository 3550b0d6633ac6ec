"""How the cheap baseline's score grows with the rows it learns from, on a person's own rows: seconds, no model.

Owns the sizes and the draws. What such a curve foretells is `coach.learning_curve`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coach.learning_curve import CurvePoint
from training.forecast_baseline import Choice, CountedRows, Labels, predictions_of, single_threaded

Folds = list[tuple[NDArray[Any], NDArray[Any]]]  # places learnt from and places answered
SIZES, SEEDS = 5, 3  # evidence.md 6.2: at least four sizes, at least three seeds
SMALLEST_SHARE = 1 / 16  # of what a fold leaves: each size is twice the one before
FEWEST_ROWS = 10  # to learn from
MOST_ROWS = 2_000  # drawn of more: what twice as many would bring is then read off the law, and a look stays short


def learning_curve(rows: CountedRows, choice: Choice, *, seed: int) -> list[CurvePoint]:
    """The scores by rows learnt from, smallest first, a score for each of SEEDS rounds of folds; the same each time.

    Every row is answered by a baseline that has not seen it, so each score is one on all rows. Growing samples contain the smaller ones,
    each with the classes in their shares; the smallest fold of all rounds gives the largest, and rows that stay together make folds of
    many sizes. Fewer sizes where there are few rows. Needs what `out_of_fold` needs.
    """
    if len(rows.truth) > MOST_ROWS:
        rows = rows[in_shares(rows.truth, np.random.default_rng(seed % 2**32))[:MOST_ROWS]]
    draws = [(rows.folds(seed + number), seed + number) for number in range(SEEDS)]
    sizes = sizes_within(min(len(inside) for folds, _ in draws for inside, _ in folds))
    with single_threaded():
        rounds = [_round(rows, choice, folds, sizes, own) for folds, own in draws]
    reports = {size: [rows.report(answered[size]) for answered in rounds] for size in rounds[0]}
    return [
        CurvePoint(size, tuple(round(one.macro_f1, 4) for one in found), tuple(round(one.accuracy, 4) for one in found))
        for size, found in sorted(reports.items())
    ]


def sizes_within(most: int) -> list[int]:
    """Up to SIZES sizes, the largest `most`, in equal steps of the logarithm."""
    fewest = max(FEWEST_ROWS, most * SMALLEST_SHARE)
    return sorted({round(size) for size in np.geomspace(min(fewest, most), most, SIZES)})


def _round(rows: CountedRows, choice: Choice, folds: Folds, sizes: Sequence[int], seed: int) -> dict[int, Labels]:
    """Out-of-fold answers for every row, by size."""
    random = np.random.default_rng(seed % 2**32)
    answered = {size: rows.truth.copy() for size in sizes}
    for inside, outside in folds:
        grown = inside[in_shares(rows.truth[inside], random)]
        for size, given in answered.items():
            first = grown[:size]
            given[outside] = predictions_of(rows.counts[first], rows.truth[first], rows.counts[outside], [choice])[choice]
    return answered


def in_shares(truth: Labels, random: np.random.Generator) -> NDArray[Any]:
    """An order in which every beginning has the classes in their shares, as near as whole rows allow."""
    place = np.empty(len(truth))
    for label in sorted(set(truth)):
        members = np.flatnonzero(truth == label)
        place[random.permutation(members)] = (np.arange(len(members)) + random.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")
