"""What came out of the finished versions in a workspace, beside the baseline on the same test rows: what forecasts are sharpened with.

Reads the folders; a version that cannot be read, or has no baseline, says nothing. What is made of them is `gain.py`'s.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from coach.errors import CoachError
from coach.file_stamps import Stamps, judged_files
from coach.gain import SeenGain
from coach.history import finished_results
from coach.text_kind import kind_of_task
from coach.version_folder import Version
from coach.workspace import Task, list_tasks

MOST_KEPT = 1_000  # versions whose figures stay in memory


def gains_beside(task: Task, metric: str) -> tuple[SeenGain, ...]:
    """Of every finished fine-tuning in the workspace that `task` lies in; those of the task itself are `own`."""
    column = metric if metric == "macro_f1" else "accuracy"
    found: list[SeenGain] = []
    for other in _tasks_beside(task):
        own = other.folder == task.folder
        gains = (_gain_of(version, judged_files(version), column) for version in other.versions())
        found += [replace(gain, own=own) for gain in gains if gain]
    return tuple(found)


def _tasks_beside(task: Task) -> list[Task]:
    try:
        return list_tasks(task.folder.parent)
    except CoachError:
        return [task]


@functools.lru_cache(maxsize=MOST_KEPT)
def _gain_of(version: Version, _stamps: Stamps, column: str) -> SeenGain | None:
    try:
        results, config = finished_results(version), version.config
    except CoachError:
        return None
    if results is None or config.task_type != "classification" or config.training.method != "sft":
        return None
    score, baseline = _number(results, column), _number((results.get("baseline") or {}).get("tfidf"), column)
    rows = _number(results.get("rows"), "test")
    if score is None or baseline is None or not rows or rows < 1:
        return None
    return SeenGain(config.training.base_model, score, baseline, int(rows), kind=kind_of_task(config))


def _number(document: Any, key: str) -> float | None:
    found = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
        return None
    return float(found)
