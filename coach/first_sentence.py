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
from coach.gpu_cards import said_card, said_memory
from coach.intents import intents, stands_in
from coach.said_balance import said_balance
from coach.said_deadline import said_deadline
from coach.said_labels import said_labels
from coach.said_rows import said_rows
from coach.said_scores import is_of_rules, said_scores
from coach.task_schema import Metric
from coach.text import Language

Road = Literal["discover", "diagnose", "advise"]
Known = dict[str, str | int | float | bool | list[str]]
_HAN = re.compile(r"[\u3400-\u9fff]")
_INTO_KINDS = re.compile(
    r"\b(?:sort|group|divide|split|separate|put|organi[sz]e|file|bucket)(?:s|ed|ing|ting|ping)?\b[^.;!?]{0,80}?\b(?:into|in|by)\b[^.;!?]{0,24}?"
    r"\b(?:groups?|kinds?|types?|categor(?:y|ies)|class(?:es)?|piles?|buckets?|folders?|topics?|teams?|departments?|queues?)\b"
    r"|[分歸归][類类]?(?:成|為|为|到)?\s*[一二兩两三四五六七八九十幾几多\d]+\s*[個个]?(?:大)?[類类種种組组群]|分[組组群]",
    re.IGNORECASE,
)
_WHITE = re.compile(r"\s+")  # a run of it is no more than one, and takes patterns no longer
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
    scores = said_scores(said, measured=metric is not None)
    score = scores.reached
    methods = tuple(name for name in intents().known_methods if stands_in(name, said))
    return FirstSentence(
        text=said,
        road=_road(said, metric, score, methods),
        language="zh-TW" if _HAN.search(said) else "en",
        known=_known(said, metric) | scores.known,
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
    complains = complains or (score is not None and any(stands_in(word, said) for word in roads["diagnose_reached"]))
    trouble = (complains and not is_of_rules(said)) or any(stands_in(word, said) for word in roads["diagnose"])
    between = len(methods) > 1 and any(stands_in(word, said) for word in roads["advise_between"])
    asks = between or any(stands_in(word, said) for word in roads["advise"])
    if trouble and (measured or not asks):
        return "diagnose"
    return "advise" if asks and (methods or not trouble) else "discover"


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
    elif card := said_card(said):
        known["resources.gpu_name"] = card
    if (memory := said_memory(said)) is not None and known.get("resources.gpu") != "none":
        known["resources.vram_gb"] = memory
    if (balance := said_balance(said)) is not None:
        known["resources.class_balance"] = balance
    known |= {f"needs.{need}": True for need, list_ in words.needs.items() if any(stands_in(word, said) for word in list_)}
    return known
