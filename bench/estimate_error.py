"""What estimates are worth: a dozen trainings of the starter model, predicted and then run. `python bench/estimate_error.py [CASE …]`.

Each case is estimated from its files, then measured by a few steps (`estimate --calibrate`), then trained; estimate, measuring and
training are processes of their own, and nothing measured for one case is known to another. Error: predicted over actual, minus one.
None of the cases is among those the costs were fitted to (`fit_costs.py`). Asked for: time within 25 %, memory within 15 %.
What is done lies in .cache/estimate_error/ and is taken up again while costs and processor are the same; about half an hour on an AMX
processor, an hour without.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import record
from bench.estimate_cases import ROOT, Case, command, own_cache, trained, write_case
from coach.estimate import RECKONED_BY
from coach.hardware import this_machine
from coach.workspace import Task
from training.measurements import measured
from training.run_estimate import estimate_task, work_of

TIME_TARGET, MEMORY_TARGET = 0.25, 0.15
CASES = (
    Case("short-few", rows=80, test=60),
    Case("short-many", rows=500, valid=88, test=300),
    Case("short-epochs", rows=150, epochs=3, evaluations=1),
    Case("reviews", sample="review-sentiment", rows=300, valid=80, test=150),
    Case("topics", sample="news-topics", rows=240, labels=None, test=80),
    Case("rows-of-128", sample="news-topics", rows=160, valid=40, test=60, tokens=128),
    Case("rows-of-256", sample="news-topics", rows=96, valid=32, test=40, tokens=230),
    Case("rows-of-400", sample="news-topics", rows=64, valid=24, test=32, tokens=400, max_steps=8),
    Case("labels-2-rank-4", labels=2, rank=4, rows=250, batch=4),
    Case("labels-20", sample="news-topics", labels=20, rows=240, batch=16, rank=32),
    Case("labels-50", sample="news-topics", labels=50, rows=300, valid=100, test=200, evaluations=4),
    Case("rank-64-json", rank=64, rows=200, as_json=True, batch=12),
)


def one(case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, own_cache() as environment:
        place = write_case(case, Path(folder))
        plain = _plain(case, place)
        command(environment, "estimate", str(place), "--calibrate", "--json")
        close = _measured(case, place, environment["COACH_CACHE"], environment["COACH_DEVICE"])
        came = trained(case, place, environment)
    return {"case": case.name, "plain": _beside(plain, came), "measured": _beside(close, came), "came": came}


def one_cached(case: Case) -> dict[str, Any]:
    path = ROOT / ".cache" / "estimate_error" / f"{case.name}.{RECKONED_BY}.{zlib.crc32(record.processor().encode()):08x}.json"
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    found = one(case)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")
    return found


def _plain(case: Case, place: Path) -> dict[str, Any]:
    with own_cache() as environment:
        return _measured(case, place, environment["COACH_CACHE"], environment["COACH_DEVICE"])


def _measured(case: Case, place: Path, cache: str, device: str) -> dict[str, Any]:
    """The estimate by what stands in that cache, before rounding."""
    import os

    before = {name: os.environ.get(name) for name in ("COACH_CACHE", "COACH_DEVICE")}
    os.environ.update(COACH_CACHE=cache, COACH_DEVICE=device)
    try:
        task = Task.open(place)
        found = estimate_task(task.file, task.data_folder, this_machine(), max_steps=case.max_steps)
        work = work_of(task.file, task.data_folder)
        known = measured(task.file.training, this_machine(), work) if work else None
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    assert found.seconds and found.memory_gb
    return {
        "seconds": round(sum(found.seconds.values()), 1),
        "memory_gb": round(found.memory_gb, 3),
        "parts": {part: round(value, 2) for part, value in found.seconds.items()},
        "how": known.how if known else None,
    }


def _beside(predicted: dict[str, Any], came: dict[str, Any]) -> dict[str, Any]:
    errors = {
        f"{name}_error": round(predicted[key] / came[key] - 1, 3) for name, key in (("time", "seconds"), ("memory", "memory_gb"))
    }
    return {**predicted, **errors}


def summary(found: list[dict[str, Any]], which: str) -> dict[str, Any]:
    """Worst and mean absolute errors."""
    said = {}
    for name in ("time", "memory"):
        errors = [abs(one[which][f"{name}_error"]) for one in found]
        said[name] = {"worst": max(errors), "mean": round(statistics.fmean(errors), 3)}
    return said


def table(found: list[dict[str, Any]]) -> str:
    lines = [f"{'case':16} {'took s':>7} {'plain':>7} {'measured':>9}   {'GB':>5} {'plain':>7} {'measured':>9}"]
    for one in found:
        plain, close, came = one["plain"], one["measured"], one["came"]
        lines.append(
            f"{one['case']:16} {came['seconds']:7.1f} {plain['time_error']:+7.1%} {close['time_error']:+9.1%}   "
            f"{came['memory_gb']:5.2f} {plain['memory_error']:+7.1%} {close['memory_error']:+9.1%}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="names of cases; all where none is named, and only then the figures are written")
    wanted = parser.parse_args().cases
    found = []
    for case in CASES:
        if not wanted or case.name in wanted:
            found.append(one_cached(case))
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    print(table(found))
    sums = {which: summary(found, which) for which in ("plain", "measured")}
    print(json.dumps(sums, indent=1))
    if not wanted:
        targets = {"time": TIME_TARGET, "memory": MEMORY_TARGET}
        record.write("estimate_error", {"targets": targets, "errors": sums, "cases": found})


if __name__ == "__main__":
    main()
