"""A look at a person's file before there is a task: how many rows, which classes, how long, and what the cheap baseline scores.

Gives the coach its `DataFacts`. Reads one file; writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from coach.answers import Answers
from coach.errors import DataError
from coach.learning_curve import CurvePoint
from coach.situation import DataFacts, Look, are_many
from coach.task_schema import Metric, TaskFile
from training.data.audit import audit
from training.data.audit_report import WARNINGS
from training.data.columns import guess_columns
from training.data.read import read_table
from training.data.row_ids import same_text
from training.data.rows import Row
from training.data.split import drop_repeats
from training.data.table import Table

if TYPE_CHECKING:
    from training.forecast_baseline import Choice, CountedRows

BASELINE_ROWS = 4_000
APART_SEEDS = 3
FEWEST_ROWS = 10
MOST_CLASSES = 200


class BaselineFacts(TypedDict, total=False):
    """What `DataFacts` says of the cheap baseline."""

    baseline_macro_f1: float
    baseline_accuracy: float
    baseline_curve: tuple[CurvePoint, ...]
    alike_rows: int
    compared_rows: int
    baseline_apart: float | None


def look_at_file(path: Path, answers: Answers, *, text: Sequence[str] = (), label: str | None = None, seed: int = 42) -> Look:
    """`look_at_table` for a file nobody has said more about than its columns. Raises DataError where it cannot be read."""
    return look_at_table(read_table(path), answers, text=text, label=label, seed=seed)


def look_at_table(
    table: Table,
    answers: Answers,
    *,
    text: Sequence[str] = (),
    label: str | None = None,
    mapping: Mapping[str, str] | None = None,
    test: Table | None = None,
    group_by: str | None = None,
    seed: int = 42,
) -> Look:
    """The facts of a table for the answers' type of task; columns are guessed unless given.

    `mapping` is what data_source.yaml calls the columns, `test` the part that came with the data. For a classification the
    baseline is scored by 5-fold cross-validation on the usable rows, at most BASELINE_ROWS of them: the C it uses was chosen on the
    same rows, which flatters it a little. Rows of one value in `group_by`, a field or a column, stay in one fold. Raises DataError.
    """
    guess = guess_columns(table, answers.task.labels)
    texts, labelled = tuple(text) or guess.text[:1], label or guess.label
    if not texts:
        raise DataError("data.column_missing", column="--text", path=table.path.name, columns=", ".join(table.columns))
    is_classification = (answers.task.type or "classification") == "classification"
    audited, allowed = labelled if is_classification else None, answers.task.labels if is_classification else None
    report = audit(table, list(texts), audited, allowed_labels=allowed)
    counts = {name: count for name, count in report.class_distribution.items() if name} if is_classification else {}
    out = {number for code, numbers in report.problems.items() if code not in WARNINGS for number in numbers}
    columns = _Columns(texts, labelled, _group_column(table, mapping, group_by)) if labelled else None
    scored = _baseline(table, columns, counts, out, answers, seed) if is_classification and columns else {}
    facts = DataFacts(
        rows=report.rows_valid,
        class_counts=counts,
        test_rows=audit(test, list(texts), audited, allowed_labels=allowed).rows_valid if test is not None else None,
        median_chars=report.chars.median if report.chars else None,
        p95_chars=report.chars.p95 if report.chars else None,
        conflicting_rows=len(report.problems.get("label_conflict", [])),
        repeated_rows=len(report.problems.get("duplicate", [])),
        unnamed_labels=report.unknown_labels,
        **scored,
    )
    return Look(facts, table.path, texts, labelled, tuple(counts), dict(mapping or {}))


def _group_column(table: Table, mapping: Mapping[str, str] | None, group_by: str | None) -> str | None:
    """data_source.yaml may name a field or a column; one that is not there groups nothing."""
    column = (mapping or {}).get(group_by or "", group_by)
    return column if column in table.columns else None


@dataclass(frozen=True)
class _Columns:
    texts: Sequence[str]
    label: str
    group_by: str | None


def _baseline(
    table: Table, columns: _Columns, counts: dict[str, int], out: Container[int], answers: Answers, seed: int
) -> BaselineFacts:
    """Scores of the out-of-fold predictions and how they grow with the rows; nothing where the rows do not allow folds."""
    if not 2 <= len(counts) <= MOST_CLASSES or min(counts.values()) < 2 or sum(counts.values()) < FEWEST_ROWS:
        return {}
    from training.forecast_baseline import counted, out_of_fold
    from training.learning_curve import learning_curve

    metric = answers.success.primary_metric or "macro_f1"
    task = baseline_task(list(counts), language=answers.task.language or "zh-TW", metric=metric)
    rows, groups = _rows(table, columns, out, task, seed)
    truth = Counter(str(row.output) for row in rows)
    if len(truth) < 2 or min(truth.values()) < 2:
        return {}
    try:
        looked_at = replace(counted(rows, task), groups=groups)
    except ValueError:  # scikit-learn's word for texts without a word in them
        return {}
    predicted, choice = out_of_fold(looked_at, seed=seed)
    found = looked_at.report(predicted)
    return {
        "baseline_macro_f1": round(found.macro_f1, 4),
        "baseline_accuracy": round(found.accuracy, 4),
        "baseline_curve": tuple(learning_curve(looked_at, choice, seed=seed)),
        **_alike(rows, looked_at, choice, task.language, seed),
    }


def _alike(rows: Sequence[Row], looked_at: CountedRows, choice: Choice, language: str, seed: int) -> BaselineFacts:
    """How many rows share their wording with another, of another group where there are groups; where they are many, the score with such
    rows kept apart."""
    from training.forecast_baseline import score_apart
    from training.near_copies import wordings

    found = wordings(rows, language)
    if found is None:
        return {}
    alike = found.alike(looked_at.groups)
    facts: BaselineFacts = {"alike_rows": alike, "compared_rows": len(found.group_of)}
    if not are_many(alike, len(found.group_of)):
        return facts
    places = sorted(found.group_of)
    part = looked_at[np.array(places)]
    if min(Counter(part.truth).values()) < 2 or len(set(part.truth)) < 2:
        return facts
    apart = score_apart(part, choice, [found.group_of[place] for place in places], seeds=range(seed, seed + APART_SEEDS))
    return {**facts, "baseline_apart": round(apart, 4)}


def baseline_task(labels: list[str], *, language: str, metric: Metric = "macro_f1") -> TaskFile:
    """Just enough of a task for the baseline: one text, these labels, a metric and a language."""
    return TaskFile.model_validate(
        {
            "task_name": "look",
            "language": language,
            "input_template": "{text}",
            "output_format": {"type": "text", "enum": labels},
            "training": {"base_model": "none", "method": "baseline"},
            "success_criteria": {"primary_metric": metric},
        }
    )


def _rows(
    table: Table, columns: _Columns, out: Container[int], task: TaskFile, seed: int
) -> tuple[list[Row], NDArray[Any] | None]:
    """The rows that are not `out` (repeats and contradictions are), at most BASELINE_ROWS, drawn from the whole file; and their groups,
    where a column says which rows belong together: a row whose cell is empty stands alone.

    Drawn, not every n-th: a file may be written in turns, one class after the other.
    """
    from training.data.labels import canonical_labels

    label = columns.label
    canonical = canonical_labels(Counter(row.get(label) or "" for row in table.rows), task.targets[None])
    usable = [place for place, number in enumerate(table.row_numbers) if number not in out]
    if len(usable) > BASELINE_ROWS:
        usable = sorted(Random(seed).sample(usable, BASELINE_ROWS))
    rows = []
    for place in usable:
        row = table.rows[place]
        text = "\n".join((row.get(column) or "").strip() for column in columns.texts).strip()
        name = canonical.get(row.get(label) or "")
        if text and name:
            rows.append(Row(str(table.row_numbers[place]), {"text": text}, name))
    kept = drop_repeats(rows)[0]
    if columns.group_by is None:
        return kept, None
    said = {str(number): row.get(columns.group_by) for number, row in zip(table.row_numbers, table.rows, strict=True)}
    number_of: dict[str, int] = {}
    names = [same_text(said.get(row.id) or "") or row.id for row in kept]
    return kept, np.array([number_of.setdefault(name, len(number_of)) for name in names])
