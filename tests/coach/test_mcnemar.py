"""McNemar's test against scipy, the table of evidence 6.3, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from coach import mcnemar


@pytest.mark.parametrize(
    ("difference", "disagreement", "rows"),
    [(0.02, 0.10, 1960), (0.02, 0.15, 2941), (0.02, 0.20, 3922), (0.02, 0.30, 5884), (0.03, 0.10, 870), (0.03, 0.20, 1742),
     (0.05, 0.10, 312), (0.05, 0.15, 469), (0.05, 0.20, 626),
     (0.10, 0.15, 115), (0.10, 0.20, 155), (0.10, 0.30, 233), (0.15, 0.20, 67), (0.15, 0.30, 102)],
)  # fmt: skip
def test_the_rows_needed_are_those_of_the_evidence(difference: float, disagreement: float, rows: int) -> None:
    assert abs(mcnemar.test_rows_needed(difference, disagreement) - rows) <= 1


@pytest.mark.parametrize(("rows", "gain"), [(100, 0.107), (150, 0.088), (200, 0.076), (300, 0.063), (500, 0.049), (1000, 0.035)])
def test_the_smallest_gain_that_can_be_seen_is_that_of_the_evidence(rows: int, gain: float) -> None:
    assert mcnemar.detectable_difference(rows, 0.15) == pytest.approx(gain, abs=0.001)


def test_too_few_rows_can_show_nothing() -> None:
    assert mcnemar.detectable_difference(10, 0.15) is None
    with pytest.raises(ValueError):
        mcnemar.test_rows_needed(0.2, 0.1)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 3), (1, 9), (12, 30), (400, 480), (0, 6)])
def test_exact_mcnemar_is_the_binomial_test(first: int, second: int) -> None:
    theirs = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar.mcnemar_exact(first, second) == pytest.approx(theirs)


def test_mcnemar_has_the_power_the_evidence_simulated() -> None:
    """.65 against .80 with disagreement .29: 92 % at 150 rows."""
    rng = np.random.default_rng(0)
    draws = rng.multinomial(150, [0.07, 0.22, 0.71], size=2_000)
    power = np.mean([mcnemar.mcnemar_exact(int(only_first), int(only_second)) < 0.05 for only_first, only_second, _ in draws])
    assert power == pytest.approx(0.92, abs=0.03)


@pytest.mark.parametrize(
    ("rows", "difference", "disagreement"), [(60, 0.2, 0.3), (200, 0.08, 0.15), (500, 0.05, 0.2), (40, 0.0, 0.25)]
)
def test_the_power_of_mcnemar_is_that_of_summing_over_scipys_binomials(rows: int, difference: float, disagreement: float) -> None:
    right = (disagreement + difference) / (2 * disagreement)
    expected = 0.0
    for apart in range(rows + 1):
        found = sum(
            binom.pmf(hits, apart, right)
            for hits in range(apart // 2 + 1, apart + 1)
            if mcnemar.mcnemar_exact(apart - hits, hits) <= 0.05
        )
        expected += binom.pmf(apart, rows, disagreement) * found
    assert mcnemar.mcnemar_power(rows, difference, disagreement) == pytest.approx(expected, abs=1e-6)


def test_what_mcnemar_can_detect_it_finds_four_times_in_five() -> None:
    found = mcnemar.detectable_by_mcnemar(300, 0.2)
    assert found is not None and mcnemar.mcnemar_power(300, found, 0.2) == pytest.approx(0.8, abs=0.001)
    approximate = mcnemar.detectable_difference(300, 0.2)
    assert approximate is not None and approximate < found < approximate + 0.01  # exact is a little harder than the formula
    assert mcnemar.detectable_by_mcnemar(10, 0.15) is None and mcnemar.detectable_by_mcnemar(100, 0.0) is None
    large = mcnemar.detectable_by_mcnemar(20_000, 0.2)
    assert large == mcnemar.detectable_difference(20_000, 0.2)
