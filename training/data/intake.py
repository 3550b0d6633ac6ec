"""Taking a person's file into a task's folder: whole or not at all, under a name that cannot lead anywhere.

Owns safe names, the copy in blocks, and free places under `raw/`. What is in the file is the readers' to say.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from coach.atomic_write import not_written
from coach.errors import CoachError, DataError
from coach.workspace import Task
from training.data.read import MAX_FILE_BYTES, format_of

RAW_FOLDER = "raw"
BLOCK_BYTES = 1 << 20
LONGEST_STEM_BYTES = 160  # file systems take 255 for a whole name
_NOT_IN_A_NAME = re.compile(r"[^\w.\-]+")
T = TypeVar("T")


@dataclass(frozen=True)
class Taken(Generic[T]):
    """A file that has its place in the task's folder. `found`: what the look at it found; `is_new`: nothing stood there before."""

    path: Path
    found: T
    is_new: bool


def safe_name(name: str) -> str:
    """The last part of `name` as a plain file name: letters, digits, `_ - .` of any script; never hidden, never a path.

    Raises DataError for a suffix that is no data file's.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    path = Path(_NOT_IN_A_NAME.sub("_", last).strip("._") or "rows")
    suffix = path.suffix.lower()
    stem = path.stem.strip("._- ").encode()[:LONGEST_STEM_BYTES].decode(errors="ignore") or "rows"
    clean = Path(f"{stem}{suffix}")
    format_of(clean)
    return clean.name


def take_upload(task: Task, stream: BinaryIO, name: str, look: Callable[[Path], T]) -> Taken[T]:
    """Copies `stream` into the task's `raw/`, has `look` read it there, and only then gives it its name.

    The same bytes under the same name stay one file. Raises DataError (a file that is none of ours, too large, or that `look`
    refuses) and WorkspaceError (disk full, folder gone); nothing is left then.
    """
    with _arrived(task, stream, name) as waiting:
        found = look(waiting)
        with task.lock(), _said(waiting):
            path, is_new = _settle(waiting, task.folder / RAW_FOLDER)
            return Taken(path, found, is_new)


def take_path(task: Task, said: str, look: Callable[[Path], T]) -> Taken[T]:
    """The same for a file on this machine; one that lies in the task's folder already stays where it is.

    A relative path is seen from the task's folder first. Raises DataError for what is no regular data file.
    """
    path = _existing(task, said)
    if path.resolve().is_relative_to(task.folder.resolve()):
        return Taken(path, look(path), is_new=False)
    with _open(path) as stream:
        return take_upload(task, stream, path.name, look)


def look_at_upload(task: Task, stream: BinaryIO, name: str, look: Callable[[Path], T]) -> T:
    """What `look` finds in an uploaded file that is not kept. Raises as `take_upload`."""
    with _arrived(task, stream, name) as waiting:
        return look(waiting)


def look_at_path(task: Task, said: str, look: Callable[[Path], T]) -> T:
    """The same for a file on this machine, which is read where it lies. Raises as `take_path`."""
    return look(_existing(task, said))


def _existing(task: Task, said: str) -> Path:
    """The file meant; refusals come before anything is opened, so that no pipe or device is ever read."""
    try:
        said.encode("utf-8")  # a name on the disk that is no text could not be written into data_source.yaml
        written = Path(said.strip()).expanduser()
        inside = task.folder / written
        path = inside if inside.exists() else written.absolute()
        if path.is_dir():
            raise DataError("data.is_folder", path=said)
        if not path.exists() or not path.is_file():
            raise DataError("data.file_missing", path=said)
    except CoachError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # a name too long, no home for ~, a zero byte
        shown = said.encode("utf-8", errors="replace").decode()
        raise DataError("data.unreadable", path=shown, problem=getattr(error, "strerror", None) or str(error)) from error
    format_of(path)
    return path


def _open(path: Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise DataError("data.unreadable", path=str(path), problem=error.strerror or str(error)) from error


@contextmanager
def _arrived(task: Task, stream: BinaryIO, name: str) -> Iterator[Path]:
    """An uploaded file, whole, under a safe name in a folder of its own that is gone afterwards."""
    clean = safe_name(name)
    with _incoming(task.folder) as folder:
        waiting = folder / clean
        with _said(waiting):
            _copy(stream, waiting)
        yield waiting


@contextmanager
def _incoming(task_folder: Path) -> Iterator[Path]:
    """A folder of its own for one arriving file, on the same disk as its later place; gone afterwards."""
    folder = task_folder / RAW_FOLDER / f".incoming-{secrets.token_hex(6)}"
    with _said(folder):
        folder.parent.mkdir(exist_ok=True)
        folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except CoachError:  # some of ours are OSErrors too, and say already what is wrong
        raise
    except OSError as error:
        raise not_written(error, path) from error


def _copy(stream: BinaryIO, target: Path) -> None:
    """Block by block to the disk; the whole never stands in memory a second time."""
    taken = 0
    with open(target, "xb") as file:
        while block := stream.read(BLOCK_BYTES):
            taken += len(block)
            if taken > MAX_FILE_BYTES:
                limit = round(MAX_FILE_BYTES / 1e6)
                raise DataError("data.file_too_large", path=target.name, size_mb=round(taken / 1e6), limit_mb=limit)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def _settle(waiting: Path, folder: Path) -> tuple[Path, bool]:
    """Renames to the first free name, and whether it did: a file of that name with the same bytes is the same file."""
    content = _digest(waiting)
    target, number = folder / waiting.name, 2
    while target.exists() or target.is_symlink():
        if target.is_file() and not target.is_symlink() and _same(target, waiting, content):
            return target, False
        target, number = folder / f"{waiting.stem}-{number}{waiting.suffix}", number + 1
    os.replace(waiting, target)
    return target, True


def _same(one: Path, other: Path, digest: str) -> bool:
    return one.stat().st_size == other.stat().st_size and _digest(one) == digest


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
