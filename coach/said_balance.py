"""Whether a sentence tells how the classes share the rows: a ratio such as 95:5, shares that make a whole, or a word for it.

Conservative: a ratio stands beside a word for classes, or is so uneven that no split of data is meant.
"""

from __future__ import annotations

import re

from coach.answers import ClassBalance
from coach.situation import SKEWED_AT

_RATIO = re.compile(r"(?<![\d:./])(\d{1,2}(?:\.\d)?)\s*(?P<sign>[:比/])\s*(\d{1,2}(?:\.\d)?)(?![\d:./])")
_SHARE = re.compile(r"(?<![\d.])(\d{1,2}(?:\.\d+)?)\s*[%％]")
_WHOLE = (10, 100)  # what the two sides of a ratio of rows come to
_CLASSES_BEFORE = re.compile(
    r"(?:類別|各類|正負面?|正反面?|好壞|標籤|\bclass(?:es)?|\blabels?|\bclass balance|\bpositives?|\bnegatives?)[^\d,，。;；]{0,10}$",
    re.IGNORECASE,
)
_CLASSES_AFTER = re.compile(r"\s*(?:的)?(?:類別|classes\b|labels\b)", re.IGNORECASE)
_OF_PARTS = re.compile(r"訓練|測試|驗證|[切拆分]|\b(?:train|test|split|valid|hold)|holdout", re.IGNORECASE)
_OF_A_CLASS = re.compile(  # beside a share: it is a class's
    r"正面|負面|中立|正[類例常]|負[類例]|異常|詐騙|垃圾|好評|差評|\b(?:positives?|negatives?|neutral|spam|ham|fraud|normal|class(?:es)?|labels?)\b",
    re.IGNORECASE,
)
_SCORED = re.compile(r"f1|召回|分數|目標|precision|recall|score|target|\b(?:reach|get|got)\b", re.IGNORECASE)
_UNEVEN = 85  # of a hundred: nobody splits data so, and no game ends so
_SKEWED = re.compile(
    r"(?P<before>.{0,8}?)(?:(?:類別|標籤|各類)[^,，。;；]{0,4}?(?:不平衡|不均|偏斜)"
    r"|\b(?:class(?:es)?|labels?|data ?set|data)\b[^,.;]{0,24}?\b(?:imbalanced?|unbalanced|skewed)\b"
    r"|\b(?:imbalanced|unbalanced|skewed) (?:class(?:es)?|labels?|data ?set|data|set)\b)",
    re.IGNORECASE,
)
_BALANCED = re.compile(
    r"(?:類別|標籤)(?:的?分[佈布])?(?:很|大致|都|相當|差不多)?(?:平衡|平均(?!\s*\d))|正面?[和與、]?負面?各(?:占|佔)?一?半"
    r"|\b(?:class(?:es)?|labels?) (?:are|is) (?:well[- ]|about |roughly |nearly )?balanced\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"沒有?|並?非|\b(?:not|no|never)\b|n't\b", re.IGNORECASE)
_NEARNESS = 12  # letters beside a ratio in which a word makes it one of parts


def said_balance(said: str) -> ClassBalance | None:
    """`skewed` or `balanced` where the sentence says; splits of the rows, dates, scores and what the texts are about are passed over."""
    if shares := [float(found[1]) for found in _shares(said)]:
        return _of_shares(max(shares), min(shares))
    for found in _RATIO.finditer(said):
        if (balance := _of_ratio(said, found)) is not None:
            return balance
    skewed = _SKEWED.search(said)
    if skewed:
        return None if _DENIED.search(skewed.group()) else "skewed"
    return "balanced" if _BALANCED.search(said) else None


def _of_ratio(said: str, found: re.Match[str]) -> ClassBalance | None:
    one, other = float(found[1]), float(found[3])
    if one + other not in _WHOLE or min(one, other) <= 0:
        return None
    before, after = said[max(0, found.start() - _NEARNESS) : found.start()], said[found.end() : found.end() + _NEARNESS]
    is_of_classes = _CLASSES_BEFORE.search(before) is not None or _CLASSES_AFTER.match(after) is not None
    is_uneven = found["sign"] == ":" and one + other == 100 and max(one, other) >= _UNEVEN
    if _OF_PARTS.search(after) or (not is_of_classes and (not is_uneven or _OF_PARTS.search(before))):
        return None
    return _of_shares(max(one, other), min(one, other))


def without_shares(said: str) -> str:
    """The sentence without the shares that classes have, which are no scores."""
    for found in reversed(_shares(said)):
        said = said[: found.start()] + said[found.end() :]
    return said


def _shares(said: str) -> list[re.Match[str]]:
    """Percentages of one sentence that come to a hundred: "95% positive, 5% negative"; scores and parts of the data are none."""
    found = list(_SHARE.finditer(said))
    if len(found) < 2 or abs(sum(float(one[1]) for one in found) - 100) > 0.01 or not all(float(one[1]) for one in found):
        return []
    beside = [said[max(0, one.start() - _NEARNESS) : one.end() + _NEARNESS] for one in found]
    are_of_classes = all(_OF_A_CLASS.search(near) for near in beside) and not any(_OF_PARTS.search(near) for near in beside)
    return found if are_of_classes and not any(_SCORED.search(near) for near in beside) else []


def _of_shares(largest: float, smallest: float) -> ClassBalance:
    return "skewed" if largest / smallest >= SKEWED_AT else "balanced"
