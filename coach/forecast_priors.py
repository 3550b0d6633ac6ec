"""What the cheap baseline scores on public data by the number of rows: where a person's own rows have not been looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from coach.reference_data import Difficulty, method_book
from coach.situation import Situation
from coach.text_kind import kind_of


def difficulty_of(situation: Situation) -> tuple[Difficulty, Difficulty, Difficulty]:
    """The curves for low, expected and high: judgements of feeling lie between news and reviews, others up to news topics.

    Whether it is feeling is told by the labels and the words of the answers, from the list under `feeling` in intents.yaml.
    """
    return ("hard", "middle", "middle") if kind_of(situation).feeling else ("hard", "middle", "easy")


def baseline_prior(situation: Situation, rows: int) -> tuple[float, float, float]:
    """What the cheap baseline may score with `rows` rows (evidence.md 2.2): low, expected, high, on the situation's metric.

    For feeling the expected value lies half way between news and reviews.
    """
    curves = method_book().forecast.curves
    column = 1 if situation.metric == "macro_f1" else 0
    low, middle, high = (
        interpolated([(n, scores) for n, *scores in curves[name]], rows)[column] for name in difficulty_of(situation)
    )
    return low, (low + middle) / 2 if kind_of(situation).feeling else middle, high


def interpolated(points: Sequence[tuple[int, Sequence[float]]], rows: int) -> list[float]:
    """Values at `rows` between measured points, straight in the logarithm of the rows; the ends stay as they are."""
    if rows <= points[0][0]:
        return list(points[0][1])
    for (fewer, below), (more, above) in pairwise(points):
        if rows <= more:
            share = math.log(rows / fewer) / math.log(more / fewer)
            return [low + share * (high - low) for low, high in zip(below, above, strict=True)]
    return list(points[-1][1])
