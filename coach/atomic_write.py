"""Writing a file so that a reader sees the old one or the new one, never half of either.

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
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise not_written(error, path) from error


def not_written(error: OSError, path: Path) -> WorkspaceError:
    """What the system said about writing `path`, as a sentence."""
    if error.errno in _NO_ROOM:
        return WorkspaceError("workspace.disk_full", path=str(path))
    if error.errno in _NO_RIGHT:
        return WorkspaceError("workspace.not_writable", path=str(path))
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return WorkspaceError("workspace.folder_gone", path=str(path), folder=str(path.parent))
    return WorkspaceError("workspace.write_failed", path=str(path), reason=error.strerror or str(error))
