"""Making a task's folder, whole or not at all: what a full disk leaves half done is taken away again, and the name stays free.

Takes away only what it has made itself. Knows nothing of what the documents say.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from coach.atomic_write import not_written, write_atomically
from coach.errors import WorkspaceError


def make_task_folder(folder: Path, documents: Mapping[str, str]) -> None:
    """`folder` with an empty `data/` and each of `documents`, name to content.

    Raises WorkspaceError where the name is taken or something cannot be written; the folder is then as it was before: not there.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError as error:
        raise WorkspaceError("workspace.task_exists", name=folder.name, root=str(folder.parent)) from error
    except OSError as error:
        raise not_written(error, folder) from error
    try:
        (folder / "data").mkdir()
        for name, content in documents.items():
            write_atomically(folder / name, content)
    except BaseException as error:
        _take_away(folder, documents)
        if isinstance(error, OSError) and not isinstance(error, WorkspaceError):
            raise not_written(error, folder) from error
        raise


def _take_away(folder: Path, documents: Mapping[str, str]) -> None:
    """Nothing of anybody else's: a folder that holds more by now stays."""
    with suppress(OSError):
        for name in documents:
            (folder / name).unlink(missing_ok=True)
        for made in (folder / "data", folder):
            made.rmdir()
