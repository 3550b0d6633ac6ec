"""A sample as a task in the workspace: finding the one that is there, or making it, once however often somebody asks at once.

What a sample holds is `samples.py`'s.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from coach.atomic_write import not_written
from coach.errors import WorkspaceError
from coach.new_task import free_name, taken_names
from coach.text import DEFAULT_LANGUAGE, Language
from coach.workspace import Task, list_tasks
from training.samples import raw_name, write_sample

LOCK_WAIT_S = 60.0  # writing takes seconds; whoever holds the lock longer has hung


def sample_task(root: Path, name: str) -> Task | None:
    """The task made of this sample before (`news-sentiment`, `news-sentiment-2` …), the first of several; None without one."""
    for task in list_tasks(root):
        if re.fullmatch(rf"{re.escape(name)}(-\d+)?", task.name) and (task.folder / "raw" / raw_name(name)).is_file():
            return task
    return None


def open_sample(
    root: Path, name: str, *, now: datetime, language: Language = DEFAULT_LANGUAGE, another: bool = False, rows: int | None = None
) -> Task:
    """The task of this sample, made now where there is none or `another` is asked for; `rows` to train on, its own number by default.

    Two who ask at the same moment get the same task. Raises DataError as `write_sample` does, and WorkspaceError.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{name}.lock", timeout=LOCK_WAIT_S):
            found = None if another else sample_task(root, name)
            if found:
                return found
            folder = root / free_name(name, taken_names(root))
            write_sample(name, folder, now=now, language=language, rows=rows)
            return Task.open(folder)
    except Timeout as error:
        raise WorkspaceError("workspace.locked", path=str(root), seconds=f"{LOCK_WAIT_S:g}") from error
    except WorkspaceError:
        raise
    except OSError as error:
        raise not_written(error, root) from error
