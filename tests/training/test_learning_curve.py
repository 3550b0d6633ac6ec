"""The baseline's learning curve on rows whose answer can be learnt."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.topic_rows import TOPICS, rows, task
from training.data.rows import Row
from training.forecast_baseline import counted, out_of_fold
from training.learning_curve import SEEDS, in_shares, learning_curve, sizes_within


def curve_of(given, labels=tuple(TOPICS), seed=42):
    looked_at = counted(given, task(labels))
    return learning_curve(looked_at, out_of_fold(looked_at, seed=seed)[1], seed=seed), looked_at


def test_the_score_grows_with_the_rows_and_ends_where_the_forecasts_baseline_stands():
    curve, looked_at = curve_of(rows(180))
    assert [point.rows for point in curve] == [10, 19, 38, 74, 144]
    means = [np.mean(point.macro_f1) for point in curve]
    assert means[0] + 0.05 < means[-1] < 1.0
    full = looked_at.report(out_of_fold(looked_at, seed=42)[0]).macro_f1
    assert curve[-1].macro_f1[0] == pytest.approx(full, abs=1e-4)  # the first round has the folds of the search
    assert all(len(point.macro_f1) == len(point.accuracy) == SEEDS for point in curve)


def test_the_same_rows_give_the_same_curve():
    assert curve_of(rows(60))[0] == curve_of(rows(60))[0]


def test_every_beginning_has_the_classes_in_their_shares():
    truth = np.array(["a"] * 80 + ["b"] * 20, dtype=object)
    order = in_shares(truth, np.random.default_rng(1))
    assert sorted(order) == list(range(100))
    for size in (10, 25, 50):
        assert abs(np.mean(truth[order[:size]] == "b") - 0.2) <= 1 / size


def test_few_rows_have_fewer_sizes_and_a_small_class_is_no_obstacle():
    assert sizes_within(10) == [10] and sizes_within(8) == [8] and len(sizes_within(40)) == 5
    few = [*rows(30), *(Row(f"x{n}", {"text": f"rare thing {n}"}, "rare") for n in range(2))]
    curve, _ = curve_of(few, (*TOPICS, "rare"))
    assert curve and curve[-1].rows <= 32


def test_texts_that_are_mostly_without_words_are_answered_by_the_usual_class():
    given = [*rows(6), *(Row(f"x{n}", {"text": "!!! ???"}, "sport" if n % 3 else "money") for n in range(60))]
    looked_at = counted(given, task())
    answers, choice = out_of_fold(looked_at, seed=42)
    assert len(answers) == 66 and learning_curve(looked_at, choice, seed=42)


def test_of_many_rows_a_part_is_drawn(monkeypatch):
    monkeypatch.setattr("training.learning_curve.MOST_ROWS", 90)
    curve, _ = curve_of(rows(180))
    assert curve[-1].rows == 72


@pytest.mark.parametrize("draw", range(8))
def test_rows_that_stay_together_make_folds_of_many_sizes_and_one_curve(draw):
    looked_at = counted(rows(90), task())
    groups = np.random.default_rng(draw).integers(0, 14, 90)
    looked_at = replace(looked_at, groups=groups)
    sizes = {min(len(inside) for inside, _ in looked_at.folds(draw + number)) for number in range(SEEDS)}
    curve = learning_curve(looked_at, out_of_fold(looked_at, seed=draw)[1], seed=draw)
    assert curve[-1].rows == min(sizes) and all(len(point.macro_f1) == SEEDS for point in curve)
