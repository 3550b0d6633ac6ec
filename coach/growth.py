"""What more labelled rows would bring, by the baseline's learning curve on the person's own rows: a picture, and the way to the target.

Owns how far the curve is followed and what is said where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from coach.gain import GainBelief
from coach.learning_curve import FLAGGED_TIMES, TRUSTED_TIMES, LearningCurve
from coach.metric_words import metric_words
from coach.own_baseline import OwnBaseline, ScoreRange
from coach.sentence import Sentence, sentence

Reach = Literal["reached", "more_rows", "far", "never", "unknown", "no_target"]
TOP = 0.99  # nothing above is promised
BARELY = 0.005  # of the metric: a doubling that brings less is said to bring nothing


@dataclass(frozen=True)
class GrowthPoint:
    """The range with `rows` labelled rows. `bold`: more than twice the rows there are, where extrapolation has been seen to fail."""

    rows: int
    low: float
    expected: float
    high: float
    bold: bool = False


@dataclass(frozen=True)
class Growth:
    """`points` by rows, from a sixteenth of today's to where the curve may be followed; `more_rows` for `reach` more_rows.

    `today`: the rows there are, or of a very large file the most that the curve speaks of.
    """

    rows: int
    today: int
    points: tuple[GrowthPoint, ...]
    reach: Reach
    more_rows: int | None
    said: tuple[Sentence, ...]

    def expected(self, rows: int) -> float | None:
        """The expected score with so many labelled rows, where the picture has a point there."""
        return next((point.expected for point in self.points if point.rows == rows), None)


def growth_of(baseline: OwnBaseline, belief: GainBelief, target: float | None) -> Growth | None:
    """None where only one score is known."""
    curve = baseline.curve
    if curve is None:
        return None
    today, known, share = baseline.furthest, baseline.looked_at, baseline.learnt_from(1)
    measured = [round(rows / share) for rows, _ in curve.means if rows / share < 0.95 * min(today, known)]
    ahead = {today, *(round(times * known) for times in (1.5, TRUSTED_TIMES, 3.0, FLAGGED_TIMES) if times * known > today)}
    ranges = {rows: baseline.range_with(rows, belief) for rows in [*measured, *sorted(ahead)]}
    points = tuple(_point(rows, found, rows > TRUSTED_TIMES * known) for rows, found in ranges.items() if found is not None)
    reach, more = _reach(baseline, curve, belief, target)
    return Growth(baseline.rows, today, points, reach, more, tuple(_said(baseline, curve, points, reach, more, target)))


def _point(rows: int, found: ScoreRange, bold: bool) -> GrowthPoint:
    low, expected, high = (round(min(TOP, max(0.0, value)), 3) for value in found)
    return GrowthPoint(rows, low, expected, high, bold)


def _reach(baseline: OwnBaseline, curve: LearningCurve, belief: GainBelief, target: float | None) -> tuple[Reach, int | None]:
    """How the expected score gets to the target, and the rows that takes beside today's."""
    if target is None:
        return "no_target", None
    now = baseline.range_with(baseline.furthest, belief)
    if now is not None and now[1] >= target:
        return "reached", None
    if curve.law is None:
        return "unknown", None
    learnt = curve.rows_for((target - belief.mean) / (1 - belief.mean))
    if learnt is None or target > TOP:
        return "never", None
    rows = learnt / baseline.learnt_from(1)
    if learnt > curve.furthest or rows <= baseline.rows:
        return "far", None
    return "more_rows", _rounded(max(1.0, rows - baseline.rows))


def _said(
    baseline: OwnBaseline,
    curve: LearningCurve,
    points: Sequence[GrowthPoint],
    reach: Reach,
    more: int | None,
    target: float | None,
) -> list[Sentence]:
    """What a doubling brings, then the way to the target; where the curve is not followed, why."""
    metric = metric_words(baseline.situation.metric)
    if curve.refusal is not None:
        refused = sentence(f"forecast.growth.{curve.refusal}", rows=baseline.rows)
        return [refused, sentence("forecast.growth.reached", target=target)] if reach == "reached" else [refused]
    if baseline.furthest < baseline.rows:
        return [sentence("forecast.growth.large", rows=baseline.rows, today=baseline.furthest)]
    expected = {point.rows: point.expected for point in points}
    now, doubled = expected.get(baseline.rows), expected.get(round(TRUSTED_TIMES * baseline.looked_at))
    doubled = doubled if baseline.looked_at == baseline.rows else None
    said = []
    if now is not None and doubled is not None:
        key = "doubled" if doubled - now >= BARELY else "flat"
        said.append(sentence(f"forecast.growth.{key}", rows=baseline.rows, metric=metric, gain=doubled - now))
    if reach not in ("no_target", "unknown"):
        is_bold = more is not None and more + baseline.rows > TRUSTED_TIMES * baseline.looked_at
        key = "more_rows_bold" if is_bold else reach
        said.append(sentence(f"forecast.growth.{key}", target=target, more=more, times=FLAGGED_TIMES, metric=metric))
    return said


def _rounded(rows: float) -> int:
    """To two significant figures: nobody knows more."""
    return int(float(f"{rows:.2g}"))
