"""The first data_source.yaml of a task, from a file someone points at: columns guessed, the file brought into the folder.

Owns that one step from a file outside to a source inside the task folder. Guessing is `columns.py`'s, the document `source.py`'s.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from coach.atomic_write import write_atomically
from coach.task_schema import TaskFile
from training.data.columns import guess_mapping
from training.data.read import read_table
from training.data.source import OUTPUT_FIELD, DataSource, data_source_to_yaml, source_document
from training.data.table import Table


def first_data_source(task: TaskFile, data_file: Path, folder: Path, *, now: datetime) -> DataSource:
    """A source for `data_file`, copied to `folder/raw/` unless it lies in the folder already.

    With several placeholders, rows that share the longest one stay in one part. Raises DataError: a file that cannot be read, or
    columns that cannot be told.
    """
    table = read_table(data_file)
    outputs = list(task.output_format.properties or {}) if task.output_format.type == "json" else [OUTPUT_FIELD]
    labels = next(iter(task.targets.values()), None)
    mapping = guess_mapping(table, task.placeholders, outputs, labels)
    return source_document(
        task,
        mapping,
        _path_in_folder(data_file, folder),
        now=now,
        table_format=table.format,
        encoding=table.encoding,
        delimiter=table.delimiter,
        group_by=_longest(table, mapping, task) if len(task.placeholders) > 1 else None,
    )


def write_first_data_source(task: TaskFile, data_file: Path, folder: Path, *, now: datetime) -> DataSource:
    """The same, written as `folder/data_source.yaml`."""
    source = first_data_source(task, data_file, folder, now=now)
    write_atomically(folder / "data_source.yaml", data_source_to_yaml(source))
    return source


def _path_in_folder(data_file: Path, folder: Path) -> str:
    try:
        return data_file.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        pass
    content = data_file.read_bytes()
    copy = folder / "raw" / data_file.name
    count = 1
    while copy.exists() and copy.read_bytes() != content:
        count += 1
        copy = folder / "raw" / f"{data_file.stem}-{count}{data_file.suffix}"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(copy, content)
    return copy.relative_to(folder).as_posix()


def _longest(table: Table, mapping: dict[str, str], task: TaskFile) -> str:
    return max(task.placeholders, key=lambda name: sum(len(cell or "") for cell in table.column(mapping[name])))
