"""Task folders: finding, opening, making, reading and writing them. The only door to them (contract: design.md section 4).

A task is a folder with `answers.yaml` (from the first question on) or `task.yaml` (from stage 4 on). Names that come from outside
are held against a pattern and against the folder they must lie in. What is inside a version is `version_folder.py`'s.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from coach.answers import Answers, answers_to_yaml, read_answers, write_answers
from coach.atomic_write import not_written, write_atomically
from coach.data_snapshot import DATA_VERSION
from coach.errors import CoachError, WorkspaceError
from coach.folder_making import make_task_folder
from coach.lineage import lineage_document
from coach.task_file import read_task_file, task_to_yaml
from coach.task_schema import SLUG_PATTERN, TaskFile
from coach.task_summary import TaskSummary, read_summary, summary_to_yaml
from coach.version_folder import SAFE_NAME, Arrange, Version, freeze, read_json, write_json
from coach.versioning import version_key
from coach.yaml_document import document_bytes

__all__ = [
    "Task", "Version", "create_task", "find_task", "freeze_version", "lineage_document", "list_tasks", "read_json",
    "workspace_root", "write_atomically", "write_json",
]  # fmt: skip

TASK_FILE, ANSWERS_FILE, SUMMARY_FILE = "task.yaml", "answers.yaml", "task_summary.yaml"
LOCK_WAIT_S = 10.0  # edits are short; whoever holds the lock longer has hung


@dataclass(frozen=True)
class Task:
    """One task's folder. Nothing is kept in memory: each look reads the file as it is now."""

    folder: Path
    file_path: Path

    @classmethod
    def open(cls, folder_or_task_yaml: Path) -> Task:
        """The task in a folder, or the one a task.yaml stands for, its data beside it. Raises WorkspaceError."""
        try:
            path = folder_or_task_yaml.expanduser().absolute()
            if path.is_file():
                return cls(path.parent, path)
            if not path.is_dir():
                raise WorkspaceError("workspace.no_such_folder", path=str(folder_or_task_yaml))
            if not _is_task(path):
                raise WorkspaceError("workspace.not_a_task", path=str(folder_or_task_yaml))
            return cls(path, path / TASK_FILE)
        except (OSError, RuntimeError) as error:  # no right to look, a name too long, no home for ~
            raise _unreadable(error, folder_or_task_yaml) from error

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def title(self) -> str:
        """What people see: the title in task.yaml, else in the answers, else the folder's name; a damaged file has none."""
        with suppress(CoachError):
            if self.has_file and self.file.title:
                return self.file.title
        with suppress(CoachError):
            return self.answers().title or self.name
        return self.name

    @property
    def data_folder(self) -> Path:
        return self.folder / "data"

    @property
    def data_version_path(self) -> Path:
        return self.folder / DATA_VERSION

    @property
    def versions_folder(self) -> Path:
        return self.folder / "versions"

    @property
    def has_file(self) -> bool:
        """Whether stage 4 has been reached: there is a task.yaml."""
        return self.file_path.is_file()

    @property
    def file(self) -> TaskFile:
        """task.yaml as it is now. Raises DocumentError with every problem in it."""
        return read_task_file(self.file_path)

    def fingerprint(self) -> str | None:
        """What identifies task.yaml's present content, for `save_file(expected=…)`; None while there is none. Raises WorkspaceError."""
        try:
            return hashlib.sha256(self.file_path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return None
        except OSError as error:  # a folder of that name, no right to look
            raise _unreadable(error, self.file_path) from error

    def save_file(self, file: TaskFile, *, expected: str | None = None) -> None:
        """Replaces task.yaml. With `expected`, a fingerprint taken at reading, refuses where somebody wrote in between."""
        with self.lock():
            self.save_file_text(task_to_yaml(file), expected=expected or self.fingerprint())

    def file_bytes(self) -> bytes | None:
        """task.yaml as it is written, sound or not; None while there is none. Raises DocumentError."""
        return document_bytes(self.file_path) if self.has_file else None

    def save_file_text(self, content: str, *, expected: str | None) -> None:
        """Replaces task.yaml by a person's own text. `expected`: the fingerprint it had, None where there was no file; else refuses."""
        with self.lock():
            if self.fingerprint() != expected:
                raise WorkspaceError("workspace.changed_meanwhile", path=str(self.file_path))
            write_atomically(self.file_path, content)

    def summary_bytes(self) -> bytes | None:
        """task_summary.yaml as it is written, sound or not; None while there is none. Raises DocumentError."""
        path = self.folder / SUMMARY_FILE
        return document_bytes(path) if path.exists() else None

    def answers(self) -> Answers:
        """The answers so far; none where there is no file yet. Raises DocumentError."""
        path = self.folder / ANSWERS_FILE
        return read_answers(path) if path.exists() else Answers()

    def save_answers(self, answers: Answers) -> None:
        with self.lock():
            write_answers(self.folder / ANSWERS_FILE, answers)

    def summary(self) -> TaskSummary | None:
        path = self.folder / SUMMARY_FILE
        return read_summary(path) if path.exists() else None

    def save_summary(self, summary: TaskSummary | str) -> None:
        """Replaces task_summary.yaml, by a person's own text where that is given."""
        with self.lock():
            write_atomically(self.folder / SUMMARY_FILE, summary if isinstance(summary, str) else summary_to_yaml(summary))

    def versions(self) -> list[Version]:
        """The frozen versions, oldest first; anything else in the folder is passed over."""
        if not self.versions_folder.is_dir():
            return []
        folders = [path for path in self.versions_folder.iterdir() if SAFE_NAME.fullmatch(path.name)]
        found = [Version(path) for path in folders if _inside(path, self.folder) and Version(path).is_frozen]
        return sorted(found, key=lambda version: version_key(version.name))

    def version(self, name: str) -> Version:
        """The frozen version called `name`. Raises WorkspaceError for a name that is none, is unknown, or leads out."""
        folder = self.versions_folder / name if SAFE_NAME.fullmatch(name) else None
        if folder and not _inside(folder, self.folder):
            raise WorkspaceError("workspace.climbs_out", path=str(folder), target=str(folder.resolve()), folder=str(self.folder))
        if folder is None or not Version(folder).is_frozen:
            known = ", ".join(version.name for version in self.versions()) or "—"
            raise WorkspaceError("workspace.no_such_version", name=name, task=self.name, known=known)
        return Version(folder)

    @contextmanager
    def lock(self, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
        """Held while editing; may be taken again by whoever holds it. Raises WorkspaceError after `wait_s` seconds."""
        path = self.folder / ".task.lock"
        if not self.folder.is_dir():  # FileLock would make it again
            raise WorkspaceError("workspace.folder_gone", path=str(path), folder=str(self.folder))
        try:
            lock = FileLock(path, is_singleton=True)
            lock.acquire(timeout=wait_s)
        except Timeout as error:
            raise WorkspaceError("workspace.locked", path=str(self.folder), seconds=f"{wait_s:g}") from error
        except OSError as error:
            raise not_written(error, path) from error
        try:
            yield
        finally:
            lock.release()


def workspace_root(environment: Mapping[str, str]) -> Path:
    """Where tasks are kept: `$COACH_WORKSPACE`, else `./workspace`. It need not exist yet."""
    return Path(environment.get("COACH_WORKSPACE") or "workspace").expanduser().absolute()


def list_tasks(root: Path) -> list[Task]:
    """Every task under `root` by name; other folders, hidden ones and links that lead out are passed over."""
    try:
        if not root.is_dir():
            return []
        folders = sorted(path for path in root.iterdir() if re.fullmatch(SLUG_PATTERN, path.name))
        return [Task(path, path / TASK_FILE) for path in folders if path.is_dir() and _inside(path, root) and _is_task(path)]
    except OSError as error:
        raise _unreadable(error, root) from error


def find_task(root: Path, name: str) -> Task:
    """The task called `name` under `root`, for names from outside (a URL). Raises WorkspaceError."""
    if not re.fullmatch(SLUG_PATTERN, name):
        raise WorkspaceError("workspace.task_name", name=name)
    if not (root / name).is_dir():
        raise WorkspaceError("workspace.no_such_task", name=name, root=str(root))
    if not _inside(root / name, root):
        raise WorkspaceError("workspace.climbs_out", path=str(root / name), target=str((root / name).resolve()), folder=str(root))
    return Task.open(root / name)


def create_task(
    root: Path, name: str, *, title: str | None = None, answers: Answers | None = None, file: TaskFile | None = None
) -> Task:
    """A new task's folder with its answers and, where given, its task.yaml. Raises WorkspaceError: name bad or taken."""
    if not re.fullmatch(SLUG_PATTERN, name):
        raise WorkspaceError("workspace.task_name", name=name)
    folder = root.absolute() / name
    first = answers or Answers()
    named = first.model_copy(update={"title": title or first.title, "task": first.task.model_copy(update={"name": name})})
    documents = {ANSWERS_FILE: answers_to_yaml(named), **({TASK_FILE: task_to_yaml(file)} if file else {})}
    make_task_folder(folder, documents)
    return Task(folder, folder / TASK_FILE)


def freeze_version(task: Task, name: str, now: datetime, arrange: Arrange | None = None) -> Version:
    """Freezes task.yaml and the splits of `data/`, as `arrange` leaves them, as version `name`, whole or not at all.

    A task.yaml that already names this version is frozen as it stands, comments included; otherwise it is written anew with the
    name and `now`. Raises WorkspaceError (exists, bad name, a split missing or broken, disk full) and DocumentError.
    """
    with task.lock():
        config = task.file
        if config.version == name:
            return freeze(task.folder, config, task.file_path.read_bytes(), name, arrange)
        renamed = config.model_copy(update={"version": name, "created": config.created or now, "updated": now})
        return freeze(task.folder, renamed, task_to_yaml(renamed), name, arrange)


def _is_task(folder: Path) -> bool:
    return (folder / TASK_FILE).is_file() or (folder / ANSWERS_FILE).is_file()


def _inside(path: Path, folder: Path) -> bool:
    """Whether `path`, links followed, lies in `folder`."""
    return path.resolve().is_relative_to(folder.resolve())


def _unreadable(error: Exception, path: Path) -> WorkspaceError:
    said = getattr(error, "strerror", None) or str(error)
    return error if isinstance(error, WorkspaceError) else WorkspaceError("workspace.unreadable", path=str(path), reason=said)
