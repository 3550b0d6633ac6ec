"""Words that go with wrong answers: in rows of one class they stand more often where the answer was wrong, beyond chance.

Reads which words stand in which row; how a text becomes words is the training side's. Says nothing where nothing is significant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from coach.exact_strata import ALPHA, Held, Stratum, excess_p, holm, least_p, worth_testing

MOST_WORDS = 10
FEWEST_HOLDERS = 3  # rows: what stands in fewer hardly ever could stand out beside the others, and most of what a text holds does


@dataclass(frozen=True)
class WordRow:
    """One answered row: its words, each once, its class, and whether the answer was wrong."""

    id: str
    words: Collection[str]
    actual: str
    wrong: bool


@dataclass(frozen=True)
class TellingWord:
    """`rows` hold the word, `wrong` of them (by id in `wrong_rows`) are answered wrong; `p` allows for all the words looked at.

    `elsewhere`: the share answered wrong among the rows without it.
    """

    word: str
    rows: int
    wrong_rows: tuple[str, ...]
    elsewhere: float
    p: float

    @property
    def wrong(self) -> int:
        return len(self.wrong_rows)


def telling_words(rows: Sequence[WordRow]) -> list[TellingWord]:
    """The most telling first, at most MOST_WORDS; none that stands out only where one before it stands too.

    Words begin and end with a letter or a digit and stand in FEWEST_HOLDERS rows; others are passed over.
    """
    holders = _holders(rows)
    counted = _Counted(rows)
    strata = counted.strata(range(len(rows)))
    held = {word: counted.held(places) for word, places in holders.items()}
    least = {numbers: least_p(strata, numbers) for numbers in set(held.values())}
    tested = worth_testing({word: least[numbers] for word, numbers in held.items()})
    found = holm({word: excess_p(strata, held[word], counted.wrong(holders[word])) for word in tested})
    ordered = sorted(found, key=lambda word: (found[word], -len(word), word))
    return [_told(rows, word, holders[word], found[word]) for word in _each_new(counted, ordered, holders)]


def _holders(rows: Sequence[WordRow]) -> dict[str, set[int]]:
    """For each word the places of the rows that hold it. Counted first: most words of a text stand in no other."""
    in_rows = Counter(word for row in rows for word in row.words)
    often = (word for word, count in in_rows.items() if count >= FEWEST_HOLDERS)
    found: dict[str, set[int]] = {word: set() for word in often if word[:1].isalnum() and word[-1:].isalnum()}
    for number, row in enumerate(rows):
        for word in row.words:
            if word in found:
                found[word].add(number)
    return found


class _Counted:
    """Counts rows by class; `places` are places in `rows`."""

    def __init__(self, rows: Sequence[WordRow]) -> None:
        self.rows = rows
        self.classes = {name: number for number, name in enumerate(dict.fromkeys(row.actual for row in rows))}

    def strata(self, places: Collection[int]) -> list[Stratum]:
        sizes = Counter(self.rows[place].actual for place in places)
        wrong = Counter(self.rows[place].actual for place in places if self.rows[place].wrong)
        return [Stratum(sizes[name], wrong[name]) for name in self.classes]

    def held(self, places: Collection[int]) -> Held:
        return tuple(sorted(Counter(self.classes[self.rows[place].actual] for place in places).items()))

    def wrong(self, places: Collection[int]) -> int:
        return sum(self.rows[place].wrong for place in places)


def _each_new(counted: _Counted, ordered: Sequence[str], holders: Mapping[str, set[int]]) -> list[str]:
    """The words that stand out in the rows without those said before them too: parts and neighbours of these mostly do not."""
    told: list[str] = []
    rest = set(range(len(counted.rows)))
    for word in ordered:
        left = holders[word] & rest
        if excess_p(counted.strata(rest), counted.held(left), counted.wrong(left)) <= ALPHA:
            told.append(word)
            rest -= holders[word]
        if len(told) == MOST_WORDS:
            break
    return told


def _told(rows: Sequence[WordRow], word: str, places: Collection[int], p: float) -> TellingWord:
    wrong = tuple(rows[place].id for place in sorted(places) if rows[place].wrong)
    elsewhere = (sum(row.wrong for row in rows) - len(wrong)) / max(1, len(rows) - len(places))
    return TellingWord(word, len(places), wrong, elsewhere, p)
