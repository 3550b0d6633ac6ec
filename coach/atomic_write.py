"""Writing a file so that a reader sees the old one or the new one, never half of either.

What counts is on the disk before its name is, and the name before anything that relies on it: written, flushed, renamed, folder flushed.
Refuses to know what it writes. A folder that is gone is not made again: a late write must not bring a deleted task back.
"""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from coach.errors import WorkspaceError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER_FLUSH = {errno.EBADF, errno.EINVAL}  # some file systems cannot; PostgreSQL's fsync_fname passes over the same two


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes beside `path`, flushes to the disk and renames; text as UTF-8. Raises WorkspaceError, and leaves no half file."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            flush_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise not_written(error, path) from error


def remove_unfinished(path: Path) -> None:
    """Clears away what killed writes of `path` have left. Only for whoever knows that nobody else is writing it now."""
    for temporary in path.parent.glob(f".{path.name}.*.tmp"):
        temporary.unlink(missing_ok=True)


def move_into_place(folder: Path, target: Path) -> None:
    """Renames a finished folder to `target`, which must not be there, once everything in it is on the disk. Raises OSError."""
    for path in folder.rglob("*"):
        if path.is_file():
            _flush(path)
    for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        flush_folder(inner)
    os.rename(folder, target)
    flush_folder(target.parent)


def flush_folder(folder: Path) -> None:
    """Flushes the names in a folder, so that a rename outlives a power cut. Raises OSError."""
    if os.name == "nt":  # folders cannot be opened there
        return
    try:
        _flush(folder)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FLUSH:
            raise


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def not_written(error: OSError, path: Path) -> WorkspaceError:
    """What the system said about writing `path`, as a sentence."""
    if error.errno in _NO_ROOM:
        return WorkspaceError("workspace.disk_full", path=str(path))
    if error.errno in _NO_RIGHT:
        return WorkspaceError("workspace.not_writable", path=str(path))
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return WorkspaceError("workspace.folder_gone", path=str(path), folder=str(path.parent))
    return WorkspaceError("workspace.write_failed", path=str(path), reason=error.strerror or str(error))
