"""What the cheap baseline scores on a person's own rows, by how many there are, and what a tuned model would score beside it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from coach.gain import GainBelief
from coach.learning_curve import CurvePoint, LearningCurve, fit_curve
from coach.score_noise import Z_RANGE, range_of_noise, with_test_noise
from coach.situation import DataFacts, Situation

NARROW_ROWS = 200  # below it a high score regresses to what its own noise allows (evidence.md 6.3)
APART_BELOW = 0.04  # folds made otherwise move the score of real texts by up to .035 (600 rows of eight corpora, tried by hand)
NEARLY_ALL = 0.9  # a split leaves a little more to learn from than a fold does
ScoreRange = tuple[float, float, float]  # low, expected, high: low to high four times out of five


@dataclass(frozen=True)
class OwnBaseline:
    """`score`: out-of-fold on all rows. `curve` is None where only that score is known."""

    situation: Situation
    rows: int
    score: float
    curve: LearningCurve | None

    @property
    def is_narrow(self) -> bool:
        return self.rows < NARROW_ROWS

    def range_with(self, labelled: int, belief: GainBelief) -> ScoreRange | None:
        """What may come out on the test rows with so many labelled rows and the gain believed in; None beyond what the curve says."""
        found = self.at(labelled)
        if found is None:
            return None
        score, error = found
        least, most = range_of_noise(self.situation, score, self.rows)
        score = min(score, (least + most) / 2) if self.is_narrow else score
        left = 1 - belief.mean
        gained, unsure = score + belief.mean * (1 - score), Z_RANGE * math.hypot(left * error, (1 - score) * belief.deviation)
        gained = min(1.0, max(0.0, gained))
        low, high = gained - math.hypot(left * (score - least), unsure), gained + math.hypot(left * (most - score), unsure)
        return with_test_noise(self.situation, low, gained, high)

    def at(self, labelled: int) -> tuple[float, float] | None:
        """The baseline's score with so many labelled rows, and its error; without a curve as measured, whatever the number."""
        return self.curve.at(self.learnt_from(labelled)) if self.curve else (self.score, 0.0)

    @property
    def furthest(self) -> int:
        """The most labelled rows, up to all there are, that the curve speaks of: of a large file a part was looked at."""
        return min(self.rows, int(self.curve.furthest / self.learnt_from(1))) if self.curve else self.rows

    @property
    def looked_at(self) -> int:
        """Labelled rows that the largest sample of the curve stands for: all there are, or of a large file as many as were looked at."""
        measured = self.curve.largest / self.learnt_from(1) if self.curve else self.rows
        return self.rows if measured > NEARLY_ALL * self.rows else round(measured)

    def learnt_from(self, labelled: float) -> float:
        """Of the labelled rows, those the split leaves to learn from."""
        return labelled * self.situation.train_share


def own_baseline(situation: Situation) -> OwnBaseline | None:
    """None where no file was looked at, or its rows allowed no baseline."""
    facts = situation.facts
    score = _score(facts, situation.metric) if facts else None
    if facts is None or score is None:
        return None
    return OwnBaseline(situation, facts.rows, score, _fitted(facts.baseline_curve, situation.metric))


@functools.lru_cache(maxsize=32)
def _fitted(points: tuple[CurvePoint, ...], metric: str) -> LearningCurve | None:
    """Kept, for dozens of plans are tried on the same rows to find what would change the advice."""
    return fit_curve(points, metric)


def _score(facts: DataFacts, metric: str) -> float | None:
    return facts.baseline_macro_f1 if metric == "macro_f1" else facts.baseline_accuracy


def score_on_new_wordings(situation: Situation) -> float | None:
    """The baseline's score where rows of one wording are never learnt from and asked at once; None where that makes no difference."""
    own, apart = own_baseline(situation), situation.facts.baseline_apart if situation.facts else None
    return apart if own is not None and apart is not None and own.score - apart >= APART_BELOW else None
