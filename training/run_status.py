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
from training.repeat_progress import RepeatProgress, repeat_in
from training.run_view import RunView, fold
from training.waiting_line import Ticket, ticket_of

State = Literal["new", "queued", "running", "stalled", "silent", "interrupted", "finished", "stopped", "failed"]

STALLED_AT_LEAST_S = 120.0
STALLED_STEPS = 10.0
SILENT_S = 30.0
HEARTBEAT_S = 10.0


@dataclass(frozen=True)
class RunStatus:
    """`state` and the view it was read from. `repeat`: the one at work, or last at work, once the version's own run is over."""

    state: State
    view: RunView
    repeat: RepeatProgress | None = None

    @property
    def current(self) -> RunView:
        """The run at hand: the repeat's, else the version's own."""
        return self.repeat.view if self.repeat else self.view

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
    version = Version(events_path.parent)
    ticket = ticket_of(version)
    held = is_locked(lock_path)
    view = fold(RunView(), read_events(events_path))
    repeat = repeat_in(version, view, lambda found: fold(RunView(), read_events(found.events_path)))
    return RunStatus(state_of(view, now, held=held, ticket=ticket, repeat=repeat), view, repeat)


def state_of(
    view: RunView, now: float, *, held: bool, ticket: Ticket | None = None, repeat: RepeatProgress | None = None
) -> State:
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
    return "stalled" if _no_step_comes(repeat.view if repeat else view, now) else "running"


def _no_step_comes(view: RunView, now: float) -> bool:
    if view.phase != "training" or view.last_step_t is None or view.terminal is not None:
        return False
    return now - view.last_step_t > max(STALLED_AT_LEAST_S, STALLED_STEPS * (view.median_step_s() or 0.0))
