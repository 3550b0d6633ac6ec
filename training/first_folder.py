"""The first files of a task folder, made from answers and a plan: task.yaml, and data_source.yaml with columns guessed.

Owns what is written where and what is never overwritten. Building `data/` from the source is the run's.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from coach.answers import Answers
from coach.atomic_write import not_written, write_atomically
from coach.errors import DataError, DocumentError, UserError
from coach.plan import Plan
from coach.situation import Look
from coach.task_draft import default_placeholders, draft_task
from coach.task_file import task_to_yaml
from coach.task_schema import TaskFile
from training.data.columns import guess_mapping
from training.data.read import read_table
from training.data.source import data_source_to_yaml, read_data_source, source_document
from training.data.source_fit import fits, output_fields, refitted, sole_file
from training.data.table import Table

BEFORE = ".before"


@dataclass(frozen=True)
class Drafted:
    """A task and where its rows come from; `table` is None where the answers name no file."""

    task: TaskFile
    table: Table | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    entity_left_out: bool = False


@dataclass(frozen=True)
class Written:
    """What was written. `kept`: the former task.yaml, where it differed; `copied`: the raw file's place in the folder."""

    task_path: Path
    source_path: Path | None = None
    source_existed: bool = False
    kept: Path | None = None
    copied: Path | None = None


def draft(answers: Answers, plan: Plan, *, name: str, look: Look | None, document: str, now: datetime) -> Drafted:
    """The task; with a look at a file, labels and columns are taken from it where the answers leave them open.

    `document` is what errors call the answers. Raises UserError for a classification without labels, DataError for a file that
    cannot be read or whose columns cannot be told.
    """
    labels = answers.task.labels or (sorted(look.labels) if look else [])
    if (answers.task.type or "classification") == "classification" and len(labels) < 2:
        raise UserError("command.no_labels", name=document)
    wanted, at_least = _inputs(answers, look)
    for placeholders in [wanted, at_least] if wanted != at_least else [wanted]:
        task = draft_task(answers, plan, name=name, labels=labels, placeholders=placeholders, now=now)
        if look is None:
            return Drafted(task)
        table = read_table(look.path)
        try:
            known = _said_before(look, task)
            guessed = guess_mapping(table, task.placeholders, output_fields(task), labels, known)
            mapping = guessed if known else _as_looked(guessed, look, output_fields(task))
        except DataError:
            if placeholders == at_least:
                raise
            continue
        return Drafted(task, table, mapping, entity_left_out=placeholders != wanted)
    raise AssertionError("unreachable: the last choice returns or raises")


def refuse_target(task_path: Path, answers_path: Path) -> None:
    """Raises UserError where the task would be written over the answers it is made from."""
    if task_path.exists() and answers_path.exists() and task_path.samefile(answers_path):
        raise UserError("command.output_is_answers", path=str(task_path))


def write_first_files(drafted: Drafted, task_path: Path, *, now: datetime) -> Written:
    """Writes task.yaml, copies a raw file from outside into `raw/`, and writes data_source.yaml unless there is one.

    Raises WorkspaceError where the disk does not take it.
    """
    folder = task_path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = _keep_former(task_path, task_to_yaml(drafted.task))
        if drafted.table is None:
            write_atomically(task_path, task_to_yaml(drafted.task))
            return Written(task_path, kept=kept)
        raw, copied = _within(folder, drafted.table.path)
    except OSError as error:
        raise not_written(error, task_path) from error
    table, source_path = drafted.table, folder / "data_source.yaml"
    if source_path.exists():
        existed = _source_that_stays(source_path, drafted, raw, now)
    else:
        existed = False
        source = source_document(
            drafted.task,
            drafted.mapping,
            raw,
            now=now,
            table_format=table.format,
            encoding=table.encoding,
            delimiter=table.delimiter,
        )
        write_atomically(source_path, data_source_to_yaml(source))
    write_atomically(task_path, task_to_yaml(drafted.task))
    return Written(task_path, source_path, existed, kept, copied)


def _as_looked(mapping: dict[str, str], look: Look, output_fields: list[str]) -> dict[str, str]:
    """`mapping` with the text and the label that the advice was given on, unless another field has taken that column."""
    chosen = {"text": look.text_columns[0]} | (
        {output_fields[0]: look.label_column} if look.label_column and len(output_fields) == 1 else {}
    )
    for name, column in chosen.items():
        if name in mapping and column not in [taken for field, taken in mapping.items() if field != name]:
            mapping[name] = column
    return mapping


def _inputs(answers: Answers, look: Look | None) -> tuple[list[str], list[str]]:
    """The placeholders wanted and those to fall back on: what data_source.yaml names, and what the described input speaks of."""
    described = default_placeholders(answers)
    said = [field for field, column in look.mapping.items() if column != look.label_column] if look else []
    if not said:
        return described, ["text"]
    at_least = [field for field in said if field != "text"] + [field for field in said if field == "text"]
    return [*(field for field in described if field not in said and field != "text"), *at_least], at_least


def _said_before(look: Look, task: TaskFile) -> dict[str, str]:
    """The columns data_source.yaml names for fields of the task; a label it names by another name stands for the one output."""
    known = {field: column for field, column in look.mapping.items() if field in (*task.placeholders, *output_fields(task))}
    outputs = output_fields(task)
    if look.mapping and look.label_column and len(outputs) == 1:
        known[outputs[0]] = look.label_column
    return known


def _source_that_stays(path: Path, drafted: Drafted, raw: str, now: datetime) -> bool:
    """Whether the data_source.yaml at `path` stays as it is: any but one of this very file whose columns do not fit the task.

    Such a one, written when the file was attached, gets the task's fields here.
    """
    try:
        source = read_data_source(path)
    except DocumentError:
        return True
    entry = sole_file(source)
    if entry is None or entry.config.source_path != raw or fits(source, drafted.task):
        return True
    write_atomically(path, data_source_to_yaml(refitted(source, drafted.task, drafted.mapping, now=now)))
    return False


def _keep_former(task_path: Path, new: str) -> Path | None:
    """A former task.yaml that says something else is kept beside the new one; times do not count as a difference."""
    if not task_path.exists():
        return None
    former = task_path.read_text(encoding="utf-8", errors="replace")
    if _without_times(former) == _without_times(new):
        return None
    return copy_beside(task_path)


def copy_beside(path: Path) -> Path:
    """Copies to `path.before`, or the first free of `.before-2`, `.before-3`, …; the file itself stays until it is replaced."""
    for number in itertools.count(1):
        kept = path.with_name(path.name + BEFORE + (f"-{number}" if number > 1 else ""))
        try:
            with open(kept, "xb") as copy:
                copy.write(path.read_bytes())
            return kept
        except FileExistsError:
            continue
    raise AssertionError("unreachable: some number is free")


def _without_times(document: str) -> list[str]:
    return [line for line in document.split("\n") if not line.startswith(("created:", "updated:"))]


def _within(folder: Path, path: Path) -> tuple[str, Path | None]:
    """The raw file's path relative to the task folder; from outside it is copied into `raw/`, under a free name."""
    inside = path.resolve()
    if inside.is_relative_to(folder.resolve()):
        return inside.relative_to(folder.resolve()).as_posix(), None
    target = folder / "raw" / path.name
    target.parent.mkdir(exist_ok=True)
    number = 2
    while target.exists() and target.read_bytes() != path.read_bytes():
        target, number = folder / "raw" / f"{path.stem}-{number}{path.suffix}", number + 1
    if not target.exists():
        shutil.copyfile(path, target)
    return target.relative_to(folder).as_posix(), target
