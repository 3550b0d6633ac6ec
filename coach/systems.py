"""The systems in use today, each as a file of its answers: `systems/<name>.jsonl` in the task's folder, `{id, predicted}` a line.

They lie beside the versions, never inside one: a version is frozen. Owns the folder and that form; what people bring is read by
`training.system_file`, and how a version does against one is `system_comparison.py`'s to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach.answers_given import read_lines
from coach.atomic_write import not_written, write_atomically
from coach.errors import WorkspaceError
from coach.workspace import Task

SYSTEMS_FOLDER, SUFFIX = "systems", ".jsonl"
_NAME = re.compile(r"\w[\w.\-]{0,159}")  # letters of any script; no path, nothing hidden
Predicted = Mapping[str, str | None]  # row id to the label, to what stood there where that is none, to None for an empty answer


@dataclass(frozen=True)
class System:
    """One system's file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    def predicted(self) -> dict[str, str | None]:
        """Its answers by row id. Raises WorkspaceError naming the line that is none."""
        return dict(read_lines(self.path, _answer))


def systems(task: Task) -> list[System]:
    """Those of the task, the one entered last first; links and anything else in the folder are passed over."""
    folder = task.folder / SYSTEMS_FOLDER
    if not folder.is_dir() or folder.is_symlink():
        return []
    found = [
        path for path in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(path.stem) and path.is_file() and not path.is_symlink()
    ]
    return [System(path) for path in sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))]


def keep_system(task: Task, name: str, predicted: Predicted) -> System:
    """Writes a system's answers under `name`, or the next free one: what another file has said is never written over.

    The same answers under the same name stay one file. Raises WorkspaceError: a name that could lead elsewhere, a folder that
    is a link and does so, no room, no right.
    """
    if not _NAME.fullmatch(name):
        raise WorkspaceError("systems.name", name=name)
    content = "".join(json.dumps({"id": row, "predicted": said}, ensure_ascii=False) + "\n" for row, said in predicted.items())
    folder = task.folder / SYSTEMS_FOLDER
    with task.lock():
        if folder.is_symlink():
            raise WorkspaceError("systems.linked", path=str(folder))
        try:
            folder.mkdir(exist_ok=True)
            path, is_new = _place(folder, name, content)
            if not is_new:
                path.touch()  # entered last
        except OSError as error:
            raise not_written(error, folder) from error
        if is_new:
            write_atomically(path, content)
    return System(path)


def _place(folder: Path, name: str, content: str) -> tuple[Path, bool]:
    """The first place that is free or holds this already, and whether it is free."""
    path, number = folder / f"{name}{SUFFIX}", 2
    while path.exists() or path.is_symlink():
        if path.is_file() and not path.is_symlink() and path.read_bytes() == content.encode():
            return path, False
        path, number = folder / f"{name}-{number}{SUFFIX}", number + 1
    return path, True


def _answer(document: Any) -> tuple[str, str | None]:
    said = document["predicted"]
    return str(document["id"]), None if said is None else str(said)
