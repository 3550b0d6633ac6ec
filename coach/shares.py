"""Whether two shares differ by more than chance: by intervals that do not meet, which is stricter than a test of their difference."""

from __future__ import annotations

import math

from coach.statistics import wilson_interval

ALPHA = 0.05


def is_below(hits: float, rows: float, others: float, among: float, *, looks: int = 1) -> bool:
    """Whether Wilson's interval of the first share lies below that of the second, at a level that allows for `looks` such looks.

    False where a number is not one, or no count of rows.
    """
    counts = (hits, rows, others, among)
    if not all(map(math.isfinite, counts)) or not (0 <= hits <= rows and 0 <= others <= among) or min(rows, among) < 1:
        return False
    level = 1 - ALPHA / max(1, looks)
    return wilson_interval(round(hits), round(rows), level).high < wilson_interval(round(others), round(among), level).low


def are_apart(hits: float, rows: float, others: float, among: float) -> bool:
    """Whether either of the two lies below the other."""
    return is_below(hits, rows, others, among) or is_below(others, among, hits, rows)
