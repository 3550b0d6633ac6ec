"""One fault or remark about a document, and the error that carries all of them at once.

Owns the shape (where, which, how grave) and its sentence. Refuses to know how faults are found: reading finds some
(`yaml_document.py`), the models find some (`validation.py`), judging finds the rest (`task_check.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from coach.errors import DocumentError
from coach.text import DEFAULT_LANGUAGE, Language, has_text, text

Level = Literal["error", "warning", "info"]
PathKey = str | int
SHOWN_VALUE_CHARACTERS = 60


@dataclass(frozen=True)
class Problem:
    """A fault (`level` error) or a remark (warning, info) at one place of a document.

    `path` is written for people (`training.lora.r`, `labels[2]`, empty for the whole document), `line` counts from 1.
    `code` names a sentence in `problems.yaml` or `comments.yaml`; `data` fills it and holds plain JSON values.
    """

    path: str
    line: int | None
    code: str
    data: dict[str, Any] = field(default_factory=dict)
    level: Level = "error"

    @property
    def key(self) -> str:
        """The sentence's key in the text catalogue."""
        return f"problems.{self.code}" if has_text(f"problems.{self.code}") else f"comments.{self.code}"

    def sentence(self, language: Language = DEFAULT_LANGUAGE) -> str:
        """What is wrong or worth knowing, with its place in front: `line 3, training.epochs: …`."""
        place = {"path": self.path or text("problems.whole_document", language), "line": self.line, "said": self.said(language)}
        return text("problems.at_line" if self.line else "problems.at_path", language, **place)

    def said(self, language: Language = DEFAULT_LANGUAGE) -> str:
        """What is wrong or worth knowing, without its place."""
        return text(self.key, language, **_words(self.data, language))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Problem:
        return cls(**fields)


class InvalidDocument(DocumentError):
    """A document with faults; its first sentence lists every one of them, in the language asked for."""

    def lines(self, language: Language = DEFAULT_LANGUAGE) -> list[str]:
        problems = [Problem.from_json(fields) for fields in self.problems]
        data = {**self.data, "count": len(problems), "listing": listing(problems, language)}
        return [text(f"errors.{self.key}.{beat}", language, **data) for beat in ("found", "expected", "todo")]


def refuse(key: str, problems: Sequence[Problem], **data: Any) -> None:
    """Raises InvalidDocument with all `problems` under the error key `key`, if there are any."""
    if problems:
        raise InvalidDocument(key, problems=[problem.as_json() for problem in problems], **data)


def listing(problems: Iterable[Problem], language: Language = DEFAULT_LANGUAGE) -> str:
    """One problem a line, indented, to follow a sentence."""
    return "".join(f"\n  - {problem.sentence(language)}" for problem in problems)


def errors_in(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.level == "error"]


def readable_path(keys: Sequence[PathKey]) -> str:
    """`("training", "stages", 0, "method")` as `training.stages[0].method`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def shown(value: object) -> str:
    """A value as a sentence can show it: one line, not too long."""
    line = " ".join(str(value).split())
    return line if len(line) <= SHOWN_VALUE_CHARACTERS else line[: SHOWN_VALUE_CHARACTERS - 1] + "…"


def _words(data: dict[str, Any], language: Language) -> dict[str, Any]:
    """`data` as a sentence takes it: lists joined, names of kinds in words."""
    comma = ", " if language == "en" else "、"
    words = {name: comma.join(map(str, value)) if isinstance(value, list) else value for name, value in data.items()}
    for name in ("expected", "kind"):
        if name in data:
            words[name] = text(f"problems.kinds.{data[name]}", language)
    return words
