"""The labels a first sentence lists: "route each to billing, shipping or technical", 「分給帳務、物流或技術」.

Verbs and closing words are in intents.yaml. Conservative: without a verb of sorting and a list with its last "or" nothing is taken.
"""

from __future__ import annotations

import functools
import re

from coach.han_numbers import number_in
from coach.intents import intents, stands_in

FEWEST, MOST = 2, 30
LONGEST_LATIN, LONGEST_HAN = 24, 8  # characters of a label; a clause is longer
MOST_WORDS = 2
_HAN = re.compile(r"[\u3400-\u9fff]")
_ARTICLE = re.compile(r"^(?:either|one of|the|an?|our)\s+", re.IGNORECASE)
_KIND_OF_LABEL = re.compile(
    r"\s+(?:teams?|departments?|desks?|queues?|groups?|categor(?:y|ies)|class(?:es)?|labels?|folders?)$", re.IGNORECASE
)
_HAN_ENDING = re.compile(
    r"(?:[一二三四五六七八九十兩\d]+個?(?:類|種|組|部門|類別)?|等|部門|團隊|單位|其中之?一個?|之一|處理|負責|其中)+$"
)
_HOW_MANY = re.compile(r"(?P<count>[二兩三四五六七八九十]|\d{1,2})\s*個?(?:大)?(?:類別|類|種|組|部門)")
_COUNTED = re.compile(r"^[一二兩三四五六七八九十幾多\d]+\s*(?:個|類|種|組|份|批|段)")
_PARTS_OF_DATA = frozenset({"訓練", "驗證", "測試", "訓練集", "驗證集", "測試集", "train", "training", "valid",
                            "validation", "test", "testing"})  # fmt: skip


def said_labels(said: str) -> list[str] | None:
    """The labels listed after a verb of sorting, as they are spelt; None where there is no such list. `said` is NFKC."""
    for found in (*_english().finditer(said), *_chinese().finditer(said)):
        labels = _listed(found["list"], into=(found.groupdict().get("into") or "").lower())
        if labels:
            return labels
    return None


def is_routing(said: str) -> bool:
    """Whether things are to be sent to somebody, more than sorted."""
    return any(stands_in(verb, said) for verb in intents().routing)


@functools.cache
def _english() -> re.Pattern[str]:
    verbs = "|".join(verb for verb in intents().sorting if verb.isascii())
    closing = "|".join(intents().after_a_list)
    ending = rf"(?=\s*(?:[.;:!?()\n]|$|,?\s+(?:{closing})\b))"
    return re.compile(
        rf"\b(?:{verbs})(?:s|ing)?\b[^.;:!?\n]{{0,60}}?\b(?P<into>to|into|in|as|between|among)\s+"
        rf"(?:[^.,;:!?\n]{{0,30}}:\s*)?(?P<list>[^.;:!?()\n]+?){ending}",
        re.IGNORECASE,
    )


@functools.cache
def _chinese() -> re.Pattern[str]:
    verbs = "|".join(verb for verb in intents().sorting if not verb.isascii())
    return re.compile(rf"(?:{verbs})(?:給|到|為|成|至|在|進)?\s*(?:[^,、。;:!?\n]{{0,8}}:\s*)?(?P<list>[^。;:!?()\n]+)")


def _listed(tail: str, *, into: str) -> list[str] | None:
    return _listed_han(tail) if _HAN.search(tail) else _listed_latin(tail, into=into)


def _listed_latin(tail: str, *, into: str) -> list[str] | None:
    """`A, B or C`; "and" closes a list too, but of two only after "into": "assign it to A and write a reply"."""
    has_or = re.search(r"\bor\b|/", tail) is not None
    *before, last = re.split(r",?\s+(?:or|and)\s+|\s*/\s*", tail) if into not in ("to", "in") or has_or else [tail]
    if not before or not (has_or or "," in before[0] or into == "into"):
        return None
    parts = [*(part for piece in before for part in piece.split(",")), last.split(",")[0]]
    return _sound([_KIND_OF_LABEL.sub("", _ARTICLE.sub("", part.strip())).strip("'\"“”‘’ ") for part in parts])


def _listed_han(tail: str) -> list[str] | None:
    """`A、B、C`, `A、B或C`, `A或B`; after the list a comma ends it, unless commas part it."""
    clause = tail if "、" not in tail else tail.split(",")[0]
    if "、" not in clause and (found := re.match(r"[^,]+(?:,[^,]+)*?(?:或|和|與|及|/)[^,]+", clause)):
        clause = found.group()
    parts = re.split(r"[、,/]|或者|或是|以及|或|和|與|及", clause)
    listed = re.split(r"[、,/]|或者|或是|以及|或", clause)
    is_quoted = any(sign in clause for sign in '「」『』"')
    if (counted := _HOW_MANY.search(listed[-1])) and len(listed) == number_in(counted["count"]) and not is_quoted:
        parts = listed  # "A與B、C、D三類": the label is "A與B"
    if len(parts) < FEWEST or (len(parts) == clause.count(",") + 1 and "、" not in clause):
        return None
    cleaned = [part.strip("「」『』\"' ") for part in parts if part.strip()]
    return _sound([*cleaned[:-1], _HAN_ENDING.sub("", cleaned[-1]).strip("「」『』\"' ")]) if cleaned else None


def _sound(labels: list[str]) -> list[str] | None:
    once = list(dict.fromkeys(label for label in labels if label))
    if not FEWEST <= len(once) <= MOST or {label.lower() for label in once} <= _PARTS_OF_DATA:
        return None
    return once if all(_is_label(label) for label in once) else None


def _is_label(label: str) -> bool:
    if _COUNTED.match(label):
        return False
    if _HAN.search(label):
        return len(label) <= LONGEST_HAN
    words = label.lower().split()
    return (
        len(label) <= LONGEST_LATIN
        and len(words) <= MOST_WORDS
        and not {*intents().filler, "them"} & set(words)
        and words[0] not in intents().sorting
        and not _KIND_OF_LABEL.fullmatch(f" {label}")
    )
