"""The scores a first sentence tells: the one reached today and the one wanted; shares, changes and other things' numbers are none.

By words, clause by clause; which metric is meant is `first_sentence`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coach.han_numbers import share_of_tenths
from coach.intents import intents, stands_in
from coach.said_balance import without_shares

_DIGITS = "一二三四五六七八九"
_SCORE = re.compile(
    r"(?P<percent>\d{1,3}(?:\.\d+)?)\s*[%％]|(?<![\d.])(?P<share>0?\.\d+)"
    rf"|(?<![幾\d])(?P<tenths>[{_DIGITS}])成(?P<more>[{_DIGITS}])?+"  # 六成五, at the end or before what is measured
    r"(?=\s*(?:$|左右|以上|上下|多|嗎|的(?:[準正精]確|分數|F1|召回)))"
)
_SCORE_WORD = re.compile(r"(?:[準正精]確[率度]?|分數|f1|召回率?)[^\d]{0,6}$", re.IGNORECASE)
_BY_SO_MUCH = re.compile(r"(?:提[高升]|增加|降低|減少|下降|上升|成長)了?$")
_CLAUSE = re.compile(r"[,，。;；!?！？]|\.(?!\d)")
_AIM = re.compile(  # words that make the score after them one that is wanted
    r"目標(?!客|市|族|用戶)|[想要][要能]?(?:到|達到)|希望(?:能)?(?:到|達到)?|提[高升].{0,8}?到|至少|[要達](?=[^,，]{0,12}以上)|[要需](?=\s*[\d一二三四五六七八九])"
    r"|\b(?:target|goal|aim|want|need|at least|(?:to|should|must) reach)\b",
    re.IGNORECASE,
)
_NO_SCORE_AFTER = re.compile(r"\s*(?:秒|s\b|sec|的|of\b)", re.IGNORECASE)
_MEASURES = re.compile(r"準確|正確|分數|accura|score", re.IGNORECASE)
_MODEL = re.compile(r"模型|微調|訓練|\bmodels?\b|fine-?tun", re.IGNORECASE)
_OF_LABELLING = re.compile(
    r"標註(?:的)?(?:規則|人工)|(?:人工|手動)(?:標|看|檢查|確認)|(?:manually|by hand)\s+label\w*|label\w*\s+(?:manually|by hand|rules?)",
    re.IGNORECASE,
)
FARTHEST_AIM = 14  # letters between such a word and its score: "macro-F1 要到"


@dataclass(frozen=True)
class Scores:
    """`reached` today, 0 to 1, and `known`: answers that scores give, by dotted key."""

    reached: float | None
    known: dict[str, float]


def said_scores(said: str, *, measured: bool) -> Scores:
    """`measured`: a metric is named."""
    is_measured = measured or _MEASURES.search(said) is not None
    reached, wanted = _scores(without_shares(said), is_measured=is_measured)
    known: dict[str, float] = {} if wanted is None else {"success.threshold": wanted}
    if reached is not None and is_measured and is_of_rules(said):
        known["success.baseline_score"] = reached
    return Scores(reached, known)


def is_of_rules(said: str) -> bool:
    """Whether what is measured is no model: rules, keywords, people; rules of labelling and labels given by hand are not meant."""
    meant = _OF_LABELLING.sub("", said)
    return _MODEL.search(said) is None and any(stands_in(word, meant) for word in intents().without_a_model)


def _scores(said: str, *, is_measured: bool) -> tuple[float | None, float | None]:
    """The score reached today, a model's before another's, and the one that is wanted: a score is only wanted of something measured."""
    reached: list[tuple[bool, float]] = []
    wanted = None
    for clause in _CLAUSE.split(said):
        for found in _SCORE.finditer(clause):
            if found["tenths"] and not (is_measured and _is_level(clause, found)):
                continue
            score = _share(found)
            word = [aim for aim in _AIM.finditer(clause) if 0 <= found.start() - aim.end() <= FARTHEST_AIM]
            if word and is_measured and not _NO_SCORE_AFTER.match(clause, found.end()):
                wanted = wanted if wanted is not None else score
            elif score is not None:
                reached.append((_MODEL.search(clause) is None, score))
    return (min(reached, key=lambda one: one[0])[1] if reached else None), wanted


def _is_level(clause: str, tenths: re.Match[str]) -> bool:
    """Whether 「七成二」 is a level of a score, and no change of it or share of something else."""
    before = clause[: tenths.start()]
    beside = (
        _SCORE_WORD.search(before) is not None
        or clause[tenths.end() :].lstrip().startswith("的")
        or _AIM.search(before) is not None
    )
    return beside and _BY_SO_MUCH.search(before) is None


def _share(found: re.Match[str]) -> float | None:
    """`72%`, `0.72` and 七成二 as .72."""
    if found["tenths"]:
        return share_of_tenths(found["tenths"], found["more"])
    value = float(found["percent"]) / 100 if found["percent"] else float(found["share"])
    return round(value, 6) if 0 <= value <= 1 else None
