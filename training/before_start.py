"""What stands between a task.yaml and its training: its data, the version it names, what it will take, and why start is closed.

Owns that judgement for the page that starts a training; the faults of the file itself are `coach.task_file`'s. Reads the folder and a
look at the file, writes nothing, imports no model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from coach.errors import CoachError
from coach.estimate import Estimate, estimate_baseline, estimate_prompt
from coach.hardware import Hardware
from coach.recommendation.draft import oversampling
from coach.situation import TEST_SHARE, TRAIN_SHARE, VALID_SHARE, Look, situation_of
from coach.task_check import count_rows
from coach.task_knowledge import facts_of_data
from coach.task_schema import TaskFile
from coach.version_folder import SPLITS, Version
from coach.versioning import next_version
from coach.work import Work
from coach.workspace import Task
from training import checkpoints
from training.attached_file import SOURCE_FILE
from training.data_remarks import labels_left_out
from training.run_status import RunStatus

DataState = Literal["ready", "to_build", "missing"]
VersionState = Literal["new", "frozen", "queued", "running", "resumable", "finished"]
Closed = Literal["no_data", "queued", "running", "resumable", "finished"]
HAD_ITS_START: tuple[VersionState, ...] = ("queued", "running", "resumable", "finished")


@dataclass(frozen=True)
class Rows:
    """Rows of the three parts; `counted` where they lie in `data/`, else expected of a file that is split when training starts."""

    train: int
    valid: int
    test: int
    counted: bool


@dataclass(frozen=True)
class BeforeStart:
    """`version` is the frozen version the file names, None while there is none; `following` the name a next one would get."""

    data: DataState
    rows: Rows | None
    version: Version | None
    version_state: VersionState
    following: str

    @property
    def closed(self) -> Closed | None:
        """Why a sound file cannot be started now, the first reason."""
        if self.version_state in HAD_ITS_START:
            return self.version_state  # type: ignore[return-value]
        return "no_data" if self.data == "missing" and self.version is None else None


def before_start(
    task: Task, file: TaskFile, look: Look | None, *, status_of: Callable[[Version], RunStatus], today: date
) -> BeforeStart:
    """Everything about starting `file`, which is sound. `look` at the attached file where there is one."""
    versions = task.versions()
    version = next((known for known in versions if known.name == file.version), None)
    data = data_state(task, look)
    return BeforeStart(
        data=data,
        rows=_rows(task, file, look) if data != "missing" else None,
        version=version,
        version_state=_state(status_of(version), version) if version else "new",
        following=next_version([known.name for known in versions], file.versioning.strategy, today),
    )


def data_state(task: Task, look: Look | None) -> DataState:
    """`ready`: the three parts lie there; `to_build`: they are made from the file at the start."""
    if all((task.data_folder / f"{part}.jsonl").is_file() for part in SPLITS):
        return "ready"
    return "to_build" if look is not None or (task.folder / SOURCE_FILE).is_file() else "missing"


def rows_by_class(task: Task, look: Look | None) -> dict[str, int]:
    """Rows of each class in `data/` where it is made, else in the file looked at; empty where neither tells."""
    facts = facts_of_data(task) if data_state(task, look) == "ready" else look.facts if look else None
    return facts.class_counts if facts else {}


def expected_estimate(task: Task, file: TaskFile, look: Look, machine: Hardware) -> Estimate | None:
    """Time and memory from a look at the file, while its parts are not made yet; None for a model nothing is known of."""
    from training.model_shape import known_model
    from training.run_estimate import estimate_work, label_counts

    training = file.training
    if training.method in ("baseline", "prompt"):
        return estimate_baseline() if training.method == "baseline" else estimate_prompt()
    rows = _rows(task, file, look)
    if rows is None:
        return None
    situation = situation_of(task.answers(), look.facts, machine)
    balanced = oversampling(look.facts.class_counts) if training.balance == "oversample" else 1.0
    work = Work(
        train_rows=rows.train * balanced, valid_rows=rows.valid, test_rows=rows.test, epochs=training.epochs,
        batch_size=training.batch_size, row_tokens=situation.row_tokens, long_row_tokens=situation.long_row_tokens,
        rank=training.lora.r if training.lora else 0, evaluations_per_epoch=training.evaluations_per_epoch, **label_counts(file),
    )  # fmt: skip
    try:
        return estimate_work(training, known_model(training.base_model, task.folder), machine, work)
    except CoachError:
        return None


def _rows(task: Task, file: TaskFile, look: Look | None) -> Rows | None:
    counts = [count_rows(task.data_folder / f"{part}.jsonl") for part in SPLITS]
    if None not in counts:
        train, valid, test = (count or 0 for count in counts)
        return Rows(train, valid, test, counted=True)
    if look is None:
        return None
    rows, test = look.facts.rows - sum(labels_left_out(file, look.facts.class_counts).values()), look.facts.test_rows
    if test is not None:  # came with the data; the rest is shared out between the other two
        valid = round(rows * VALID_SHARE / (TRAIN_SHARE + VALID_SHARE))
        return Rows(rows - valid, valid, test, counted=False)
    valid, test = round(rows * VALID_SHARE), round(rows * TEST_SHARE)
    return Rows(rows - valid - test, valid, test, counted=False)


def _state(status: RunStatus, version: Version) -> VersionState:
    if status.alive:
        return "running"
    if status.state == "finished" or status.state == "queued":
        return status.state
    return "resumable" if checkpoints.latest(version.checkpoints_folder) is not None else "frozen"


def saved_estimate(file: TaskFile, task: Task, machine: Hardware) -> Estimate | None:
    """Time and memory from the parts in `data/`; None for a model nothing is known of or rows that cannot be read."""
    from training.run_estimate import estimate_task

    try:
        return estimate_task(file, task.data_folder, machine)
    except CoachError:
        return None
