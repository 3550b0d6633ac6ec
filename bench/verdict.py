"""What "better", "worse" and "cannot tell" are worth, simulated: `python bench/verdict.py`. Up to a minute a scenario, no model.

With --missing the scenarios that stand in verdict.json are kept and the others measured.

Two systems answer the same test rows, drawn from a joint distribution of (actual, first, second) whose true scores are known. Equal
systems called different are false alarms (asked: at most 6.4 % of 1,000, which is 5 % and two standard errors). Then the second is made
better by just what a test set of that size says it can detect, and that has to be found (asked: in at least 77 %, 80 % less as much).
Of 32 scenarios one may fall short by the draw alone: such a one is simulated again, with other draws and AGAIN of them, beside what it had.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import record
from coach.paired_test import Answers, PairedTest, paired_test

SIMULATIONS, PILOTS, AGAIN = 1_000, 60, 6_000
FALSE_ALARMS, FOUND = 0.064, 0.77
BALANCES = {"even": (1 / 3, 1 / 3, 1 / 3), "11:50:39": (0.11, 0.5, 0.39), "75:20:5": (0.75, 0.2, 0.05), "two": (0.5, 0.5)}
RIGHT, DISAGREE = 0.7, 0.4  # the first system's accuracy in each class; the share of rows the second answers anew


@dataclass(frozen=True)
class Scenario:
    metric: str
    balance: str
    rows: int

    def joint(self, better: float) -> NDArray[Any]:
        """Probabilities of (actual, first, second), shape [labels, labels, labels].

        The second system gives the first one's answer, or with DISAGREE an answer of its own: as good as the first, and right outright
        with the share `better`. At 0 the two are equal.
        """
        shares = np.array(BALANCES[self.balance])
        labels = len(shares)
        own = np.full((labels, labels), (1 - RIGHT) / (labels - 1))
        np.fill_diagonal(own, RIGHT)
        improved = (1 - better) * own + better * np.eye(labels)
        same = np.eye(labels)[None] * own[:, :, None]
        return shares[:, None, None] * ((1 - DISAGREE) * same + DISAGREE * own[:, :, None] * improved[:, None, :])

    def true_difference(self, better: float) -> float:
        joint = self.joint(better)
        return self._score(joint.sum(axis=1)) - self._score(joint.sum(axis=2))

    def _score(self, confusion: NDArray[Any]) -> float:
        if self.metric == "accuracy":
            return float(np.trace(confusion))
        return float(np.mean(2 * np.diag(confusion) / (confusion.sum(axis=0) + confusion.sum(axis=1))))

    def tests(self, better: float, times: int, seed: int) -> list[PairedTest]:
        joint = self.joint(better)
        rng = np.random.default_rng(seed)
        labels = [str(code) for code in range(len(joint))]
        found = []
        for number in range(times):
            cells = rng.choice(joint.size, self.rows, p=joint.ravel())
            actual, first, second = np.unravel_index(cells, joint.shape)
            found.append(paired_test(Answers(labels, actual, first, second), self.metric, seed=number))  # type: ignore[arg-type]
        return found

    def better_by_what_it_says(self) -> float:
        """The `better` at which the true difference is what test sets of this kind say, on average, that they detect."""
        low, high = 0.0, 1.0
        for _ in range(12):
            middle = (low + high) / 2
            said = [test.detectable for test in self.tests(middle, PILOTS, seed=7) if test.detectable is not None]
            enough = bool(said) and self.true_difference(middle) >= statistics.fmean(said)
            low, high = (low, middle) if enough else (middle, high)
        return high


def measured(scenario: Scenario) -> dict[str, Any]:
    equal = scenario.tests(0.0, SIMULATIONS, seed=1)
    better = scenario.better_by_what_it_says()
    reachable = better < 0.999
    apart = scenario.tests(better, SIMULATIONS, seed=2) if reachable else []
    return {
        "metric": scenario.metric,
        "balance": scenario.balance,
        "rows": scenario.rows,
        "false_alarms": sum(test.significant for test in equal) / SIMULATIONS,
        "detectable": round(scenario.true_difference(better), 4) if reachable else None,
        "found": sum(test.judgement == "better" for test in apart) / SIMULATIONS if reachable else None,
        "cannot_tell": sum(test.judgement == "cannot_tell" for test in apart) / SIMULATIONS if reachable else None,
        "called_worse": sum(test.judgement == "worse" for test in apart) / SIMULATIONS if reachable else None,
    }


def with_more_draws(row: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    """The row as it is; where it falls short, `again` beside it says what more draws find."""
    if row["found"] is None or row["found"] >= FOUND or "again" in row:
        return row
    apart = scenario.tests(scenario.better_by_what_it_says(), AGAIN, seed=3)
    return {**row, "again": {"simulations": AGAIN, "found": round(sum(one.judgement == "better" for one in apart) / AGAIN, 4)}}


def main() -> None:
    scenarios = [
        Scenario(metric, balance, rows)
        for metric in ("macro_f1", "accuracy")
        for balance in BALANCES
        for rows in (100, 200, 500, 1000)
    ]
    kept = _kept() if "--missing" in sys.argv[1:] else {}
    rows = []
    for scenario in scenarios:
        rows.append(with_more_draws(kept.get(scenario) or measured(scenario), scenario))
        print(rows[-1], file=sys.stderr, flush=True)
    found = [row["found"] for row in rows if row["found"] is not None]
    record.write(
        "verdict",
        {
            "simulations": SIMULATIONS,
            "asked": {"false_alarms": FALSE_ALARMS, "found": FOUND},
            "worst": {"false_alarms": max(row["false_alarms"] for row in rows), "found": min(found)},
            "mean": {
                "false_alarms": round(statistics.fmean(row["false_alarms"] for row in rows), 4),
                "found": round(statistics.fmean(found), 4),
                "cannot_tell": round(statistics.fmean(row["cannot_tell"] for row in rows if row["cannot_tell"] is not None), 4),
            },
            "scenarios": rows,
        },
    )


def _kept() -> dict[Scenario, dict[str, Any]]:
    rows = json.loads((record.FOLDER / "verdict.json").read_text(encoding="utf-8"))["scenarios"]
    return {Scenario(row["metric"], row["balance"], row["rows"]): row for row in rows}


if __name__ == "__main__":
    main()
