"""What forecasts are worth: `python bench/forecast.py`. Seconds for the trainings that are kept (forecast_cases.py), minutes for the rest.

tuned     each kept case is forecast from its look, the gain of fine-tuning taken from the other corpora of its kind alone, and held
          against what came
sharpened the same with every other case of its corpus taken for a finished version of the same task
baseline  the same for the cheap baseline, which adds no gain
twice     the baseline's score with twice the rows, foretold by the learning curve on half of them, and where the curve was refused

Asked of tuned: at least 40 cases; the 80 % range holds 68 to 92 % of what came; mean width at most .16, mean absolute error .05.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import record
from bench.corpora import CORPORA
from bench.corpus_cases import MODEL, Case, Pairs, draw, look, situation
from bench.forecast_cases import CASES, KEPT, facts_of, seen_gain_of
from bench.gain_prior import gains_of, kind_of, prior
from coach.forecast import Forecast, forecast
from coach.gain import GainBelief, SeenGain, gain_of, sharpened
from coach.own_baseline import own_baseline
from coach.reference_data import model_or_unknown
from training.baseline import train_baseline
from training.data.rows import Row
from training.data_facts import baseline_task

COVERED, WIDTH, ERROR, LEAST_CASES = (0.68, 0.92), 0.16, 0.05, 40
TWICE = tuple(replace(case, rows=2 * case.rows) for case in CASES)
Came = list[tuple[float, float, float, float]]  # low, expected, high, what came


def gain_without(corpus: str, found: dict[str, Any], own: Sequence[SeenGain] = ()) -> GainBelief:
    """The gain as the other corpora have it, sharpened by what is said to be the task's `own` versions."""
    mean, deviation = prior(gains_of(one for one in found.values() if one["case"]["corpus"] != corpus), kind_of(corpus))
    like = gain_of(model_or_unknown(MODEL), kind_of(corpus))
    return sharpened(like.model_copy(update={"mean": mean, "deviation": deviation}), own)


def tuned(found: dict[str, Any]) -> Came:
    return [
        _beside(forecast(situation(facts_of(one)), ["sft"], model_or_unknown(MODEL), gain=gain_without(one["case"]["corpus"], found)),
                one["tuned"]["macro_f1"])
        for one in found.values()
    ]  # fmt: skip


def sharpened_by_versions(found: dict[str, Any]) -> Came:
    """As `tuned`, the other cases of the corpus counting as finished versions of the same task."""
    came: Came = []
    for name, one in found.items():
        corpus = one["case"]["corpus"]
        alike = [seen_gain_of(other) for key, other in found.items() if key != name and other["case"]["corpus"] == corpus]
        belief = gain_without(corpus, found, [replace(other, own=True) for other in alike])
        came.append(
            _beside(forecast(situation(facts_of(one)), ["sft"], model_or_unknown(MODEL), gain=belief), one["tuned"]["macro_f1"])
        )
    return came


def baseline(found: dict[str, Any]) -> Came:
    return [
        _beside(forecast(situation(facts_of(one)), ["baseline"], model_or_unknown(MODEL)), one["baseline"]["macro_f1"])
        for one in found.values()
    ]


def twice() -> tuple[Came, int]:
    """Foretold from half the rows and learnt with all; and how many curves were refused."""
    came: Came = []
    refused = 0
    for case in TWICE:
        labelled, test = draw(case)
        half = labelled[: len(labelled) // 2]
        with tempfile.TemporaryDirectory() as folder:
            facts = replace(look(case, half, Path(folder)), test_rows=len(test))
        own = own_baseline(situation(facts))
        range_ = own.range_with(2 * len(half), GainBelief(0.0, 0.0)) if own else None
        if range_ is None:
            refused += 1
            continue
        came.append((*range_, _score(case, labelled, test, situation(facts).train_share)))
    return came, refused


def _score(case: Case, labelled: Pairs, test: Pairs, share: float) -> float:
    learnt = labelled[: round(share * len(labelled))]
    rows = [[Row(str(n), {"text": text}, label) for n, (text, label) in enumerate(part)] for part in (learnt, test)]
    labels = sorted({label for _, label in labelled})
    return train_baseline(*rows, baseline_task(labels, language=CORPORA[case.corpus].language), seed=42).macro_f1


def _beside(found: Forecast, came: float) -> tuple[float, float, float, float]:
    assert found.low is not None and found.expected is not None and found.high is not None
    return found.low, found.expected, found.high, came


def summary(came: Came) -> dict[str, Any]:
    return {
        "cases": len(came),
        "covered": round(sum(low <= score <= high for low, _, high, score in came) / len(came), 3),
        "mean_width": round(statistics.fmean(high - low for low, _, high, _ in came), 3),
        "mean_absolute_error": round(statistics.fmean(abs(expected - score) for _, expected, _, score in came), 4),
        "mean_error": round(statistics.fmean(expected - score for _, expected, _, score in came), 4),
    }


def table(found: dict[str, Any], came: Came) -> list[dict[str, Any]]:
    return [
        {"case": name, "low": low, "expected": expected, "high": high, "came": score,
         "baseline": one["baseline"]["macro_f1"], "gain": round(seen_gain_of(one).share, 3)}
        for (name, one), (low, expected, high, score) in zip(found.items(), came, strict=True)
    ]  # fmt: skip


def main() -> None:
    found = KEPT.all()
    came = tuned(found)
    doubled, refused = twice()
    gains = gains_of(found.values())
    priors = {kind: prior(gains, kind) for kind in dict.fromkeys(map(kind_of, gains))}
    figures = {
        "asked": {"cases": LEAST_CASES, "covered": COVERED, "mean_width": WIDTH, "mean_absolute_error": ERROR},
        "tuned": summary(came),
        "sharpened": summary(sharpened_by_versions(found)),
        "baseline": summary(baseline(found)),
        "twice": {**summary(doubled), "refused": refused},
        "gains": [
            {**asdict(kind), "mean": round(mean, 3), "deviation": round(deviation, 3)}
            for kind, (mean, deviation) in priors.items()
        ],
        "cases": table(found, came),
        "missing": [case.name for case in CASES if case.name not in found],
    }
    record.write("forecast", json.loads(json.dumps(figures)))


if __name__ == "__main__":
    main()
