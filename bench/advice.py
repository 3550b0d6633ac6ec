"""Is the coach right? Learning rate × oversampling on three corpora, two seeds, epochs read from one run: `python bench/advice.py`.

Each of the 36 runs trains MOST_EPOCHS epochs with the coach's other numbers, and is judged on JUDGED rows after every epoch; the schedule
is that of the longest run, so a short one read from it ends at a higher learning rate than one of its own would. What is done is kept in
bench/advice_runs.json and is taken up again (`--runs N` at a time), by two at once too; five to ten minutes a run on two cores, an hour
and a half in all on an AMX processor. Six shorter runs train the coach's own configuration on a schedule of its own length, as the app
would, and stand beside what is read from the long ones.

Asked: the coach's configuration within .03 macro-F1 of the best on each corpus, or not told from it, and above the common example
(1e-5, 8 epochs, no oversampling). Where it is not, the table says so; while runs are missing, by the seeds and configurations there are.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import record
from bench.corpus_cases import Case, balance_for, draw, look, numbers_for, write_task
from bench.estimate_cases import command, own_cache
from bench.kept_runs import KeptRuns
from coach.situation import TRAIN_SHARE
from training.event_log import read_events

CORPORA, SEEDS = ("news-sentiment", "review-sentiment", "news-topics"), (11, 12)
RATES, BALANCES, MOST_EPOCHS = (1e-5, 1e-4, 3e-4), ("none", "oversample"), 8
ROWS, JUDGED = 300, 300
NEAR = 0.03
COMMON = (1e-5, "none", 8)  # the common example's learning rate, balance and epochs
Configuration = tuple[float, str, int]


@dataclass(frozen=True)
class Run:
    corpus: str
    seed: int
    rate: float
    balance: str
    epochs: int = MOST_EPOCHS

    @property
    def name(self) -> str:
        whole = f"{self.corpus}-{self.seed}-{self.rate:g}-{self.balance}"
        return whole if self.epochs == MOST_EPOCHS else f"{whole}-{self.epochs}"

    @property
    def case(self) -> Case:
        return Case(self.corpus, ROWS, seed=self.seed)


RUNS = tuple(Run(corpus, seed, rate, balance) for seed, corpus, rate, balance in product(SEEDS, CORPORA, RATES, BALANCES))
KEPT = KeptRuns(record.FOLDER / "advice_runs.json", tuple(run.name for run in RUNS))


def one(run: Run) -> dict[str, Any]:
    """Macro-F1 on the judged rows after each epoch."""
    labelled, others = draw(run.case)
    parts = {"train": labelled, "valid": others[:JUDGED], "test": others[JUDGED:]}
    with tempfile.TemporaryDirectory() as folder, own_cache() as environment:
        numbers = numbers_for(look(run.case, labelled, Path(folder)))
        changes = {"learning_rate": run.rate, "epochs": run.epochs, "balance": run.balance, "early_stopping": None}
        place = write_task(Path(folder) / "case", run.case, parts, numbers, evaluations_per_epoch=1, **changes)
        command(environment, "run", str(place), "--json")
        evals = [event for event in read_events(place / "versions" / "v1" / "events.jsonl") if event["type"] == "eval"]
    scores = [event["value"] for event in evals if event.get("split", "valid") == "valid" and event["step"]]
    return {"run": asdict(run), "macro_f1": [round(score, 4) for score in scores[-run.epochs :]]}


def scores_of(corpus: str, seeds: Sequence[int], found: dict[str, Any]) -> dict[Configuration, float]:
    """Mean macro-F1 over the seeds of every configuration that was trained with each of them."""
    runs = [run for run in RUNS if run.corpus == corpus and run.seed in seeds and run.name in found]
    scores: dict[Configuration, list[float]] = {}
    for run in runs:
        for epoch, score in enumerate(found[run.name]["macro_f1"], start=1):
            scores.setdefault((run.rate, run.balance, epoch), []).append(score)
    return {configuration: statistics.fmean(values) for configuration, values in scores.items() if len(values) == len(seeds)}


def advised(corpus: str) -> Configuration:
    """The coach's for a file that leaves ROWS to learn from, as every run has: of a file of ROWS its split would leave fewer, for which it
    takes more epochs. (The first runs kept say what is advised for a file of ROWS; it is read no more.)"""
    case = Case(corpus, ROWS, seed=SEEDS[0])
    with tempfile.TemporaryDirectory() as folder:
        facts = look(case, draw(case)[0], Path(folder))
    share = ROWS / TRAIN_SHARE / facts.rows
    counts = {label: round(count * share) for label, count in facts.class_counts.items()}
    facts = replace(facts, rows=round(ROWS / TRAIN_SHARE), class_counts=counts)
    numbers = numbers_for(facts)
    return numbers.learning_rate, balance_for(facts), numbers.epochs


def own_runs() -> list[Run]:
    """The coach's configuration for each corpus and seed, trained as long as it says and no longer."""
    coach = {corpus: advised(corpus) for corpus in CORPORA}
    return [Run(corpus, seed, *coach[corpus]) for seed in SEEDS for corpus in CORPORA]


