"""How trainings on this machine went beside what was reckoned, and how far an estimate corrected by that may still be off.

Factors, not seconds, are kept: what was measured on a few steps then counts for any number of them. Who measured, and where it is
kept, is training/measurements.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from coach.processor_cost import Part, Seconds

How = Literal["now", "steps", "run", "related"]
"""Some steps of this very training, now or earlier; a whole run with these settings; or either with other settings or rows."""

TIME_RANGES: dict[How, tuple[float, float]] = {
    "now": (0.85, 1.3),
    "steps": (0.85, 1.3),
    "run": (0.85, 1.3),
    "related": (0.75, 1.4),
}  # bench/estimate_error.json: .88 to 1.30 times what was said came; other work on the machine only slows it
MEMORY_SPREADS: dict[How, float] = {"now": 0.15, "steps": 0.15, "run": 0.15, "related": 0.2}  # the same: .87 to 1.09 times
LEAST, MOST = 0.05, 20.0  # a factor beyond these is no measurement of ours


@dataclass(frozen=True)
class Measured:
    """`factors`: measured seconds for each reckoned one, by part; a part that is not there goes as reckoned. `memory`: the same of GB."""

    how: How
    factors: Mapping[Part, float] = field(default_factory=dict)
    memory: float = 1.0

    @property
    def time_range(self) -> tuple[float, float]:
        return TIME_RANGES[self.how]

    @property
    def memory_spread(self) -> float:
        return MEMORY_SPREADS[self.how]

    def corrected(self, seconds: Seconds) -> Seconds:
        return {part: value * self.factors.get(part, 1.0) for part, value in seconds.items()}


def factor(measured: float, reckoned: float) -> float:
    """Measured over reckoned, kept within LEAST and MOST."""
    return min(MOST, max(LEAST, measured / reckoned)) if reckoned > 0 else 1.0
