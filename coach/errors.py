"""The exception family: every error a user can meet, said in three beats.

Owns the classes, the exit codes and the shape (what was found, what was expected, what to do now). The sentences themselves
live in `catalog/text/errors.yaml` under the error's key, in both languages; this module knows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coach.text import DEFAULT_LANGUAGE, Language, text

BEATS = ("found", "expected", "todo")


class CoachError(Exception):
    """An error with a catalogue key and the values its sentences need.

    `key` names `errors.<key>.found|expected|todo` in the text catalogue; `data` fills their placeholders and must be plain
    JSON values, because errors travel through `failed` events and between processes.
    """

    exit_code = 1

    def __init__(self, key: str, /, **data: Any) -> None:
        super().__init__(key, data)
        self.key = key
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.key, self.data)

    def lines(self, language: Language = DEFAULT_LANGUAGE) -> list[str]:
        """The three sentences: what was found, what was expected, what to do now."""
        return error_lines(self.key, self.data, language)

    def __str__(self) -> str:
        return " ".join(self.lines("en"))


def error_lines(key: str, data: Mapping[str, Any], language: Language) -> list[str]:
    """The three sentences of an error by its key. One that has a `cause` (an error's key and data) may quote that one's beats.

    Raises KeyError where a key or a value is not known here.
    """
    cause = data.get("cause")
    quoted = dict(zip(BEATS, error_lines(cause["key"], cause["data"], language))) if isinstance(cause, dict) else {}
    return [text(f"errors.{key}.{beat}", language, **{**data, **quoted}) for beat in BEATS]


def _rebuild(cls: type[CoachError], key: str, data: dict[str, Any]) -> CoachError:
    return cls(key, **data)


class UserError(CoachError):
    """Something the user wrote, chose or pointed at cannot be used as it is. Exit code 2."""

    exit_code = 2


class DocumentError(UserError, ValueError):
    """A YAML document (answers, summary, task, data source) is not valid; `problems` lists every fault, not the first."""

    def __init__(self, key: str, /, problems: list[dict[str, Any]] | None = None, **data: Any) -> None:
        super().__init__(key, **data)
        self.problems = problems or []

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_document, (type(self), self.key, self.problems, self.data)


def _rebuild_document(cls: type[DocumentError], key: str, problems: list[dict[str, Any]], data: dict[str, Any]) -> DocumentError:
    return cls(key, problems=problems, **data)


class DataError(UserError, ValueError):
    """A data file cannot be read, or its rows cannot be trained on."""


class TaskError(UserError, ValueError):
    """A valid task asks for something that cannot be done here: a method not built, a machine that is not this one."""


class ModelError(UserError, OSError):
    """A base model cannot be had: unknown, gated, unreachable, too large, or damaged."""


class WorkspaceError(UserError, OSError):
    """A task or version folder is missing, locked, finished, or outside the workspace."""


class TrainingError(CoachError, RuntimeError):
    """The training itself failed: out of memory, diverged, disk full."""
