"""The training rows most like a text, by TF-IDF over the features of the baseline: whether the training data taught an answer.

Owns the index and what the labels of the nearest say. Never stored: it is made again in a moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from coach.answers_given import label_of
from coach.version_folder import Version
from training.baseline import text_of, vectorizer_for
from training.data.rows import Row, read_rows

NEAREST = 3
ALIKE_CHARACTERS = (
    0.2  # cosine over pairs of characters: from here on the nearest of 500 headlines has the label of 72 % of the test
)
ALIKE_WORDS = 0.25  # rows, below it of 56 %; over words one of .20 to .25 says no more than any other does (bench/alike.py)
Lesson = Literal["as_answered", "as_labelled", "mixed", "nothing_like"]


@dataclass(frozen=True)
class Near:
    """A training row; `similarity`: cosine, 0 to 1; `alike`: whether that is enough for its label to say something."""

    id: str
    inputs: Mapping[str, str]
    label: str | None
    similarity: float
    alike: bool


@dataclass(frozen=True)
class TrainingIndex:
    """The training rows of a version, ready to be asked."""

    rows: Sequence[Row]
    target: str | None
    vectorizer: TfidfVectorizer
    features: Any

    def nearest(self, inputs: Mapping[str, str], count: int = NEAREST) -> list[Near]:
        """The `count` rows most like these inputs, the nearest first; rows that share nothing with them are left out."""
        asked = self.vectorizer.transform([text_of(Row("", dict(inputs), ""))])
        similarity = np.asarray((self.features @ asked.T).todense()).ravel()
        order = np.argsort(-similarity, kind="stable")[:count]
        return [self._near(int(place), float(similarity[place])) for place in order if similarity[place] > 0]

    def _near(self, place: int, similarity: float) -> Near:
        row, enough = self.rows[place], ALIKE_CHARACTERS if self.vectorizer.analyzer == "char" else ALIKE_WORDS
        return Near(row.id, row.input, label_of(row.output, self.target), min(1.0, similarity), similarity >= enough)


def training_index(version: Version, target: str | None) -> TrainingIndex | None:
    """The index of the rows the version was trained on; None where they are not there or no text holds a word. Raises DataError."""
    path = version.split_path("train")
    rows = read_rows(path) if path.is_file() else []
    vectorizer = vectorizer_for(version.config.language)
    try:
        return TrainingIndex(rows, target, vectorizer, vectorizer.fit_transform([text_of(row) for row in rows]))
    except ValueError:  # an empty vocabulary
        return None


def lesson(near: Sequence[Near], actual: str | None, predicted: str | None) -> Lesson:
    """What the labels of the nearest say of a wrong answer: more than half of those that are alike decide."""
    alike = [found.label for found in near if found.alike]
    if not alike:
        return "nothing_like"
    label, count = Counter(alike).most_common(1)[0]
    if 2 * count <= len(alike):
        return "mixed"
    return "as_answered" if label == predicted else "as_labelled" if label == actual else "mixed"
