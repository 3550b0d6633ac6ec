"""What score to expect, as a range: from public curves, or better from the cheap baseline on the person's own rows.

A forecast is a prior, and its basis says so. Owns which basis is taken and how it is said; the parts are `forecast_priors`,
`own_baseline`, `gain` and `growth`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coach.forecast_priors import baseline_prior, interpolated
from coach.gain import NO_GAIN, GainBelief, gain_of, sharpened
from coach.growth import TOP, Growth, growth_of
from coach.metric_words import metric_words
from coach.own_baseline import OwnBaseline, ScoreRange, own_baseline
from coach.reference_data import ModelRow, method_book, model_or_unknown
from coach.score_noise import Z_RANGE, with_test_noise
from coach.sentence import Data, Sentence, sentence
from coach.situation import Situation
from coach.task_schema import Method
from coach.text import Language
from coach.text_kind import kind_of

SHOWN_CLASSES = 5
FEWEST_ROWS = 50  # the published curves begin here (evidence.md 2.2)


@dataclass(frozen=True)
class Forecast:
    """`low` to `high` is meant to hold four times out of five; all three are None where nothing can be foretold.

    `growth`: what more rows would bring, where the person's own rows were looked at.
    """

    metric: str
    low: float | None
    expected: float | None
    high: float | None
    basis: Sentence
    growth: Growth | None = None

    def as_json(self, language: Language) -> dict[str, Any]:
        """The contract's keys; what more rows would bring is said at the end of `basis`."""
        numbers = {"low": self.low, "expected": self.expected, "high": self.high}
        said = [self.basis, *(self.growth.said if self.growth else ())]
        return {
            "metric": self.metric,
            **numbers,
            "basis": ("; " if language == "en" else "；").join(one.say(language) for one in said),
        }


def forecast(situation: Situation, methods: Sequence[Method], model: ModelRow, *, gain: GainBelief | None = None) -> Forecast:
    """The range for the plan's last stage; without a usable prior (generation, prompting, rows under 50) it says so.

    `gain`: what is believed of the tuned model instead of the method book and what came on this machine.
    """
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
        low, expected, high = interpolated([(n, values) for n, *values in method_book().forecast.extraction.points], rows)
        found = with_test_noise(situation, low, expected, high)
        return _ranged(situation, found, sentence("forecast.extraction", rows=rows))
    belief = NO_GAIN if methods[-1] == "baseline" else gain or gain_believed(situation, model)
    own = own_baseline(situation)
    return _from_own_rows(situation, own, belief) if own else _from_curves(situation, rows, belief)


def gain_believed(situation: Situation, model: ModelRow) -> GainBelief:
    """What is known beforehand of a model of this size on such texts, sharpened by the finished versions on this machine of its like."""
    kind = kind_of(situation)
    prior = gain_of(model, kind)
    seen = situation.facts.seen_gains if situation.facts else ()
    return sharpened(
        prior, [one for one in seen if gain_of(model_or_unknown(one.model), kind if one.own else one.kind or kind) == prior]
    )


def _from_own_rows(situation: Situation, own: OwnBaseline, belief: GainBelief) -> Forecast:
    """The baseline's score on the person's rows, plus the share of its errors that the model usually removes."""
    found = own.range_with(own.furthest, belief)
    assert found is not None
    key = "forecast.own_baseline_few" if own.is_narrow else "forecast.own_baseline"
    basis = sentence(key, metric=metric_words(situation.metric), score=own.score, rows=own.rows, gain=gain_sentence(belief))
    return _ranged(situation, found, basis, growth_of(own, belief, situation.answers.success.threshold))


def gain_sentence(belief: GainBelief) -> Sentence:
    """What share of the baseline's errors the model is believed to remove, and within which bounds."""
    key = "none" if belief == NO_GAIN else "prior" if not belief.seen else "seen" if belief.mean >= 0 else "seen_worse"
    sign = 1 if belief.mean >= 0 else -1
    least, most = (sign * belief.mean + times * Z_RANGE * belief.deviation for times in (-1, 1))
    data: Data = {"share": abs(belief.mean), "least": least, "most": min(1.0, most), "seen": belief.seen}
    data["span"] = sentence(f"forecast.gain.{'span' if least >= 0 else 'span_crossing'}", other=max(0.0, -least), **data)
    return Sentence(f"forecast.gain.{key}", data)


def _from_curves(situation: Situation, rows: int, belief: GainBelief) -> Forecast:
    prior = baseline_prior(situation, max(rows, 1))
    shares = (belief.mean + times * Z_RANGE * belief.deviation for times in (-1, 0, 1))
    low, expected, high = (score + share * (1 - score) for score, share in zip(prior, shares, strict=True))
    return _ranged(situation, with_test_noise(situation, low, expected, high), _why_curves(situation, rows))


def _why_curves(situation: Situation, rows: int) -> Sentence:
    """Why published curves stand in for a score of the person's own: no rows were looked at, or those there are allow none."""
    if situation.facts is None:
        return sentence("forecast.curves", rows=rows)
    single = [name for name, count in situation.facts.class_counts.items() if count == 1]
    if single:
        return sentence("forecast.curves_single_row", rows=rows, classes=single[:SHOWN_CLASSES], count=len(single))
    return sentence("forecast.curves_not_scored", rows=rows)


def _ranged(situation: Situation, found: ScoreRange, basis: Sentence, growth: Growth | None = None) -> Forecast:
    """The range kept within 0 to TOP."""
    low, expected, high = (round(min(TOP, max(0.0, value)), 2) for value in found)
    return Forecast(situation.metric, low, expected, high, basis, growth)


def _nothing(situation: Situation, key: str) -> Forecast:
    return Forecast(situation.metric, None, None, None, Sentence(key))
