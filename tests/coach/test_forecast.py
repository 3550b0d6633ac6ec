"""What score to expect: priors without data, the person's own baseline with it, and silence where nothing is known."""

import pytest

from coach.answers import Answers
from coach.estimate import STARTER_ID
from coach.forecast import forecast
from coach.forecast_priors import baseline_prior
from coach.gain import gain_of
from coach.hardware import Hardware
from coach.reference_data import model_row
from coach.score_noise import range_of_noise, score_noise
from coach.situation import DataFacts, situation_of
from coach.text_kind import TextKind

LARGE, STARTER = model_row("Qwen/Qwen3-4B"), model_row(STARTER_ID)


def situation(rows=500, labels=("正面", "負面", "中立"), task="classification", facts=None, metric=None):
    document = {
        "task": {"type": task, "labels": list(labels)},
        "resources": {"labelled_rows": rows},
        "success": {"primary_metric": metric} if metric else {},
    }
    return situation_of(Answers.model_validate(document), facts, Hardware())


def test_the_evidences_example_comes_out_as_the_evidence_says():
    found = forecast(situation(500), ["sft"], LARGE)
    assert found.metric == "macro_f1" and found.low < 0.75 and found.high > 0.85 and 0.74 < found.expected < 0.84


def test_a_range_is_ordered_and_within_zero_to_one():
    for rows in (50, 200, 500, 5000, 50_000):
        for model in (LARGE, STARTER):
            found = forecast(situation(rows), ["sft"], model)
            assert 0 <= found.low < found.expected < found.high <= 0.99


def test_larger_models_and_more_rows_are_expected_to_score_higher():
    assert forecast(situation(500), ["sft"], LARGE).expected > forecast(situation(500), ["sft"], STARTER).expected
    assert forecast(situation(2000), ["sft"], STARTER).expected > forecast(situation(200), ["sft"], STARTER).expected


def test_the_baselines_own_forecast_adds_no_gain():
    alone, tuned = forecast(situation(120), ["baseline"], LARGE), forecast(situation(120), ["baseline", "sft"], LARGE)
    assert alone.expected < tuned.expected


def test_ones_own_baseline_narrows_the_range_and_moves_it():
    facts = DataFacts(500, {"正面": 55, "中立": 250, "負面": 195}, test_rows=999, baseline_macro_f1=0.59, baseline_accuracy=0.72)
    known, prior = forecast(situation(facts=facts), ["sft"], STARTER), forecast(situation(), ["sft"], STARTER)
    assert known.high - known.low < prior.high - prior.low
    assert known.expected == pytest.approx(0.59 + gain_of(STARTER, TextKind(english=False, feeling=True)).mean * 0.41, abs=0.01)
    assert "0.590" in known.basis.say("en")
    assert forecast(situation(facts=facts, metric="accuracy"), ["sft"], STARTER).expected > known.expected


def test_the_trial_of_the_starter_model_lies_within_its_own_forecast():
    facts = DataFacts(500, {"正面": 55, "中立": 250, "負面": 195}, test_rows=400, baseline_macro_f1=0.54, baseline_accuracy=0.68)
    found = forecast(situation(facts=facts), ["sft"], STARTER)
    assert found.low <= 0.66 <= found.high


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_a_file_that_was_looked_at_is_not_asked_for_again(language):
    single = forecast(situation(facts=DataFacts(115, {"billing": 49, "tech": 1})), ["sft"], STARTER).basis
    assert single.key == "forecast.curves_single_row" and "tech" in single.say(language) and "115" in single.say(language)
    unscored = forecast(situation(facts=DataFacts(115, {"billing": 49, "other": 66})), ["sft"], STARTER).basis
    assert unscored.key == "forecast.curves_not_scored"
    assert all("--data" not in said.say(language) for said in (single, unscored, forecast(situation(), ["sft"], STARTER).basis))


def test_few_test_rows_widen_the_range():
    facts = {"class_counts": {"a": 250, "b": 250}, "baseline_macro_f1": 0.7}
    few = forecast(situation(facts=DataFacts(500, test_rows=50, **facts)), ["sft"], LARGE)
    many = forecast(situation(facts=DataFacts(500, test_rows=2000, **facts)), ["sft"], LARGE)
    assert few.high - few.low > many.high - many.low


def test_noise_of_a_hundred_rows_is_that_of_the_evidence():
    assert 1.96 * score_noise(situation(metric="accuracy"), 0.8, 100) == pytest.approx(0.078, abs=0.002)
    assert 1.96 * score_noise(situation(), 0.8, 100) == pytest.approx(0.088, abs=0.002)
    assert score_noise(situation(), 0.8, None) == 0


def test_the_priors_meet_the_measured_points():
    low, _, high = baseline_prior(situation(labels=("體育", "財經"), metric="accuracy"), 500)
    assert (low, high) == (0.698, 0.966)
    assert baseline_prior(situation(), 500)[0] == 0.582


@pytest.mark.parametrize(
    ("found", "word"),
    [(lambda: forecast(situation(None), ["sft"], LARGE), "not known"), (lambda: forecast(situation(49), ["baseline"], LARGE), "50 rows"),
     (lambda: forecast(situation(300, task="generation"), ["sft"], LARGE), "generation"),
     (lambda: forecast(situation(60, task="extraction"), ["prompt"], LARGE), "prompting")],
)  # fmt: skip
def test_where_nothing_can_be_foretold_it_says_so(found, word):
    result = found()
    assert (result.low, result.expected, result.high) == (None, None, None) and word in result.basis.say("en")


def test_extraction_has_a_prior_of_its_own():
    found = forecast(situation(200, task="extraction"), ["sft"], LARGE)
    assert found.metric == "entity_f1" and found.low < 0.7 <= found.expected + 0.01


def test_with_few_rows_near_the_top_the_range_holds_the_noise_of_the_test():
    facts = DataFacts(110, {"a": 55, "b": 55}, test_rows=17, baseline_macro_f1=1.0, baseline_accuracy=1.0)
    found = forecast(situation(110, ("a", "b"), facts=facts), ["sft"], STARTER)
    assert found.low < 0.92 and found.low < found.expected <= found.high == 0.99
    assert "110" in found.basis.say("en") and "few" in found.basis.say("en")


def test_noise_near_one_is_as_wide_as_wilsons_interval_says():
    low, high = range_of_noise(situation(metric="accuracy"), 1.0, 17, z=1.96)
    assert low == pytest.approx(0.816, abs=0.002) and high == 1.0
