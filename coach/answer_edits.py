"""One answer saved into a task that others may be editing too: checked, merged per field, never over somebody else's in silence.

Owns what a field holds, how a written answer is read, and the saving. Refuses to know who asks and how it is drawn.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coach.answers import Answers, write_answers
from coach.constraints import weeks_in
from coach.han_numbers import share_of_tenths
from coach.interview import Answer, Question, answer_of, with_answer
from coach.problems import Problem, errors_in
from coach.sound_text import sound_text
from coach.validation import examine
from coach.workspace import ANSWERS_FILE, Task
from coach.yaml_document import YamlDocument

MOST_CHARACTERS = 4_000  # of one answer; a whole answers.yaml may hold a million
FEWEST_LABELS = 2
FEWEST_PERCENT = 10  # 85 means 0.85; what 7 means cannot be told
LONGEST_NUMBER = 60  # characters; what is longer is no number anybody means
LABELS_KEY, DEADLINE_KEY = "task.labels", "business.deadline_weeks"
_BETWEEN_LABELS = re.compile(r"[、,，;；]")
_DECIMAL_COMMA = re.compile(r"([-+]?(?:\d+,\d{1,2}|0,\d+))(\s*%?)")  # `0,9`, `12,5 %`; `1,200` is twelve hundred
_TENTHS = re.compile(r"([兩一二三四五六七八九1-9])成([一二三四五六七八九1-9])?")  # 九成, 八成五
SHARES = ("success.threshold", "success.baseline_score")
_NUMBER = re.compile(r"(?P<number>[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+))\s*(?P<percent>%)?")


@dataclass(frozen=True)
class Held:
    """What a field holds: a value or None; `assumed` where it is the coach's default and not the person's answer."""

    value: Answer = None
    assumed: bool = False


OPEN = Held()


def held(answers: Answers, key: str) -> Held:
    """What stands at a dotted key of the answers."""
    return Held(answer_of(key, answers), key in answers.assumed)


def assumed_for(question: Question, answers: Answers) -> Held:
    """What "not sure" stands for: the default that fits the type of task; without one the field is left aside."""
    return Held(question.for_answers(answers).default, assumed=True)


def read_answer(question: Question, written: Answer) -> Answer:
    """What a person wrote, as the field's own kind: `80%`, `0,8`, `九成`, `1,200`, `3 天`, `正面、負面`; the rest stays as it stands.

    Nothing but spaces is no answer.
    """
    if not isinstance(written, str):
        return written
    said = sound_text(written).strip()
    if not said or question.kind in ("text", "choice"):
        return _option_meant(question, said) or None
    if question.kind == "list":
        return _listed(said)
    if question.key == DEADLINE_KEY and (weeks := weeks_in(said)) is not None:
        return weeks
    if question.key in SHARES and (tenths := _TENTHS.fullmatch(said)):
        return share_of_tenths(tenths[1], tenths[2])
    return _number(said, whole=question.kind == "integer") if question.kind in ("number", "integer") else said


def _option_meant(question: Question, said: str) -> str:
    """The option that is called so in either language, where there is one."""
    for value, names in (question.options or {}).items():
        if said.casefold() in (value.casefold(), *(name.casefold() for name in names.values())):
            return value
    return said


def fault_of(key: str, value: Answer) -> Problem | None:
    """What is wrong with `value` at `key`, or None; an open field is never wrong."""
    if value is None:
        return None
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return Problem(key, None, "text_too_long", {"count": len(value), "limit": MOST_CHARACTERS})
    path = key.split(".")
    document: dict[str, Any] = {path[-1]: value}
    for name in reversed(path[:-1]):
        document = {name: document}
    texts = {tuple(path): f"{value:g}"} if isinstance(value, float) else {}
    _, problems = examine(YamlDocument("answers.yaml", document, texts=texts), Answers)  # type: ignore[arg-type]
    if faults := errors_in(problems):
        return faults[0]
    if key == LABELS_KEY and isinstance(value, list) and len(value) < FEWEST_LABELS:
        return Problem(key, None, "few_labels", {"labels": value})
    return None


def meant_share(key: str, fault: Problem) -> float | None:
    """0.85 where a share of 0 to 1 was written as 85; None for any other fault."""
    value = fault.data.get("value")
    is_share = fault.code == "out_of_range" and key in SHARES
    try:
        number = float(str(value)) if is_share else 0.0
    except ValueError:
        return None
    return round(number / 100, 6) if FEWEST_PERCENT <= number <= 100 else None


def save_answer(task: Task, key: str, new: Held, *, seen: Held) -> Held | None:
    """Writes `new` at `key` into the answers as they are now; every other field keeps what others gave it meanwhile.

    `seen` is what the person had before their eyes. Where something else stands there by now, nothing is written and that is
    returned; else None. `new.value` must be without fault. Raises WorkspaceError (locked, folder gone, disk) and DocumentError.
    """
    with task.lock():
        answers = task.answers()
        now = held(answers, key)
        if now == new:
            return None
        if now != seen:
            return now
        write_answers(task.folder / ANSWERS_FILE, changed(answers, {key: new}))
    return None


def changed(answers: Answers, fields: Mapping[str, Held]) -> Answers:
    """`answers` with each of `fields` holding what is given."""
    for key, new in fields.items():
        answers = with_answer(answers, key, new.value)
        if new.assumed:
            answers = answers.model_copy(update={"assumed": [*answers.assumed, key]})
    return answers


def _listed(said: str) -> list[str]:
    """One a line, so that a label may hold a comma; a single line is parted at its commas."""
    parts = said.splitlines() if "\n" in said else _BETWEEN_LABELS.split(said)
    return [part.strip() for part in parts if part.strip()]


def _number(said: str, *, whole: bool) -> Answer:
    if len(said) > LONGEST_NUMBER:
        return said
    written = unicodedata.normalize("NFKC", said)
    if decimal := _DECIMAL_COMMA.fullmatch(written):
        written = decimal[1].replace(",", ".") + decimal[2]
    found = _NUMBER.fullmatch(written)
    if not found:
        return said
    number = float(found["number"].replace(",", ""))
    number = round(number / 100, 6) if found["percent"] else number
    return int(number) if whole and number.is_integer() else number
