"""The interview: which questions there are, which come next, and an answer or a "not sure" written into the answers.

Questions are rows of questions.yaml. What a first sentence tells is `first_sentence.py`'s; showing a question is a page's.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel

from coach.answers import Answers
from coach.catalog_file import read_catalog_file
from coach.first_sentence import FirstSentence, Road, understand
from coach.reference_data import CATALOG_FOLDER, Row
from coach.task_schema import TaskType
from coach.text import Language

__all__ = [
    "FirstSentence",
    "Question",
    "Road",
    "answer_of",
    "is_answered",
    "load_questions",
    "missing",
    "next_questions",
    "not_sure",
    "understand",
    "with_answer",
]

Topic = Literal["business", "task", "resources", "success", "versioning", "needs"]
Kind = Literal["text", "number", "integer", "choice", "list", "bool"]
Answer = str | float | int | bool | list[str] | None
TOPICS: tuple[Topic, ...] = ("business", "task", "resources", "success", "versioning", "needs")
NEEDED_STEP = 1  # without these there is no advice worth giving


class ForTaskType(Row):
    options: list[str]
    default: Answer = None


class Question(Row):
    """One row of questions.yaml; `step` 1 is needed before any advice, 3 is asked last."""

    key: str
    topic: Topic
    step: int
    kind: Kind
    ask: dict[Language, str]
    why: dict[Language, str]
    example: dict[Language, str]
    default: Answer
    options: dict[str, dict[Language, str]] | None = None
    asked_when: dict[str, list[str] | Literal["known"]] | None = None
    by_task_type: dict[TaskType, ForTaskType] | None = None

    def for_answers(self, answers: Answers) -> Question:
        """The question with the options and the default that fit the type of task, where that is known."""
        narrowed = (self.by_task_type or {}).get(answers.task.type) if answers.task.type else None
        if narrowed is None or self.options is None:
            return self
        options = {name: self.options[name] for name in narrowed.options}
        return self.model_copy(update={"options": options, "default": narrowed.default})

    def as_json(self, language: Language) -> dict[str, Any]:
        options = {name: said[language] for name, said in self.options.items()} if self.options else None
        texts = {"ask": self.ask[language], "why": self.why[language], "example": self.example[language]}
        return {"key": self.key, "topic": self.topic, "kind": self.kind, **texts, "options": options, "default": self.default}


@functools.cache
def load_questions() -> tuple[Question, ...]:
    """Every question, in the order of the five topics."""
    rows = read_catalog_file(CATALOG_FOLDER / "questions.yaml")["questions"]
    return tuple(Question.model_validate(row) for row in rows)


def question_of(key: str) -> Question:
    """The question at a dotted key of the answers. Raises KeyError where none asks for it."""
    for question in load_questions():
        if question.key == key:
            return question
    raise KeyError(key)


def option_name(key: str, value: str, language: Language) -> str:
    """What an option of the question at `key` is called; one's own words stay as they are."""
    return (question_of(key).options or {}).get(value, {}).get(language, value)


def next_questions(answers: Answers, limit: int | None = None, topic: Topic | None = None) -> list[Question]:
    """The open questions whose condition holds, needed ones first, then by topic; at most `limit`, of one `topic` if given."""
    open_ones = [
        question for question in load_questions() if is_asked(question, answers) and not is_answered(question.key, answers)
    ]
    chosen = [question.for_answers(answers) for question in open_ones if topic in (None, question.topic)]
    return sorted(chosen, key=lambda question: question.step)[:limit]


def missing(answers: Answers) -> list[Question]:
    """The questions still open without which there is no advice worth giving."""
    return [question for question in next_questions(answers) if question.step == NEEDED_STEP]


def is_asked(question: Question, answers: Answers) -> bool:
    """Whether the other answers it depends on are such that it makes sense."""
    conditions = (question.asked_when or {}).items()
    return all(_holds(allowed, answer_of(key, answers)) for key, allowed in conditions)


def is_answered(key: str, answers: Answers) -> bool:
    """Whether the field holds a value, or the person has said that they are not sure."""
    return answer_of(key, answers) is not None or key in answers.assumed


def answer_of(key: str, answers: Answers) -> Answer:
    """The value at a dotted key (`task.example.input`), or None. Raises AttributeError for an unknown key."""
    here: Any = answers
    for name in key.split("."):
        here = getattr(here, name) if here is not None else None
    return here  # type: ignore[no-any-return]


def with_answer(answers: Answers, key: str, value: Answer) -> Answers:
    """`answers` with `value` at `key`, which is then neither assumed nor the file's. Raises pydantic.ValidationError for a value unfit."""
    changed = _put(answers.model_dump(mode="python"), key, value)
    changed["assumed"] = [name for name in answers.assumed if name != key]
    changed["from_file"] = [name for name in answers.from_file if name != key]
    return Answers.model_validate(changed)


def not_sure(answers: Answers, question: Question) -> Answers:
    """`answers` with the question's default, marked as assumed; without one the field stays open and is not asked again."""
    default = question.for_answers(answers).default
    return with_answer(answers, question.key, default).model_copy(
        update={"assumed": [*(k for k in answers.assumed if k != question.key), question.key]}
    )


def field_keys(model: type[BaseModel] = Answers, prefix: str = "") -> Iterator[str]:
    """Every dotted key of answers.yaml that holds a value: `business.problem`, `task.example.input` …"""
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(kind, type)]
        nested = next((kind for kind in kinds if issubclass(kind, BaseModel)), None)
        if nested:
            yield from field_keys(nested, f"{prefix}{name}.")
        else:
            yield prefix + name


def _holds(allowed: list[str] | Literal["known"], value: Answer) -> bool:
    return value is not None if allowed == "known" else value in allowed


def _put(document: dict[str, Any], key: str, value: Answer) -> dict[str, Any]:
    """`document` with `value` at a dotted key; holders that are missing are made."""
    *path, last = key.split(".")
    here = document
    for name in path:
        here[name] = here.get(name) or {}
        here = here[name]
    here[last] = value
    return document
