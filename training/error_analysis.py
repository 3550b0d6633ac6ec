"""What goes wrong in a version's answers, row by row: pairs confused, words and lengths that go with errors, what was sure and wrong.

Owns the gathering for page and command line. The tests behind words and lengths are `coach`'s; the nearest training rows are
`nearest_rows.py`'s.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from coach.finding import Evidence, Finding
from coach.row_findings import SURE_FROM, weak_lengths
from coach.telling_words import TellingWord, WordRow, telling_words
from training.answered_rows import AnsweredRow, Choice, chosen
from training.baseline import vectorizer_for
from training.evidence import as_evidence

MOST_PAIRS = 10
MOST_WORD_ROWS = 3_000  # of 300 Chinese characters each: seconds; 10,000 of them took minutes and 1.7 GB


@dataclass(frozen=True)
class ConfusedPair:
    """Rows of the class `actual` that were answered `predicted` (None: outside the format), the surest first.

    `of_class`: their share of that class's rows.
    """

    actual: str
    predicted: str | None
    rows: tuple[AnsweredRow, ...]
    of_class: float

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class ErrorAnalysis:
    """`wrong`: every wrong row, the surest first; `sure`: those of them with a probability of SURE_FROM or more.

    `words` and `lengths` hold what is beyond chance, and are empty where nothing is. `with_text`: rows that have words at all;
    `looked_at`: those whose words were looked at, drawn at random where there are more than MOST_WORD_ROWS.
    """

    rows: int
    wrong: tuple[AnsweredRow, ...]
    sure: tuple[AnsweredRow, ...]
    pairs: tuple[ConfusedPair, ...]
    words: tuple[TellingWord, ...]
    with_text: int
    looked_at: int
    lengths: tuple[Finding, ...]

    @property
    def words_drawn(self) -> bool:
        return self.looked_at < self.with_text

    def with_word(self, word: TellingWord) -> list[AnsweredRow]:
        """The wrong rows that hold it, of those whose words were looked at, the surest first."""
        ids = set(word.wrong_rows)
        return [row for row in self.wrong if row.id in ids]


def analyse_errors(rows: Sequence[AnsweredRow], language: str) -> ErrorAnalysis:
    """`language` is the task's, by which a text becomes characters or words as for the baseline."""
    wrong = tuple(chosen(rows, Choice()))
    with_text = [row for row in rows if row.inputs and row.actual is not None]
    looked_at = _word_rows(with_text, language)
    return ErrorAnalysis(
        rows=len(rows),
        wrong=wrong,
        sure=tuple(row for row in wrong if row.sure is not None and row.sure >= SURE_FROM),
        pairs=tuple(confused_pairs(rows, wrong)),
        words=tuple(telling_words(looked_at)),
        with_text=len(with_text),
        looked_at=len(looked_at),
        lengths=tuple(weak_lengths(Evidence({}, answered=as_evidence(rows)))),
    )


def confused_pairs(rows: Sequence[AnsweredRow], wrong: Sequence[AnsweredRow]) -> list[ConfusedPair]:
    """The pairs with most rows first, at most MOST_PAIRS; of equals the larger share of its class."""
    size = Counter(row.actual for row in rows)
    grouped: dict[tuple[str, str | None], list[AnsweredRow]] = {}
    for row in wrong:
        if row.actual is not None:
            grouped.setdefault((row.actual, row.predicted), []).append(row)
    pairs = [ConfusedPair(actual, said, tuple(found), len(found) / size[actual]) for (actual, said), found in grouped.items()]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.of_class, pair.actual, pair.predicted or ""))[:MOST_PAIRS]


def _word_rows(rows: Sequence[AnsweredRow], language: str) -> list[WordRow]:
    """Right rows and wrong ones are drawn alike: to take every wrong one would make words of the rest look rare."""
    if len(rows) > MOST_WORD_ROWS:
        rows = random.Random(0).sample(rows, MOST_WORD_ROWS)
    words_of = vectorizer_for(language).build_analyzer()
    once: dict[str, str] = {}  # a word is kept once, however many rows hold it
    return [
        WordRow(row.id, tuple(once.setdefault(word, word) for word in set(words_of(_text(row)))), row.actual, not row.right)
        for row in rows
        if row.actual is not None
    ]


def _text(row: AnsweredRow) -> str:
    return "\n".join(row.inputs.values())
