"""What a person has read of the contradictions among the answers, in `understood.json`, so that each is said once and not at every visit.

A contradiction is known by its signature: with other figures it is another one, and said anew. Nothing else depends on the file;
where it is missing or damaged, the coach says again what it has said.
"""

from __future__ import annotations

from coach.contradictions import Contradiction
from coach.errors import WorkspaceError
from coach.version_folder import read_json, write_json
from coach.workspace import Task

UNDERSTOOD_FILE = "understood.json"
MOST_BYTES = 100_000  # of a file that is ours
LOCK_WAIT_S = 1.0  # a click is not worth more


def understood(task: Task) -> dict[str, str]:
    """The signatures that somebody has read, by the contradiction's name."""
    path = task.folder / UNDERSTOOD_FILE
    try:
        found = read_json(path) if path.stat().st_size <= MOST_BYTES else None
    except (WorkspaceError, OSError):  # damaged, or not there
        return {}
    return {name: said for name, said in (found or {}).items() if isinstance(said, str) and _is_sound(name + said)}


def keep_understood(task: Task, found: Contradiction) -> None:
    """From now on it is read. Raises WorkspaceError (locked, folder gone, disk)."""
    with task.lock(LOCK_WAIT_S):
        write_json(task.folder / UNDERSTOOD_FILE, {**understood(task), found.name: found.signature})


def _is_sound(written: str) -> bool:
    """Whether it can be written again: half a surrogate cannot."""
    return written.encode("utf-8", "ignore").decode("utf-8") == written
