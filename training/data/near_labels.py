"""Labels that may be another one misspelt or shortened: a handful of rows, spelt nearly like a label of many ("shiping", "tech").

Owns when two spellings are near. A suspicion for a person to settle: nothing is merged for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz

from training.data.row_ids import same_text

MOST_ROWS = 3  # a class a person means has more, before long
TIMES_LARGER = 5  # at least so many rows of the other label for each of these
NEAR = 85  # rapidfuzz ratio: one letter wrong in eight has 88, `male` and `female` 80
MOST_EXTRA_LETTERS = 4  # where the other label stands whole within this one: "teh shipping"
SHORTEST = 4  # letters; of shorter words one letter makes another word
_NEGATIONS = re.compile(r"\b(not?|non|un|anti)\b|[非不未無没沒]")


@dataclass(frozen=True)
class NearLabel:
    """`label` on `rows` (row numbers of the file) is perhaps `meant`."""

    label: str
    meant: str
    rows: tuple[int, ...]


def near_labels(rows: Mapping[str, Collection[int]], declared: Collection[str] | None = None) -> list[NearLabel]:
    """The suspects among the labels of a column, from each label to its row numbers; `meant` is one of the `declared`, where given."""
    found = []
    for label, at in rows.items():
        if len(at) > MOST_ROWS:
            continue
        others = [
            other for other in rows if len(rows[other]) >= TIMES_LARGER * len(at) and (declared is None or other in declared)
        ]
        near = [other for other in others if _is_near(same_text(label), same_text(other))]
        if near:
            meant = max(near, key=lambda other: fuzz.ratio(same_text(label), same_text(other)))
            found.append(NearLabel(label, meant, tuple(sorted(at))))
    return found


def _is_near(one: str, other: str) -> bool:
    if one == other or min(len(one), len(other)) < SHORTEST or _signs(one) != _signs(other):
        return False
    if fuzz.ratio(one, other) >= NEAR:
        return True
    if _is_short_for(one, other):
        return True
    return set(other.split()) < set(one.split()) and len(one) - len(other) <= MOST_EXTRA_LETTERS


def _is_short_for(one: str, other: str) -> bool:
    """`tech` for `technical`: broken off within a word. Of Chinese, where each character may be a word, that cannot be told."""
    following = other[len(one) : len(one) + 1]
    return other.startswith(one) and following.isascii() and following.isalpha()


def _signs(label: str) -> tuple[list[str], list[str]]:
    """What tells two labels apart however alike they are: their numbers and their negations."""
    return re.findall(r"\d+", label), _NEGATIONS.findall(label)
