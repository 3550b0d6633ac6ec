"""The state of a run, computed from its files and never stored (contract: design.md section 5).

Owns the order of the questions: did the last attempt end; does a worker hold the lock; has it been heard of lately.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

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


def run_status(events_path: Path, lock_path: Path, now: float) -> RunStatus:
    """The state of the run whose log and lock lie at the two paths; `now` in Unix seconds.

    The lock is asked before the log is read: a worker that ends in between has then written its last event.
    """
    held = is_locked(lock_path)
    view = fold(RunView(), read_events(events_path))
    return RunStatus(_state(view, held, now), view)


def _state(view: RunView, held: bool, now: float) -> State:
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
    """Whether a worker, in this process or another, holds the lock."""
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
