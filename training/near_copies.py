"""Rows that say nearly the same: those of the test of which training has one, and those of a file before it is split. A score on them
shows memory rather than skill.

Texts that are the same have been taken out before (`data/split.py`); these differ by a name, a number, a word. What many rows have in
common, a footer or a form, says nothing and is left out; one number counts as any other.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, vstack
from scipy.sparse.csgraph import connected_components

from coach.version_folder import Version
from training.baseline import text_of, vectorizer_for
from training.data.rows import Row, read_rows

NEARLY_SAME = 0.8  # cosine over the baseline's features: below it texts share a subject, above it a wording (bench/alike.py)
SAME_WORDING = 0.6  # for rows of one file, which are joined by chains: of 600 real texts up to 7 are (bench/alike.py)
COMMON_SHARE = 0.3  # of all texts: what more of them have is no wording of one's own
MOST_TRAINING, MOST_TEST = 3_000, 500  # rows
MOST_LETTERS = 2_000  # of a text
MOST_LETTERS_IN_ALL = 600_000  # of the training rows: two or three seconds
_AT_ONCE = 200  # test rows
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Copies:
    """`copied`: test rows that were looked at, by id, and whether a training row is nearly the same. `seen`: share of the training rows
    that were held against them, so that where it is below 1 there may be more copies than were found.
    """

    copied: dict[str, bool]
    seen: float


def copies_in(version: Version) -> Copies | None:
    """Of a version's test rows; None where a split is missing or no text holds a word. Raises DataError."""
    splits = [version.split_path(part) for part in ("train", "test")]
    if not all(path.is_file() for path in splits):
        return None
    train, test = (read_rows(path) for path in splits)
    return find_copies(train, test, version.config.language)


def find_copies(train: Sequence[Row], test: Sequence[Row], language: str) -> Copies | None:
    """Which test rows have nearly the same text in training, of so many rows as take a few seconds; None where no text holds a word."""
    known = [train[place] for place in _drawn(train, MOST_TRAINING)]
    asked = [test[place] for place in _drawn(test, MOST_TEST)]
    if not known or not asked:
        return None
    features = _features([*known, *asked], language)
    if features is None:
        return None
    of_training, of_test = features[: len(known)].T.tocsc(), features[len(known) :]
    copied: dict[str, bool] = {}
    for start in range(0, len(asked), _AT_ONCE):
        nearest = np.asarray((of_test[start : start + _AT_ONCE] @ of_training).max(axis=1).todense()).ravel()
        copied |= {row.id: bool(like >= NEARLY_SAME) for row, like in zip(asked[start : start + _AT_ONCE], nearest)}
    return Copies(copied, len(known) / len(train))


@dataclass(frozen=True)
class Wordings:
    """`group_of`: for each row that was looked at, its place in the rows given, and the number of its wording."""

    group_of: dict[int, int]

    def alike(self, kept_together: Sequence[int] | None = None) -> int:
        """Rows that share their wording with another, or with one of another number where rows of one number are `kept_together`."""
        if kept_together is None:
            return sum(count for count in Counter(self.group_of.values()).values() if count > 1)
        numbers: dict[int, set[int]] = {}
        for place, wording in self.group_of.items():
            numbers.setdefault(wording, set()).add(int(kept_together[place]))
        return sum(len(numbers[wording]) > 1 for wording in self.group_of.values())


def wordings(rows: Sequence[Row], language: str) -> Wordings | None:
    """Rows by their wording, of so many as take a few seconds; None where no text holds a word."""
    places = _drawn(rows, MOST_TRAINING)
    features = _features([rows[place] for place in places], language)
    if features is None:
        return None
    near = []
    for start in range(0, len(places), _AT_ONCE):
        likeness = (features[start : start + _AT_ONCE] @ features.T).tocsr()
        likeness.data[likeness.data < SAME_WORDING] = 0
        likeness.eliminate_zeros()
        near.append(likeness)
    _, groups = connected_components(vstack(near), directed=False)
    return Wordings({place: int(group) for place, group in zip(places, groups)})


def _features(rows: Sequence[Row], language: str) -> csr_matrix | None:
    try:
        return vectorizer_for(language).set_params(max_df=COMMON_SHARE).fit_transform([_beginning(row) for row in rows]).tocsr()
    except ValueError:  # an empty vocabulary
        return None


def _drawn(rows: Sequence[Row], most: int) -> list[int]:
    """Places of at most so many rows, and so many letters, at random; the same ones each time."""
    letters, taken = 0, []
    for place in random.Random(0).sample(range(len(rows)), min(most, len(rows))):
        letters += len(_beginning(rows[place]))
        if letters > MOST_LETTERS_IN_ALL:
            break
        taken.append(place)
    return taken


def _beginning(row: Row) -> str:
    return _NUMBER.sub("0", text_of(row)[:MOST_LETTERS])
