"""What a person's words wish for that the coach would settle itself: all weights, a certain base model, how many bits.

Owns the words alone; what speaks for or against a wish is `contradictions`' and `opinions`'. Conservative: a wish has a word for wishing
before it in its clause, and no word against it and no question there.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from coach.intents import intents
from coach.reference_data import models

Bits = Literal[4, 16]
FULL_TUNING = ("full fine", "全參數", "全参数")  # how its names in intents.yaml begin
_CLAUSE = re.compile(r"[^,，。;；!！\n.]+(?:\.\d[^,，。;；!！\n.]*)*")
_WISH = re.compile(  # right before what is wished for, bits between them
    r"(?:(?:(?:想|要|希望|打算|計畫|計劃|準備|直接)(?:做|跑|試|拿|以)?|[改採使]?用(?![來者戶途於])|做|微調|訓練|跑|試)[^，。分讀看找]{0,3}"
    r"|\b(?:want|wish for|like|prefer|planning|intend|use|using|do|try|with|via|train|training|fine-?tun(?:e|ing)|tune|run)\b"
    r"(?:\s+\S+){0,2}\s*)(?:(?:4|16)[\s-]*(?:bits?|位元)\s*的?\s*)?$",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    r"不|沒|無法|別(?!的)|避免|放棄|失敗|太|討論|論文|介紹|教學|是什麼|什麼是"
    r"|\b(?:not|no|never|none|avoid|without|cannot|can't|too|failed|instead of|rather than|about|what is|papers?|articles?)\b|n't\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[?？嗎呢]|還是|或是|哪|\b(?:or|vs|versus|which|should|better)\b", re.IGNORECASE)
_OF_SOMETHING = re.compile(r"\s*(?:of|on|with)\b|\s*(?:微調|訓練)?\s*$", re.IGNORECASE)
_BITS = re.compile(
    r"(?<![\w.-])(?:(?P<bits>4|16)[\s-]*(?:bits?\b|位元)|(?P<half>bf16|fp16|bfloat16|float16)\b|(?P<four>qlora|int4|nf4)\b)",
    re.IGNORECASE,
)
_ANOTHER_MODEL = r"(?![A-Za-z0-9]|[-_.][A-Za-z0-9]|\s(?:reasoning|multimodal|vision|vl|coder|math|audio|omni|embedding|guard)\b)"


@dataclass(frozen=True)
class Wishes:
    """`model` is an id of the catalogue; `bits` of the base model's weights."""

    full_tuning: bool = False
    model: str | None = None
    bits: Bits | None = None


@functools.lru_cache(maxsize=64)  # asked at every run of a page
def said_wishes(words: str) -> Wishes:
    """The wishes in a sentence; what is asked about, compared or not wanted is none."""
    clauses = list(_wishing(unicodedata.normalize("NFKC", words)))
    named = {model for clause in clauses for model in _models_in(clause)}
    return Wishes(
        full_tuning=any(_names_full_tuning(clause) for clause in clauses),
        model=named.pop() if len(named) == 1 else None,
        bits=next((bits for clause in clauses if (bits := _bits(clause))), None),
    )


def _wishing(said: str) -> Iterator[str]:
    """The clauses that may hold a wish; a sentence that asks between ways holds none."""
    for found in _CLAUSE.finditer(said):
        clause = found.group() + said[found.end() : found.end() + 1]
        if not _AGAINST.search(clause) and not _QUESTION.search(clause):
            yield found.group().strip()


def _names_full_tuning(clause: str) -> bool:
    names = "|".join(re.escape(name) for name in intents().known_methods if name.startswith(FULL_TUNING))
    found = re.search(rf"(?<![A-Za-z])(?:{names})(?:微調)?(?![A-Za-z])", clause, re.IGNORECASE)
    return found is not None and _is_wished(clause, found)


def _models_in(clause: str) -> Iterator[str]:
    """The base models of the catalogue that are wished for: `Qwen3-8B` in any spelling, the longest name where several fit."""
    taken: list[tuple[int, int]] = []
    for pattern, model in _spellings():
        for found in pattern.finditer(clause):
            if not any(start < found.end() and found.start() < end for start, end in taken):
                taken.append(found.span())
                if _is_wished(clause, found):
                    yield model


def _is_wished(clause: str, found: re.Match[str]) -> bool:
    """A word for wishing before it, or it is what the clause begins with and is of something: "full fine-tuning of Qwen3-8B"."""
    before = clause[: found.start()]
    return _WISH.search(before) is not None or (not before.strip() and _OF_SOMETHING.match(clause, found.end()) is not None)


@functools.cache
def _spellings() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns of names, the longest first, and the model meant: the whole name, and the name as people shorten it."""
    whole = {row.id.split("/")[-1].lower(): row.id for row in models() if not row.id.startswith("starter/")}
    short = {re.sub(r"-(?:it|instruct(?:-\d{4})?)$", "", name): model for name, model in whole.items()}
    names = sorted({**short, **whole}.items(), key=lambda pair: -len(pair[0]))
    return tuple((re.compile(_loosely(name), re.IGNORECASE), model) for name, model in names)


def _loosely(name: str) -> str:
    parts = r"[\s_-]?".join(re.escape(part) for part in name.split("-"))
    return rf"(?<![A-Za-z0-9.]){parts}{_ANOTHER_MODEL}"


def _bits(clause: str) -> Bits | None:
    found = _BITS.search(clause)
    if found is None:
        return None
    return 4 if found["four"] or found["bits"] == "4" else 16
