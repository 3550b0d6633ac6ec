"""What more rows would bring, and how it is said."""

import pytest

from coach.answers import Answers
from coach.estimate import STARTER_ID
from coach.forecast import forecast
from coach.gain import SeenGain
from coach.hardware import Hardware
from coach.learning_curve import CurvePoint
from coach.recommendation import recommend
from coach.reference_data import model_row
from coach.situation import DataFacts, situation_of

STARTER = model_row(STARTER_ID)
RISING = {25: 0.50, 50: 0.57, 100: 0.63, 200: 0.68, 400: 0.72}
FLAT = {25: 0.70, 50: 0.71, 100: 0.712, 200: 0.713, 400: 0.713}


def found(curve, target=None, methods=("sft",), rows=500, outcomes=(), draws=3):
    top = curve[max(curve)]
    points = tuple(CurvePoint(n, (score - 0.004, score, score + 0.004)[:draws], (score,) * draws) for n, score in curve.items())
    facts = DataFacts(
        rows, {"a": rows // 2, "b": rows // 2}, test_rows=400, baseline_macro_f1=top, baseline_accuracy=top, baseline_curve=points,
        seen_gains=outcomes,
    )  # fmt: skip
    document = {"task": {"type": "classification", "labels": ["a", "b"]}, "success": {"threshold": target} if target else {}}
    return forecast(situation_of(Answers.model_validate(document), facts, Hardware()), list(methods), STARTER)


def keys(growth):
    return [said.key.removeprefix("forecast.growth.") for said in growth.said]


def test_the_picture_grows_with_the_rows_and_goes_as_far_as_four_times():
    growth = found(RISING).growth
    assert [point.rows for point in growth.points][-5:] == [500, 750, 1000, 1500, 2000]
    assert growth.points[0].rows < 50
    assert all(one.expected <= other.expected for one, other in zip(growth.points, growth.points[1:], strict=False))
    assert [point.bold for point in growth.points][-3:] == [False, True, True]
    assert all(point.low < point.expected < point.high for point in growth.points)


def test_todays_point_is_the_forecast():
    result = found(RISING, target=0.8)
    today = next(point for point in result.growth.points if point.rows == 500)
    assert (today.expected, today.low) == pytest.approx((result.expected, result.low), abs=0.0051)


def test_the_way_to_the_target_is_said_in_rows():
    today = found(RISING).expected
    near, far, never = found(RISING, today + 0.02).growth, found(RISING, today + 0.09).growth, found(FLAT, 0.9).growth
    assert near.reach == "more_rows" and 50 <= near.more_rows <= 1500
    assert far.reach in ("far", "never") and far.more_rows is None
    assert never.reach == "never" and "flat" in keys(never)
    assert found(RISING, 0.70).growth.reach == "reached" and found(RISING).growth.reach == "no_target"


def test_so_many_more_rows_do_reach_it():
    target = found(RISING).expected + 0.02
    growth = found(RISING, target).growth
    reached = [point.expected for point in growth.points if point.rows >= 500 + growth.more_rows]
    assert reached[0] >= target - 0.001 and growth.expected(500) < target


def test_beyond_twice_the_rows_it_says_that_this_is_bold():
    bold = next(
        growth
        for target in range(770, 860)
        if (growth := found(RISING, target / 1000).growth).more_rows and growth.more_rows > 500
    )
    assert "more_rows_bold" in keys(bold) and "half" in bold.said[-1].say("en")


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_a_refused_curve_gives_no_number_of_rows_and_says_why(language):
    knee = {20: 0.30, 40: 0.32, 80: 0.40, 160: 0.55, 320: 0.72}
    growth = found(knee, 0.9).growth
    assert growth.reach == "unknown" and growth.more_rows is None and keys(growth) == ["growing"]
    assert max(point.rows for point in growth.points) <= 500
    assert growth.said[0].say(language)
    assert keys(found(RISING, draws=2).growth) == ["few_draws"]


def test_the_baselines_own_forecast_follows_the_curve_without_a_gain():
    alone, tuned = found(RISING, methods=("baseline",)), found(RISING)
    assert alone.expected == pytest.approx(0.71, abs=0.015) and tuned.expected > alone.expected


def test_finished_versions_sharpen_the_forecast():
    before = found(RISING)
    after = found(RISING, outcomes=(SeenGain(STARTER_ID, 0.72, 0.72, 400, own=True),) * 2)
    assert after.expected < before.expected and after.high - after.low < before.high - before.low
    other_size = found(RISING, outcomes=(SeenGain("Qwen/Qwen3-4B", 0.9, 0.72, 400, own=True),))
    assert (other_size.low, other_size.high) == (before.low, before.high)
    assert "2" in after.basis.say("en")


def test_in_json_the_contracts_keys_stay_and_the_way_is_said_in_the_basis():
    result = found(RISING, 0.8)
    document = result.as_json("en")
    assert set(document) == {"metric", "low", "expected", "high", "basis"}
    assert all(said.say("en") in document["basis"] for said in (result.basis, *result.growth.said))


def what_more_rows_bring(curve):
    """The gain of labelling more; without a curve, what is said before any file was looked at."""
    top = curve[max(curve)] if curve else None
    facts = curve and DataFacts(
        500, {"a": 250, "b": 250}, baseline_macro_f1=top, baseline_accuracy=top,
        baseline_curve=tuple(CurvePoint(n, (score,) * 3, (score,) * 3) for n, score in curve.items()),
    )  # fmt: skip
    answers = Answers.model_validate({"task": {"type": "classification", "labels": ["a", "b"]}})
    (more,) = (other for other in recommend(answers, facts).alternatives if other.option.key.endswith("more_rows.option"))
    return more.gain


def test_labelling_more_is_weighed_by_ones_own_curve():
    rising = what_more_rows_bring(RISING)
    assert rising.key.endswith("gain.own") and rising.data["now"] < rising.data["then"]
    assert what_more_rows_bring(None).key.endswith("gain.unknown")


def test_rows_that_bring_no_score_are_not_said_to_raise_it():
    assert what_more_rows_bring(FLAT).key.endswith("gain.level")


def test_after_a_run_that_failed_the_forecast_stands_and_says_so():
    low_curve = {25: 0.30, 50: 0.37, 100: 0.43, 200: 0.48, 400: 0.52}
    result = found(low_curve, 0.8, outcomes=(SeenGain(STARTER_ID, 0.17, 0.52, 400, own=True),))
    assert 0 <= result.low < result.expected < result.high <= 0.99
    assert all(0 <= one.low <= one.expected <= one.high <= 0.99 for one in result.growth.points)
    assert result.expected > 0.2 and "more errors" in result.basis.say("en")
    narrow = found(RISING, outcomes=(SeenGain(STARTER_ID, 0.75, 0.72, 4000, own=True),) * 9)
    assert narrow.high - narrow.low > 0.04, "settings and rows of the next version differ"


def test_a_good_baselines_picture_stays_below_one():
    growth = found({20: 0.80, 40: 0.86, 80: 0.90, 160: 0.93}, rows=228).growth
    assert max(point.high for point in growth.points) <= 0.99


def test_of_a_large_file_no_more_is_promised_than_the_curve_sees():
    curve = {100: 0.60, 200: 0.66, 400: 0.71, 800: 0.75, 1600: 0.78}
    for rows in (6_000, 20_000, 300_000):
        growth = found(curve, 0.95, methods=("baseline",), rows=rows).growth
        assert growth.more_rows is None or growth.more_rows + rows <= 4.3 * 2_000
        assert growth.expected(growth.today) is not None
        assert all(point.bold for point in growth.points if point.rows > 4_100)
    assert keys(found(curve, 0.95, rows=300_000).growth) == ["large"]


def test_what_nobody_is_promised_is_never_reached():
    assert found(RISING, 0.995).growth.reach == "never"
