"""Entering the system in use today: its file is read against a version's test rows and its answers are kept in the task's folder.

The one place page and command line call. Also the test rows as a file for that system to answer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from coach.errors import CoachError
from coach.systems import System, keep_system
from coach.version_folder import Version
from coach.workspace import Task
from training.attached_file import SOURCE_FILE
from training.data.intake import look_at_path, look_at_upload, safe_name
from training.data.rows import read_rows
from training.data.source_fit import said_columns
from training.spreadsheet import input_columns, spreadsheet_csv
from training.system_file import SystemFile, read_system
from training.system_rows import HANDED_OUT


@dataclass(frozen=True)
class Entered:
    """A system's place in the task's folder, and what its file was read as."""

    system: System
    file: SystemFile


def enter_upload(task: Task, version: Version, stream: BinaryIO, name: str, *, column: str | None = None) -> Entered:
    """Reads an uploaded file and keeps its answers. Raises DataError and WorkspaceError; nothing is kept then."""
    return _keep(task, look_at_upload(task, stream, name, _reader(task, version, column)))


def enter_path(task: Task, version: Version, said: str, *, column: str | None = None) -> Entered:
    """The same for a file on this machine, seen from the task's folder first."""
    return _keep(task, look_at_path(task, said, _reader(task, version, column)))


def read_for(task: Task, version: Version, path: Path, *, column: str | None = None) -> SystemFile:
    """What `enter_path` would keep. Raises as `read_system`."""
    return _reader(task, version, column)(path)


def _reader(task: Task, version: Version, column: str | None) -> Callable[[Path], SystemFile]:
    mapping: dict[str, str] = {}
    with suppress(CoachError):  # a source that cannot be read is said where data are made; here it only helps to tell columns
        mapping = said_columns(task.folder / SOURCE_FILE)
    return lambda path: read_system(path, version, column=column, mapping=mapping)


def _keep(task: Task, file: SystemFile) -> Entered:
    return Entered(keep_system(task, Path(safe_name(file.path.name)).stem, file.predicted), file)


def rows_to_answer(version: Version) -> str:
    """The test rows as CSV, without their labels: id, a column an input, and an empty `predicted` to be filled in."""
    names = version.config.placeholders
    rows = read_rows(version.split_path("test"))
    cells = ([row.id, *(row.input.get(name, "") for name in names), ""] for row in rows)
    return spreadsheet_csv(["id", *input_columns(names, HANDED_OUT), "predicted"], cells)
