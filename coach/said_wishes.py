"""What a person's words wish for that the coach would settle itself: all weights, a certain base model, how many bits.

Owns the words alone. What speaks for or against a wish is `contradictions`' and `opinions`'.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from coach.intents import intents, stands_in
from coach.reference_data import models

FULL_TUNING = ("full fine", "全參數", "全参数")  # how its names in intents.yaml begin
_BITS = re.compile(
    r"(?<![\d.])(?P<bits>4|16)[\s-]*(?:bits?\b|位元)|\b(?P<half>bf16|fp16|bfloat16|float16)\b|\b(?P<four>qlora|int4|nf4)\b",
    re.IGNORECASE,
)
_REFUSED_BEFORE = re.compile(
    r"(?:不(?:想|要|用|需要|做)*|別|\b(?:not|no|without|instead of|rather than|don't)(?: (?:want|need|do|use|to|a))*) *$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Wishes:
    """`model` is an id of the catalogue; `bits` of the base model's weights."""

    full_tuning: bool = False
    model: str | None = None
    bits: Literal[4, 16] | None = None


def said_wishes(words: str) -> Wishes:
    """The wishes in a sentence; what is said not to be wanted is none."""
    said = unicodedata.normalize("NFKC", words)
    names = [name for name in intents().known_methods if name.startswith(FULL_TUNING) and stands_in(name, said)]
    is_asked = stands_in("lora", said)  # one or the other: a question, no wish
    return Wishes(not is_asked and any(not _is_refused(name, said) for name in names), said_model(said), _bits(said))


def said_model(said: str) -> str | None:
    """The base model of the catalogue that is named, the longest name where several fit: `Qwen3-8B` in any spelling, `qwen3 8b`."""
    plain = _plain(said)
    found = [(name, model) for name, model in _names() if re.search(rf"(?<![a-z0-9.]){re.escape(name)}(?![a-z0-9]|\.\d)", plain)]
    return max(found, key=lambda pair: len(pair[0]))[1] if found else None


@functools.cache
def _names() -> tuple[tuple[str, str], ...]:
    """Plain spellings and the model meant: the whole name, and the name as people shorten it where one model alone has that."""
    whole = [(_plain(row.id.split("/")[-1]), row.id) for row in models() if not row.id.startswith("starter/")]
    known = {name for name, _ in whole}
    short = [(re.sub(r"(?: it| instruct(?: \d{4})?)$", "", name), model) for name, model in whole]
    return (*whole, *((name, model) for name, model in short if name not in known))


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.lower())


def _bits(said: str) -> Literal[4, 16] | None:
    found = _BITS.search(said)
    if found is None:
        return None
    return 4 if found["four"] or found["bits"] == "4" else 16


def _is_refused(name: str, said: str) -> bool:
    found = re.search(re.escape(name), said, re.IGNORECASE)
    return found is not None and _REFUSED_BEFORE.search(said[: found.start()]) is not None
