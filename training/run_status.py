"""The state of a run, computed from its files and never stored (contract: design.md section 5).

Owns the order of the questions: did the last attempt end; does a worker hold the lock; has it been heard of lately.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from training.event_log import read_events
from training.run_view import RunView, fold

State = Literal["new", "running", "stalled", "silent", "interrupted", "finished", "stopped", "failed"]

STALLED_AT_LEAST_S = 120.0
STALLED_STEPS = 10.0
SILENT_S = 30.0
HEARTBEAT_S = 10.0


@dataclass(frozen=True)
class RunStatus:
    """`state` and the view it was read from."""

    state: State
    view: RunView

    @property
    def alive(self) -> bool:
        return self.state in ("running", "stalled", "silent")

    @property
    def started_at(self) -> float | None:
        """When the last attempt began, in Unix seconds; None before the first."""
        return self.view.started_t


def run_status(events_path: Path, lock_path: Path, now: float) -> RunStatus:
    """The state of the run whose log and lock lie at the two paths; `now` in Unix seconds.

    The lock is asked before the log is read: a worker that ends in between has then written its last event.
    """
    held = is_locked(lock_path)
    view = fold(RunView(), read_events(events_path))
    return RunStatus(state_of(view, now, held=held), view)


def state_of(view: RunView, now: float, *, held: bool) -> State:
    """The state of a run whose log folds to `view`; `held`: whether a worker held the lock before the log was read."""
    if view.attempt == 0:
        return "running" if held else "new"
    if view.terminal is not None:
        return view.terminal["type"]  # type: ignore[no-any-return]
    if not held:
        return "interrupted"
    if view.last_t is not None and now - view.last_t > SILENT_S:
        return "silent"
    if view.phase == "training" and view.last_step_t is not None:
        limit = max(STALLED_AT_LEAST_S, STALLED_STEPS * (view.median_step_s() or 0.0))
        if now - view.last_step_t > limit:
            return "stalled"
    return "running"


def is_locked(lock_path: Path) -> bool:
    """Whether a worker, in this process or another, holds the lock.

    Asked with a shared lock, so that readers who ask at the same moment do not take one another for a worker.
    """
    if fcntl is None:
        return _is_locked_elsewhere(lock_path)
    try:
        with lock_path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:  # some file systems say EACCES for a lock that is held
        return error.filename is None
    except OSError:
        return False  # no such file, or a file system without locks: nobody can be working on it
    return False


def _is_locked_elsewhere(lock_path: Path) -> bool:
    if not lock_path.exists():
        return False
    probe = FileLock(lock_path)
    try:
        probe.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False  # a read-only copy of a task: nobody can be working on it
    probe.release()
    return False
