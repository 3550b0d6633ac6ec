"""Attaching a file to a task and correcting how its columns are read: the file, data_source.yaml and the answers together.

Owns the order of the writing and what is kept of the former source. Advice and drawing are elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from coach.answer_edits import changed
from coach.answers import write_answers
from coach.atomic_write import write_atomically
from coach.errors import CoachError, DataError
from coach.workspace import ANSWERS_FILE, Task
from training.attached_file import SOURCE_FILE, Attachment, Inspection, arriving, attached, inspect
from training.data.intake import take_path, take_upload
from training.data.source import data_source_to_yaml, read_data_source, source_document
from training.data.source_fit import TEXT_FIELD, refitted, sketch, sole_file
from training.file_findings import Findings, findings, to_fill
from training.first_folder import copy_beside

Examine = Callable[[Attachment], Inspection]  # `inspect`, or a cached one


@dataclass(frozen=True)
class Attached:
    """`filled`: keys of the answers the file has answered; `kept`: the former data_source.yaml, where another stood there."""

    path: Path
    filled: tuple[str, ...]
    kept: Path | None = None


def attach_upload(task: Task, stream: BinaryIO, name: str, *, now: datetime, examine: Examine = inspect) -> Attached:
    """Takes an uploaded file as the task's data. Raises DataError and WorkspaceError; nothing is changed then."""
    path, inspection = take_upload(task, stream, name, lambda waiting: inspect(arriving(task, waiting)))
    return _attach(task, path, inspection, now, examine)


def attach_path(task: Task, said: str, *, now: datetime, examine: Examine = inspect) -> Attached:
    """Takes a file on this machine as the task's data; from outside the folder it is copied. Raises as `attach_upload`."""
    path, inspection = take_path(task, said, lambda waiting: inspect(arriving(task, waiting)))
    return _attach(task, path, inspection, now, examine)


def correct_columns(
    task: Task, mapping: Mapping[str, str], *, seen: Mapping[str, str], now: datetime, examine: Examine = inspect
) -> bool:
    """Writes how columns are read into data_source.yaml; answers that came from the file follow it.

    Whether it was written: not where somebody else has changed the columns since they were `seen`. Raises DataError where the
    source is one that is edited by hand.
    """
    with task.lock():
        source = read_data_source(task.folder / SOURCE_FILE)
        entry = sole_file(source)
        before = attached(task)
        if entry is None or before is None:
            raise DataError("data.source_by_hand", path=SOURCE_FILE)
        if entry.mapping not in (dict(seen), dict(mapping)):
            return False
        former = _findings(task, before, examine)
        inputs = [field for field in mapping if field not in before.outputs]
        outline = task.file if task.has_file else sketch(_in_reading_order(inputs), before.labels)
        write_atomically(task.folder / SOURCE_FILE, data_source_to_yaml(refitted(source, outline, mapping, now=now)))
        _fill(task, former, examine)
    return True


def path_in_answers(task: Task, path: Path) -> str:
    """A file's place as the answers write it: relative where it lies in the task's folder."""
    folder = task.folder.resolve()
    return path.resolve().relative_to(folder).as_posix() if path.resolve().is_relative_to(folder) else str(path)


def findings_of(task: Task, attachment: Attachment, inspection: Inspection) -> Findings:
    return findings(attachment, inspection, path_in_answers(task, attachment.path))


def _attach(task: Task, path: Path, inspection: Inspection, now: datetime, examine: Examine) -> Attached:
    former: Findings = {}
    with suppress(CoachError):  # a source or a file that cannot be read any more has filled nothing that could be told
        before = attached(task)
        former = _findings(task, before, examine) if before else {}
    with task.lock():
        kept = _write_source(task, path, inspection, now)
        filled = _fill(task, former, examine, is_new=True)
    return Attached(path, filled, kept)


def _write_source(task: Task, path: Path, inspection: Inspection, now: datetime) -> Path | None:
    """Writes data_source.yaml for a file in the folder; one that says something else is kept beside it."""
    inputs = [field for field in inspection.mapping if field not in inspection.outputs]
    outline = task.file if task.has_file else sketch(_in_reading_order(inputs), task.answers().task.labels)
    report = inspection.report
    source = source_document(
        outline,
        inspection.mapping,
        path_in_answers(task, path),
        now=now,
        table_format=report.format if report else None,  # type: ignore[arg-type]
        encoding=report.encoding if report else None,
        delimiter=report.delimiter if report else None,
        group_by=TEXT_FIELD if len(inputs) > 1 and TEXT_FIELD in inputs else None,
    )
    target, kept = task.folder / SOURCE_FILE, None
    if target.exists():
        with suppress(CoachError):
            if read_data_source(target).config_hash() == source.config_hash():
                return None
        kept = copy_beside(target)
    write_atomically(target, data_source_to_yaml(source))
    return kept


def _fill(task: Task, former: Findings, examine: Examine, *, is_new: bool = False) -> tuple[str, ...]:
    """Answers what the file answers, in the answers as they are now; the lock is the caller's."""
    now = attached(task)
    if now is None:
        return ()
    answers = task.answers()
    fields = to_fill(answers, _findings(task, now, examine), former, is_new=is_new)
    if fields:
        write_answers(task.folder / ANSWERS_FILE, changed(answers, fields))
    return tuple(fields)


def _findings(task: Task, attachment: Attachment, examine: Examine) -> Findings:
    return findings_of(task, attachment, examine(attachment)) if attachment.is_there else {}


def _in_reading_order(inputs: Sequence[str]) -> list[str]:
    """What stands beside the text goes before it, as the coach's templates have it."""
    ordered = [field for field in inputs if field != TEXT_FIELD] + [field for field in inputs if field == TEXT_FIELD]
    return ordered or [TEXT_FIELD]
