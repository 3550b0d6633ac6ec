"""Is oversampling worth it? Skewed classes left as they are against small ones oversampled, by rows: `python bench/balance.py`.

Each case is drawn from a corpus (corpora.py) and trained twice with the coach's other numbers, each way at the learning rate that was
tried with it, and scored on the same test rows. What is done is kept in bench/balance_runs.json and taken up again, by two at once too
(`--runs N` at a time); one to four minutes a training on a core with bfloat16.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import forecast_cases, record
from bench.corpus_cases import MODEL, Case
from bench.kept_runs import KeptRuns
from coach.reference_data import model_or_unknown

SKEWED = (("news-sentiment", None, None), ("review-sentiment", None, 4.0), ("news-topics", 3, 4.0), ("tweets", None, None))
WAYS = ("none", "oversample")
CASES = tuple(
    Case(corpus, rows, labels, skew, seed) for seed, rows in product((5, 6), (150, 300, 600)) for corpus, labels, skew in SKEWED
)


@dataclass(frozen=True)
class Run:
    case: Case
    balance: str

    @property
    def name(self) -> str:
        return f"{self.case.name}-{self.balance}"


RUNS = tuple(Run(case, balance) for case, balance in product(CASES, WAYS))
KEPT = KeptRuns(record.FOLDER / "balance_runs.json", tuple(run.name for run in RUNS))


def one(run: Run) -> dict[str, Any]:
    rate = model_or_unknown(MODEL).own_learning_rate(oversampled=run.balance == "oversample")
    found = forecast_cases.one(run.case, balance=run.balance, learning_rate=rate)
    return {"learning_rate": rate, "tuned": found["tuned"], "baseline": found["baseline"]}


def gains(found: dict[str, Any], rows: int) -> list[dict[str, Any]]:
    """Of each case of so many rows that was trained both ways: macro-F1 as it is, oversampled, and what oversampling adds."""
    pairs = []
    for case in CASES:
        names = [Run(case, way).name for way in WAYS]
        if case.rows == rows and all(name in found for name in names):
            scores = [found[name]["tuned"]["macro_f1"] for name in names]
            pairs.append({"case": case.name, **dict(zip(WAYS, scores, strict=True)), "gain": round(scores[1] - scores[0], 4)})
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=len(RUNS), help="train at most so many of the missing runs")
    parser.add_argument("named", nargs="*", metavar="RUN", help="these alone, as tweets-300-all-as-is-5-none")
    asked = parser.parse_args()
    KEPT.do_missing(RUNS, one, named=asked.named, most=asked.runs)
    found, by_rows = KEPT.all(), {}
    for rows in sorted({case.rows for case in CASES}):
        pairs = gains(found, rows)
        if len(pairs) > 1:
            values = [pair["gain"] for pair in pairs]
            error = statistics.stdev(values) / len(values) ** 0.5
            by_rows[str(rows)] = {
                "mean_gain": round(statistics.fmean(values), 4),
                "standard_error": round(error, 4),
                "cases": pairs,
            }
    record.write("balance", {"runs": len(found), "runs_in_all": len(RUNS), "by_rows": by_rows})


if __name__ == "__main__":
    main()
