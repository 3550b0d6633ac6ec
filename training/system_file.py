"""A person's file of what the system in use today answers, read as answers to a version's test rows.

Owns which column holds the answers, what counts as the same label, and how much of the test rows such a file has to cover. Which rows
are meant is `system_rows.py`'s; the answers' place in the task's folder is `coach.systems`'s.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coach.answers_given import label_of
from coach.errors import DataError, WorkspaceError
from coach.sentence import Sentence, sentence
from coach.version_folder import Version
from training.data.cell_formulas import rearmed
from training.data.columns import name_score
from training.data.labels import canonical_labels
from training.data.read import read_table
from training.data.rows import Row, read_rows
from training.data.table import Cell, Table
from training.system_rows import Matched, match_rows

PREDICTED_NAMES = ("predicted", "prediction", "predictions", "pred", "yhat", "預測", "预测")
MATCHED_AT_LEAST = 0.5  # of the test rows: what fewer say of the rest is a guess
LABELS_AT_LEAST = 0.5  # of the answers that are not empty: with fewer it is another column, or other labels
EXAMPLES, EXAMPLE_LETTERS = 3, 30
MOST_LETTERS = 200  # kept of an answer that is no label


@dataclass(frozen=True)
class SystemFile:
    """`predicted`: test row to label, to what stood there where that is none of them, to None for an empty answer.

    `others`: numbers of the file's rows that are no test row. `missing`: texts of test rows the file says nothing on. `twice`:
    test rows it answers in two ways, which are left out. `all_right`: every answer is the right one.
    """

    path: Path
    column: str
    matched_by: str
    predicted: dict[str, str | None]
    test_rows: int
    others: tuple[int, ...]
    missing: tuple[str, ...]
    twice: tuple[str, ...]
    unreadable: int
    all_right: bool

    def sentences(self) -> Iterator[Sentence]:
        """What was read, then what was left out and why."""
        how = sentence(f"systems.by.{self.matched_by}")
        numbers = {"rows": len(self.predicted), "test_rows": self.test_rows}
        yield sentence("systems.read", path=self.path.name, column=self.column, how=how, **numbers)
        if self.others:
            yield sentence("systems.others", count=len(self.others), examples=[str(number) for number in self.others[:EXAMPLES]])
        if self.missing:
            yield sentence("systems.missing", count=len(self.missing), examples=_quoted(self.missing))
        if self.twice:
            yield sentence("systems.twice", count=len(self.twice), examples=list(self.twice[:EXAMPLES]))
        if self.unreadable:
            yield sentence("systems.unreadable", count=self.unreadable)
        if self.all_right:
            yield sentence("systems.all_right", column=self.column)


def read_system(
    path: Path, version: Version, *, column: str | None = None, mapping: Mapping[str, str] | None = None
) -> SystemFile:
    """The answers in a file to the test rows of `version`; `column` holds them, None to find it out. `mapping`: field to column.

    Where an answer has several slots the first is meant. Raises DataError: a file that cannot be read, no telling which column,
    fewer than half of the test rows in it, or answers that are not the task's labels.
    """
    config = version.config
    target, labels = next(iter(config.targets.items()), (None, []))
    if config.task_type != "classification" or not labels:
        raise WorkspaceError("systems.no_classes", version=version.name, metric=config.success_criteria.primary_metric)
    table, test = read_table(path), read_rows(version.split_path("test"))
    matched = match_rows(table, test, config.placeholders, mapping or {})
    covered = matched.rows
    _refuse_too_few(table, test, matched, version)
    chosen = _predicted_column(table, matched, target, labels, column)
    answers, twice = _answers(table, matched, chosen, target)
    predicted = _as_labels(answers, labels, table, chosen)
    right = {row.id: label_of(row.output, target) for row in test}
    all_right = all(said == right[row] for row, said in predicted.items())
    if all_right and column is None and not name_score(chosen, PREDICTED_NAMES):
        raise DataError("systems.the_truth", path=path.name, column=chosen, rows=len(predicted))
    return SystemFile(
        path=path,
        column=chosen,
        matched_by=matched.by,
        predicted=predicted,
        test_rows=len(test),
        others=tuple(number for number, ids in zip(table.row_numbers, matched.ids) if not ids),
        missing=tuple(_shown(row) for row in test if row.id not in covered),
        twice=twice,
        unreadable=len(table.problems),
        all_right=all_right,
    )


def _refuse_too_few(table: Table, test: Sequence[Row], matched: Matched, version: Version) -> None:
    found, needed = len(matched.rows), math.ceil(len(test) * MATCHED_AT_LEAST)
    if test and found >= needed:
        return
    strangers = [number for number, ids in zip(table.row_numbers, matched.ids) if not ids]
    numbers = {"found": found, "test_rows": len(test), "needed": needed, "version": version.name, "path": table.path.name}
    if not strangers:
        raise DataError("systems.too_short", **numbers)
    raise DataError(
        "systems.too_few_matched",
        rows=len(table),
        examples=", ".join(map(str, strangers[:EXAMPLES])),
        columns=", ".join(table.columns),
        ids=", ".join(row.id for row in test[:2]),
        inputs=", ".join(version.config.placeholders),
        **numbers,
    )


def _predicted_column(table: Table, matched: Matched, target: str | None, labels: Sequence[str], said: str | None) -> str:
    """The column said, else the one called a prediction, else the only one that holds labels. Raises DataError where that is unclear."""
    if said is not None:
        table.column(said)
        return said
    free = [name for name in table.columns if name not in matched.columns]
    scores = {name: name_score(name, PREDICTED_NAMES) for name in free}
    exact, named = ([name for name in free if scores[name] >= least] for least in (1.0, 0.1))
    holding = [name for name in free if _holds_labels(table, matched, name, target, labels)]
    both = [name for name in named if name in holding]
    for found in (exact, both, [] if both else holding, [] if holding else named):
        if len(found) == 1:
            return found[0]
    shown = {"path": table.path.name, "columns": ", ".join(table.columns), "labels": ", ".join(labels)}
    if named or holding:
        raise DataError("systems.which_column", candidates=", ".join(both or holding or named), **shown)
    raise DataError("systems.no_column", **shown)


def _holds_labels(table: Table, matched: Matched, column: str, target: str | None, labels: Sequence[str]) -> bool:
    said = [_label(row.get(column), target) for row, ids in zip(table.rows, matched.ids) if ids]
    counts = Counter(label for label in said if label is not None)
    known = canonical_labels(counts, labels)
    return bool(counts) and sum(counts[label] for label in counts if known[label]) >= LABELS_AT_LEAST * counts.total()


def _answers(table: Table, matched: Matched, column: str, target: str | None) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """What the file says of each test row, and the rows it says two things of. Raises DataError where it does so of all."""
    found: dict[str, str | None] = {}
    twice: dict[str, None] = {}
    for row, ids in zip(table.rows, matched.ids):
        said = _label(row.get(column), target)
        for test_row in ids:
            if found.setdefault(test_row, said) != said:
                twice[test_row] = None
    if len(twice) == len(found):
        shown = ", ".join([*twice][:EXAMPLES])
        raise DataError("systems.all_twice", path=table.path.name, rows=len(table), found=len(found), examples=shown)
    return {row: said for row, said in found.items() if row not in twice}, tuple(twice)


def _label(cell: Cell, target: str | None) -> str | None:
    """The label in a cell, of a JSON answer that of its slot; None where the cell is empty."""
    said = rearmed(cell or "").strip()
    if target is not None and said.startswith("{"):
        try:
            return label_of(json.loads(said), target)
        except (ValueError, RecursionError):
            return said
    return said or None


def _as_labels(answers: Mapping[str, str | None], labels: Sequence[str], table: Table, column: str) -> dict[str, str | None]:
    """Answers in the labels' own spelling; what is no label stays as it was written."""
    counts = Counter(said for said in answers.values() if said is not None)
    known = canonical_labels(counts, labels)
    named = sum(counts[said] for said in counts if known[said])
    if not counts:
        shown = {"path": table.path.name, "column": column, "rows": len(answers)}
        raise DataError("systems.all_empty", labels=", ".join(labels), **shown)
    if named < LABELS_AT_LEAST * counts.total():
        strange = ", ".join(f"{said[:EXAMPLE_LETTERS]} ({count})" for said, count in counts.most_common() if not known[said])
        found = {"path": table.path.name, "column": column, "count": counts.total() - named, "rows": len(answers)}
        raise DataError("systems.not_labels", strange=strange[:MOST_LETTERS], labels=", ".join(labels), **found)
    return {row: None if said is None else known[said] or said[:MOST_LETTERS] for row, said in answers.items()}


def _shown(row: Row) -> str:
    return " ".join(" ".join(row.input.values()).split())[:EXAMPLE_LETTERS]


def _quoted(texts: Sequence[str]) -> list[Sentence]:
    return [sentence("systems.quoted", said=text) for text in texts[:EXAMPLES]]
