"""What fine-tuning adds to the cheap baseline: the share of its errors that a tuned model removes, sharpened by what came out here.

Shares, because a gain of .05 is little above .60 and a lot above .90. A share below 0 means that the model does worse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coach.reference_data import Gain, ModelRow, method_book
from coach.score_noise import binomial_error
from coach.text_kind import TextKind

COMMON_PART = 0.6  # of the prior's deviation: how wrong it may be for every task at once; the rest is between tasks (judgement)
LUCK_OF_A_RUN = 0.015  # deviation of a score between seeds (bench/news.json: .020 over three draws of rows and seeds)
BETWEEN_VERSIONS = 0.1  # deviation of shares between versions of one task, whose settings and rows differ (judgement)
LEAST_SHARE = -0.5  # a run that failed says that, and not how far below the baseline the next will be
SMALLEST_ROOM = 0.03  # of errors to remove: where the baseline has hardly any, a share says nothing


@dataclass(frozen=True)
class SeenGain:
    """A finished version beside the baseline on the same test rows; scores of the task's metric. `own`: of the task asked about;
    `kind`: of its texts, which counts where it is another task's.
    """

    model: str
    score: float
    baseline: float
    test_rows: int
    own: bool = False
    kind: TextKind | None = None

    @property
    def share(self) -> float:
        return max(LEAST_SHARE, (self.score - self.baseline) / self._room)

    @property
    def error(self) -> float:
        """Standard error of the share: that of a score on these test rows, and luck. Both systems answer the same rows, which helps."""
        return math.hypot(binomial_error(self.score, self.test_rows), LUCK_OF_A_RUN) / self._room

    @property
    def _room(self) -> float:
        return max(SMALLEST_ROOM, 1 - self.baseline)


@dataclass(frozen=True)
class GainBelief:
    """The share to expect of the next version, normally distributed. `seen`: how many finished versions stand behind it."""

    mean: float
    deviation: float
    seen: int = 0


NO_GAIN = GainBelief(0.0, 0.0)


def gain_of(model: ModelRow, kind: TextKind) -> Gain:
    """What is known beforehand for a model of this size on texts of that kind: the first row that fits."""
    size = model.params_b or 1.0
    return next(gain for gain in method_book().forecast.gain if _fits(gain, size, kind))


def _fits(gain: Gain, size: float, kind: TextKind) -> bool:
    about = (gain.english in (None, kind.english)) and (gain.feeling in (None, kind.feeling))
    return about and (gain.below_params_b is None or size < gain.below_params_b)


def sharpened(prior: Gain, seen: Sequence[SeenGain]) -> GainBelief:
    """The prior with what came of models of its size: those of other tasks move what is usual, those of this task the task's own.

    Normal distributions throughout, each version weighed by its own error.
    """
    common, between = COMMON_PART * prior.deviation, math.sqrt(1 - COMMON_PART**2) * prior.deviation
    others, own = [one for one in seen if not one.own], [one for one in seen if one.own]
    usual = _combined(prior.mean, common, [(one.share, math.hypot(between, one.error)) for one in others])
    task = _combined(
        usual[0], math.hypot(usual[1], between), [(one.share, math.hypot(one.error, BETWEEN_VERSIONS)) for one in own]
    )
    return GainBelief(task[0], math.hypot(task[1], BETWEEN_VERSIONS if own else 0.0), len(seen))


def _combined(mean: float, deviation: float, seen: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Mean and deviation after observations with their errors."""
    if not seen or deviation <= 0:
        return mean, deviation
    weights = [deviation**-2, *(error**-2 for _, error in seen)]
    values = [mean, *(value for value, _ in seen)]
    total = sum(weights)
    return sum(weight * value for weight, value in zip(weights, values, strict=True)) / total, total**-0.5
