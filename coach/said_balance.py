"""Whether a sentence tells how the classes share the rows: a ratio such as 95:5, or a word for it."""

from __future__ import annotations

import re

from coach.answers import ClassBalance
from coach.situation import SKEWED_AT

_RATIO = re.compile(r"(?<![\d:.])(\d{1,3}(?:\.\d)?)\s*(?::|/|比|\bto\b)\s*(\d{1,3}(?:\.\d)?)(?![\d:.]|\s*(?:split|切分|分割))")
_WHOLE = (10, 100)  # what the two sides of a ratio of rows come to; a time of day or a score does not
_OF_PARTS = re.compile(r"訓練|測試|驗證|切分|\b(?:train|test|split|valid)", re.IGNORECASE)
_SKEWED = re.compile(
    r"(?:類別|資料|標籤|很|嚴重|極度)[^,，。;；]{0,4}(?:不平衡|不均|偏斜)|\b(?:imbalanced?|unbalanced|skewed)\b", re.IGNORECASE
)
_BALANCED = re.compile(
    r"(?:類別|資料|標籤)[^,，。;；不]{0,4}(?:平衡|平均|均勻)|各半|各占一半|\b(?:well[- ])?balanced\b|\bhalf and half\b",
    re.IGNORECASE,
)
_NEARNESS = 12  # letters beside a ratio in which a word makes it one of parts


def said_balance(said: str) -> ClassBalance | None:
    """`skewed` or `balanced` where the sentence says; a ratio of training to test rows is passed over."""
    for found in _RATIO.finditer(said):
        one, other = float(found[1]), float(found[2])
        near = said[max(0, found.start() - _NEARNESS) : found.end() + _NEARNESS]
        if one + other in _WHOLE and min(one, other) > 0 and not _OF_PARTS.search(near):
            return "skewed" if max(one, other) / min(one, other) >= SKEWED_AT else "balanced"
    return "skewed" if _SKEWED.search(said) else "balanced" if _BALANCED.search(said) else None
