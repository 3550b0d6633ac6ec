"""The first facts of a new task: a title as people write it, a folder name proposed from it, what a first sentence already answers.

Owns the rules for names and what is wrong with one. Making the folder is `workspace.py`'s, which checks the name once more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from coach.answers import Answers
from coach.ask_lines import answers_from
from coach.first_sentence import FirstSentence, sorts_into_kinds, understand
from coach.intents import intents, stands_in
from coach.said_labels import is_routing
from coach.said_wishes import Wishes, said_wishes
from coach.sound_text import sound_text
from coach.task_schema import SLUG_PATTERN

NameFault = Literal["empty", "shape", "taken"]
LONGEST_NAME = 63  # as SLUG_PATTERN has it
LONGEST_TITLE = 80
LONGEST_STEM, MOST_WORDS = 40, 3  # of a name proposed from a sentence
MOST_CLASSES = 200  # a table with more is no list of classes a person would train for
TITLE_FROM_SENTENCE = 40  # what a line of the task list holds in Chinese
PLAIN_NAME = "task"
_FEELING = "sentiment"  # says more of such a task than "classification" does
_ROUTING = "routing"
_HAN = re.compile(r"[\u3400-\u9fff]")
_LEFT_OPEN = re.compile(r"(?: (?:and|or|the|an?|of|to|for|with|into|in|by|from|on))+$", re.IGNORECASE)  # a title does not end so
_CLAUSE_END = re.compile(r"[，。；！？]|[;!?](?=\s)")  # not the Latin comma and stop, which stand in lists and after "e.g" too
LONG_SENTENCE, SHORTEST_HEAD = 20, 6  # letters; a title is more than a greeting


def clean_title(title: str) -> str:
    """`title` as one line without control characters, at most LONGEST_TITLE long; empty where nothing is left."""
    visible = "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in title)
    return " ".join(visible.split())[:LONGEST_TITLE].strip()


def title_of(sentence: str) -> str:
    """A title made of a first sentence: what stands before its first comma, cut at a word where that is long."""
    said = clean_title(sentence)
    if len(said) > LONG_SENTENCE:
        head = _CLAUSE_END.split(said, maxsplit=1)[0].strip()
        said = head if len(head) >= SHORTEST_HEAD else said
    if len(said) <= TITLE_FROM_SENTENCE:
        return said
    start = said[: TITLE_FROM_SENTENCE - 1]
    at_a_word = start.rsplit(" ", 1)[0] if " " in start[TITLE_FROM_SENTENCE // 2 :] else start
    return _LEFT_OPEN.sub("", at_a_word).rstrip(" ,.;:，。；：、") + "…"


def proposed_name(title: str, taken: Collection[str]) -> str:
    """A free folder name for a title in any language: `news-sentiment`, then `news-sentiment-2`; `task-1` where it tells nothing.

    Latin titles are spelled out. Others are named for the domain and the kind of task their words tell (intents.yaml).
    """
    latin = _spelled_out(title)
    told = _told_by(title)
    stem = (told or latin) if _HAN.search(title) else latin
    return free_name(stem, taken) if stem else free_name(f"{PLAIN_NAME}-1", taken)


def name_from_sentence(sentence: str, taken: Collection[str]) -> str:
    """A free, short folder name for a whole sentence, at most MOST_WORDS words: `support-routing`, else its first telling words."""
    if told := _told_by(sentence):
        return free_name(told, taken)
    words = [word for word in _spelled_out(sentence).split("-") if word]
    if len(words) > MOST_WORDS:
        words = [word for word in words if word not in intents().filler and not word.isdigit()][:MOST_WORDS]
    stem = "-".join(words)[:LONGEST_STEM].strip("-")
    return free_name(stem if re.search(r"[a-z]{2}", stem) else f"{PLAIN_NAME}-1", taken)


def free_name(name: str, taken: Collection[str]) -> str:
    """`name`, or with the next number that is free: `news`, `news-2`, `news-3`; `task-1`, `task-2`."""
    stem, number = (found[1], int(found[2])) if (found := re.fullmatch(r"(.+)-(\d{1,6})", name)) else (name, 1)
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{stem[: LONGEST_NAME - len(str(number)) - 1]}-{number}"
    return candidate


def name_fault(name: str, taken: Collection[str]) -> NameFault | None:
    """What keeps `name` from being a new task's folder, or None."""
    if not name:
        return "empty"
    if not re.fullmatch(SLUG_PATTERN, name):
        return "shape"
    return "taken" if name in taken else None


def taken_names(root: Path) -> frozenset[str]:
    """Names that something in the workspace has already, task or not; none where there is no workspace yet."""
    try:
        return frozenset(path.name for path in root.iterdir())
    except OSError:  # not there, or not readable: making the folder will say which
        return frozenset()


def first_answers(sentence: str, said: FirstSentence) -> Answers:
    """The answers `said` found in a first sentence, with a title.

    The sentence is the business problem too where it tells more than a kind of task: too long for a title, what is to be sorted, or
    what the person wishes for, which contradictions are found by.
    """
    sentence = sound_text(sentence)
    title = title_of(sentence)
    answers = answers_from(said).model_copy(update={"title": title})
    is_short = len(clean_title(sentence)) <= TITLE_FROM_SENTENCE
    tells_more = sorts_into_kinds(said.text) or answers.task.labels or said_wishes(said.text) != Wishes()
    if is_short and not tells_more:
        return answers
    return answers.model_copy(update={"business": answers.business.model_copy(update={"problem": sentence.strip()})})


def with_classes(answers: Answers, classes: Sequence[str]) -> Answers:
    """With the classes that scores from elsewhere were given for, where the sentence names none; plain numbers are nobody's names."""
    is_named = 2 <= len(classes) <= MOST_CLASSES and not all(name.isdecimal() for name in classes)
    if answers.task.labels or not is_named:
        return answers
    task = answers.task.model_copy(update={"type": "classification", "labels": list(classes)})
    return answers.model_copy(update={"task": task})


def _spelled_out(title: str) -> str:
    """The Latin letters and digits of a title as a slug; empty where there is hardly any."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")
    return slug[:LONGEST_NAME].rstrip("-") if re.search(r"[a-z]{2}", slug) else ""


def _told_by(title: str) -> str:
    """`news-sentiment` for 新聞情感: the domain and the kind of task its words tell; empty where they tell neither."""
    if not title.strip():
        return ""
    known = understand(title).known
    feeling = any(stands_in(word, title) for word in intents().feeling)
    kind = _FEELING if feeling else _ROUTING if is_routing(title) else known.get("task.type")
    return "-".join(str(part) for part in (known.get("task.domain"), kind) if part)
