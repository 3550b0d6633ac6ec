"""What a person's first sentence tells: which road they are on, and what of the interview it already answers.

By word lists in intents.yaml, nothing cleverer: a wrong guess is shown and corrected by the next question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from coach.errors import UserError
from coach.gpu_cards import cards
from coach.intents import intents, stands_in
from coach.said_labels import said_labels
from coach.task_schema import Metric
from coach.text import Language

Road = Literal["discover", "diagnose", "advise"]
Known = dict[str, str | int | float | bool | list[str]]
_HAN = re.compile(r"[\u3400-\u9fff]")
_SCORE = re.compile(r"(?P<percent>\d{1,3}(?:\.\d+)?)\s*[%％]|(?<![\d.])(?P<share>0?\.\d+)")
_NUMBER = r"(?<!\d)(?<!\d,)(?P<number>\d[\d,]{0,15}(?:\.\d{1,6})?)\s*(?P<scale>k(?![a-z])|千|萬|万)?\s*(?:多|餘)?\s*"
_OF_THESE = r"(?:(?:of\s+(?:them|these|those|which)\s+)?(?:are\s+|have\s+been\s+|already\s+){0,2})?"
_ROWS = re.compile(  # what is said to be rows or labelled
    rf"{_NUMBER}(?:筆|笔|個樣本|rows?\b|examples?\b|samples?\b|records?\b|{_OF_THESE}(?:labelled|labeled)|[條条則句封篇][^,;.。\d未沒没無尚]{{0,4}}標[註記注好])",
    re.IGNORECASE,
)
_THINGS = re.compile(  # what texts are counted by: rows where nothing else is said to be
    rf"(?<![A-Za-z0-9/.:])(?<![A-Za-z]-){_NUMBER}(?:[條条則句封篇]"
    r"|(?:(?!\w*ing\b|(?:of|in|on|an?|per|the|and|or|to|for|from|with|by|star|people|staff|gb|unlabell?ed)\b)[a-z'-]+\s+){0,2}"
    r"(?:e-?mails|mails|reviews|tickets|messages|comments|documents|headlines|sentences|posts|articles)\b)",
    re.IGNORECASE,
)
_NO_LABELS = re.compile(
    r"\bunlabell?ed|\b(?:no|without|lack|any) (?:any )?labels?\b"
    r"|\b(?:not|none|never|isn't|aren't|n't)\b[^,.;]{0,20}\blabell?ed\b|[未無]標|沒有?標|没有?标",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"(?<![a-z])labell?ed\b|標[註記注好]", re.IGNORECASE)
_NOT_MORE_THAN = re.compile(r"\b(?:at most|up to|top|next|within|max(?:imum)?)\s*$|(?:最多|至多|前)\s*$", re.IGNORECASE)
_PER_TIME_BEFORE = re.compile(
    r"(?:每\s*[天日週周月年季]|每個月|每小時|每個?星期|日均|一天|一週|\b(?:daily|(?:every|each|per|a) (?:day|week|month|hour|year))\b)"
    r"(?:(?!\b(?:and|but)\b|[但而])[^,.;。]){0,30}$",
    re.IGNORECASE,
)
_PER_TIME_AFTER = re.compile(
    r"[^,.;。\d]{0,24}?(?:\b(?:an?|per|each|every)\s+(?:single\s+)?(?:day|week|month|hour|year)\b|\b(?:daily|weekly|monthly|hourly)\b|/\s*(?:day|week|month|hour|天|日|週|月))"
    r"|[^,.;。\d]{0,4}(?:每[天日週周月]|每個月|每小時|一[天週](?!之?內))",
    re.IGNORECASE,
)
_INTO_KINDS = re.compile(
    r"\b(?:sort|group|divide|split|separate|put|organi[sz]e|file|bucket)(?:s|ed|ing|ting|ping)?\b[^.;!?]{0,80}?\b(?:into|in|by)\b[^.;!?]{0,24}?"
    r"\b(?:groups?|kinds?|types?|categor(?:y|ies)|class(?:es)?|piles?|buckets?|folders?|topics?)\b"
    r"|[分歸归][類类]?(?:成|為|为|到)?\s*[一二兩两三四五六七八九十幾几多\d]+\s*[個个]?(?:大)?[類类種种組组群]|分[組组群]",
    re.IGNORECASE,
)
_SCALES = {None: 1, "k": 1_000, "千": 1_000, "萬": 10_000, "万": 10_000}
_AIMS = re.compile(
    r"(?:目標|想要?(?:到|達到)|希望(?:能)?(?:到|達到)?|要(?:到|達到)|提[高升]到|至少"
    r"|\b(?:target|goal|aim|reach|at least|up to)(?:\s+(?:of|is|for|to))?)"
    rf"[^\d%.。,，;；]{{0,6}}(?:{_SCORE.pattern})",
    re.IGNORECASE,
)
LONGEST_SENTENCE = 2_000
MOST_ROWS = 1_000_000_000  # beyond, it is no number of rows
FARTHEST_BEFORE = 60  # letters before a number that may make it a rate
FEWEST_THINGS = 10  # of fewer, "in 3 sentences" is likelier what an answer is to be than what there is
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
    said = unicodedata.normalize("NFKC", sentence).strip()[:LONGEST_SENTENCE]
    if not said:
        raise UserError("command.nothing_said")
    metric = first_hit(said, intents().metrics)
    aim = _AIMS.search(said)
    score = _score(said[: aim.start()] + said[aim.end() :] if aim else said)
    methods = tuple(name for name in intents().known_methods if stands_in(name, said))
    return FirstSentence(
        text=said,
        road=_road(said, metric, score, methods),
        language="zh-TW" if _HAN.search(said) else "en",
        known=_known(said, metric) | _scores_known(said, score, _score(aim.group()) if aim else None),
        metric=metric,
        score=score,
        methods=methods,
    )


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


def _is_of_rules(said: str) -> bool:
    """Whether what is measured is no model: rules, keywords, people."""
    return any(stands_in(word, said) for word in intents().without_a_model)


def _scores_known(said: str, score: float | None, aim: float | None) -> Known:
    known: Known = {} if aim is None else {"success.threshold": aim}
    if score is not None and _is_of_rules(said):
        known["success.baseline_score"] = score
    return known


def _known(said: str, metric: Metric | None) -> Known:
    words = intents()
    known: Known = {}
    labels = said_labels(said)
    task_type = "classification" if labels or sorts_into_kinds(said) else first_hit(said, words.whole_phrases)
    task_type = task_type or first_hit(said, words.task_types)
    found = {
        "task.type": task_type,
        "task.domain": first_hit(said, words.domains),
        "task.language": first_hit(said, words.data_languages),
        "success.primary_metric": metric,
    }
    known |= {key: value for key, value in found.items() if value is not None}
    if labels:
        known["task.labels"] = labels
    if (rows := _rows(said)) is not None:
        known["resources.labelled_rows"] = rows
    if any(stands_in(word, said) for word in words.gpu_none):
        known["resources.gpu"] = "none"
    elif card := _card(said):
        known["resources.gpu_name"] = card
    known |= {f"needs.{need}": True for need, list_ in words.needs.items() if any(stands_in(word, said) for word in list_)}
    return known


def _rows(said: str) -> int | None:
    """The first number of rows that is said to be labelled, else of rows, else of mails, reviews and the like, where these are not
    said to have no labels.

    Passed over: what no file can hold, what comes in every day, and a handful of texts, which may be what is to be written.
    """
    rows = [(count, found) for count, found in _counts(_ROWS, said) if not _has_no_labels(said, found)]
    if rows:
        return next((count for count, found in rows if _LABELLED.search(found.group())), rows[0][0])
    if _NO_LABELS.search(said):
        return None
    return next((count for count, _ in _counts(_THINGS, said) if count >= FEWEST_THINGS), None)


def _has_no_labels(said: str, counted: re.Match[str]) -> bool:
    """Whether the words before the number, in its own clause, or those after it up to the next number, say so."""
    before = re.split(r"[,.;，。；]", said[max(0, counted.start() - FARTHEST_BEFORE) : counted.start()])[-1]
    after = re.split(r"\d", said[counted.end() :][:FARTHEST_BEFORE])[0]
    return any(_NO_LABELS.search(words) for words in (before, after)) and not _LABELLED.search(counted.group())


def _counts(counted: re.Pattern[str], said: str) -> Iterator[tuple[int, re.Match[str]]]:
    for found in counted.finditer(said):
        before = said[max(0, found.start() - FARTHEST_BEFORE) : found.start()]
        limit = _PER_TIME_BEFORE.search(before) or _PER_TIME_AFTER.match(said, found.end()) or _NOT_MORE_THAN.search(before)
        count = float(found["number"].replace(",", "")) * _SCALES[(found["scale"] or "").lower() or None]
        if not limit and count <= MOST_ROWS:
            yield round(count), found


def _card(said: str) -> str | None:
    """The longest name of a card that is said, as the catalogue writes it."""
    hits = [card.name for card in cards() if any(stands_in(spelling, said) for spelling in (card.name, *card.aliases))]
    return max(hits, key=len, default=None)


def _score(said: str) -> float | None:
    """`72%` and `0.72` as .72; the first that is said."""
    found = _SCORE.search(said)
    if not found:
        return None
    value = float(found["percent"]) / 100 if found["percent"] else float(found["share"])
    return round(value, 6) if 0 <= value <= 1 else None
