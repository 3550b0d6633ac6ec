"""The identity of rows: when two texts are the same text, and an id that a row keeps when data is made again.

Owns normalisation, used alike by the audit, the split and the ids, so that they never disagree on what a duplicate is.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from training.data.rows import Output


class HasContent(Protocol):
    """A row, or what is to become one."""

    @property
    def input(self) -> Mapping[str, str]: ...

    @property
    def output(self) -> Output: ...


@dataclass(frozen=True)
class Content:
    """What an id is made from: a row before it has one."""

    input: Mapping[str, str]
    output: Output
    source: str


def same_text(text: str) -> str:
    """A text reduced to what makes it that text: NFKC (full-width to half-width), case folded, whitespace runs as one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def input_key(values: Mapping[str, str]) -> str:
    """The same for a row's whole input, whichever order its fields come in."""
    return "\x1f".join(f"{name}\x1e{same_text(values[name])}" for name in sorted(values))


def row_ids(contents: Sequence[Content]) -> list[str]:
    """An id per row, `r-` and 10 hex digits: the same for the same content whatever stands around it or in which order.

    Exact repeats are counted, so every id is unique in the list; hand over all rows of a task at once. 40 bits: at 100,000
    rows two contents share a digest once in 200 tasks, and are then told apart by the same counter.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, content in enumerate(contents):
        places[_digest(f"{input_key(content.input)}\x1d{output_key(content.output)}\x1d{content.source}")].append(place)
    ids = [""] * len(contents)
    for digest, repeats in places.items():
        for count, place in enumerate(sorted(repeats, key=lambda place: raw_content(contents[place]))):
            ids[place] = f"r-{digest if count == 0 else _digest(f'{digest}#{count}')}"
    return ids


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:10]


def output_key(output: Output) -> str:
    """The same for an answer: equal for labels that differ only by case, width or spaces."""
    return same_text(output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, sort_keys=True))


def raw_content(content: HasContent) -> str:
    """A row's content to the letter: what decides between rows that count as the same."""
    return json.dumps([dict(content.input), content.output], ensure_ascii=False, sort_keys=True)
