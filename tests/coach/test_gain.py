"""What fine-tuning adds: the prior, and how finished versions move it."""

import pytest

from coach.estimate import STARTER_ID
from coach.gain import SeenGain, gain_of, sharpened
from coach.reference_data import model_row, models
from coach.text_kind import TextKind

PRIOR = gain_of(model_row(STARTER_ID), TextKind(english=False, feeling=True))


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


@pytest.mark.parametrize("english", [True, False])
@pytest.mark.parametrize("feeling", [True, False])
def test_every_model_has_a_gain_for_every_kind_of_texts_and_a_larger_one_none_smaller(english, feeling):
    by_size = sorted((model for model in models() if model.params_b), key=lambda model: model.params_b)
    means = [gain_of(model, TextKind(english, feeling)).mean for model in by_size]
    assert means == sorted(means) and len(set(means)) > 1


def test_a_small_model_adds_more_in_english_and_most_where_it_is_about_the_subject():
    starter = model_row(STARTER_ID)
    subject, feeling, other = (gain_of(starter, TextKind(*kind)) for kind in ((True, False), (True, True), (False, True)))
    assert subject.mean > feeling.mean > other.mean and subject.deviation < feeling.deviation < other.deviation
