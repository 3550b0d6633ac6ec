"""What a person has read of the contradictions among the answers, in `understood.json`, so that each is said once and not at every visit.

A contradiction is known by its signature: with other answers it is another one, and said anew. Nothing else depends on the file;
where it is missing or damaged, the coach says again what it has said.
"""

from __future__ import annotations

from coach.contradictions import Contradiction
from coach.errors import WorkspaceError
from coach.version_folder import read_json, write_json
from coach.workspace import Task

UNDERSTOOD_FILE = "understood.json"


def is_understood(task: Task, found: Contradiction) -> bool:
    """Whether somebody has read exactly this."""
    return _kept(task).get(found.name) == found.signature


def keep_understood(task: Task, found: Contradiction) -> None:
    """From now on it is. Raises WorkspaceError (locked, folder gone, disk)."""
    with task.lock():
        write_json(task.folder / UNDERSTOOD_FILE, {**_kept(task), found.name: found.signature})


def _kept(task: Task) -> dict[str, object]:
    """Signatures by name."""
    try:
        return read_json(task.folder / UNDERSTOOD_FILE) or {}
    except WorkspaceError:  # damaged
        return {}
