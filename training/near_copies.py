"""Test rows of whose text training has nearly the same: a score on them shows memory rather than skill.

Texts that are the same have been taken out before (`data/split.py`); these differ by a name, a number, a word.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from coach.version_folder import Version
from training.baseline import text_of, vectorizer_for
from training.data.rows import Row, read_rows

NEARLY_SAME = 0.8  # cosine over the baseline's features: below it texts share a subject, above it a wording (bench/alike.py)
MOST_TRAINING = 3_000  # rows held against the test; what is found among them is there
MOST_PAIRS = 1_500_000  # of a training and a test row: 500 test rows of many, of 300 letters each in three seconds
_AT_ONCE = 200  # test rows
T = TypeVar("T")


def copied_rows(version: Version) -> dict[str, bool] | None:
    """Test rows by id, drawn where they are many; None where a split is missing or no text holds a word. Raises DataError."""
    splits = [version.split_path(part) for part in ("train", "test")]
    if not all(path.is_file() for path in splits):
        return None
    train, test = (read_rows(path) for path in splits)
    if not train:
        return None
    return copied(train, test, version.config.language)


def copied(train: Sequence[Row], test: Sequence[Row], language: str) -> dict[str, bool] | None:
    """Of test rows, by id, whether the nearest training row is nearly the same; None where no text holds a word."""
    known = _drawn(train, MOST_TRAINING)
    asked = _drawn(test, MOST_PAIRS // len(known))
    vectorizer = vectorizer_for(language)
    try:
        features = vectorizer.fit_transform([text_of(row) for row in known])
    except ValueError:  # an empty vocabulary
        return None
    found: dict[str, bool] = {}
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        nearest = (vectorizer.transform([text_of(row) for row in some]) @ features.T).max(axis=1).toarray().ravel()
        found |= {row.id: bool(like >= NEARLY_SAME) for row, like in zip(some, np.asarray(nearest))}
    return found


def _drawn(rows: Sequence[T], most: int) -> Sequence[T]:
    return rows if len(rows) <= most else random.Random(0).sample(rows, most)
