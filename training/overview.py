"""One line a task for the list of all tasks: state, version, score against target, time of change, where to go on.

Owns what such a line says, and when it has to be read anew: `Overviews` remembers lines by the times of the files they came from. A
folder that is damaged gets a line that says so. Refuses to know how a line looks.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coach.errors import CoachError
from coach.stages import StageId, next_stage
from coach.task_schema import METRICS, Metric
from coach.version_folder import Version
from coach.workspace import Task
from training.held_lock import is_locked
from training.run_status import RunStatus, State
from training.standing import Standing, standing
from training.waiting_line import QUEUE, ticket_of

OverviewState = State | Literal["unstarted", "damaged"]
ReadStatus = Callable[[Version], RunStatus]
_ALIVE: tuple[OverviewState, ...] = ("running", "stalled", "silent")
_DOCUMENTS = ("answers.yaml", "task_summary.yaml", "task.yaml", "data_source.yaml")
_VERSION_FILES = ("config.yaml", "events.jsonl", "results.json", "lineage.yaml")
_Stamp = tuple[object, ...]


@dataclass(frozen=True)
class TaskOverview:
    """`value` is on the test rows (`split` "test"), or the best so far on the validation rows while there is no test score.

    `state` is that of `version`, the one something happened to last; "unstarted" before the first. `changed_at`: Unix seconds.
    `standing` says where it waits while it is "queued".
    """

    task: Task
    title: str
    state: OverviewState
    changed_at: float
    stage: StageId
    version: str | None = None
    metric: Metric | None = None
    value: float | None = None
    split: Literal["test", "valid"] | None = None
    threshold: float | None = None
    step: int | None = None
    total_steps: int | None = None
    standing: Standing | None = None

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def alive(self) -> bool:
        return self.state in _ALIVE

    @property
    def moves(self) -> bool:
        """Whether it changes by itself: it trains, or waits for its turn."""
        return self.alive or self.state == "queued"


def overview(task: Task, read: ReadStatus) -> TaskOverview:
    """The line of one task; `read` tells a version's status. Never raises: a folder that cannot be read is "damaged"."""
    changed_at = _changed_at(task.folder)
    try:
        version = _latest(task)
        if version is None:
            return _unstarted(task, changed_at)
        return _of_version(task, version, read(version), changed_at)
    except Exception as error:  # one broken folder must not take the list of all others with it
        if not isinstance(error, CoachError):
            logging.getLogger(__name__).warning("no overview of %s", task.folder, exc_info=True)
        return TaskOverview(task, _title(task), "damaged", changed_at, _stage_of_damage(task))


class Overviews:
    """Lines of many tasks, each read again only when one of its files has changed or while it trains. For any number of threads."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Stamp, TaskOverview]] = {}

    def read(self, tasks: Iterable[Task], read: ReadStatus) -> list[TaskOverview]:
        """The line of each task, the one changed last first."""
        lines: dict[Path, tuple[_Stamp, TaskOverview]] = {}
        for task in tasks:
            stamp = _stamp(task.folder)
            known = self._known.get(task.folder)
            fresh = known is not None and known[0] == stamp and not known[1].moves
            lines[task.folder] = known if known and fresh else (stamp, overview(task, read))
        self._known = lines  # replaced whole, so that another thread sees the old one or the new one
        return sorted((line for _, line in lines.values()), key=lambda line: (-line.changed_at, line.name))


def _unstarted(task: Task, changed_at: float) -> TaskOverview:
    if task.has_file:
        criteria = task.file.success_criteria
        metric, threshold = criteria.primary_metric, criteria.threshold
        task.answers()  # a damaged one is told here, not only where it is needed
    else:
        success = task.answers().success
        metric, threshold = success.primary_metric, success.threshold
    stage = next_stage(task).id
    return TaskOverview(task, task.title, "unstarted", changed_at, stage, metric=metric, threshold=threshold)


def _of_version(task: Task, version: Version, status: RunStatus, changed_at: float) -> TaskOverview:
    criteria = version.config.success_criteria
    metric, value, split = _score(version, status, criteria.primary_metric)
    return TaskOverview(
        task,
        task.title,
        status.state,
        changed_at,
        "evaluate" if status.state == "finished" else "train",
        version=version.name,
        metric=metric,
        value=value,
        split=split,
        threshold=criteria.threshold,
        step=status.current.step,
        total_steps=status.current.total_steps,
        standing=standing(version, time.time()) if status.state == "queued" else None,
    )


def _score(version: Version, status: RunStatus, metric: Metric) -> tuple[Metric, float | None, Literal["test", "valid"] | None]:
    """The test score of a finished run, else the best validation score so far, else none."""
    if status.state == "finished":
        primary = (version.results() or {}).get("primary_metric")
        if isinstance(primary, Mapping) and primary.get("name") in METRICS:
            return primary["name"], _number(primary.get("value")), "test"
        return metric, None, None
    best = status.view.best_eval
    value = _number(best.get("value")) if best and best.get("metric") == metric else None
    return metric, value, None if value is None else "valid"


def _latest(task: Task) -> Version | None:
    """The version something happened to last, taking a place in line included; of two at the same moment the later one."""

    def happened_at(version: Version) -> float:
        ticket = ticket_of(version)
        return max(_changed_at(version.folder, _VERSION_FILES), ticket.said.since if ticket else 0.0)

    versions = enumerate(task.versions())
    return max(versions, key=lambda item: (happened_at(item[1]), item[0]), default=(0, None))[1]


def _title(task: Task) -> str:
    try:
        return task.title
    except Exception:  # whatever is wrong with the files, the folder has a name
        return task.name


def _stage_of_damage(task: Task) -> StageId:
    """The page that reads what is broken, and says what is wrong with it."""
    try:
        task.answers()
    except CoachError:
        return "discover"
    return "train" if task.versions() else "confirm"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _stamp(folder: Path) -> _Stamp:
    """What changes when anything a line is made of changes: times and sizes of the files, the line, which versions are worked on."""
    parts: list[object] = [_file_stamp(f"{folder}/{name}") for name in (*_DOCUMENTS, f"../{QUEUE}")]
    for version in _version_folders(folder):
        parts += [version, *(_file_stamp(f"{version}/{name}") for name in _VERSION_FILES)]
        parts.append(is_locked(Path(version, "worker.lock")))
    return tuple(parts)


def _changed_at(folder: Path, names: Iterable[str] = _DOCUMENTS) -> float:
    """When the newest of the files was written; of a task its versions' files count too. The folder's own time where it has none."""
    paths = [f"{folder}/{name}" for name in names]
    paths += [f"{version}/{name}" for version in _version_folders(folder) for name in _VERSION_FILES]
    stamps = [stamp for path in paths if (stamp := _file_stamp(path))] or [_file_stamp(str(folder)) or (0, 0)]
    return max(written_ns for written_ns, _ in stamps) / 1e9


def _version_folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder / "versions") as entries:
            return sorted(entry.path for entry in entries if not entry.name.startswith("."))
    except OSError:
        return []


def _file_stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - some thousand a look; a Path each would double the time
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
