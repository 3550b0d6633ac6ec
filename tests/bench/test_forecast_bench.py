"""The bench of forecasts: cases drawn as they say, each forecast without its own corpus, figures that are what they are called."""

import json
import math
from collections import Counter
from dataclasses import asdict, replace

import pytest

from bench import advice, forecast, forecast_cases, gain_prior
from bench.corpora import CORPORA
from bench.corpus_cases import Case, draw, held_apart
from bench.kept_runs import KeptRuns
from coach.recommendation.hyperparameters import FEWEST_STEPS
from coach.situation import DataFacts
from coach.text_kind import TextKind

FACTS = asdict(DataFacts(200, {"a": 100, "b": 100}, test_rows=400, baseline_macro_f1=0.6, baseline_accuracy=0.6))


def kept(corpus, *gains):
    """Cases of a corpus whose tuned model removed these shares of the baseline's errors."""
    return {
        f"{corpus}-{place}": {
            "case": asdict(Case(corpus, 200)),
            "facts": FACTS,
            "tuned": {"macro_f1": 0.6 + gain * 0.4, "accuracy": 0.6},
            "baseline": {"macro_f1": 0.6, "accuracy": 0.6},
        }
        for place, gain in enumerate(gains)
    }


FOUND = (
    kept("products", 0.5, 0.52)
    | kept("films", 0.6, 0.62)
    | kept("tweets", 0.4, 0.42)
    | kept("kinds", 0.7, 0.72)
    | kept("news-topics", 0.8, 0.82)
)


def test_a_case_is_forecast_from_the_other_corpora_of_its_kind_alone():
    assert forecast.gain_without("products", FOUND).mean == pytest.approx(0.51)
    assert forecast.gain_without("kinds", FOUND).mean == pytest.approx(0.81)
    changed = FOUND | kept("products", 0.9, 0.9)
    assert forecast.gain_without("products", changed) == forecast.gain_without("products", FOUND)
    assert forecast.gain_without("films", changed) != forecast.gain_without("films", FOUND)
    assert len(forecast.tuned(FOUND)) == 10 and all(low < expected < high for low, expected, high, _ in forecast.tuned(FOUND))


def test_a_prior_is_as_wide_as_corpora_differ_beside_what_they_leave():
    apart = FOUND | kept("films", 0.9, 0.92) | kept("tweets", 0.1, 0.12)
    kinds = TextKind(True, True), TextKind(True, False)
    (feeling, wide), (subject, narrow) = (gain_prior.prior(gain_prior.gains_of(FOUND.values()), kind) for kind in kinds)
    assert (feeling, subject) == (pytest.approx(0.51), pytest.approx(0.76))
    assert wide / (1 - feeling) == pytest.approx(narrow / (1 - subject), rel=0.1), "the same share of what remains"
    assert gain_prior.prior(gain_prior.gains_of(apart.values()), kinds[0])[1] > 2 * wide
    with pytest.raises(ValueError, match="no corpus"):
        gain_prior.prior(gain_prior.gains_of(FOUND.values()), TextKind(False, False))


def test_the_figures_are_what_they_are_called():
    found = forecast.summary([(0.5, 0.6, 0.7, 0.65), (0.5, 0.6, 0.8, 0.9)])
    assert found == {"cases": 2, "covered": 0.5, "mean_width": 0.25, "mean_absolute_error": 0.175, "mean_error": -0.175}


@pytest.mark.parametrize(
    "case", [Case("review-sentiment", 100, skew=4.0), Case("news-topics", 60, labels=3, seed=2)], ids=["skewed", "three"]
)
def test_a_case_has_the_rows_classes_and_balance_it_names_and_no_text_twice(case):
    labelled, test = draw(case)
    assert draw(case) == (labelled, test) != draw(replace(case, seed=9))
    texts = [text for text, _ in [*labelled, *test]]
    assert len(set(texts)) == len(texts) and abs(len(labelled) - case.rows) <= 2
    counts = sorted(Counter(label for _, label in labelled).values())
    assert len(counts) == (case.labels or 2)
    if case.skew:
        assert counts[-1] / counts[0] == pytest.approx(case.skew, rel=0.1)
    parts = held_apart(labelled, test)
    assert len(parts["train"]) + len(parts["valid"]) == len(labelled) and len(parts["valid"]) < len(parts["train"]) / 3


