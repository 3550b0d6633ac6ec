"""Training and validation rows cut anew, so that each row validates exactly once: the folds of a version.

Stratified by the task's first target, the same each time, and never one text in two parts. The test rows have no part in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from coach.atomic_write import write_atomically
from coach.errors import DataError
from coach.task_schema import TaskFile
from coach.version_folder import Version
from training.data.rows import Row, rows_to_jsonl
from training.data.split import groups_of, label_of, seeded_order


@dataclass(frozen=True)
class Fold:
    """The rows one run learns from and those it validates on."""

    train: list[Row]
    valid: list[Row]


def first_fold(train: Sequence[Row], valid: Sequence[Row], task: TaskFile) -> Fold:
    """The rows of both parts with one in `training.folds` to validate on. Raises DataError where there are too few rows."""
    rows = [*train, *valid]
    part = _cut(rows, task.training.folds, task)[0]
    return _without(rows, part)


def later_folds(train: Sequence[Row], valid: Sequence[Row], task: TaskFile) -> list[Fold]:
    """Folds 2, 3 … of a version whose own run, the first, validates on `valid`: its training rows validate once each.

    Raises DataError where there are too few rows.
    """
    rows = [*train, *valid]
    return [_without(rows, part) for part in _cut(train, task.training.folds - 1, task)]


def write_fold(version: Version, fold: Fold) -> None:
    """The fold's rows as the version's training and validation parts; files are replaced, so links to them keep what they had."""
    write_atomically(version.split_path("train"), rows_to_jsonl(fold.train))
    write_atomically(version.split_path("valid"), rows_to_jsonl(fold.valid))


def _without(rows: Sequence[Row], part: Sequence[Row]) -> Fold:
    inside = {id(row) for row in part}
    return Fold([row for row in rows if id(row) not in inside], list(part))


def _cut(rows: Sequence[Row], count: int, task: TaskFile) -> list[list[Row]]:
    """`count` parts of rows: large groups of one text first, each to the part that has fewest of its labels, then fewest rows."""
    groups = groups_of(rows, None, None)
    if len(groups) < max(2, count):
        raise DataError("data.too_few_for_folds", folds=task.training.folds, rows=len(groups))
    target, order = next(iter(task.targets), None), seeded_order(task.data.seed)
    ranked = sorted((-len(group), min(order(rows[place]) for place in group), group) for group in groups)
    parts: list[list[int]] = [[] for _ in range(count)]
    held: list[Counter[str]] = [Counter() for _ in range(count)]
    for _, _, group in ranked:
        labels = Counter(str(label_of(rows[place], target)) for place in group)
        chosen = min(range(count), key=lambda part: (sum(held[part][name] for name in labels), len(parts[part]), part))
        parts[chosen] += group
        held[chosen].update(labels)
    return [[rows[place] for place in sorted(part)] for part in parts]
