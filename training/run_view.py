"""The pure fold from events to what a page shows: curves without doubles, the latest scores, notices, how the attempt ended.

Owns the rule for resumed runs (an earlier attempt's steps beyond `from_step` are dropped), and the one for a clock that was set back in
the middle: what came before is counted on the new clock, so that waits stay what they were. Reads no file and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from coach.work import Schedule
from training.events import TERMINAL_TYPES, Event


@dataclass(frozen=True)
class RunView:
    """What a run looks like after some events. Steps and evals are the events themselves, in order of step."""

    attempt: int = 0
    runs: int = 1  # how often the version is trained: with other seeds, or on other folds
    worker: dict[str, object] = field(default_factory=dict)
    phase: str | None = None
    total_steps: int | None = None
    evaluate_every: int | None = None  # optimiser steps; logs of earlier releases do not say
    test_looks: float = 1.0  # the closing test's rows for each validation row
    steps: tuple[Event, ...] = ()
    evals: tuple[Event, ...] = ()
    samples: tuple[Event, ...] = ()
    checkpoints: tuple[Event, ...] = ()
    notices: tuple[Event, ...] = ()
    baseline: dict[str, float] = field(default_factory=dict)  # the cheap baseline's scores on the validation rows
    terminal: Event | None = None
    phase_event: Event | None = None  # the latest of the attempt: while loading it counts `done` of `total` in a `stage`
    started_t: float | None = None  # the attempt's beginning
    earlier_s: float = 0.0  # what the attempts before it took
    estimate: dict[str, Any] | None = None  # what the first attempt expected (expectation.py)
    last_step_t: float | None = None  # when the latest step was through; before the first of a phase, when that began
    last_t: float | None = None

    @property
    def step(self) -> int:
        return int(self.steps[-1]["step"]) if self.steps else 0

    @property
    def early_look(self) -> int | None:
        """The step of the early look, where the run has one: its scores are shown and not judged."""
        return Schedule(self.total_steps, self.evaluate_every).early_look if self.total_steps and self.evaluate_every else None

    @property
    def has_only_begun(self) -> bool:
        """Whether the early look is all there is."""
        return bool(self.evals) and self.evals[-1]["step"] == self.early_look

    @property
    def best_eval(self) -> Event | None:
        """The evaluation whose `best` flag was set last; the run kept that step's weights."""
        return next((event for event in reversed(self.evals) if event.get("best") and event.get("value") is not None), None)

    @property
    def last_checkpoint(self) -> Event | None:
        return self.checkpoints[-1] if self.checkpoints else None

    @property
    def took_s(self) -> float | None:
        """Seconds of all attempts, from each beginning to its last event."""
        return None if self.started_t is None or self.last_t is None else self.earlier_s + self.last_t - self.started_t

    def median_step_s(self) -> float | None:
        """Median seconds between steps of the current attempt, None before two steps."""
        times = [float(event["t"]) for event in self.steps if event.get("_attempt") == self.attempt and "t" in event]
        gaps = sorted(later - earlier for earlier, later in pairwise(times) if later >= earlier)  # else the clock was set back
        return gaps[len(gaps) // 2] if gaps else None


def fold(view: RunView, events: Iterable[Event]) -> RunView:
    """`view` after `events`. Unknown types and keys are kept out of the way, not refused: logs of later versions stay readable."""
    steps, evals = list(view.steps), list(view.evals)
    samples, checkpoints, notices = list(view.samples), list(view.checkpoints), list(view.notices)
    for event in events:
        kind = event["type"]
        took_s = view.took_s or 0.0
        view = _at(view, event.get("t", view.last_t))
        if kind in ("started", "resumed"):
            from_step = int(event.get("from_step", 0))
            steps, evals = _up_to(steps, from_step), _up_to(evals, from_step)
            samples, checkpoints = _up_to(samples, from_step), _up_to(checkpoints, from_step)
            notices = [notice for notice in notices if int(notice.get("step", 0)) <= from_step]
            attempt = int(event.get("attempt", view.attempt + 1))
            again = {"earlier_s": 0.0, "estimate": event.get("estimate")} if kind == "started" else {"earlier_s": took_s}
            view = replace(view, attempt=attempt, worker=event.get("worker", {}), started_t=event.get("t"), **again)
            view = replace(view, phase=None, phase_event=None, terminal=None, last_step_t=None, runs=max(1, event.get("runs", 1)))
        elif kind == "phase":
            view = _in_phase(view, event)
        elif kind == "step":
            steps.append({**event, "_attempt": view.attempt})
            view = replace(view, last_step_t=event.get("t"))
        elif kind in TERMINAL_TYPES:
            view = replace(view, terminal=event)
        else:
            kept = {"eval": evals, "sample": samples, "checkpoint": checkpoints, "notice": notices}.get(kind)
            if kept is not None:
                kept.append(event)
    return replace(
        view,
        steps=tuple(steps),
        evals=tuple(evals),
        samples=tuple(samples),
        checkpoints=tuple(checkpoints),
        notices=tuple(notices),
    )


def _in_phase(view: RunView, event: Event) -> RunView:
    test_rows, valid_rows = event.get("test_rows"), event.get("valid_rows")
    return replace(
        view,
        phase=event.get("name"),
        phase_event=event,
        total_steps=event.get("total_steps", view.total_steps),
        evaluate_every=event.get("evaluate_every", view.evaluate_every),
        test_looks=test_rows / valid_rows if test_rows and valid_rows else view.test_looks,
        baseline=event.get("baseline", view.baseline),
        last_step_t=event.get("t"),
    )


def _at(view: RunView, t: float | None) -> RunView:
    """`view` at the time of its next event."""
    back = max(0.0, view.last_t - t) if view.last_t is not None and t is not None else 0.0
    if not back:
        return replace(view, last_t=t)
    started_t, last_step_t = (None if then is None else then - back for then in (view.started_t, view.last_step_t))
    return replace(view, last_t=t, started_t=started_t, last_step_t=last_step_t)


def _up_to(events: list[Event], step: int) -> list[Event]:
    return [event for event in events if int(event.get("step", 0)) <= step]
