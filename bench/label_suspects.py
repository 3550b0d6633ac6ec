"""What the list of doubtful labels is worth: `python bench/label_suspects.py`.

Labels of the three samples are turned wrong, three draws of each share, and looked for among all rows. `found_of_listed`: of the rows
listed, the share that was turned; `found_of_strong`: of those the finding D13 counts. The samples' own errors count as misses here, so
precision is no less than shown.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from record import write

from coach.workspace import Task
from training.clock import local_now
from training.data.rows import Row, read_rows
from training.label_suspects import Suspects, find_suspects
from training.samples import SAMPLES, write_sample

SHARES, DRAWS = (0.0, 0.03, 0.05, 0.1), 3
PARTS = ("train", "valid", "test")


def turned(rows: list[Row], labels: list[str], share: float, draw: int) -> tuple[list[Row], set[str]]:
    """The rows with `share` of their labels wrong, and the ids of those."""
    chance = random.Random(f"{share}:{draw}")
    chosen = {row.id for row in chance.sample(rows, round(share * len(rows)))}
    wrong = [
        replace(row, output=chance.choice([label for label in labels if label != row.output])) if row.id in chosen else row
        for row in rows
    ]
    return wrong, chosen


def cell(task: Task, rows: list[Row], share: float) -> dict[str, Any]:
    labels = next(iter(task.file.targets.values()))
    found: list[tuple[Suspects, set[str]]] = []
    for draw in range(DRAWS if share else 1):
        wrong, chosen = turned(rows, labels, share, draw)
        found.append((find_suspects({"train": wrong}, task.file, None), chosen))

    def mean(pick) -> float:
        return round(statistics.fmean(pick(suspects, chosen) for suspects, chosen in found), 3)

    return {
        "wrong": share,
        "listed": len(found[0][0].shown),
        "agreement": mean(lambda suspects, _: suspects.agreement),
        "found_of_listed": mean(lambda suspects, chosen: _share_in(suspects.shown, chosen)),
        "strong_share": mean(lambda suspects, _: sum(row.strong for row in suspects.found) / suspects.rows),
        "found_of_strong": mean(lambda suspects, chosen: _share_in([row for row in suspects.found if row.strong], chosen)),
    }


def _share_in(suspects: Any, chosen: set[str]) -> float:
    return sum(row.id in chosen for row in suspects) / max(1, len(suspects))


def main() -> None:
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in SAMPLES:
            write_sample(name, Path(folder) / name, now=local_now())
            task = Task.open(Path(folder) / name)
            rows = [row for part in PARTS for row in read_rows(task.data_folder / f"{part}.jsonl")]
            figures[name] = {"rows": len(rows), "cells": [cell(task, rows, share) for share in SHARES]}
    write("label_suspects", {"draws": DRAWS, "samples": figures})


if __name__ == "__main__":
    main()