def test_what_is_kept_is_added_to_stays_in_order_and_is_not_done_again(tmp_path):
    first, second, third = forecast_cases.CASES[:3]
    kept = KeptRuns(tmp_path / "cases.json", (first.name, second.name))
    done = []
    for runs, named in (([third, second], []), ([first, second, third], [first.name]), ([first, second, third], [])):
        kept.do_missing(runs, lambda case: done.append(case) or {"rows": case.rows}, named=named, most=2)
    assert done == [third, second, first]
    assert list(json.loads(kept.path.read_text(encoding="utf-8"))) == [first.name, second.name, third.name]


def test_there_are_enough_cases_of_every_corpus():
    assert len(forecast_cases.CASES) >= forecast.LEAST_CASES and len({case.name for case in forecast_cases.CASES}) == len(
        forecast_cases.CASES
    )
    assert {case.corpus for case in forecast_cases.CASES} == set(CORPORA)
    assert {run.corpus for run in advice.RUNS} == set(advice.CORPORA) and len(advice.RUNS) == 36


def test_the_coach_is_held_against_the_best_and_the_common_example():
    found = {}
    for run in advice.RUNS:
        top = 0.7 if (run.rate, run.balance) == (3e-4, "none") else 0.65 if run.rate > 1e-5 else 0.4
        scores = [round(top - 0.02 * abs(epoch - 4), 4) for epoch in range(1, 9)]
        found[run.name] = {"run": {"corpus": run.corpus}, "macro_f1": scores}
    row = advice.judged("news-topics", found, (3e-4, "oversample", 3))
    assert row["best"]["configuration"] == (3e-4, "none", 4) and row["coach"]["macro_f1"] == 0.63
    assert row["behind_the_best"] == 0.07 and not row["within_the_margin"] and row["common_example"]["macro_f1"] == 0.32
    everywhere = advice.across([row], found)
    assert everywhere["best"][0] == row["best"] and everywhere["coach"] == 0.63 and everywhere["common_example"] == 0.32


def test_while_runs_are_missing_the_coach_is_judged_by_the_seeds_that_have_its_own_and_the_common_one():
    coach = (3e-4, "oversample", 4)
    kept = {"run": {"corpus": "news-topics"}, "macro_f1": [0.5] * 8}
    runs = [run for run in advice.RUNS if run.corpus == "news-topics"]
    found = {run.name: kept for run in runs if (run.seed, run.rate) != (12, 3e-4)}
    row = advice.judged("news-topics", found, coach)
    assert row["seeds"] == [11] and row["configurations"] == 48
    assert advice.judged("news-topics", {runs[0].name: kept}, coach) is None and advice.judged("news-topics", {}, coach) is None


def test_the_coach_on_a_schedule_of_its_own_stands_beside_what_is_read_and_only_when_all_seeds_have_it(monkeypatch, tmp_path):
    coach = (3e-4, "none", 3)
    monkeypatch.setattr(advice, "advised", lambda corpus: coach)
    own = [run for run in advice.own_runs() if run.corpus == "news-topics"]
    assert [run.name for run in own] == ["news-topics-11-0.0003-none-3", "news-topics-12-0.0003-none-3"]
    found = {run.name: {"macro_f1": [0.5] * 8} for run in advice.RUNS}
    found[own[0].name] = {"macro_f1": [0.5, 0.6, 0.8]}
    assert advice.judged("news-topics", found, coach)["coach"]["on_its_own_schedule"] is None
    found[own[1].name] = {"macro_f1": [0.5, 0.9, 0.7]}
    row = advice.judged("news-topics", found, coach)
    assert row["coach"]["on_its_own_schedule"] == 0.75 and row["coach"]["macro_f1"] == 0.5, "the measure itself is as it was"


def test_cases_are_trained_with_the_balance_and_the_rate_that_the_coach_recommends(monkeypatch):
    def end_there(place, case, parts, numbers, **changes):
        raise StopIteration((numbers.learning_rate, changes["balance"]))

    monkeypatch.setattr(forecast_cases, "write_task", end_there)
    for skew, expected in ((4.0, (1e-4, "oversample")), (None, (3e-4, "none"))):
        with pytest.raises(StopIteration) as found:
            forecast_cases.one(Case("review-sentiment", 150, None, skew, 3))
        assert found.value.value == expected


def test_the_coach_is_asked_for_the_rows_that_the_runs_learn_from():
    rate, balance, epochs = advice.advised("news-topics")
    steps = math.ceil(advice.ROWS / 8)
    assert (rate, balance) == (3e-4, "none") and (epochs - 1) * steps < FEWEST_STEPS <= epochs * steps
