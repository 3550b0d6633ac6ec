"""`task.yaml`: reading it with every fault and its line, writing it in the contract's order.

The shape is `task_schema.py`'s, judging the whole is `task_check.py`'s; both are at hand from here, for callers who hold a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coach.problems import Problem
from coach.task_check import HasCuda, blockers, check_task, require_trainable
from coach.task_schema import TaskFile
from coach.text import Language, has_text, text
from coach.validation import examine, validate
from coach.yaml_document import YamlDocument, parse_document, read_document
from coach.yaml_writing import dump, with_plain_numbers

__all__ = ["blockers", "check_task", "check_task_document", "parse_task", "read_task_file", "require_trainable", "task_to_yaml"]


def read_task_file(path: Path, *, written_by_us: bool = False) -> TaskFile:
    """The task in the file at `path`. Raises DocumentError with every problem in it.

    `written_by_us` is for frozen copies: keys that a newer version added are passed over.
    """
    return validate(read_document(path), TaskFile, key="task.problems", drop_unknown=written_by_us)


def parse_task(content: str | bytes, name: str = "task.yaml") -> TaskFile:
    """The task in `content`; `name` is what errors call it. Raises DocumentError with every problem in it."""
    return validate(parse_document(content, name), TaskFile, key="task.problems")


def check_task_document(
    document: YamlDocument, *, folder: Path | None = None, hardware: HasCuda | None = None
) -> tuple[TaskFile | None, list[Problem]]:
    """Everything there is to say about a read document, with lines: faults of form, or else contradictions and remarks."""
    task, problems = examine(document, TaskFile)
    if task is None:
        return None, problems
    return task, problems + check_task(task, folder=folder, hardware=hardware, line_of=document.line_of)


def task_to_yaml(task: TaskFile, headings: Language | None = None) -> str:
    """The whole task as YAML, defaults included, keys in the contract's order; with headings, in a language asked for."""
    parts = []
    for key, value in _written(task).items():
        heading = f"comments.headings.{key}"
        if headings and has_text(heading):
            parts.append(f"\n# {text(heading, headings)}\n")
        parts.append(dump({key: value}))
    return "".join(parts)


def _written(task: TaskFile) -> dict[str, Any]:
    """Unset keys left out, except where nothing means something else; short forms where they say it all."""
    written = task.model_dump(mode="python", by_alias=True, exclude_none=True)
    if task.training.early_stopping is None:
        kept = written["training"] | {"early_stopping": None}  # left out, it would be on
        written["training"] = {name: kept[name] for name in type(task.training).model_fields if name in kept}
    retention = task.versioning.retention
    if retention == type(retention)(keep_recent=retention.keep_recent):
        written["versioning"]["retention"] = retention.keep_recent
    elif retention.cleanup_exp_after is None:
        written["versioning"]["retention"]["cleanup_exp_after"] = None
    return {key: with_plain_numbers(value) for key, value in written.items() if value != {}}
