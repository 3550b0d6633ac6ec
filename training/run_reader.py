"""Following a run as pages do: again and again, many at once, each look costing only what has come since the last.

Owns the place in the log and the view folded so far, and the guess at the time left. Which state follows from them is
`run_status.py`'s; refuses to know who asks.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from statistics import median

from coach.repeats import Repeat
from coach.version_folder import Version
from coach.work import Schedule
from training.event_log import EventTail
from training.held_lock import is_locked
from training.repeat_progress import RepeatProgress, repeat_in
from training.run_status import RunStatus, state_of
from training.run_view import RunView, fold
from training.waiting_line import ticket_of

STEPS_TO_GUESS = 4  # the first steps of an attempt are slow ones: libraries still warm up
MARK_BYTES = 96  # the end of what has been read; it holds an event's number and time, so no other log has the same in its place


class RunReader:
    """One run's log, for any number of threads: `RunReader(version.events_path, version.lock_path)`."""

    def __init__(self, events_path: Path, lock_path: Path) -> None:
        self._events_path = events_path
        self._lock_path = lock_path
        self._turn = threading.Lock()
        self._inner: RunReader | None = None  # of the repeat at work
        self._begin_anew()

    def read(self, now: float) -> RunStatus:
        """What `run_status` would say; `now` in Unix seconds. The view is shared by all who ask: read it, change nothing in it."""
        with self._turn:
            version = Version(self._events_path.parent)
            ticket = ticket_of(version)  # in this order, as run_status says why
            held = is_locked(self._lock_path)
            self._follow()
            repeat = repeat_in(version, self._view, self._follow_repeat)
            now = self._on_the_logs_clock(now)
            return RunStatus(state_of(self._view, now, held=held, ticket=ticket, repeat=repeat), self._view, repeat)

    def _follow_repeat(self, repeat: Repeat) -> RunView:
        if self._inner is None or self._inner._events_path != repeat.events_path:
            self._inner = RunReader(repeat.events_path, self._lock_path)
        self._inner._follow()
        return self._inner._view

    def _begin_anew(self) -> None:
        self._tail = EventTail(self._events_path)
        self._view = RunView()
        self._mark = b""
        self._news = False
        self._asked_at = 0.0
        self._ahead_s = 0.0

    def _on_the_logs_clock(self, now: float) -> float:
        """`now`, and by as much later as the clock was set back since the last event: a worker that hangs is seen all the same."""
        last_t = self._view.last_t
        if last_t is None or now >= last_t:
            self._ahead_s = 0.0
        elif self._news:
            self._ahead_s = last_t - now
        elif now < self._asked_at:
            self._ahead_s += self._asked_at - now
        self._asked_at = now
        return now + self._ahead_s

    def _follow(self) -> None:
        if self._tail.offset and self._end_of_what_was_read() != self._mark:  # shorter, replaced or gone
            self._begin_anew()
        before = self._tail.offset
        events = self._tail.poll()
        self._news = bool(events)
        if events:
            self._view = fold(self._view, events)
        if self._tail.offset != before:
            self._mark = self._end_of_what_was_read()

    def _end_of_what_was_read(self) -> bytes:
        start = max(0, self._tail.offset - MARK_BYTES)
        try:
            with self._events_path.open("rb") as handle:
                handle.seek(start)
                return handle.read(self._tail.offset - start)
        except OSError:
            return b""


def shared_reader(version: Version) -> RunReader:
    """The one reader of a version's log for all who look again and again without pages: the waiting, and whoever begins them."""
    return _reader(str(version.folder))


@lru_cache(maxsize=16)
def _reader(folder: str) -> RunReader:
    version = Version(Path(folder))
    return RunReader(version.events_path, version.lock_path)


def time_left_s(view: RunView, now: float, repeat: RepeatProgress | None = None) -> float | None:
    """Seconds until the version ends by itself, at most (a run may stop early); None while nobody can know.

    Of the run at hand, the version's own or a `repeat`: steps to come at the median step of this attempt, validations to come and the
    closing test at the median validation so far. Before the first validation its cost is unknown and left out, so the guess rises once
    then. It falls evenly between two events. Further runs count as much as this one does from its first step to its end.
    """
    if view.terminal is not None or (view.phase == "repeats" and repeat is None):
        return None
    at_hand, to_come = (view, view.runs - 1) if repeat is None else (repeat.view, repeat.runs - repeat.number)
    left = _left_of_run_s(at_hand, now)
    if left is None or to_come <= 0:
        return left
    whole = _whole_run_s(at_hand)
    return None if whole is None else left + to_come * whole


def _left_of_run_s(view: RunView, now: float) -> float | None:
    look_s = _median_look_s(view)
    if view.terminal is not None or view.phase_event is None:
        return None
    if view.phase == "evaluating":
        since = max(0.0, now - float(view.phase_event.get("t", now)))
        return None if look_s is None else max(0.0, look_s * view.test_looks - since)
    here = sum(event.get("_attempt") == view.attempt for event in view.steps)
    step_s = view.median_step_s() if here >= STEPS_TO_GUESS else None
    if view.phase != "training" or view.total_steps is None or step_s is None:
        return None
    looks, due = _looks_to_come(view, view.total_steps)
    left = max(0, view.total_steps - view.step) * step_s + (looks + view.test_looks) * (look_s or 0.0)
    expected = look_s if due and look_s is not None else step_s
    return left - min(max(0.0, now - _last_progress_t(view)), expected, left)


def _whole_run_s(view: RunView) -> float | None:
    step_s = view.median_step_s()
    if step_s is None or not view.total_steps:
        return None
    schedule = _schedule(view, view.total_steps)
    return view.total_steps * step_s + (schedule.evaluations + view.test_looks) * (_median_look_s(view) or 0.0)


def _schedule(view: RunView, total: int) -> Schedule:
    """What the log says; of an earlier release's, which had no early look, what its first validation says."""
    if view.evaluate_every and view.evaluate_every > 0:
        return Schedule(total, view.evaluate_every)
    first = int(view.evals[0]["step"]) if view.evals else total
    return Schedule(total, max(1, first), looks_early=False)


def _median_look_s(view: RunView) -> float | None:
    """Seconds from a step's end to the end of its validation, checkpoint included; None before the first."""
    began = {event["step"]: float(event["t"]) for event in view.steps if "t" in event}
    looked = [event for event in (*view.evals, *view.checkpoints) if event["step"] in began and "t" in event]
    ended = {event["step"]: float(event["t"]) for event in looked}
    seen = {event["step"] for event in view.evals}
    spans = [max(0.0, t - began[step]) for step, t in ended.items() if step in seen]
    return median(spans) if spans else None


def _looks_to_come(view: RunView, total: int) -> tuple[int, bool]:
    """How many validations are left, and whether one is due at this moment."""
    done, schedule = int(view.evals[-1]["step"]) if view.evals else 0, _schedule(view, total)
    return schedule.evaluations_after(done), view.step > done and schedule.is_due(view.step)


def _last_progress_t(view: RunView) -> float:
    """When a step, a validation or a checkpoint was last through; heartbeats are none."""
    latest = [events[-1] for events in (view.steps, view.evals, view.checkpoints) if events]
    return max(float(event.get("t", 0.0)) for event in latest)
