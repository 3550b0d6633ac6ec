"""The seven stages of the road, in one list: their names, their pages, and whether a task has passed them.

One list drives the menu, the gates and the tests. What a page shows is the page's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from coach.errors import CoachError
from coach.interview import missing
from coach.workspace import Task

StageId = Literal["discover", "goal", "recommend", "confirm", "train", "evaluate", "iterate"]


@dataclass(frozen=True)
class Stage:
    """`page` is the file under pages/. `is_done` and `is_open` read the task's folder and nothing else.

    A stage that is not open cannot be worked on at all; before any other, stages left undone are worth a warning only.
    """

    id: StageId
    page: str
    is_done: Callable[[Task], bool]
    is_open: Callable[[Task], bool] = lambda task: True

    @property
    def title_key(self) -> str:
        return f"interview.stage.{self.id}"


def _if_sound(check: Callable[[Task], bool]) -> Callable[[Task], bool]:
    """A damaged file leaves its stage undone; which fault it has, the page that reads it says."""

    def checked(task: Task) -> bool:
        try:
            return check(task)
        except CoachError:
            return False

    return checked


def _discovered(task: Task) -> bool:
    """The questions without which there is no advice are answered, or a task.yaml stands there without an interview."""
    return task.has_file or not missing(task.answers())


def _goal_clear(task: Task) -> bool:
    return task.has_file or task.summary() is not None


def _recommended(task: Task) -> bool:
    """A plan is taken on by writing task.yaml; it is not stored itself."""
    return task.has_file


def _confirmed(task: Task) -> bool:
    return bool(task.versions())


def _trained(task: Task) -> bool:
    return any(version.results_path.is_file() for version in task.versions())


def _evaluated(task: Task) -> bool:
    """A verdict has been written into a version's lineage."""
    return any(((version.lineage() or {}).get("decision") or {}).get("verdict") for version in task.versions())


def _iterated(task: Task) -> bool:
    """Two versions have results, so that they can be held against each other."""
    return sum(version.results_path.is_file() for version in task.versions()) > 1


def _can_train(task: Task) -> bool:
    """There is a sound task.yaml, or a version frozen from one: a run is not hidden because the file was edited since."""
    return bool(task.versions()) or (task.has_file and bool(task.file))


def _has_version(task: Task) -> bool:
    return bool(task.versions())


STAGES: tuple[Stage, ...] = (
    Stage("discover", "1_discover.py", _if_sound(_discovered)),
    Stage("goal", "2_goal.py", _if_sound(_goal_clear)),
    Stage("recommend", "3_recommend.py", _recommended),
    Stage("confirm", "4_confirm.py", _confirmed),
    Stage("train", "5_train.py", _trained, _if_sound(_can_train)),
    Stage("evaluate", "6_evaluate.py", _if_sound(_evaluated), _trained),
    Stage("iterate", "7_iterate.py", _iterated, _has_version),
)


def next_stage(task: Task) -> Stage:
    """The first stage that is not done; the last one where all are."""
    return next((stage for stage in STAGES if not stage.is_done(task)), STAGES[-1])
