"""The vocabulary of `events.jsonl` (contract: design.md section 5): the types, who ends an attempt, and how a number becomes JSON.

Owns names and the one rule for what JSON cannot say: a number that is not finite is written as null, and its key is named in the
event's `not_finite` list. Refuses to know how events are stored or drawn.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

SCHEMA_VERSION = 1
EventType = Literal[
    "started", "resumed", "phase", "step", "eval", "sample", "checkpoint", "heartbeat", "notice", "finished", "stopped", "failed"
]
TerminalType = Literal["finished", "stopped", "failed"]
PhaseName = Literal["loading", "baseline", "training", "evaluating"]
EVENT_TYPES: frozenset[str] = frozenset(get_args(EventType))
TERMINAL_TYPES: frozenset[str] = frozenset(get_args(TerminalType))

Event = dict[str, Any]
"""One line of the log: `v`, `seq`, `t` (Unix seconds), `type` and the type's own keys."""


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
