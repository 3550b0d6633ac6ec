"""Start, resume and stop as a button, or a command, asks for them: the version frozen where it is not there yet, handed to its runner.
Where another training runs, the runner puts it in line, and stop takes it out again.

Owns that asking twice, in two threads, processes or browsers, gives one version, one preparation of the data and one run. Light: whatever
trains is the runner's to import. Prints nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from coach.errors import WorkspaceError
from coach.task_file import require_trainable
from coach.version_folder import Version
from coach.workspace import Task
from training.attempt import refuse_to_begin
from training.new_version import PreparedData, new_version, prepare_data
from training.run_status import RunStatus, run_status
from training.runners import runner_for
from training.waiting_line import leave_line

Stopped = Literal["asked", "left"]
PREPARING_WAIT_S = 120.0  # somebody else prepares the same data: half a million rows take a minute


@dataclass(frozen=True)
class VersionToTrain:
    """`prepared` says what was done to the data where the version was frozen just now; None where it was there."""

    version: Version
    prepared: PreparedData | None = None


def version_to_train(
    task: Task, now: Callable[[], datetime], *, wanted: str | None = None, changes: str | None = None
) -> VersionToTrain:
    """The version `wanted` (or the one task.yaml names): there already, or frozen now from task.yaml and the data.

    Whoever comes second waits and gets the first one's version. Raises DocumentError (task.yaml has faults or cannot train here),
    DataError, UserError without data, WorkspaceError.
    """
    with task.lock(PREPARING_WAIT_S):
        name = wanted or task.file.version
        if name in [version.name for version in task.versions()]:
            return VersionToTrain(task.version(name))
        require_trainable(task.file, task.file_path.name, folder=task.folder)
        prepared = prepare_data(task, now())
        return VersionToTrain(new_version(task, name, now(), changes=changes), prepared)


def start_training(task: Task, now: Callable[[], datetime], *, changes: str | None = None) -> Version:
    """Starts the version task.yaml names and returns it once it runs or stands in line; where somebody else has, returns it as well.

    `now` gives the time written into the version; `changes` is its maker's statement, kept in the lineage of a new version.
    Raises what `version_to_train` raises, WorkspaceError where the version is finished or has a checkpoint to resume from, and TaskError
    where its execution is not built.
    """
    name = task.file.version
    attempts_before = max((_status(version).view.attempt for version in task.versions() if version.name == name), default=0)
    version = version_to_train(task, now, wanted=name, changes=changes).version
    found = _status(version)
    if not found.expected and found.view.attempt <= attempts_before:  # else somebody began it while we waited
        refuse_to_begin(version, found.view, resume=False)
        runner_for(version.config).start(version)
    return version


def resume_training(version: Version) -> None:
    """Goes on from the latest checkpoint and returns once it runs or stands in line; nothing happens where it does already.

    Raises WorkspaceError where the version is finished or has no checkpoint.
    """
    found = _status(version)
    if not found.expected:
        refuse_to_begin(version, found.view, resume=True)
        runner_for(version.config).resume(version)


def stop_training(version: Version) -> Stopped:
    """Takes the version out of the line ("left"), or asks for a checkpoint and a stop at the end of the step ("asked"). Returns at once.

    Raises WorkspaceError where it neither runs nor waits.
    """
    if _status(version).state == "queued" and leave_line(version):
        return "left"
    runner = runner_for(version.config)
    if not runner.status(version, time.time()).alive:
        raise WorkspaceError("training.not_started", version=version.name)
    runner.stop(version)
    return "asked"


def _status(version: Version) -> RunStatus:
    return run_status(version.events_path, version.lock_path, time.time())
