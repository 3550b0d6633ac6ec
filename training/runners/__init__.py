"""Where a version trains: the four things every runner can do, and which runner task.yaml asks for.

A run's truth is its folder, so a runner holds no state that matters: it begins a run, asks it to stop, and adds to the status only what
the folder cannot know. A new place to train (ssh, a cluster) is one file here and one line below.
"""

from __future__ import annotations

from typing import Protocol

from coach.errors import TaskError
from coach.task_schema import TaskFile
from coach.version_folder import Version
from training.run_status import RunStatus
from training.runners.in_process import InProcess
from training.runners.own_process import OwnProcess


class Runner(Protocol):
    """`start` and `resume` return once the run has begun or stands in line, or at once where it does already: asking twice begins once.

    They raise CoachError where it cannot begin. What goes wrong later stands in the run's log.
    """

    def start(self, version: Version) -> None:
        """Begins at step 0."""

    def resume(self, version: Version) -> None:
        """Goes on from the latest checkpoint."""

    def stop(self, version: Version) -> None:
        """Asks for a stop and returns at once: a checkpoint at the end of the step, before the first one none, then `stopped`."""

    def status(self, version: Version, now: float) -> RunStatus:
        """The state as the folder and the line have it, `running` also while a run is only just beginning; `now` in Unix seconds."""


RUNNERS: dict[tuple[str, str], Runner] = {  # by execution.type and execution.isolation
    ("local", "thread"): InProcess(),
    ("local", "process"): OwnProcess(),
}


def runner_for(task_file: TaskFile) -> Runner:
    """The runner that task.yaml asks for. Raises TaskError for a place where nothing trains yet."""
    execution = task_file.execution
    runner = RUNNERS.get((execution.type, execution.isolation))
    if runner is None:
        raise TaskError("training.not_here", type=execution.type)
    return runner
