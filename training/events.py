"""The vocabulary of `events.jsonl` (contract: design.md section 5): the types, who ends an attempt, how a number becomes JSON.

Owns names, what a line has to be to count as an event, and the one rule for what JSON cannot say: a number that is not finite is
written as null, and its key is named in the event's `not_finite` list. Refuses to know how events are stored or drawn.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

SCHEMA_VERSION = 1
EventType = Literal[
    "started", "resumed", "phase", "step", "eval", "sample", "checkpoint", "heartbeat", "notice", "finished", "stopped", "failed"
]
TerminalType = Literal["finished", "stopped", "failed"]
PhaseName = Literal["loading", "baseline", "training", "evaluating", "repeats"]
EVENT_TYPES: frozenset[str] = frozenset(get_args(EventType))
TERMINAL_TYPES: frozenset[str] = frozenset(get_args(TerminalType))

Event = dict[str, Any]
"""One line of the log: `v`, `seq`, `t` (Unix seconds), `type` and the type's own keys."""


_WHOLE = (
    "seq", "step", "attempt", "from_step", "total_steps", "evaluate_every", "total", "done", "tokens", "rows", "valid_rows", "test_rows",
    "number", "runs",
)  # fmt: skip
_NUMBERS = ("value", "loss", "learning_rate", "grad_norm", "elapsed_s", "metric_value")  # or null, where one was not finite
_WORDS = ("metric", "code", "level", "message_key", "name", "stage", "path", "repeat")
_OBJECTS = ("data", "worker", "baseline", "estimate", "per_class", "confusion_matrix")
_NEEDED = {"step": ("step",), "eval": ("step", "metric", "value"), "sample": ("step",), "checkpoint": ("step", "path")}
_LATEST_T = 1e11  # a date of four digits, in Unix seconds
_MOST = 1e15


def is_event(found: object) -> bool:
    """Whether a line's content can be folded and shown: the keys we know hold what their names say, and none that is needed is missing.

    Of a type not known here (a later version's) only the time is looked at.
    """
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        return False
    if "t" in found and not (_is_number(found["t"]) and 0 <= found["t"] < _LATEST_T):
        return False
    if found["type"] not in EVENT_TYPES:
        return True
    return (
        all(key in found for key in _NEEDED.get(found["type"], ()))
        and all(type(found[key]) is int and abs(found[key]) < _MOST for key in _WHOLE if key in found)
        and all(found[key] is None or _is_number(found[key]) for key in _NUMBERS if key in found)
        and all(found[key] is None or isinstance(found[key], str) for key in _WORDS if key in found)
        and all(isinstance(found[key], dict) for key in _OBJECTS if key in found)
        and all(score is None or _is_number(score) for score in found.get("baseline", {}).values())
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300  # neither NaN nor infinite


def finite(fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` with every NaN or infinity replaced by null; top-level keys that held one are listed under `not_finite`."""
    lost = [key for key, value in fields.items() if isinstance(value, float) and not math.isfinite(value)]
    cleaned = {key: _without_nan(value) for key, value in fields.items()}
    return {**cleaned, "not_finite": lost} if lost else cleaned


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(child) for child in value]
    return value
