"""The state of a run, computed from its files and never stored (contract: design.md section 5).

Owns the order of the questions: did the last attempt end; does a worker hold the lock; has it been heard of lately; is it in line for
another attempt (waiting_line.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coach.version_folder import Version
from training.event_log import read_events
from training.held_lock import is_locked
from training.run_view import RunView, fold
from training.waiting_line import Ticket, ticket_of

State = Literal["new", "queued", "running", "stalled", "silent", "interrupted", "finished", "stopped", "failed"]

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
    def expected(self) -> bool:
        """Whether it trains, or will by itself when its turn comes."""
        return self.alive or self.state == "queued"

    @property
    def started_at(self) -> float | None:
        """When the last attempt began, in Unix seconds; None before the first."""
        return self.view.started_t


def run_status(events_path: Path, lock_path: Path, now: float) -> RunStatus:
    """The state of the run whose log and lock lie at the two paths; `now` in Unix seconds.

    The lock is asked before the log is read: a worker that ends in between has then written its last event. The line before both: who
    leaves it to begin has then begun.
    """
    ticket = ticket_of(Version(events_path.parent))
    held = is_locked(lock_path)
    view = fold(RunView(), read_events(events_path))
    return RunStatus(state_of(view, now, held=held, ticket=ticket), view)


def state_of(view: RunView, now: float, *, held: bool, ticket: Ticket | None = None) -> State:
    """The state of a run whose log folds to `view`; `held`: whether a worker held the lock before the log was read."""
    if ticket is not None and not ticket.has_begun(view.attempt) and (not held or view.terminal is not None):
        return "queued"
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
