"""Whether the versions so far say to go on: what the last ones gained, what more rows could bring, how long there is.

Weighs what is handed in and says it; the one sentence of go on or stop is `next_step.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coach.forecast import Forecast
from coach.history import Entry
from coach.sentence import Sentence, sentence
from coach.statistics import standard_errors_to_find
from coach.verdict import Verdict
from coach.workspace import Task

SMALL_GAIN = 0.01  # judgement: below it a version brought nothing that anybody would notice
SPENT_AFTER = 2  # versions in a row: judgement
NOT_TUNED = (None, "baseline", "prompt")  # methods
LAST_WEEK = 7  # days
USUAL_DISAGREEMENT = 0.15  # share of rows that two versions answer differently in rightness (evidence.md 6.3)


@dataclass(frozen=True)
class Course:
    """`gains`: of each version over the best before it, on the same test rows and metric, up to the one spoken of.

    `tuned`: the best of the other versions that fine-tuned a language model, on whatever rows; None while there is none.
    """

    verdict: Verdict
    gains: tuple[float, ...]
    forecast: Forecast | None
    days_left: int | None
    tuned: Entry | None = None

    @property
    def spent(self) -> int:
        """How many versions in a row, up to this one, brought next to nothing; 0 while that are fewer than SPENT_AFTER."""
        count = next((place for place, gain in enumerate(reversed(self.gains)) if gain >= SMALL_GAIN), len(self.gains))
        return count if count >= SPENT_AFTER else 0

    def sentences(self) -> list[Sentence]:
        """Nothing of the way to a target that is met."""
        if self.verdict.word == "met":
            return []
        return [*self._gained(), *self._rows(), *self._time()]

    def _gained(self) -> list[Sentence]:
        if not self.gains:
            return []
        recent = [f"{gain:+.3f}" for gain in self.gains[-SPENT_AFTER:]]
        return [sentence("course.gained", gains=recent, count=len(recent))]

    def _rows(self) -> list[Sentence]:
        growth = self.forecast.growth if self.forecast else None
        if growth is None or self.verdict.threshold is None or growth.reach in ("no_target", "reached"):
            return []
        return [sentence("course.rows", said=growth.said[-1])]

    def _time(self) -> list[Sentence]:
        if self.days_left is None or self.days_left > LAST_WEEK:
            return []
        key = "late" if self.days_left < 0 else "days_left" if self.days_left else "last_day"
        return [sentence(f"course.{key}", days=self.days_left)]


def course_of(entries: Sequence[Entry], focus: Entry, forecast: Forecast | None, days_left: int | None) -> Course:
    """The course up to `focus`, a finished version. `entries`: oldest first."""
    assert focus.verdict is not None
    alike = [entry.verdict.value for entry in entries[: entries.index(focus) + 1] if entry.verdict and _is_alike(entry, focus)]
    gains = tuple(value - max(alike[:place]) for place, value in enumerate(alike) if place)
    return Course(focus.verdict, gains, forecast, days_left, tuned_before(entries, focus))


def tuned_before(entries: Sequence[Entry], focus: Entry) -> Entry | None:
    """The best of the finished versions besides `focus` in which a language model was fine-tuned."""
    tuned = [entry for entry in entries if entry.name != focus.name and entry.verdict and entry.method not in NOT_TUNED]
    return max(tuned, key=lambda entry: entry.verdict.value if entry.verdict else 0.0, default=None)


def days_left(task: Task, now: datetime) -> int | None:
    """Whole days until the deadline that was answered, counted from when task.yaml was made; None where neither is known."""
    weeks = task.answers().business.deadline_weeks
    begun = task.file.created if task.has_file else None
    if weeks is None or begun is None:
        return None
    begun = begun if begun.tzinfo else begun.replace(tzinfo=now.tzinfo)
    return math.floor((begun + timedelta(weeks=weeks) - now) / timedelta(days=1))


def smallest_told(test_rows: int) -> float:
    """The least difference of two versions that so many test rows find four times in five, should they disagree as versions usually do."""
    return standard_errors_to_find() * math.sqrt(USUAL_DISAGREEMENT / test_rows)


def _is_alike(entry: Entry, focus: Entry) -> bool:
    assert focus.verdict is not None
    return entry.verdict is not None and entry.verdict.metric == focus.verdict.metric and entry.test_hash == focus.test_hash
