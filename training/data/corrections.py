"""`corrections.jsonl` in the task's folder: labels put right, and rows left out of training, whenever `data/` is made.

Owns the file and its effect on the three parts. Raw files stay as they came; ids and parts stay, for both are settled before a row is
corrected. Which rows are corrected is `training.corrected_data`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from coach.atomic_write import write_atomically
from coach.errors import WorkspaceError
from coach.reviews import RowKey
from training.data.rows import Row
from training.data.split import PARTS, Part, label_of

CORRECTIONS_FILE = "corrections.jsonl"
Parts = dict[Part, list[Row]]


@dataclass(frozen=True)
class NewLabel:
    given: str
    label: str


@dataclass(frozen=True)
class Corrections:
    """`labels` by row and target; `left_out`: whole rows that are kept here instead of in the training part."""

    labels: Mapping[RowKey, NewLabel] = field(default_factory=dict)
    left_out: Mapping[str, Row] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels) + len(self.left_out)


def corrections_path(task_folder: Path) -> Path:
    return task_folder / CORRECTIONS_FILE


def read_corrections(task_folder: Path) -> Corrections:
    """Those in force; none where there is no file. Raises WorkspaceError where it is damaged."""
    path = corrections_path(task_folder)
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return Corrections()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError("reviews.corrections_damaged", path=str(path), line=1, reason=str(error)) from error
    labels: dict[RowKey, NewLabel] = {}
    left_out: dict[str, Row] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            _take(json.loads(line), labels, left_out)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise WorkspaceError("reviews.corrections_damaged", path=str(path), line=number, reason=str(error)) from error
    return Corrections(labels, left_out)


def _take(document: Any, labels: dict[RowKey, NewLabel], left_out: dict[str, Row]) -> None:
    if "left_out" in document:
        row = Row(**document["left_out"])
        left_out[row.id] = row
    else:
        labels[str(document["id"]), document["target"]] = NewLabel(str(document["given"]), str(document["label"]))


def write_corrections(task_folder: Path, corrections: Corrections) -> None:
    """Replaces the file; without any correction there is none. Raises WorkspaceError."""
    if not len(corrections):
        corrections_path(task_folder).unlink(missing_ok=True)
        return
    labels = corrections.labels.items()
    lines: list[dict[str, Any]] = [{"id": row, "target": target, **asdict(new)} for (row, target), new in labels]
    lines += [{"left_out": asdict(row)} for row in corrections.left_out.values()]
    write_atomically(corrections_path(task_folder), "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def corrected(parts: Mapping[Part, Sequence[Row]], corrections: Corrections) -> Parts:
    """The parts with the corrections in force. Only training gives rows up: the others are what versions are held against."""
    found = {part: [_labelled(row, _of(row, corrections)) for row in parts[part]] for part in PARTS}
    found["train"] = [row for row in found["train"] if row.id not in corrections.left_out]
    return found


def uncorrected(parts: Mapping[Part, Sequence[Row]], corrections: Corrections) -> Parts:
    """`corrected` taken back, for parts that cannot be made again from a source; rows that were left out come last."""
    back = Corrections({key: NewLabel(new.label, new.given) for key, new in corrections.labels.items()})
    found = corrected(parts, back)
    there = {row.id for part in PARTS for row in found[part]}
    found["train"] += [row for row in corrections.left_out.values() if row.id not in there]
    return found


def relabelled(before: Mapping[Part, Sequence[Row]], after: Mapping[Part, Sequence[Row]]) -> dict[Part, int]:
    """How many rows of each part of `after` carried another label in `before`, in whichever part they stood."""
    outputs = {row.id: row.output for rows in before.values() for row in rows}
    return {part: sum(outputs.get(row.id, row.output) != row.output for row in after[part]) for part in PARTS}


def count_changed(before: Mapping[Part, Sequence[Row]], after: Mapping[Part, Sequence[Row]]) -> int:
    """How many rows carry another label than before, or are gone."""
    there = {row.id for rows in after.values() for row in rows}
    gone = sum(row.id not in there for rows in before.values() for row in rows)
    return sum(relabelled(before, after).values()) + gone


def _of(row: Row, corrections: Corrections) -> dict[str | None, NewLabel]:
    targets: Sequence[str | None] = list(row.output) if isinstance(row.output, dict) else [None]
    return {target: corrections.labels[row.id, target] for target in targets if (row.id, target) in corrections.labels}


def _labelled(row: Row, new: Mapping[str | None, NewLabel]) -> Row:
    """A label that is no longer the one that was marked stays: somebody has settled it otherwise meanwhile."""
    for target, change in new.items():
        if label_of(row, target) != change.given:
            continue
        output = {**row.output, target: change.label} if isinstance(row.output, dict) and target is not None else change.label
        row = replace(row, output=output)
    return row
