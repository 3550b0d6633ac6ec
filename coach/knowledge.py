"""The knowledge base: short cards a person can search in either language, and the card behind a reason's source.

Owns reading and finding cards (`catalog/knowledge/`, a file an area). A card's own words hold no figure: those stand in the sources it
names, which are quoted with their date. A new card is a row there, nothing else.
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from datetime import date
from typing import Literal, get_args

from rapidfuzz import fuzz

from coach.catalog_file import read_catalog_file
from coach.intents import intents
from coach.reference_data import CATALOG_FOLDER, Row, Source, sources
from coach.text import Language

Area = Literal["models", "architectures", "methods", "tasks", "troubleshooting"]
AREAS: tuple[Area, ...] = get_args(Area)
LIKE_ENOUGH = 80  # of 100: a letter or two mistyped in a word of some length
MOST_LETTERS = 200  # of a question
WORTH_SHOWING = 0.35  # of the best card's score
LETTERS_TO_GUESS = 4  # shorter words have to be met exactly
OF_NO_ONE_SUBJECT = ("our-practice", "design", "specification", "model-catalogue", "gpu-sheets")
"""Sources about many things: a card behind one of these would be a guess."""
_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z0-9][a-z0-9.+-]*")


class Card(Row):
    """`when`: for whom it is. `names`: names of the field that hold digits. `words`: what else somebody may look for it by."""

    id: str
    area: Area
    title: dict[Language, str]
    says: dict[Language, str]
    when: dict[Language, str]
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    sources: tuple[str, ...]
    date: date

    def quoted(self) -> list[Source]:
        return [sources()[key] for key in self.sources]


@functools.cache
def knowledge() -> tuple[Card, ...]:
    """Every card, area by area in the order of their files."""
    return tuple(
        Card.model_validate({"id": name, "area": area, **row})
        for area in AREAS
        for name, row in read_catalog_file(CATALOG_FOLDER / "knowledge" / f"{area}.yaml").items()
    )


def card_about(source: str) -> Card | None:
    """The card to read on where a reason names this source: the one that puts it first; None where it is about many things."""
    naming = [card for card in knowledge() if source in card.sources and source not in OF_NO_ONE_SUBJECT]
    return min(naming, key=lambda card: card.sources.index(source), default=None)


def search(asked: str) -> list[Card]:
    """Cards that answer `asked` in either language, the best first; all of them where nothing is asked. Small typing errors are forgiven.

    A word counts by the best place it is met in, and the more, the fewer cards it is met in; cards far below the best are left out.
    """
    words = [word for word in _words(asked[:MOST_LETTERS]) if word not in intents().filler] or _words(asked[:MOST_LETTERS])
    if not words:
        return list(knowledge())
    scores = [0.0] * len(knowledge())
    for word in words:
        met = [_score(card, word) for card in knowledge()]
        rare = math.log(1 + len(met) / max(1, sum(map(bool, met))))
        scores = [score + rare * one for score, one in zip(scores, met)]
    enough = max(WORTH_SHOWING * max(scores), 1e-9)
    found = sorted((-score, place) for place, score in enumerate(scores) if score >= enough)
    return [knowledge()[place] for _, place in found]


def _words(asked: str) -> list[str]:
    """Latin words as they are; a run of Chinese no card has as it stands in pairs of letters, since nothing parts its words."""
    texts = [
        _plain(" ".join([*card.title.values(), *card.says.values(), *card.when.values(), *card.words])) for card in knowledge()
    ]
    words = []
    for run in _RUN.findall(_plain(asked)):
        whole = run.isascii() or len(run) < 3 or any(run in text for text in texts)
        words += [run] if whole else [run[place : place + 2] for place in range(len(run) - 1)]
    return words


def _score(card: Card, word: str) -> float:
    quoted = [text for source in card.quoted() for text in source.says.values()]
    places = [
        (4.0, " ".join([*card.title.values(), card.id])),
        (3.0, " ".join([*card.names, *card.words])),
        (1.0, " ".join([*card.says.values(), *card.when.values()])),
        (0.5, " ".join(quoted)),
    ]
    return max(weight * _met(word, _plain(text)) for weight, text in places)


def _met(word: str, text: str) -> float:
    if word in text:
        return 1.0
    if len(word) < LETTERS_TO_GUESS or not word.isascii():
        return 0.0
    others = [other for other in _RUN.findall(text) if other.isascii() and len(other) >= LETTERS_TO_GUESS]
    best = max((fuzz.ratio(word, other) for other in others), default=0.0)
    return 0.6 if best >= LIKE_ENOUGH or any(word.startswith(other) for other in others) else 0.0


def _plain(said: str) -> str:
    return unicodedata.normalize("NFKC", said).casefold()
