"""Intervals, paired comparisons and test sizes, against the table of evidence 6.3, scipy, and simulation."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from coach import statistics


def scored(rows: int, right: float, shares: tuple[float, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    actual = rng.choice(len(shares), rows, p=shares)
    predicted = np.where(rng.random(rows) < right, actual, rng.integers(len(shares), size=rows))
    return actual, predicted


@pytest.mark.parametrize(("rows", "half"), [(50, 0.111), (100, 0.078), (200, 0.055), (500, 0.035), (1000, 0.025)])
def test_wilsons_half_width_at_accuracy_80_is_that_of_the_evidence(rows: int, half: float) -> None:
    interval = statistics.wilson_interval(round(rows * 0.8), rows)
    assert (interval.high - interval.low) / 2 == pytest.approx(half, abs=0.003)


@pytest.mark.parametrize(("hits", "rows"), [(0, 10), (10, 10), (3, 7), (80, 100)])
def test_wilsons_interval_is_scipys(hits: int, rows: int) -> None:
    theirs = binomtest(hits, rows).proportion_ci(method="wilson")
    ours = statistics.wilson_interval(hits, rows)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_the_normal_quantile_is_exact() -> None:
    assert statistics.normal_quantile(0.975) == pytest.approx(1.959963984540054, abs=1e-12)
    assert statistics.normal_quantile(0.8) == pytest.approx(0.8416212335729143, abs=1e-12)


def test_the_bootstrap_is_that_of_resampling_rows_one_by_one() -> None:
    actual, predicted = scored(120, 0.6, (0.5, 0.3, 0.2), 3)
    rng = np.random.default_rng(0)
    plain = []
    for _ in range(2_000):
        rows = rng.integers(120, size=120)
        plain.append(f1_score(actual[rows], predicted[rows], labels=[0, 1, 2], average="macro", zero_division=0))
    interval = statistics.bootstrap_interval(actual, predicted, "macro_f1", labels=3, seed=1)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])), abs=0.012)


def test_the_bootstrap_of_accuracy_agrees_with_the_binomial() -> None:
    actual, predicted = np.zeros(500, int), np.array([0] * 400 + [1] * 100)
    interval = statistics.bootstrap_interval(actual, predicted, "accuracy", seed=5)
    assert (interval.low, interval.high) == pytest.approx((0.765, 0.835), abs=0.004)


@pytest.mark.parametrize(
    ("rows", "shares", "half"), [(100, (0.5, 0.3, 0.2), 0.088), (200, (0.5, 0.3, 0.2), 0.058), (500, (0.75, 0.2, 0.05), 0.053)]
)
def test_macro_f1s_half_width_is_about_that_of_the_evidence(rows: int, shares: tuple[float, ...], half: float) -> None:
    halves = []
    for seed in range(12):
        actual, predicted = scored(rows, 0.72, shares, seed)  # a random label is right one time in three: accuracy about .81
        interval = statistics.bootstrap_interval(actual, predicted, "macro_f1", labels=3, seed=seed, resamples=2_000)
        halves.append((interval.high - interval.low) / 2)
    assert float(np.mean(halves)) == pytest.approx(half, abs=0.02)


def test_ten_thousand_resamples_of_a_thousand_rows_take_less_than_a_second() -> None:
    actual, predicted = scored(1_000, 0.7, (0.1, 0.5, 0.4), 1)
    started = time.process_time()
    statistics.bootstrap_interval(actual, predicted, "macro_f1", labels=3, seed=1)
    assert time.process_time() - started < 1.0


def test_seventy_labels_fit_in_memory_and_the_seed_decides() -> None:
    actual, predicted = scored(700, 0.7, tuple([1 / 70] * 70), 1)
    first, again, other = (
        statistics.bootstrap_interval(actual, predicted, "macro_f1", labels=77, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first.low < f1_score(actual, predicted, labels=range(77), average="macro", zero_division=0) < first.high + 0.02


@pytest.mark.parametrize("metric", ["macro_f1", "accuracy", "micro_f1", "weighted_f1"])
def test_answers_outside_the_format_count_as_wrong(metric: statistics.ScoreName) -> None:
    actual = np.array([0, 1] * 50)
    predicted = np.where(np.arange(100) < 20, -1, actual)
    interval = statistics.bootstrap_interval(actual, predicted, metric, labels=2, seed=1)
    assert 0.6 < interval.low < interval.high < 0.97


def test_a_clearly_better_system_is_told_from_chance() -> None:
    actual, first = scored(600, 0.6, (0.4, 0.3, 0.3), 1)
    rng = np.random.default_rng(2)
    second = np.where(rng.random(600) < 0.4, actual, first)
    better = statistics.bootstrap_difference(actual, first, second, "macro_f1", labels=3, seed=1)
    assert better.value == pytest.approx(f1_score(actual, second, average="macro") - f1_score(actual, first, average="macro"))
    assert better.interval.low > 0 and better.p_not_better < 0.001
    same = statistics.bootstrap_difference(actual, first, first, "macro_f1", labels=3, seed=1)
    assert (same.value, same.interval.low, same.interval.high, same.p_not_better) == (0, 0, 0, 1)


def test_codes_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError):
        statistics.bootstrap_interval([0, 1], [0], "accuracy", seed=1)
