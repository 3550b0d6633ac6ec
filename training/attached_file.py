"""The data file of a task as it lies in its folder: which it is, how its columns are read, and what a look at it shows.

The one place pages and the command line ask. Honours data_source.yaml: its file, its columns, its test part. Reads, writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coach.answers import Answers
from coach.errors import CoachError
from coach.situation import Look
from coach.task_draft import default_placeholders, json_property
from coach.task_file import read_task_file
from coach.task_schema import TaskFile, TaskType
from coach.workspace import TASK_FILE, Task
from training.data.source import OUTPUT_FIELD, OUTPUT_FIELDS, DataSource, FileSource, read_data_source
from training.data.source_fit import TEXT_FIELD, first_file, output_fields, sole_file
from training.data.table import FileFormat, Table
from training.known_inspections import known
from training.label_hints import said_labels, said_words

if TYPE_CHECKING:
    from training.data.audit_report import AuditReport

SOURCE_FILE = "data_source.yaml"
SAMPLE_ROWS, SAMPLE_CHARACTERS = 5, 200
Stamp = tuple[int, int]  # time of change in ns, bytes


@dataclass(frozen=True)
class Attachment:
    """A task's file and everything that decides what is seen in it; equal ones show the same.

    `mapping` goes from field to column as data_source.yaml says, empty where nobody has said. `placeholders` and `outputs` are the
    fields to fill. `labels`: what people say the answers are, None where the file itself has said it; `said`: words of theirs a label
    may stand in. `is_settled`: data_source.yaml names this file; `is_sole`: and no other source beside it.
    """

    path: Path
    stamp: Stamp | None
    placeholders: tuple[str, ...]
    outputs: tuple[str, ...]
    task_type: TaskType
    labels: tuple[str, ...] | None = None
    said: str = ""
    mapping: tuple[tuple[str, str], ...] = ()
    format: FileFormat | None = None
    encoding: str | None = None
    delimiter: str | None = None
    test_path: Path | None = None
    test_stamp: Stamp | None = None
    is_settled: bool = False
    is_sole: bool = False
    group_by: str | None = None

    @property
    def is_there(self) -> bool:
        return self.stamp is not None

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that stand in the mapping and are no answer, the main text first."""
        inputs = {field: column for field, column in self.mapping if field not in self.outputs}
        return tuple(column for _, column in sorted(inputs.items(), key=lambda pair: pair[0] != TEXT_FIELD))

    @property
    def label_column(self) -> str | None:
        said = dict(self.mapping)
        return next((said[field] for field in self.outputs if field in said), None)


@dataclass(frozen=True)
class Inspection:
    """What the file shows, quickly. `mapping`: as said, else as guessed; `is_sure`: said, or guessed with confidence.

    `sample`: the first rows, cells cut; `report` is None where no column is a text. `is_doubtful`: the coach itself would not have been
    sure of these columns. `repeating`: columns that could group rows.
    """

    columns: tuple[str, ...]
    mapping: dict[str, str]
    outputs: tuple[str, ...]
    is_sure: bool
    sample: list[dict[str, str]]
    report: AuditReport | None
    is_doubtful: bool = False
    repeating: tuple[str, ...] = ()

    @property
    def label_column(self) -> str | None:
        return next((self.mapping[field] for field in self.outputs if field in self.mapping), None)


def attached(task: Task) -> Attachment | None:
    """The file the task's rows come from, whether or not it is still there; None where none is named. Raises DocumentError."""
    return _attachment(task.folder, task.answers(), None)


def arriving(task: Task, path: Path) -> Attachment:
    """A file that nobody has said anything about yet, as the file of `task`."""
    return _without_source(path, task.answers(), _task_file(task.folder))


def look(task: Task) -> Look | None:
    """The look that advice is given on: columns and test part as data_source.yaml has them; None where there is no file to look at.

    Takes seconds on many rows (the cheap baseline is scored). Raises DataError for a file that cannot be used, DocumentError for a
    damaged data_source.yaml.
    """
    found = attached(task)
    return _look(found, task.answers()) if found and found.is_there else None


def look_in(folder: Path, answers: Answers, path: Path, *, text: Sequence[str] = (), label: str | None = None) -> Look:
    """The same for a file named on the command line beside `folder`'s documents; columns given there go before those written down."""
    found = _attachment(folder, answers, path)
    assert found is not None
    return _look(found, answers, text=text, label=label)


