"""Rows whose label may be wrong: those to which a cheap model that has not seen them gives least of the label they carry.

Ranking by held-out loss and reading the first is what works (Chong, Hong and Manning 2022; evidence.md 2.7), and a small model is
enough. Owns the ranking and its file for a spreadsheet; whether a label is wrong is a person's to say (`coach.reviews`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coach.errors import DataError
from coach.reviews import Review, Reviews
from coach.task_schema import TaskFile
from coach.version_folder import SPLITS, SplitName, Version
from coach.workspace import Task
from training.baseline import FOLDS
from training.data.rows import Row, read_rows
from training.data.split import label_of
from training.forecast_baseline import Choice, counted, out_of_fold_probabilities
from training.spreadsheet import input_columns, spreadsheet_csv

SHOWN_SHARE = 0.05  # of the rows: so many are worth a person's time (evidence.md 2.7)
FEWEST_ROWS = 50  # below it a held-out model has learnt next to nothing
FEWEST_OF_CLASS = FOLDS  # a class with fewer has none to learn from in some fold; its rows are passed over
STRONG_ODDS = 5.0  # the proposed label so many times as likely as the given one
LOOK: Choice = (10.0, "balanced")  # bench/label_suspects.json: C from 1 to 30 finds alike, unweighted ranks small classes first
_SMALLEST = 1e-9

Parts = Mapping[SplitName, Sequence[Row]]


@dataclass(frozen=True)
class Suspect:
    """One row. `probability` is that of `proposed`, `loss` is -log p(given) in nats, `strong` where the odds are STRONG_ODDS or more."""

    id: str
    part: SplitName
    inputs: Mapping[str, str]
    given: str
    proposed: str
    probability: float
    loss: float
    strong: bool


@dataclass(frozen=True)
class Suspects:
    """`found`: every row with another label proposed, the greatest loss first; `agreement`: share of rows given the label they carry.

    `rows`: how many were looked at; `passed_over`: rows of classes too small to be learnt, by label.
    """

    rows: int
    agreement: float
    found: tuple[Suspect, ...]
    passed_over: Mapping[str, int]

    @property
    def shown(self) -> tuple[Suspect, ...]:
        """The first of them, at most SHOWN_SHARE of the rows."""
        return self.found[: int(self.rows * SHOWN_SHARE)]


def suspects_of(version: Version, target: str | None, at_most: int | None = None) -> Suspects:
    """Of a version's frozen rows. `at_most`: so many of them, drawn. Raises DataError as `find_suspects` does."""
    parts = {part: read_rows(version.split_path(part)) for part in SPLITS if version.split_path(part).is_file()}
    return find_suspects(parts, version.config, target, at_most=at_most)


def suspects_in(task: Task, target: str | None) -> Suspects:
    """Of the rows the next version will have. Raises DataError as `find_suspects` does."""
    return find_suspects({part: read_rows(task.data_folder / f"{part}.jsonl") for part in SPLITS}, task.file, target)


def find_suspects(parts: Parts, task: TaskFile, target: str | None, *, at_most: int | None = None) -> Suspects:
    """Suspects among the rows of all three parts; the same each time.

    Validation and test rows are looked at too: a wrong label in training misleads the model, one in the test the score, and the
    validation rows choose the step that is kept. All parts are learnt from, each row by folds that leave it out; the model is thrown
    away, so no score knows of it. Raises DataError: no classes, too few rows, one class alone, no words.
    """
    if target not in task.targets:
        raise DataError("data.suspects_no_classes")
    rows = [(part, row) for part in SPLITS for row in parts.get(part, ())]
    sizes = Counter(label_of(row, target) for _, row in rows)
    small = {label: count for label, count in sorted(sizes.items()) if count < FEWEST_OF_CLASS}
    rows = [(part, row) for part, row in rows if label_of(row, target) not in small]
    if len(rows) < FEWEST_ROWS:
        raise DataError("data.suspects_few_rows", count=len(rows), wanted=FEWEST_ROWS)
    if len(sizes) - len(small) < 2:
        raise DataError("data.one_class", label=next(label for label in sizes if label not in small), count=len(rows))
    if at_most is not None and len(rows) > at_most:
        return find_suspects(_drawn(rows, at_most, task.data.seed), task, target)
    return _ranked(rows, task, target, small)


def _drawn(rows: Sequence[tuple[SplitName, Row]], count: int, seed: int) -> Parts:
    drawn = random.Random(seed).sample(rows, count)
    return {part: [row for there, row in drawn if there == part] for part in SPLITS}


def _ranked(rows: Sequence[tuple[SplitName, Row]], task: TaskFile, target: str | None, small: Mapping[str, int]) -> Suspects:
    truth = [label_of(row, target) for _, row in rows]
    try:
        looked_at = counted([row for _, row in rows], task, target)
        names, shares = out_of_fold_probabilities(looked_at, choice=LOOK, seed=task.data.seed)
    except ValueError as error:  # scikit-learn's word for texts without a word in them
        raise DataError("data.suspects_no_words", count=len(rows)) from error
    place = {name: column for column, name in enumerate(names)}
    of_given = np.maximum(shares[np.arange(len(rows)), [place[label] for label in truth]], _SMALLEST)
    best = shares.argmax(axis=1)
    losses = -np.log(of_given)
    order = sorted(range(len(rows)), key=lambda at: (-losses[at], rows[at][1].id))
    found = tuple(
        Suspect(
            id=rows[at][1].id,
            part=rows[at][0],
            inputs=rows[at][1].input,
            given=truth[at],
            proposed=names[best[at]],
            probability=round(float(shares[at, best[at]]), 4),
            loss=round(float(losses[at]), 4),
            strong=bool(shares[at, best[at]] >= STRONG_ODDS * of_given[at]),
        )
        for at in order
        if names[best[at]] != truth[at]
    )
    return Suspects(len(rows), 1 - len(found) / len(rows), found, small)


def suspects_to_csv(suspects: Sequence[Suspect], target: str | None, placeholders: Sequence[str], reviews: Reviews) -> str:
    """The rows as CSV for a spreadsheet, with what was marked so far; formulas disarmed, marked as UTF-8."""
    fixed = ("id", "part", "given", "proposed", "probability", "loss", "mark", "new_label")
    cells = (_cells(row, placeholders, reviews.get((row.id, target))) for row in suspects)
    return spreadsheet_csv([*fixed[:2], *input_columns(placeholders, fixed), *fixed[2:]], cells)


def _cells(row: Suspect, placeholders: Sequence[str], review: Review | None) -> Sequence[Any]:
    texts = (row.inputs.get(name, "") for name in placeholders)
    marked = (review.mark, review.label) if review else (None, None)
    return (row.id, row.part, *texts, row.given, row.proposed, row.probability, row.loss, *marked)
