"""What fine-tuning adds: the prior, and how finished versions move it."""

import pytest

from coach.estimate import STARTER_ID
from coach.gain import SeenGain, gain_from, gain_of, sharpened
from coach.reference_data import model_row

PRIOR = gain_of(model_row(STARTER_ID))


def outcome(share, own=False, rows=300, baseline=0.6):
    return SeenGain(STARTER_ID, baseline + share * (1 - baseline), baseline, rows, own)


def test_without_outcomes_the_prior_stands():
    belief = sharpened(PRIOR, [])
    assert (belief.mean, belief.deviation, belief.seen) == (PRIOR.mean, pytest.approx(PRIOR.deviation), 0)


def test_outcomes_move_it_towards_what_came_and_make_it_surer():
    one, three = sharpened(PRIOR, [outcome(0.4)]), sharpened(PRIOR, [outcome(0.4)] * 3)
    assert PRIOR.mean < one.mean < three.mean < 0.4
    assert PRIOR.deviation > one.deviation > three.deviation


def test_the_tasks_own_version_counts_for_more_than_another_tasks():
    own, other = sharpened(PRIOR, [outcome(0.4, own=True)]), sharpened(PRIOR, [outcome(0.4)])
    assert own.mean > other.mean and own.deviation < other.deviation


def test_many_other_tasks_leave_what_tasks_differ_by():
    assert sharpened(PRIOR, [outcome(0.2)] * 200).deviation > 0.7 * PRIOR.deviation


def test_few_test_rows_or_a_baseline_without_errors_hardly_move_it():
    few, many = sharpened(PRIOR, [outcome(0.5, rows=20)]), sharpened(PRIOR, [outcome(0.5, rows=2000)])
    assert abs(few.mean - PRIOR.mean) < abs(many.mean - PRIOR.mean)
    near_the_top = sharpened(PRIOR, [SeenGain(STARTER_ID, 0.95, 0.99, 200, True)])
    assert abs(near_the_top.mean - PRIOR.mean) < 0.15


def test_a_prior_from_corpora_is_as_wide_as_they_differ():
    alike = gain_from([[outcome(0.2), outcome(0.22)], [outcome(0.2), outcome(0.22)]], PRIOR)
    apart = gain_from([[outcome(0.0), outcome(0.02)], [outcome(0.4), outcome(0.42)]], PRIOR)
    assert alike.mean == pytest.approx(0.21) and apart.mean == pytest.approx(0.21)
    assert alike.deviation < 0.03 < 0.2 < apart.deviation
