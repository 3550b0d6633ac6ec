"""How long texts are: the percentiles a report shows. Counts nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lengths:
    """Percentiles of a length over the valid rows."""

    minimum: int
    median: int
    p95: int
    maximum: int

    @classmethod
    def of(cls, values: Sequence[int]) -> Lengths | None:
        if not values:
            return None
        low, middle, high, top = np.percentile(values, [0, 50, 95, 100], method="nearest")
        return cls(int(low), int(middle), int(high), int(top))

    def to_json(self) -> dict[str, int]:
        return {"min": self.minimum, "p50": self.median, "p95": self.p95, "max": self.maximum}
