"""From a plan to a task.yaml: drafting it with what a person chose otherwise, and taking it on into the task's folder.

What `python -m coach task` prints and what a page's "take this plan" writes come from here. Which files those are is
`first_folder.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from coach.advised import Advised
from coach.answers import Answers
from coach.choices import CHOICES, Choice, ChoiceValue, Settings, with_choices
from coach.errors import UserError, WorkspaceError
from coach.overrides import forget_overrides
from coach.plan import Plan
from coach.situation import Look
from coach.task_file import task_to_yaml
from coach.workspace import ANSWERS_FILE, Task
from training.first_folder import Drafted, Written, draft, write_first_files


def left_to_answer(answers: Answers, labels: Sequence[str] = ()) -> list[str]:
    """Keys of the answers without which no task.yaml can be written; `labels`: what the data file showed."""
    if answers.task.type is None:
        return ["task.type"]
    needs_labels = answers.task.type == "classification" and len(answers.task.labels or labels) < 2
    return ["task.labels"] if needs_labels else []


def draft_with(
    answers: Answers, plan: Plan, chosen: Settings | None, *, name: str, look: Look | None, document: str, now: datetime
) -> Drafted:
    """The first task.yaml by the plan, or where `chosen` says otherwise, by that.

    Raises UserError for a classification without labels, DataError for a file that cannot be read or whose columns cannot be told.
    """
    drafted = draft(answers, plan, name=name, look=look, document=document, now=now)
    if chosen is None:
        return drafted
    changes: dict[Choice, ChoiceValue] = {choice: chosen.value(choice) for choice in CHOICES}
    changed = with_choices(drafted.task, changes, advised=chosen, frozen=(), today=now.date())
    return replace(drafted, task=changed)


def draft_for(task: Task, advised: Advised, look: Look | None, now: datetime) -> Drafted:
    """The task.yaml that taking the plan would write: the task's own name, the plan, and the overrides kept in the folder.

    Raises UserError while the type of task or the labels are not known, DataError as `draft_with`.
    """
    answers = advised.answers
    if left := left_to_answer(answers, look.labels if look else ()):
        raise UserError("choice.nothing_to_take", missing=", ".join(left))
    chosen = advised.chosen if advised.otherwise else None
    return draft_with(answers, advised.plan, chosen, name=task.name, look=look, document=ANSWERS_FILE, now=now)


def adopt(task: Task, drafted: Drafted, *, now: datetime, expected: str | None = None) -> Written:
    """Writes the draft into the task's folder, once. `expected`: the fingerprint task.yaml had when the person saw it, None: no file.

    Asked twice, it leaves the file as it is. Raises WorkspaceError where another task.yaml has come meanwhile; nothing is overwritten.
    """
    with task.lock():
        if task.fingerprint() != expected:
            if task.has_file and _says_the_same(task, drafted):
                return Written(task.file_path)
            raise WorkspaceError("choice.taken_meanwhile")
        written = write_first_files(drafted, task.file_path, now=now)
        forget_overrides(task)
        return written


def _says_the_same(task: Task, drafted: Drafted) -> bool:
    times = {"created": None, "updated": None}
    return task_to_yaml(task.file.model_copy(update=times)) == task_to_yaml(drafted.task.model_copy(update=times))
