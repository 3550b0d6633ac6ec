"""What score to expect, as a range: from published curves, or better from the cheap baseline on the person's own rows.

A forecast is a prior, and its basis says so. Learning curves over the person's own data come in a later issue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from coach.intents import intents, stands_in
from coach.metric_words import metric_words
from coach.reference_data import Difficulty, Gain, ModelRow, method_book
from coach.sentence import Sentence, sentence
from coach.situation import Situation
from coach.task_schema import Method
from coach.text import Language

RANGE_LEVEL = 0.8  # the range is meant to hold four times out of five
Z_RANGE = 1.2816  # its normal quantile
MACRO_F1_WIDER = 1.13  # evidence.md 6.3: three classes 50/30/20, n 100: ±.088 against ±.078 for accuracy
SKEWED_WIDER = 1.49  # evidence.md 6.3: skew 75/20/5: ±.116
TOP = 0.99  # nothing above is promised
NARROW_ROWS = 200  # below it the baseline's own score is uncertain too, and that is counted (evidence.md 6.3)
SHOWN_CLASSES = 5
FEWEST_ROWS = 50  # the published curves begin here (evidence.md 2.2)


@dataclass(frozen=True)
class Forecast:
    """`low` to `high` is meant to hold four times out of five; all three are None where nothing can be foretold."""

    metric: str
    low: float | None
    expected: float | None
    high: float | None
    basis: Sentence

    def as_json(self, language: Language) -> dict[str, Any]:
        numbers = {"low": self.low, "expected": self.expected, "high": self.high}
        return {"metric": self.metric, **numbers, "basis": self.basis.say(language)}


def forecast(situation: Situation, methods: Sequence[Method], model: ModelRow) -> Forecast:
    """The range for the plan's last stage; without a usable prior (generation, prompting, rows under 50) it says so."""
    rows = situation.learnable_rows
    if rows is None:
        return _nothing(situation, "forecast.rows_unknown")
    if "prompt" in methods and len(methods) == 1:
        return _nothing(situation, "forecast.prompt")
    if situation.task_type == "generation":
        return _nothing(situation, "forecast.generation")
    if rows < FEWEST_ROWS:
        return _nothing(situation, "forecast.too_few_rows")
    if situation.task_type == "extraction":
        low, expected, high = _interpolated([(n, values) for n, *values in method_book().forecast.extraction.points], rows)
        return _ranged(situation, low, expected, high, sentence("forecast.extraction", rows=rows))
    gain = (0.0, 0.0, 0.0) if methods[-1] == "baseline" else gain_of(model).share
    return _from_own_baseline(situation, gain) or _from_curves(situation, rows, gain)


def gain_of(model: ModelRow) -> Gain:
    """The share of the baseline's errors that a tuned model of this size removes."""
    size = model.params_b or 1.0
    return next(gain for gain in method_book().forecast.gain if gain.below_params_b is None or size < gain.below_params_b)


def difficulty_of(situation: Situation) -> tuple[Difficulty, Difficulty, Difficulty]:
    """The curves for low, expected and high: judgements of feeling lie between news and reviews, others up to news topics.

    Whether it is feeling is told by the labels and the words of the answers, from the list under `feeling` in intents.yaml.
    """
    return ("hard", "middle", "middle") if _is_feeling(situation) else ("hard", "middle", "easy")


def baseline_prior(situation: Situation, rows: int) -> tuple[float, float, float]:
    """What the cheap baseline may score with `rows` rows (evidence.md 2.2): low, expected, high, on the situation's metric.

    For feeling the expected value lies half way between news and reviews.
    """
    curves = method_book().forecast.curves
    column = 1 if situation.metric == "macro_f1" else 0
    low, middle, high = (
        _interpolated([(n, scores) for n, *scores in curves[name]], rows)[column] for name in difficulty_of(situation)
    )
    return low, (low + middle) / 2 if _is_feeling(situation) else middle, high


def score_noise(situation: Situation, score: float, rows: int | None) -> float:
    """Standard error of a score on `rows` test rows: the binomial's, wider for macro-F1 and skewed classes (evidence.md 6.3)."""
    if not rows:
        return 0.0
    wider = 1.0 if situation.metric != "macro_f1" else SKEWED_WIDER if situation.is_skewed else MACRO_F1_WIDER
    return wider * math.sqrt(max(score * (1 - score), 0.01) / rows)