def inspect(attachment: Attachment) -> Inspection:
    """Columns, first rows and the audit. Raises DataError for a file that cannot be read."""
    from training.data.audit import audit
    from training.data.columns import guess_columns, likely_mapping

    if (seen := known(attachment)) is not None:
        return seen
    table = _table(attachment)
    said = {field: column for field, column in attachment.mapping if column in table.columns}
    is_said = bool(attachment.mapping) and len(said) == len(attachment.mapping)
    guess = guess_columns(table, attachment.labels, attachment.said)
    wanted = (attachment.placeholders, attachment.outputs, attachment.labels, attachment.said)
    mapping = said if is_said else likely_mapping(table, *wanted, main=TEXT_FIELD)
    texts = [column for field, column in mapping.items() if field not in attachment.outputs]
    label = next((mapping[field] for field in attachment.outputs if field in mapping), None)
    is_guess = label == guess.label and set(guess.text[:1]) <= set(texts)
    is_classification = attachment.task_type == "classification"
    answer, allowed = (label, attachment.labels) if is_classification else (None, None)
    report = audit(table, texts, answer, allowed_labels=allowed) if texts else None
    sample = [{name: (row.get(name) or "")[:SAMPLE_CHARACTERS] for name in table.columns} for row in table.rows[:SAMPLE_ROWS]]
    sure, doubtful = is_said or guess.is_sure, is_guess and not guess.is_sure
    return Inspection(table.columns, mapping, attachment.outputs, sure, sample, report, doubtful, table.repeating())


def _look(found: Attachment, answers: Answers, *, text: Sequence[str] = (), label: str | None = None) -> Look:
    from training.data.read import read_table
    from training.data_facts import look_at_table

    is_overruled = bool(text or label)
    return look_at_table(
        _table(found),
        answers,
        text=tuple(text) or found.text_columns,
        label=label or found.label_column,
        mapping=None if is_overruled else {field: column for field, column in found.mapping if field not in found.outputs[1:]},
        test=read_table(found.test_path) if found.test_path and found.test_stamp else None,
        group_by=found.group_by,
    )


def _table(found: Attachment) -> Table:
    from training.data.read import read_table

    return read_table(found.path, format=found.format, encoding=found.encoding, delimiter=found.delimiter)


def _attachment(folder: Path, answers: Answers, asked: Path | None) -> Attachment | None:
    """The file `asked` for, else the one data_source.yaml reads, else the one the answers name."""
    source = read_data_source(folder / SOURCE_FILE) if (folder / SOURCE_FILE).is_file() else None
    entry = first_file(source) if source else None
    if source and entry and (asked is None or _is_same(folder / entry.config.source_path, asked)):
        return _with_source(folder, answers, source, entry)
    named = asked or (folder / answers.resources.data_path if answers.resources.data_path else None)
    return _without_source(named, answers, _task_file(folder)) if named else None


def _with_source(folder: Path, answers: Answers, source: DataSource, entry: FileSource) -> Attachment:
    task = _task_file(folder)
    path = folder / entry.config.source_path
    test = folder / source.split.test_file if source.split.test_file else None
    return Attachment(
        path=path,
        stamp=_stamp(path),
        placeholders=tuple(task.placeholders if task else default_placeholders(answers)),
        outputs=_outputs(task, answers, source, entry),
        task_type=_type(task, answers),
        labels=said_labels(answers),
        said=said_words(answers),
        mapping=tuple(entry.mapping.items()),
        format=entry.config.format,
        encoding=entry.config.encoding,
        delimiter=entry.config.delimiter,
        test_path=test,
        test_stamp=_stamp(test) if test else None,
        is_settled=True,
        is_sole=sole_file(source) is not None,
        group_by=source.split.group_by,
    )


def _without_source(path: Path, answers: Answers, task: TaskFile | None) -> Attachment:
    return Attachment(
        path=path,
        stamp=_stamp(path),
        placeholders=tuple(task.placeholders if task else default_placeholders(answers)),
        outputs=tuple(output_fields(task)) if task else (OUTPUT_FIELD,),
        task_type=_type(task, answers),
        labels=said_labels(answers),
        said=said_words(answers),
    )


def _outputs(task: TaskFile | None, answers: Answers, source: DataSource, entry: FileSource) -> tuple[str, ...]:
    """The fields of the mapping that are the answer: the task's, else those that are called so, else what the split goes by."""
    declared = [name for name in output_fields(task) if name in entry.mapping] if task else []
    called = [name for name in OUTPUT_FIELDS if name in entry.mapping]
    leaning = [name for name in (source.split.stratify_by, json_property(answers)) if name and name in entry.mapping]
    return tuple(declared or called[:1] or leaning[:1] or (output_fields(task) if task else [OUTPUT_FIELD]))


def _type(task: TaskFile | None, answers: Answers) -> TaskType:
    return answers.task.type or (task.task_type if task else "classification")


def _task_file(folder: Path) -> TaskFile | None:
    """task.yaml where there is a sound one; a damaged one is said on the pages that read it."""
    try:
        return read_task_file(folder / TASK_FILE) if (folder / TASK_FILE).is_file() else None
    except CoachError:
        return None


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
        return (found.st_mtime_ns, found.st_size) if path.is_file() else None
    except (OSError, ValueError):
        return None


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
