"""What a person's first sentence tells: which road they are on, and what of the interview it already answers.

By word lists in intents.yaml, nothing cleverer: a wrong guess is shown and corrected by the next question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from coach.errors import UserError
from coach.gpu_cards import cards, said_memory
from coach.intents import intents, stands_in
from coach.said_balance import said_balance, without_shares
from coach.said_deadline import said_deadline
from coach.said_labels import said_labels
from coach.said_rows import said_rows
from coach.task_schema import Metric
from coach.text import Language

Road = Literal["discover", "diagnose", "advise"]
Known = dict[str, str | int | float | bool | list[str]]
_HAN = re.compile(r"[\u3400-\u9fff]")
_DIGITS = "一二三四五六七八九"
_SCORE = re.compile(
    r"(?P<percent>\d{1,3}(?:\.\d+)?)\s*[%％]|(?<![\d.])(?P<share>0?\.\d+)"
    rf"|(?<![幾\d])(?P<tenths>[{_DIGITS}])成(?P<more>[{_DIGITS}])?+(?![員本功為]|的(?![準正精]確|分數|F1))"  # 六成五
)
_OF_BUYING = re.compile(r"(?:買|購|租|換|升級|加購|\b(?:buy|rent|purchase|get|upgrade to)\b)[^,，。;；]{0,8}$", re.IGNORECASE)
_INTO_KINDS = re.compile(
    r"\b(?:sort|group|divide|split|separate|put|organi[sz]e|file|bucket)(?:s|ed|ing|ting|ping)?\b[^.;!?]{0,80}?\b(?:into|in|by)\b[^.;!?]{0,24}?"
    r"\b(?:groups?|kinds?|types?|categor(?:y|ies)|class(?:es)?|piles?|buckets?|folders?|topics?|teams?|departments?|queues?)\b"
    r"|[分歸归][類类]?(?:成|為|为|到)?\s*[一二兩两三四五六七八九十幾几多\d]+\s*[個个]?(?:大)?[類类種种組组群]|分[組组群]",
    re.IGNORECASE,
)
_WHITE = re.compile(r"\s+")  # a run of it is no more than one, and takes patterns no longer
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
LONGEST_SENTENCE = 2_000
K = TypeVar("K", bound=str)


@dataclass(frozen=True)
class FirstSentence:
    """`known`: dotted answer keys and the values the sentence gives. `metric`, `score`: what it says is reached now, 0 to 1."""

    text: str
    road: Road
    language: Language
    known: Known = field(default_factory=dict)
    metric: Metric | None = None
    score: float | None = None
    methods: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "road": self.road,
            "language": self.language,
            "known": self.known,
            "metric": self.metric,
            "score": self.score,
            "methods": list(self.methods),
        }


def understand(sentence: str) -> FirstSentence:
    """The road and what is known. Raises UserError for an empty sentence.

    A score with a complaint, or a word for trouble, is diagnose; a question between ways is advise; anything else discovers.
    """
    said = _WHITE.sub(_one_of, unicodedata.normalize("NFKC", sentence).strip()[:LONGEST_SENTENCE])
    if not said:
        raise UserError("command.nothing_said")
    metric = first_hit(said, intents().metrics)
    score, aim = _scores(without_shares(said), metric)
    methods = tuple(name for name in intents().known_methods if stands_in(name, said))
    return FirstSentence(
        text=said,
        road=_road(said, metric, score, methods),
        language="zh-TW" if _HAN.search(said) else "en",
        known=_known(said, metric) | _scores_known(said, metric, score, aim),
        metric=metric,
        score=score,
        methods=methods,
    )


def _one_of(white: re.Match[str]) -> str:
    return "\n" if "\n" in white[0] else " "


def first_hit(said: str, lists: Mapping[K, Iterable[str]]) -> K | None:
    """The name of the first list one of whose words stands in `said`."""
    return next((name for name, words in lists.items() if any(stands_in(word, said) for word in words)), None)


def sorts_into_kinds(said: str) -> bool:
    """Whether things are to be put into groups or kinds, named or not: "sort mails into three groups", 「信件分成三類」."""
    return _INTO_KINDS.search(said) is not None


def _road(said: str, metric: Metric | None, score: float | None, methods: tuple[str, ...]) -> Road:
    roads = intents().roads
    measured = metric is not None or score is not None
    complains = measured and any(stands_in(word, said) for word in roads["diagnose_with_score"])
    trouble = (complains and not _is_of_rules(said)) or any(stands_in(word, said) for word in roads["diagnose"])
    between = len(methods) > 1 and any(stands_in(word, said) for word in roads["advise_between"])
    asks = between or any(stands_in(word, said) for word in roads["advise"])
    if trouble and (measured or not asks):
        return "diagnose"
    return "advise" if asks and (methods or not trouble) else "discover"


def _scores(said: str, metric: Metric | None) -> tuple[float | None, float | None]:
    """The score reached today, a model's before another's, and the one that is wanted: a score is only wanted of something measured."""
    is_measured = _is_measured(said, metric)
    reached: list[tuple[bool, float]] = []
    wanted = None
    for clause in _CLAUSE.split(said):
        for found in _SCORE.finditer(clause):
            if found["tenths"] and not is_measured:
                continue
            score = _share(found)
            word = [aim for aim in _AIM.finditer(clause) if 0 <= found.start() - aim.end() <= FARTHEST_AIM]
            if word and is_measured and not _NO_SCORE_AFTER.match(clause, found.end()):
                wanted = wanted if wanted is not None else score
            elif score is not None:
                reached.append((_MODEL.search(clause) is None, score))
    return (min(reached, key=lambda one: one[0])[1] if reached else None), wanted


def _is_measured(said: str, metric: Metric | None) -> bool:
    """Whether a number may be a score: a metric is named, or a word for how right something is."""
    return metric is not None or _MEASURES.search(said) is not None


def _is_of_rules(said: str) -> bool:
    """Whether what is measured is no model: rules, keywords, people; rules of labelling and labels given by hand are not meant."""
    meant = _OF_LABELLING.sub("", said)
    return _MODEL.search(said) is None and any(stands_in(word, meant) for word in intents().without_a_model)


def _scores_known(said: str, metric: Metric | None, score: float | None, aim: float | None) -> Known:
    known: Known = {} if aim is None else {"success.threshold": aim}
    if score is not None and _is_measured(said, metric) and _is_of_rules(said):
        known["success.baseline_score"] = score
    return known


def _known(said: str, metric: Metric | None) -> Known:
    words = intents()
    known: Known = {}
    labels = said_labels(said)
    task_type = "classification" if labels or sorts_into_kinds(said) else first_hit(said, words.whole_phrases)
    task_type = task_type or first_hit(said, words.task_types)
    if task_type is None and any(stands_in(word, said) for word in words.routing):
        task_type = "classification"
    found = {
        "task.type": task_type,
        "task.domain": first_hit(said, words.domains),
        "task.language": first_hit(said, words.data_languages),
        "success.primary_metric": metric,
    }
    known |= {key: value for key, value in found.items() if value is not None}
    if labels:
        known["task.labels"] = labels
    if (rows := said_rows(said)) is not None:
        known["resources.labelled_rows"] = rows
    if (weeks := said_deadline(said)) is not None:
        known["business.deadline_weeks"] = weeks
    if any(stands_in(word, said) for word in words.gpu_none):
        known["resources.gpu"] = "none"
    elif card := _card(said):
        known["resources.gpu_name"] = card
    if (memory := said_memory(said)) is not None and known.get("resources.gpu") != "none":
        known["resources.vram_gb"] = memory
    if (balance := said_balance(said)) is not None:
        known["resources.class_balance"] = balance
    known |= {f"needs.{need}": True for need, list_ in words.needs.items() if any(stands_in(word, said) for word in list_)}
    return known


def _card(said: str) -> str | None:
    """The longest name of a card that is said to be there, as the catalogue writes it; one to be bought is not."""
    hits = [card.name for card in cards() if any(_is_there(spelling, said) for spelling in (card.name, *card.aliases))]
    return max(hits, key=len, default=None)


def _is_there(spelling: str, said: str) -> bool:
    place = said.lower().find(spelling.lower())
    return stands_in(spelling, said) and not (place >= 0 and _OF_BUYING.search(said[:place]))


def _share(found: re.Match[str]) -> float | None:
    """`72%`, `0.72` and 七成二 as .72."""
    if found["tenths"]:
        return (10 * (_DIGITS.index(found["tenths"]) + 1) + (_DIGITS.index(found["more"]) + 1 if found["more"] else 0)) / 100
    value = float(found["percent"]) / 100 if found["percent"] else float(found["share"])
    return round(value, 6) if 0 <= value <= 1 else None
