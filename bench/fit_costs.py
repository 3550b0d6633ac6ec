"""Where the costs in coach/processor_cost.py come from: `python bench/fit_costs.py [--measure] [CASE …]`.

`--measure` trains small tasks of many shapes (all, or the named), one after the other, and writes what each took into
`bench/fit_costs.json`, where the others' figures stay. Then, or without it, the figures there are fitted: for each part of a training the
costs, none below zero, whose sums are nearest to what was measured, relative to it; for memory likewise. Prints them as they stand in the
code, and the errors that remain. Idle machine, two cores, about 15 minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, nnls

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import record
from bench.estimate_cases import Case, exact_work, own_cache, trained, write_case
from coach.estimate import STARTER_ID
from coach.processor_cost import COSTS, MEMORY_COSTS, MemoryCosts, Part, amounts, processor_memory_gb
from coach.reference_data import ModelRow, model_row
from coach.work import Work

CASES = (
    Case("a", rows=60, valid=30, test=60),
    Case("b", rows=400, valid=60, test=100),
    Case("c", rows=200, valid=200, test=400, evaluations=4),
    Case("d", rows=200, rank=64, test=60),
    Case("e", rows=200, rank=4, batch=4, test=60),
    Case("f", rows=240, rank=8, batch=16, test=60),
    Case("g", sample="review-sentiment", rows=200, valid=60, test=100),
    Case("h", sample="news-topics", rows=120, valid=40, test=60, tokens=100),
    Case("i", sample="news-topics", rows=96, valid=32, test=40, tokens=180, rank=32),
    Case("j", sample="news-topics", rows=64, valid=24, test=32, tokens=240, batch=4),
    Case("k", sample="news-topics", rows=64, valid=24, test=32, tokens=330, max_steps=8),
    Case("l", sample="news-topics", rows=48, valid=16, test=16, tokens=500, max_steps=6),
    Case("m", sample="news-topics", rows=48, valid=16, test=16, tokens=350, batch=2, max_steps=16),
    Case("n", labels=10, rows=200, valid=100, test=200),
    Case("o", labels=30, sample="news-topics", rows=200, valid=100, test=200, evaluations=3),
    Case("p", labels=50, rows=300, valid=60, test=60),
    Case("q", rows=160, as_json=True, labels=5, test=100),
    Case("r", rows=160, as_json=True, labels=20, valid=120, test=100, batch=1, max_steps=60),
    Case("s", labels=50, sample="news-topics", rows=1600, valid=60, test=60, max_steps=4),
    Case("t", rows=2500, valid=60, test=60, max_steps=4),
)
NAMES = {
    "loading": "loading_s",
    "baseline": "baseline_s",
    "training": "training_s",
    "answering": "answering_s",
    "writing": "writing_s",
}


def measure(wanted: list[str]) -> list[dict[str, Any]]:
    found = []
    for case in CASES:
        if wanted and case.name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder, own_cache() as environment:
            place = write_case(case, Path(folder))
            work = exact_work(case, place)
            found.append({"case": case.name, "work": asdict(work), "came": trained(case, place, environment)})
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def _name(one: dict[str, Any]) -> str:
    return str(one["case"])


# --- time ----------------------------------------------------------------------------------------------------------------------


def fitted_costs(measured: list[dict[str, Any]], model: ModelRow) -> dict[Part, dict[str, float]]:
    """The answering of the test rows stands in the ending of a run beside the writing; the rows' own milliseconds tell them apart."""
    costs: dict[Part, dict[str, float]] = {}
    for part, known in COSTS.items():
        rows, seconds = [], []
        for one in measured:
            amount, took = _piece(part, one, model)
            if took > 0:
                rows.append([amount[name] for name in known])
                seconds.append(took)
        costs[part] = dict(zip(known, _nearest(np.array(rows), np.array(seconds)), strict=True))
    return costs


