"""Attaching a file to a task and correcting how its columns are read: the file, data_source.yaml and the answers together.

Owns the order of the writing and what is kept of the former source. Advice and drawing are elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from coach.answer_edits import LABELS_KEY
from coach.answers import write_answers
from coach.atomic_write import write_atomically
from coach.errors import CoachError, DataError
from coach.workspace import ANSWERS_FILE, Task
from training.attached_file import SOURCE_FILE, Attachment, Inspection, arriving, attached, inspect
from training.data.intake import Taken, take_path, take_upload
from training.data.source import data_source_to_yaml, read_data_source, source_document
from training.data.source_fit import TEXT_FIELD, chosen_group, own_group, refitted, sketch, sole_file
from training.file_findings import Findings, findings, is_the_files, to_fill, with_filled
from training.first_folder import BEFORE, copy_beside
from training.known_inspections import remember_arrival

Examine = Callable[[Attachment], Inspection]  # `inspect`, or a cached one
Seen = tuple[Attachment, Inspection]


@dataclass(frozen=True)
class Attached:
    """`filled`: keys of the answers the file has answered; `kept`: the former data_source.yaml, where another stood there."""

    path: Path
    filled: tuple[str, ...]
    kept: Path | None = None


def attach_upload(task: Task, stream: BinaryIO, name: str, *, now: datetime, examine: Examine = inspect) -> Attached:
    """Takes an uploaded file as the task's data. Raises DataError and WorkspaceError; nothing is changed then."""
    return _attach(task, take_upload(task, stream, name, partial(_look, task)), now, examine)


def attach_path(task: Task, said: str, *, now: datetime, examine: Examine = inspect) -> Attached:
    """Takes a file on this machine as the task's data; from outside the folder it is copied. Raises as `attach_upload`."""
    return _attach(task, take_path(task, said, partial(_look, task)), now, examine)


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


def keep_together(task: Task, column: str | None, *, seen: str | None, now: datetime) -> bool:
    """Writes the column whose equal values stay in one part (`split.group_by`) into data_source.yaml, or that none was chosen.

    Whether it was written: not where somebody else has changed it since it was `seen`. Raises DataError as `correct_columns`.
    """
    with task.lock():
        source = read_data_source(task.folder / SOURCE_FILE)
        entry, before = sole_file(source), attached(task)
        if entry is None or before is None:
            raise DataError("data.source_by_hand", path=SOURCE_FILE)
        if source.split.group_by not in (seen, column):
            return False
        inputs = [field for field in entry.mapping if field not in before.outputs]
        split = source.split.model_copy(update={"group_by": column or own_group(inputs)})
        write_atomically(
            task.folder / SOURCE_FILE, data_source_to_yaml(source.model_copy(update={"updated": now, "split": split}))
        )
    return True


def follow_file(task: Task, *, examine: Examine = inspect) -> bool:
    """Brings the answers the file has given up to what it shows now; whether any had to be. A person's own answers stay.

    The file may have been replaced, or a label have been taken out of the task, since they were given.
    """
    with task.lock():
        now, answers = attached(task), task.answers()
        if now is None or not now.is_there or not answers.from_file:
            return False
        fields = to_fill(answers, _findings(task, now, examine))
        mine = {key: new for key, new in fields.items() if key in answers.from_file}
        if mine:
            write_answers(task.folder / ANSWERS_FILE, with_filled(answers, mine))
    return bool(mine)


def path_in_answers(task: Task, path: Path) -> str:
    """A file's place as the answers write it: relative where it lies in the task's folder."""
    folder = task.folder.resolve()
    return path.resolve().relative_to(folder).as_posix() if path.resolve().is_relative_to(folder) else str(path)


def findings_of(task: Task, attachment: Attachment, inspection: Inspection) -> Findings:
    return findings(attachment, inspection, path_in_answers(task, attachment.path))


def _look(task: Task, waiting: Path) -> Seen:
    arrived = arriving(task, waiting)
    return arrived, inspect(arrived)


def _attach(task: Task, taken: Taken[Seen], now: datetime, examine: Examine) -> Attached:
    arrived, inspection = taken.found
    former: Findings = {}
    with _nothing_left(task, taken):
        with suppress(CoachError):  # a source or a file that cannot be read any more has filled nothing that could be told
            before = attached(task)
            former = _findings(task, before, examine) if before else {}
        with task.lock():
            kept = _write_source(task, taken.path, inspection, now)
            if settled := attached(task):
                remember_arrival(arrived, inspection, settled)
            filled = _fill(task, former, examine, is_new=True)
    return Attached(taken.path, filled, kept)


@contextmanager
def _nothing_left(task: Task, taken: Taken[Seen]) -> Iterator[None]:
    """Whatever goes wrong inside, data_source.yaml and `raw/` are left as they were."""
    source = task.folder / SOURCE_FILE
    beside = f"{SOURCE_FILE}{BEFORE}*"
    former, copies = source.read_bytes() if source.is_file() else None, set(task.folder.glob(beside))
    try:
        yield
    except BaseException:
        with suppress(OSError, CoachError):
            if former is None:
                source.unlink(missing_ok=True)
            elif source.read_bytes() != former:
                write_atomically(source, former)
            for path in {*task.folder.glob(beside)} - copies | ({taken.path} if taken.is_new else set()):
                path.unlink(missing_ok=True)
        raise


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
        group_by=_former_group(task, inspection) or own_group(inputs),
    )
    target, kept = task.folder / SOURCE_FILE, None
    if target.exists():
        with suppress(CoachError):
            if read_data_source(target).config_hash() == source.config_hash():
                return None
        kept = copy_beside(target)
    write_atomically(target, data_source_to_yaml(source))
    return kept


def _former_group(task: Task, inspection: Inspection) -> str | None:
    """The column whose rows were chosen to stay together, where the new file has it too."""
    with suppress(CoachError, OSError):
        chosen = chosen_group(read_data_source(task.folder / SOURCE_FILE).split.group_by, inspection.mapping)
        return chosen if chosen in inspection.columns else None
    return None


def _fill(task: Task, former: Findings, examine: Examine, *, is_new: bool = False) -> tuple[str, ...]:
    """Answers what the file answers, in the answers as they are now; the lock is the caller's."""
    now = attached(task)
    if now is None:
        return ()
    answers = task.answers()
    if is_the_files(answers, LABELS_KEY, former):
        now = replace(now, labels=None)  # labels of the former look say nothing of what is right in this one
    fields = to_fill(answers, _findings(task, now, examine), former, is_new=is_new)
    if fields:
        write_answers(task.folder / ANSWERS_FILE, with_filled(answers, fields))
    return tuple(key for key, new in fields.items() if new.value is not None)


def _findings(task: Task, attachment: Attachment, examine: Examine) -> Findings:
    return findings_of(task, attachment, examine(attachment)) if attachment.is_there else {}


def _in_reading_order(inputs: Sequence[str]) -> list[str]:
    """What stands beside the text goes before it, as the coach's templates have it."""
    ordered = [field for field in inputs if field != TEXT_FIELD] + [field for field in inputs if field == TEXT_FIELD]
    return ordered or [TEXT_FIELD]
