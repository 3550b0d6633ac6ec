"""Graphics cards as the coach knows them, and which one is meant by a name that a driver or a person gives."""

from __future__ import annotations

import functools
import re

from pydantic import Field

from coach.intents import stands_in
from coach.reference_data import Row, read_catalog

_GB = r"(?P<{}>[1-9]\d{{0,2}})\s*GB?(?![A-Za-z])"
_HAN_CARD = "(?:顯示卡|顯卡|显卡)"
_MEMORY = re.compile(  # beside the card's word; a disk's, a file's and a computer's are others
    rf"(?<![\d.])(?:{_GB.format('before')}[\s-]*的?\s*(?:{_HAN_CARD}|顯存|显存|VRAM)"
    rf"|(?P<gb>[1-9]\d{{0,2}})\s*GB[\s-]*(?:GPU|graphics card))"
    rf"|(?:VRAM|顯存|显存|{_HAN_CARD}的?記憶體)[^\d,，。;；]{{0,6}}{_GB.format('memory')}"
    rf"|(?:GPU|{_HAN_CARD})\s*(?:(?:only |just )?(?:只?有|是|為|with|has|of|:|\()\s*(?:only |just )?)?{_GB.format('has')}"
    r"(?!\s*(?:RAM|記憶體|硬碟|disk|ssd|的?(?:資料|文字|檔案|新聞)|of (?:data|text|files|mails?)))"
    rf"|(?<![A-Za-z])(?:RTX|GTX|[AHLVT])\s?\d{{2,4}}(?:\s?Ti)?\s*\(?{_GB.format('named')}",
    re.IGNORECASE,
)


_OF_BUYING = re.compile(  # a card to be bought or rented; one that was is there
    r"(?:要不要|該不該|應該|該|[想要]|打算|考慮|準備|需要|是否|值得)[^,，。;；了過有]{0,6}(?:買|購買|租|換|升級|加購)[^,，。;；了過來]{0,8}$"
    r"|\b(?:should|want to|plan(?:ning)? to|need to|going to|worth|thinking of|consider(?:ing)?)\b[^,.;]{0,20}"
    r"\b(?:buy(?:ing)?|rent(?:ing)?|purchas(?:e|ing)|get(?:ting)?)\b[^,.;]{0,12}$",
    re.IGNORECASE,
)


class GpuCard(Row):
    """`peak_tflops`: dense 16-bit tensor operations."""

    name: str
    vram_gb: float
    bf16: bool
    peak_tflops: float
    aliases: list[str] = Field(default_factory=list)


@functools.cache
def cards() -> tuple[GpuCard, ...]:
    return tuple(GpuCard.model_validate(row) for row in read_catalog("gpus")["cards"])


def find_card(name: str, vram_gb: float | None = None) -> GpuCard | None:
    """The card meant by `name` ("NVIDIA A100-SXM4-80GB", "rtx4090"), or None. Of several sizes, the one nearest `vram_gb`."""
    written = _plain(name)
    exact = [card for card in cards() if written in (_plain(spelling) for spelling in (card.name, *card.aliases))]
    contained = [card for card in cards() if any(_stands_in(spelling, name) for spelling in (card.name, *card.aliases))]
    found = exact or contained
    if not found:
        return None
    best = max(found, key=lambda card: len(_plain(card.name)))
    family = [card for card in cards() if card.name.split()[0] == best.name.split()[0] and card.peak_tflops == best.peak_tflops]
    return min(family, key=lambda card: abs(card.vram_gb - vram_gb)) if vram_gb else best


def said_card(said: str) -> str | None:
    """The longest name of a card that is said to be there, as the catalogue writes it; one to be bought is not."""
    hits = [card.name for card in cards() if any(_is_there(spelling, said) for spelling in (card.name, *card.aliases))]
    return max(hits, key=len, default=None)


def _is_there(spelling: str, said: str) -> bool:
    place = said.lower().find(spelling.lower())
    return stands_in(spelling, said) and not (place >= 0 and _OF_BUYING.search(said[:place]))


def said_memory(said: str) -> float | None:
    """GB of a card that a sentence tells: 「8GB 的顯示卡」, "a GPU with 8 GB", "24G VRAM"."""
    found = _MEMORY.search(said)
    return float(next(filter(None, found.groups()))) if found else None


def _plain(name: str) -> str:
    """Without the maker, case, spaces and hyphens."""
    return re.sub(r"nvidia|geforce|tesla|[\s\-_]", "", name.lower())


def _stands_in(spelling: str, name: str) -> bool:
    """Whether a card's spelling stands in a longer name as a word of its own: A10 not in A100, 4090 in 'RTX4090 24G'."""
    return bool(
        re.search(
            rf"(?<![a-z0-9]){re.escape(_plain(spelling))}(?![a-z0-9])",
            re.sub(r"nvidia|geforce|tesla|[()]", " ", name.lower()).replace("-", " "),
        )
    )