def range_of_noise(situation: Situation, score: float, rows: int | None, z: float = Z_RANGE) -> tuple[float, float]:
    """Where a true `score` may come out on `rows` test rows: Wilson's interval, which near 1 stays as wide as it has to be."""
    if not rows:
        return score, score
    wider = score_noise(situation, 0.5, rows) * 2 * math.sqrt(rows)  # macro-F1 and skewed classes: as if there were fewer rows
    count = rows / wider**2
    middle = (score + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(score * (1 - score) / count + z * z / (4 * count * count))
    return min(score, middle - half), max(score, middle + half)


def _from_own_baseline(situation: Situation, gain: tuple[float, float, float]) -> Forecast | None:
    """The baseline's score on the person's rows, plus the share of its errors that the model usually removes."""
    facts = situation.facts
    scores = {"macro_f1": facts.baseline_macro_f1, "accuracy": facts.baseline_accuracy} if facts else {}
    known = scores.get(situation.metric if situation.metric in scores else "accuracy")
    if known is None:
        return None
    rows = facts.rows if facts else 0
    few = rows < NARROW_ROWS
    least, most = range_of_noise(situation, known, rows) if few else (known, known)
    low, expected, high = (
        (score + share * (1 - score) for score, share in zip((least, min(known, (least + most) / 2), most), gain, strict=True))
        if few
        else (known + share * (1 - known) for share in gain)
    )
    key = "forecast.own_baseline_few" if few else "forecast.own_baseline"
    said = sentence(key, metric=metric_words(situation.metric), score=known, rows=rows)
    return _ranged(situation, low, expected, high, said)


def _from_curves(situation: Situation, rows: int, gain: tuple[float, float, float]) -> Forecast:
    prior = baseline_prior(situation, max(rows, 1))
    low, expected, high = (score + share * (1 - score) for score, share in zip(prior, gain, strict=True))
    return _ranged(situation, low, expected, high, _why_curves(situation, rows))


def _why_curves(situation: Situation, rows: int) -> Sentence:
    """Why published curves stand in for a score of the person's own: no rows were looked at, or those there are allow none."""
    if situation.facts is None:
        return sentence("forecast.curves", rows=rows)
    single = [name for name, count in situation.facts.class_counts.items() if count == 1]
    if single:
        return sentence("forecast.curves_single_row", rows=rows, classes=single[:SHOWN_CLASSES], count=len(single))
    return sentence("forecast.curves_not_scored", rows=rows)


def _ranged(situation: Situation, low: float, expected: float, high: float, basis: Sentence) -> Forecast:
    """The range widened by the test set's own noise, in quadrature, and kept within 0 to TOP."""
    least, most = range_of_noise(situation, expected, situation.test_rows)
    low = expected - math.hypot(expected - low, expected - least)
    high = expected + math.hypot(high - expected, most - expected)
    low, expected, high = (round(min(TOP, max(0.0, value)), 2) for value in (low, expected, high))
    return Forecast(situation.metric, low, expected, high, basis)


def _nothing(situation: Situation, key: str) -> Forecast:
    return Forecast(situation.metric, None, None, None, Sentence(key))


def _is_feeling(situation: Situation) -> bool:
    task = situation.answers.task
    written = " ".join(
        filter(None, [*situation.labels, task.name, task.domain, task.input, task.output, situation.answers.business.problem])
    ).lower()
    return any(stands_in(word, written) for word in intents().feeling)


def _interpolated(points: Sequence[tuple[int, Sequence[float]]], rows: int) -> list[float]:
    """Values at `rows` between measured points, straight in the logarithm of the rows; the ends stay as they are."""
    if rows <= points[0][0]:
        return list(points[0][1])
    for (fewer, below), (more, above) in pairwise(points):
        if rows <= more:
            share = math.log(rows / fewer) / math.log(more / fewer)
            return [low + share * (high - low) for low, high in zip(below, above, strict=True)]
    return list(points[-1][1])
