"""The judgement of one version: target met, close or far, how sure that is, and whether the baseline is beaten.

Reads `results.json` alone. Two versions side by side are `comparison.py`'s; why a score is low is `diagnosis.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from coach.errors import WorkspaceError
from coach.metric_words import metric_words
from coach.sentence import Data, Sentence, sentence
from coach.text import Language

VerdictWord = Literal["met", "close", "far"]
Beaten = Literal["yes", "no", "unclear"]
CLOSE_WITHIN = 0.05  # judgement: what some more rows may still bring (evidence.md 2.1, 2.2: .02 to .09 per doubling)
ACCEPTABLE_GAP = 0.1  # further below, a version is close only because its interval is wide: nobody is told to accept it
SAME_WITHIN = 0.001  # nearer than this to the target, no number of test rows a person would label can tell the two apart
UNLIKE_VALIDATION = 0.03  # judgement: validation and test further apart than this are explained
MOST_TEST_ROWS = 20_000  # nobody labels more than this to settle a difference so small: judgement
TOP_SCORE = 0.995  # from here on no version can gain what would be noticed


@dataclass(frozen=True)
class BaselineVerdict:
    """One thing the version is held against; `score` on the primary metric."""

    name: str
    score: float
    beaten: Beaten

    @property
    def label(self) -> str | Sentence:
        """The name as a sentence shows it."""
        return sentence("verdict.tfidf") if self.name == "tfidf" else self.name


@dataclass(frozen=True)
class Verdict:
    """`word` is None without a target. `certain`: the whole interval lies on one side of the target.

    `rows_needed`: test rows in all after which it would, None where it already does or never could. `flattered`: whether a diagnosis
    found that the score may come from texts learnt by heart.
    """

    word: VerdictWord | None
    certain: bool
    metric: str
    value: float
    threshold: float | None
    low: float | None
    high: float | None
    test_rows: int | None
    rows_needed: int | None
    baselines: tuple[BaselineVerdict, ...]
    limited_steps: int | None = None
    validation: float | None = None
    validation_rows: int | None = None
    step_chosen: bool = True
    flattered: bool = False

    @property
    def at_the_top(self) -> bool:
        """Whether the test rows leave a next version nothing to improve."""
        return self.value >= TOP_SCORE

    @property
    def clearly_ahead(self) -> BaselineVerdict | None:
        """The best baseline whose score lies above the whole interval; without one, above what may still be called close."""
        limit = self.high if self.high is not None else self.value + CLOSE_WITHIN
        ahead = [found for found in self.baselines if found.score > limit and not self.is_level_with(found)]
        return max(ahead, key=lambda found: found.score, default=None)

    def sentences(self, *, advise: bool = True) -> list[Sentence]:
        """The judgement, its certainty, then each baseline; one clearly ahead comes before all else. `advise`: with what to do."""
        ahead = self.clearly_ahead
        said = [self._behind(ahead)] if ahead else []
        said.append(self._target(self._advice() if advise else sentence("verdict.advice.none")))
        if self.word is not None and not self.certain:
            said.append(self._cannot_tell())
        said += [self._baseline(found) for found in self.baselines if found is not ahead]
        if self.validation is not None and abs(self.validation - self.value) > UNLIKE_VALIDATION:
            said.append(self._unlike_validation(self.validation))
        if self.limited_steps is not None:
            said.append(sentence("verdict.limited", steps=self.limited_steps))
        return said

    def as_json(self, language: Language) -> dict[str, Any]:
        return {**asdict(self), "sentences": [said.say(language) for said in self.sentences()]}

    def _target(self, advice: Sentence) -> Sentence:
        interval = self._interval()
        if self.word is None or self.threshold is None:
            return sentence("verdict.no_target", metric=metric_words(self.metric), value=self.value, interval=interval)
        data: Data = {
            "metric": metric_words(self.metric),
            "value": self.value,
            "threshold": self.threshold,
            "gap": abs(self.value - self.threshold),
        }
        key = "met_uncertain" if self.word == "met" and not self.certain and self.low is not None else self.word
        return Sentence(f"verdict.{key}", {**data, "interval": interval, "advice": advice})

    def _advice(self) -> Sentence:
        """What to do with a version at or near its target; nothing while a baseline does better."""
        if self.word == "met" and self.flattered:
            return sentence("verdict.advice.flattered")
        as_good = self.is_as_good if self.word == "met" else self.is_level_with
        if self.word not in ("met", "close") or any(found.beaten == "no" and not as_good(found) for found in self.baselines):
            return sentence("verdict.advice.none")
        if self.word == "close" and self.threshold is not None and self.threshold - self.value > ACCEPTABLE_GAP:
            return sentence("verdict.advice.wide")
        if self.word == "met" and any(self.is_as_good(found) for found in self.baselines):
            return sentence("verdict.advice.met_level")
        return Sentence("verdict.advice.top" if self.at_the_top else f"verdict.advice.{self.word}", {})

    def _interval(self) -> Sentence:
        if self.low is None or self.high is None:
            return sentence("verdict.no_interval")
        return sentence("verdict.interval", low=self.low, high=self.high)

    def _cannot_tell(self) -> Sentence:
        if self.low is None or self.test_rows is None:
            return sentence("verdict.interval_missing")
        if self.rows_needed is None:
            return sentence("verdict.never_tell", rows=self.test_rows)
        more = self.rows_needed - self.test_rows
        return sentence("verdict.cannot_tell", rows=self.test_rows, more=more, needed=self.rows_needed)

    def _behind(self, found: BaselineVerdict) -> Sentence:
        difference = found.score - self.value
        metric = metric_words(self.metric)
        return sentence(
            "verdict.behind", name=found.label, metric=metric, score=found.score, value=self.value, difference=difference
        )

    def _unlike_validation(self, validation: float) -> Sentence:
        key = "verdict.validation_above" if validation > self.value and self.step_chosen else "verdict.validation_below"
        rows = sentence("verdict.validation_rows", rows=self.validation_rows)
        if self.validation_rows is None:
            rows = sentence("verdict.validation_rows_unknown")
        return sentence(key, metric=metric_words(self.metric), validation=validation, value=self.value, rows=rows)

    def is_level_with(self, found: BaselineVerdict) -> bool:
        """Whether the two scores are the same for all anybody sees."""
        return abs(self.value - found.score) < SAME_WITHIN

    def is_within_chance(self, found: BaselineVerdict) -> bool:
        """Whether a baseline that is ahead lies in the interval of this version, so that it may be ahead by chance."""
        return found.beaten == "no" and self.high is not None and found.score <= self.high

    def is_as_good(self, found: BaselineVerdict) -> bool:
        """Whether the baseline is level, or ahead by no more than chance: then it is the cheaper of two that do as well."""
        return self.is_level_with(found) or self.is_within_chance(found)

    def _baseline(self, found: BaselineVerdict) -> Sentence:
        key = "tie" if self.is_level_with(found) else "no_within" if self.is_within_chance(found) else found.beaten
        difference = abs(self.value - found.score)
        return sentence(f"verdict.baseline_{key}", name=found.label, score=found.score, difference=difference)


def judge(results: Mapping[str, Any]) -> Verdict:
    """The verdict on one version's results. Raises WorkspaceError where the primary metric is missing.

    met: at the target or above; close: below, with the target inside the interval; far: the whole interval below the target. Without
    an interval, what lies within CLOSE_WITHIN is close; within SAME_WITHIN anything is.
    """
    metric, value = primary_metric(results)
    threshold = _number((results.get("target") or {}).get("threshold"))
    interval = results.get("confidence_interval") or {}
    low, high = _number(interval.get("low")), _number(interval.get("high"))
    rows = (results.get("rows") or {}).get("test")
    certain = threshold is not None and low is not None and high is not None and (low >= threshold or high < threshold)
    return Verdict(
        word=_word(value, threshold, high),
        certain=certain,
        metric=metric,
        value=value,
        threshold=threshold,
        low=low,
        high=high,
        test_rows=rows,
        rows_needed=None if certain else rows_to_tell(value, threshold, low, high, rows),
        baselines=tuple(_baselines(results, metric, value, low)),
        limited_steps=results.get("max_steps"),
        validation=_number(((results.get("best_checkpoint") or {}).get("valid") or {}).get(metric)),
        validation_rows=(results.get("rows") or {}).get("valid"),
        step_chosen=bool((results.get("best_checkpoint") or {}).get("step")),
    )


def verdict_word(results: Mapping[str, Any]) -> VerdictWord | None:
    """`met`, `close` or `far` as lineage keeps it; None without a target. Raises WorkspaceError as `judge` does."""
    return judge(results).word


def rows_to_tell(value: float, threshold: float | None, low: float | None, high: float | None, rows: int | None) -> int | None:
    """Test rows in all at which the interval would end at the target, or None where that cannot be said.

    Normal approximation: the half-width shrinks with the root of the rows, so rows × (half-width ÷ distance)². It takes the
    present score for the true one; the true one may lie nearer, so this is the least that is needed. With 100 rows and ±.08, a
    distance of .02 takes 1,600 rows (evidence.md 6.3: none under about 2,000 can tell .78 from .80).
    """
    if threshold is None or low is None or high is None or not rows:
        return None
    distance = abs(value - threshold)
    if distance < SAME_WITHIN:
        return None
    side = value - low if value >= threshold else high - value
    needed = max(rows + 1, math.ceil(rows * (side / distance) ** 2))
    return needed if needed <= MOST_TEST_ROWS else None


def primary_metric(results: Mapping[str, Any]) -> tuple[str, float]:
    """Name and value. Raises WorkspaceError where either is missing."""
    found = results.get("primary_metric") or {}
    value = _number(found.get("value"))
    if not found.get("name") or value is None:
        raise WorkspaceError("command.results_incomplete", path="results.json", key="primary_metric")
    return str(found["name"]), value


def _word(value: float, threshold: float | None, high: float | None) -> VerdictWord | None:
    if threshold is None:
        return None
    if value >= threshold:
        return "met"
    reaches = threshold - value <= CLOSE_WITHIN if high is None else high >= threshold
    return "close" if reaches or threshold - value < SAME_WITHIN else "far"


def _baselines(results: Mapping[str, Any], metric: str, value: float, low: float | None) -> list[BaselineVerdict]:
    """Each baseline that has a score on the primary metric; unclear where its score lies within the version's interval."""
    found = []
    for kind, scores in (results.get("baseline") or {}).items():
        score = _number((scores or {}).get(metric))
        if score is None:
            continue
        beaten: Beaten = "no" if value <= score else "yes" if low is not None and low > score else "unclear"
        found.append(BaselineVerdict(str(scores.get("name") or kind), score, beaten))
    return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None
