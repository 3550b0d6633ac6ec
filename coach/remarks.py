"""What an editor says about a text while it is being written: each remark with its line, how grave it is, and what to do.

Turns faults of reading, problems of form and of sense, and what cannot be trained here yet, into one list. Finds none of them itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coach.errors import DocumentError
from coach.problems import Problem, errors_in
from coach.task_check import HasCuda, blockers
from coach.task_file import check_task_document
from coach.task_schema import TaskFile
from coach.text import Language
from coach.yaml_document import YamlDocument, parse_document

Grade = Literal["error", "blocker", "warning", "info"]
GRADES: tuple[Grade, ...] = ("error", "blocker", "warning", "info")  # the grave ones first


@dataclass(frozen=True)
class Remark:
    """`line` counts from 1, None for the whole text. `blocker`: well written, and cannot be done here. `todo` may be empty."""

    line: int | None
    grade: Grade
    said: str
    todo: str = ""


def remarks_on(content: str, name: str, check: Callable[[YamlDocument], Iterable[Problem]], language: Language) -> list[Remark]:
    """Everything `check` says about `content`, the grave first, then by line; text that is no YAML has one remark, never an error."""
    try:
        return in_order(check(parse_document(content, name)), language)
    except DocumentError as error:
        return [unreadable(error, language)]


def task_remarks(
    content: str, name: str, language: Language, *, folder: Path, hardware: HasCuda
) -> tuple[TaskFile | None, list[Remark]]:
    """A task.yaml that is being written: the task it says, where its form is right, and everything there is to say about it.

    What is well written and cannot be done here (a method or a machine that is not built) is a blocker.
    """
    try:
        task, problems = check_task_document(parse_document(content, name), folder=folder, hardware=hardware)
    except DocumentError as error:
        return None, [unreadable(error, language)]
    found = errors_in(blockers(task, folder=folder, hardware=hardware)) if task else []
    return task, in_order(problems, language, {(problem.path, problem.code) for problem in found})


def in_order(problems: Iterable[Problem], language: Language, blocking: Collection[tuple[str, str]] = ()) -> list[Remark]:
    """The problems as remarks, the grave ones first; `blocking` holds path and code of those that are blockers."""
    remarks = [
        Remark(problem.line, "blocker" if (problem.path, problem.code) in blocking else problem.level, problem.sentence(language))
        for problem in problems
    ]
    return sorted(remarks, key=lambda remark: (GRADES.index(remark.grade), remark.line or 0))


def unreadable(error: DocumentError, language: Language) -> Remark:
    """A text that cannot be read at all, as one remark at the line where reading ended."""
    found, expected, todo = error.lines(language)
    line = error.data.get("line")
    return Remark(line if isinstance(line, int) else None, "error", f"{found} {expected}", todo)


def stops(remarks: Iterable[Remark]) -> list[Remark]:
    """Those that keep the text from being used."""
    return [remark for remark in remarks if remark.grade in ("error", "blocker")]
