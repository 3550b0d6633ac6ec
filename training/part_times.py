"""How long each part of a run took, read from the times in its log. Pure: events in, seconds out.

The time between two events belongs to the later one: a step's to training, an evaluation's to answering, and so on. Heartbeats come
from a thread of their own and notices beside something else; both are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from training.events import TERMINAL_TYPES, Event

_BESIDE = ("heartbeat", "notice", "sample")


@dataclass(frozen=True)
class PartTimes:
    """Seconds of one attempt. `prepared`: whether a model was fetched or converted in `loading_s`. `steps` and `evaluations` it did."""

    loading_s: float = 0.0
    baseline_s: float = 0.0
    training_s: float = 0.0
    answering_s: float = 0.0
    writing_s: float = 0.0
    ending_s: float = 0.0  # the test rows and everything written after the loop
    steps: int = 0
    evaluations: int = 0
    prepared: bool = False


def part_times(events: Iterable[Event]) -> PartTimes:
    """Of the last attempt in `events`."""
    seconds = dict.fromkeys(("loading_s", "baseline_s", "training_s", "answering_s", "writing_s", "ending_s"), 0.0)
    steps = evaluations = 0
    prepared, phase, last_t = False, "", None
    for event in events:
        kind, t = event["type"], event.get("t")
        if kind in ("started", "resumed"):
            seconds = dict.fromkeys(seconds, 0.0)
            steps = evaluations = 0
            prepared, phase, last_t = False, "", t
            continue
        if kind in _BESIDE or t is None or last_t is None:
            continue
        part = _part(kind, phase)
        if part:
            seconds[part] += max(0.0, t - last_t)
        steps += kind == "step"
        evaluations += kind == "eval"
        if kind == "phase":
            prepared = prepared or "stage" in event
            phase = str(event.get("name"))
        last_t = t
    return PartTimes(**seconds, steps=steps, evaluations=evaluations, prepared=prepared)


def _part(kind: str, phase: str) -> str | None:
    """What was done up to an event, by its type and the phase it came in."""
    if kind in ("step", "eval", "checkpoint"):
        return {"step": "training_s", "eval": "answering_s", "checkpoint": "writing_s"}[kind]
    if kind == "phase":  # the phase that ends with it; libraries are imported before the first
        return {"": "loading_s", "baseline": "baseline_s", "loading": "loading_s", "training": "writing_s"}.get(phase)
    return "ending_s" if kind in TERMINAL_TYPES else None
