"""Saving task.yaml as a person left it in an editor, the first time with the files that belong beside it.

Owns that nothing is written over somebody else's text. Whether the text is sound is not asked: it can be mended later.
"""

from __future__ import annotations

from datetime import datetime

from coach.workspace import Task
from training.first_folder import Drafted
from training.plan_to_task import adopt


def save_task_text(task: Task, content: str, *, expected: str | None, drafted: Drafted | None, now: datetime) -> str:
    """Writes `content`, a last line end added where it is missing, and returns what was written.

    `expected`: the fingerprint task.yaml had when the editing began, None where there was no file; then `drafted` is the draft it
    began from, and a data_source.yaml is written with it. Raises WorkspaceError where somebody has written in between.
    """
    written = content if content.endswith("\n") else content + "\n"
    with task.lock():
        if expected is None and drafted is not None and not task.has_file:
            adopt(task, drafted, now=now)
            expected = task.fingerprint()
        task.save_file_text(written, expected=expected)
    return written
