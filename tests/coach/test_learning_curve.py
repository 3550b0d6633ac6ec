"""The power law through a learning curve: found where there is one, refused where evidence.md 6.2 says it misleads."""

import random

import pytest

from coach.learning_curve import CurvePoint, PowerLaw, fit_curve, power_law

SIZES = (25, 50, 100, 200, 400)
INEWS = {
    50: 0.418,
    100: 0.474,
    200: 0.525,
    500: 0.582,
}  # evidence.md 2.2: macro-F1 of headlines; then .629 at 1,000 and .669 at 2,000
REVIEWS = {50: 0.613, 100: 0.659, 200: 0.714, 500: 0.756}  # then .778 and .796
DISTILBERT = {8: 0.263, 16: 0.28, 32: 0.404, 64: 0.558}  # before the knee: what followed was far above any law through these


def points(scores, noise=0.0, draws=3, seed=1):
    chance = random.Random(seed)
    drawn = {rows: tuple(score + chance.gauss(0, noise) for _ in range(draws)) for rows, score in scores.items()}
    return [CurvePoint(rows, found, found) for rows, found in drawn.items()]


def top_of(curve):
    """The score that no number of rows exceeds, by the law moved to go through the largest size."""
    return curve.law.ceiling + curve.means[-1][1] - curve.law.at(curve.largest)


def test_a_law_is_found_again_from_its_own_points():
    law = PowerLaw(0.9, 2.0, 0.5)
    found = power_law([(rows, law.at(rows)) for rows in SIZES])
    assert found.at(800) == pytest.approx(law.at(800), abs=0.003)
    assert found.ceiling == pytest.approx(0.9, abs=0.02)
    assert law.rows_for(law.at(321.0)) == pytest.approx(321.0)
    assert law.rows_for(0.9) is None


@pytest.mark.parametrize(("known", "later"), [(INEWS, {1000: 0.629, 2000: 0.669}), (REVIEWS, {1000: 0.778, 2000: 0.796})])
def test_it_foretells_the_measured_curves_of_the_evidence_within_what_it_says(known, later):
    curve = fit_curve(points(known), "macro_f1")
    for rows, score in later.items():
        expected, error = curve.at(rows)
        assert abs(expected - score) <= 2 * error + 0.002 and error < 0.03


def test_between_the_sizes_it_says_what_was_measured_and_no_further_than_four_times_anything_at_all():
    curve = fit_curve(points(REVIEWS), "macro_f1")
    assert curve.at(100)[0] == pytest.approx(0.659)
    assert 0.659 < curve.at(150)[0] < 0.714
    assert curve.at(10)[0] == pytest.approx(0.613)
    assert curve.at(500)[0] == pytest.approx(0.756)
    assert curve.at(500)[0] < curve.at(501)[0] < curve.at(2000)[0]
    assert curve.at(2100) is not None and curve.at(2101) is None


def test_less_certain_with_each_doubling():
    curve = fit_curve(points(REVIEWS, noise=0.005), "macro_f1")
    errors = [curve.at(rows)[1] for rows in (500, 1000, 2000)]
    assert 0 < errors[0] < errors[1] < errors[2]


def test_before_the_knee_it_refuses():
    assert fit_curve(points(DISTILBERT), "accuracy").refusal == "growing"
    assert fit_curve(points(DISTILBERT), "accuracy").at(128) is None
    assert fit_curve(points(DISTILBERT), "accuracy").rows_for(0.6) is None


def test_noise_alone_is_not_taken_for_a_knee():
    law = PowerLaw(0.8, 1.5, 0.5)
    drawn = [fit_curve(points({n: law.at(n) for n in SIZES}, noise=0.02, seed=seed), "macro_f1") for seed in range(200)]
    assert sum(curve.refusal == "growing" for curve in drawn) <= 6


def test_too_few_sizes_or_draws_are_refused():
    assert fit_curve(points({50: 0.5, 100: 0.6, 200: 0.65}), "macro_f1").refusal == "few_sizes"
    assert fit_curve(points({100: 0.5, 120: 0.5, 140: 0.55, 160: 0.6}), "macro_f1").refusal == "few_sizes"
    assert fit_curve(points(REVIEWS, draws=2), "macro_f1").refusal == "few_draws"
    assert fit_curve([], "macro_f1") is None


def test_a_curve_that_falls_is_taken_as_flat_and_none_rises_above_one():
    flat = fit_curve(points({25: 0.70, 50: 0.69, 100: 0.69, 200: 0.68}), "macro_f1")
    assert flat.at(400)[0] == pytest.approx(0.68) and flat.rows_for(0.75) is None and top_of(flat) == pytest.approx(0.68)
    steep = fit_curve(points({25: 0.60, 50: 0.75, 100: 0.87, 200: 0.96}), "macro_f1")
    assert steep.at(800)[0] <= 1.0 and steep.rows_for(1.0 + 1e-9) is None


def test_rows_for_a_score_leads_to_that_score():
    curve = fit_curve(points(REVIEWS), "macro_f1")
    rows = curve.rows_for(0.78)
    assert 500 < rows < 2000 and curve.at(rows)[0] == pytest.approx(0.78, abs=1e-6)
    assert curve.rows_for(0.5) == 500
    assert curve.rows_for(top_of(curve) + 0.01) is None
