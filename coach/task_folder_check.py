"""What of a task does not fit the files beside it: where its rows come from, whether they fill the template, whether folds tear groups.

Looks at the first rows and at `data_source.yaml`; the audit and the run look at the rest. What contradicts itself within task.yaml is
`task_check.py`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from coach.source_split import split_of_source
from coach.task_schema import TaskFile
from coach.yaml_document import KeyPath

Finding = tuple[KeyPath, str, dict[str, Any]]


def folder_findings(task: TaskFile, folder: Path | None) -> Iterator[Finding]:
    """Each place, the code of what is wrong there and its numbers. Without a `folder` only what the source's name itself says."""
    yield from _source(task, folder)
    if folder:
        yield from _rows_fit(task, folder)
        yield from _torn_groups(task, folder)


def _source(task: TaskFile, folder: Path | None) -> Iterator[Finding]:
    source = task.data.source
    if not source:
        return
    depth = lowest = 0
    for part in PurePosixPath(source.replace("\\", "/")).parts:
        depth += -1 if part == ".." else 0 if part == "." else 1
        lowest = min(lowest, depth)
    climbs = lowest < 0 or PurePosixPath(source).is_absolute() or source.startswith("~") or "\0" in source
    if climbs or (folder and _leads_out(folder / source, folder)):
        yield ("data", "source"), "source_climbs_out", {"source": source}


def _rows_fit(task: TaskFile, folder: Path) -> Iterator[Finding]:
    """The first rows must hold a value for each placeholder; the audit and the run look at the rest."""
    try:
        with open(folder / "data" / "train.jsonl", encoding="utf-8") as file:
            first = [json.loads(line) for line in islice(file, 20) if line.strip()]
    except (OSError, ValueError, RecursionError):
        return
    filled = [row["input"].keys() for row in first if isinstance(row, dict) and isinstance(row.get("input"), dict)]
    for name in task.placeholders:
        if filled and not all(name in keys for keys in filled):
            yield ("input_template",), "placeholder_not_in_rows", {"placeholder": "{" + name + "}", "columns": sorted(filled[0])}


def _torn_groups(task: TaskFile, folder: Path) -> Iterator[Finding]:
    """Which rows belong together is known while data are made from their source, and nowhere after that."""
    if task.training.folds == 1:
        return
    if group_by := split_of_source(folder).get("group_by"):
        yield ("training", "folds"), "folds_with_groups", {"group_by": group_by, "folds": task.training.folds}


def _leads_out(path: Path, folder: Path) -> bool:
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return True