def on_its_own_schedule(corpus: str, seeds: Sequence[int], coach: Configuration, found: dict[str, Any]) -> float | None:
    """Mean macro-F1 over the seeds at the end of the coach's own trainings; None while one is missing."""
    names = [Run(corpus, seed, *coach).name for seed in seeds]
    return (
        round(statistics.fmean(found[name]["macro_f1"][-1] for name in names), 4)
        if all(name in found for name in names)
        else None
    )


def judged(corpus: str, found: dict[str, Any], coach: Configuration) -> dict[str, Any] | None:
    """The coach's configuration beside the best and the common one, by the seeds that have both; None while there is none."""
    seeds = [seed for seed in SEEDS if {coach, COMMON} <= scores_of(corpus, [seed], found).keys()]
    if not seeds:
        return None
    means = scores_of(corpus, seeds, found)
    best = max(means, key=lambda configuration: means[configuration])
    error = math.sqrt(2 * 0.25 / (JUDGED * len(seeds)))  # of a difference of two scores near .5, no pairing: wide
    behind = means[best] - means[coach]
    return {
        "corpus": corpus,
        "seeds": seeds,
        "configurations": len(means),
        "coach": {
            "configuration": coach,
            "macro_f1": round(means[coach], 4),
            "on_its_own_schedule": on_its_own_schedule(corpus, seeds, coach, found),
        },
        "best": {"configuration": best, "macro_f1": round(means[best], 4)},
        "common_example": {"configuration": COMMON, "macro_f1": round(means[COMMON], 4)},
        "behind_the_best": round(behind, 4),
        "told_from_it_above": round(1.96 * error, 4),
        "holds": bool(behind <= max(NEAR, 1.96 * error)) and means[coach] > means[COMMON],
        "within_the_margin": bool(behind <= NEAR),
    }


def across(table: Sequence[dict[str, Any]], found: dict[str, Any]) -> dict[str, Any]:
    """One configuration for every corpus: the best of many on one corpus is partly luck, over all of them less so."""
    by_corpus = [scores_of(row["corpus"], row["seeds"], found) for row in table]
    common = set.intersection(*(set(scores) for scores in by_corpus)) if by_corpus else set()
    means = {one: statistics.fmean(scores[one] for scores in by_corpus) for one in common}
    ranked = sorted(means, key=lambda one: -means[one])
    return {
        "coach": round(statistics.fmean(row["coach"]["macro_f1"] for row in table), 4) if table else None,
        "best": [{"configuration": one, "macro_f1": round(means[one], 4)} for one in ranked[:5]],
        "common_example": round(means[COMMON], 4) if COMMON in means else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=len(RUNS), help="train at most so many of the missing runs")
    parser.add_argument("named", nargs="*", metavar="RUN", help="these alone, as news-sentiment-11-0.0001-none")
    asked = parser.parse_args()
    KEPT.do_missing((*RUNS, *own_runs()), one, named=asked.named, most=asked.runs)
    found = KEPT.all()
    table = [row for corpus in CORPORA if (row := judged(corpus, found, advised(corpus))) is not None]
    figures = {
        "runs": sum(run.name in found for run in RUNS),
        "runs_in_all": len(RUNS),
        "corpora": table,
        "one_for_all": across(table, found),
    }
    record.write("advice", json.loads(json.dumps(figures)))


if __name__ == "__main__":
    main()