def _piece(part: Part, one: dict[str, Any], model: ModelRow) -> tuple[dict[str, float], float]:
    """What was measured of a part by itself, and the amounts of it: of answering the validation rows, which stand alone in the log."""
    work, came = Work(**one["work"]), one["came"]["parts"]
    if part == "answering":
        return amounts(replace(work, test_rows=0), model)[part], came["answering_s"]
    if part == "writing":
        whole, validated = (amounts(some, model)["answering"] for some in (work, replace(work, test_rows=0)))
        answered = sum(COSTS["answering"][name] * (whole[name] - validated[name]) for name in whole)
        return amounts(work, model)[part], max(0.0, came["writing_s"] + came["ending_s"] - answered)
    return amounts(work, model)[part], came[NAMES[part]]


def _nearest(rows: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = np.where(rows.max(0) > 0, rows.max(0), 1.0)
    found, _ = nnls(rows / scale / seconds[:, None], np.ones(len(seconds)))
    return found / scale


# --- memory --------------------------------------------------------------------------------------------------------------------

FITTED = tuple(field.name for field in fields(MemoryCosts) if field.name != "adapter_bytes")


def fitted_memory(measured: list[dict[str, Any]], model: ModelRow) -> MemoryCosts:
    works, peaks = [Work(**one["work"]) for one in measured], np.array([one["came"]["memory_gb"] for one in measured])
    start = np.array([getattr(MEMORY_COSTS, name) for name in FITTED])

    def costs(values: NDArray[np.float64]) -> MemoryCosts:
        return replace(MEMORY_COSTS, **dict(zip(FITTED, map(float, values * start), strict=True)))

    def errors(values: NDArray[np.float64]) -> NDArray[np.float64]:
        said = np.array([processor_memory_gb(work, model, costs(values)) for work in works])
        return np.concatenate([said / peaks - 1, 0.003 * (values - 1)])  # what nothing measured tells apart stays where it was

    return costs(least_squares(errors, np.ones(len(start)), bounds=(0.02, 20), diff_step=1e-3).x)


# --- said ----------------------------------------------------------------------------------------------------------------------


def said_errors(
    measured: list[dict[str, Any]], model: ModelRow, costs: dict[Part, dict[str, float]], memory: MemoryCosts
) -> None:
    print(f"{'case':5} {'took':>7} {'time':>7} " + " ".join(f"{part:>10}" for part in COSTS) + f" {'GB':>6} {'memory':>7}")
    for one in measured:
        work, came = Work(**one["work"]), one["came"]
        parts = {
            part: sum(costs[part][name] * value for name, value in amount.items())
            for part, amount in amounts(work, model).items()
        }
        error = sum(parts.values()) / came["seconds"] - 1
        ratios = []
        for part in COSTS:
            amount, took = _piece(part, one, model)
            ratios.append(
                f"{sum(costs[part][name] * amount[name] for name in amount) / took - 1:+10.1%}" if took > 0 else f"{'':>10}"
            )
        peak = processor_memory_gb(work, model, memory) / came["memory_gb"] - 1
        print(f"{one['case']:5} {came['seconds']:7.1f} {error:+7.1%} {' '.join(ratios)} {came['memory_gb']:6.2f} {peak:+7.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("cases", nargs="*", help="names of the cases to measure; all where none is named")
    asked = parser.parse_args()
    path, model = record.FOLDER / "fit_costs.json", model_row(STARTER_ID)
    assert model is not None
    measured = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.exists() else []
    if asked.measure:
        anew = measure(asked.cases)
        measured = sorted([one for one in measured if one["case"] not in {new["case"] for new in anew}] + anew, key=_name)
        record.write("fit_costs", {"cases": measured})
    costs, memory = fitted_costs(measured, model), fitted_memory(measured, model)
    print(
        "COSTS =",
        json.dumps({part: {name: float(f"{value:.3g}") for name, value in named.items()} for part, named in costs.items()}),
    )
    print("MEMORY_COSTS =", {name: float(f"{value:.3g}") for name, value in asdict(memory).items()})
    said_errors(measured, model, costs, memory)


if __name__ == "__main__":
    main()
