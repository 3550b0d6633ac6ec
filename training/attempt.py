"""One attempt at a version: how it begins, what it reads, how it ends. Shared by the worker and the methods it calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coach.errors import DataError, WorkspaceError
from coach.task_schema import TaskFile
from coach.version_folder import SPLITS, SplitName, Version
from training import checkpoints
from training.data.rows import Row, read_rows
from training.events import TerminalType
from training.run_view import RunView

Rows = dict[SplitName, list[Row]]


@dataclass(frozen=True)
class Attempt:
    """One start or resume. `from_step` is 0 for a start; `view` is what an earlier attempt's log still counts.

    `own_run_over`: the version's own run is trained and judged, only its repeats are left. `keeps_model`: its weights and its lineage
    are written; of a repeat they are not.
    """

    number: int
    from_step: int
    view: RunView
    max_steps: int | None
    own_run_over: bool = False
    keeps_model: bool = True


@dataclass(frozen=True)
class Ending:
    """The terminal event to write."""

    kind: TerminalType
    fields: dict[str, Any]


def refuse_to_begin(version: Version, before: RunView, *, resume: bool) -> None:
    """Raises WorkspaceError where the files say at a glance that a start, or a resume, would be wrong. `before`: the log so far."""
    if before.terminal is not None and before.terminal["type"] == "finished":
        raise WorkspaceError("training.finished_already", version=version.name, folder=str(version.folder))
    step = checkpoints.latest(version.checkpoints_folder)
    if resume and step is None:
        raise WorkspaceError("training.nothing_to_resume", version=version.name, folder=str(version.checkpoints_folder))
    if not resume and step is not None:  # starting over would throw away what was learnt
        raise WorkspaceError("training.resume_instead", version=version.name, step=step)


def stopped_before_training(version: Version, attempt: Attempt) -> Ending | None:
    """How the attempt ends where a stop was asked before its first step: with the checkpoint an earlier one left, or none."""
    if not version.stop_path.exists():
        return None
    checkpoint = f"checkpoints/{attempt.from_step}" if attempt.from_step else None
    return Ending("stopped", {"step": attempt.from_step, "reason": "asked", "checkpoint": checkpoint})


def frozen_rows(version: Version) -> Rows:
    """The three frozen splits, each row held against the task.

    Raises DataError for a row that does not fit and for a split that is empty: without a validation part nobody can tell learning from
    memorising, without a test part nothing can be judged.
    """
    task = version.config
    rows = {split: read_rows(version.split_path(split)) for split in SPLITS}
    for split in SPLITS:
        if not rows[split]:
            raise DataError(f"data.no_{split}_part")
        for row in rows[split]:
            refuse_unfit(task, split, row)
    if not any(value.strip() for row in rows["train"] for value in row.input.values()):
        raise DataError("training.empty_texts")
    return rows


def refuse_unfit(task: TaskFile, split: SplitName, row: Row) -> None:
    """A row somebody changed by hand is found before hours of training, not after them."""
    for name in task.placeholders:
        if name not in row.input:
            raise DataError("training.row_input", split=split, id=row.id, name=name, known=", ".join(task.placeholders))
    for target, labels in task.targets.items():
        label = row.output.get(target or "") if isinstance(row.output, dict) else row.output
        if label not in labels or isinstance(row.output, dict) != (task.output_format.type == "json"):
            raise DataError("training.row_label", split=split, id=row.id, label=str(row.output), known=", ".join(labels))
