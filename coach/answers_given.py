"""predictions.jsonl: what a version answered for each test row (contract: the example task).

Owns reading the file. Which texts stand behind the ids, and what the answers are worth, others say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from coach.errors import WorkspaceError

T = TypeVar("T")


@dataclass(frozen=True)
class Given:
    """One row's answer for one target. `predicted` is None outside the format; `scores`: label to probability, empty where unscored."""

    id: str
    actual: str | None
    predicted: str | None
    scores: Mapping[str, float] = field(default_factory=dict)
    raw: str | None = None


def read_answers_given(path: Path, target: str | None = None) -> dict[str, tuple[str | None, str | None]]:
    """Row id to (actual, predicted) from predictions.jsonl, None for an answer outside the format; empty where there is no file.

    `target`: the property whose labels are taken where an answer has several; None takes the first.
    Raises WorkspaceError where the file cannot be read, or naming the line that is no prediction.
    """
    return {given.id: (given.actual, given.predicted) for given in read_given(path, target)}


def read_given(path: Path, target: str | None = None) -> list[Given]:
    """The same with scores, in the file's order."""
    return read_lines(path, partial(_given, target=target))


def read_lines(path: Path, made_of: Callable[[Any], T]) -> list[T]:
    """What `made_of` makes of the document on each line; nothing where there is no file.

    Raises WorkspaceError where the file cannot be read, or naming the line it makes nothing of.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: U+2028 may stand within a JSON string
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError("workspace.broken_json", path=str(path), reason=str(error)) from error
    made = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            made.append(made_of(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:  # a line may hold anything
            raise WorkspaceError("workspace.broken_json", path=str(path), reason=f"line {number}: {error}") from error
    return made


def label_of(output: Any, target: str | None) -> str | None:
    """The label of one target, by name: the slots of two answers need not stand in the same order."""
    if isinstance(output, Mapping):
        output = output.get(target) if target is not None else next(iter(output.values()), None)
    return None if output is None else str(output)


def _given(document: Mapping[str, Any], target: str | None) -> Given:
    raw = document.get("raw")
    return Given(
        id=str(document["id"]),
        actual=label_of(document["actual"], target),
        predicted=label_of(document["predicted"], target),
        scores=_scores(document.get("scores"), target),
        raw=None if raw is None else str(raw),
    )


def _scores(found: Any, target: str | None) -> dict[str, float]:
    """Label to probability: `{"正面": .8}` for a text answer, `{"sentiment": {"正面": .8}}` for a JSON one; empty where unscored."""
    if not isinstance(found, Mapping):
        return {}
    nested = [inner for inner in found.values() if isinstance(inner, Mapping)]
    if nested:
        inner = found.get(target) if target is not None else nested[0]
        found = inner if isinstance(inner, Mapping) else {}
    return {str(label): float(score) for label, score in found.items()}
