"""One training at a time on a device: a file lock held for the whole of `worker.run`, by the thread or process that trains.

It lies in the user's cache, not in a workspace: two workspaces of one person, and tasks that lie in none, exclude each other too. The
machine is in its name, since one home may serve several. Trainings of another user of the machine are not seen. `$COACH_DEVICE` names
the device where a machine has several: a server for each, each with its own CUDA_VISIBLE_DEVICES.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from coach.atomic_write import not_written
from coach.errors import WorkspaceError
from coach.version_folder import Version
from training.held_lock import is_locked
from training.starter_model import cache_root

BUSY = "training.device_busy"  # the error's key: somebody else was quicker, so whoever got it waits again
TAKE_WAIT_S = 1.0  # a reader that asks whether the lock is held takes it for a moment


@contextmanager
def device_held(version: Version) -> Iterator[None]:
    """Held while `version` trains; the thread that holds it may take it again, so that several runs can be made one turn.

    Raises WorkspaceError: another version trains on the device (`BUSY`), or this one does already.
    """
    with _held(str(version.folder.resolve()), lambda: _taken(version)):
        yield


@contextmanager
def device_held_to_measure() -> Iterator[None]:
    """Held for the few steps of a calibration. Raises WorkspaceError where a version trains on the device."""
    with _held("", lambda: WorkspaceError("training.measure_busy")):
        yield


@contextmanager
def _held(holder: str, taken: Callable[[], WorkspaceError]) -> Iterator[None]:
    path = _lock_path(device_name())
    lock = FileLock(path, is_singleton=True)
    try:
        lock.acquire(timeout=TAKE_WAIT_S)
    except Timeout as error:
        raise taken() from error
    except OSError as error:
        raise not_written(error, path) from error
    try:
        with suppress(OSError):  # it only tells those who wait how long
            _holder_path(path).write_text(holder, encoding="utf-8")
        yield
    finally:
        lock.release()


def device_name(environment: Mapping[str, str] = os.environ) -> str:
    """The device this process trains on."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", environment.get("COACH_DEVICE") or "local")[:60]


def device_is_busy(device: str) -> bool:
    """Whether something trains on it."""
    return is_locked(_lock_path(device))


def device_holder(device: str) -> Version | None:
    """The version that trains on it; None where none does, or its name is just being written."""
    path = _lock_path(device)
    if not is_locked(path):
        return None
    try:
        written = _holder_path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return Version(Path(written)) if written else None


def _taken(version: Version) -> WorkspaceError:
    if is_locked(version.lock_path):
        return WorkspaceError("training.running_already", version=version.name, folder=str(version.folder))
    return WorkspaceError(BUSY, version=version.name)


def _lock_path(device: str) -> Path:
    """In the cache; where that cannot be written, in the system's folder for temporary files."""
    file = f"{platform.node()[:60]}.{device}.lock"
    cache = cache_root() / "devices"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if os.access(cache, os.W_OK):
            return cache / file
    except OSError:
        pass
    elsewhere = Path(tempfile.gettempdir()) / f"llm-coach-{getpass.getuser()}"
    with suppress(OSError):  # taking the lock will say what is wrong
        elsewhere.mkdir(mode=0o700, exist_ok=True)
    return elsewhere / file


def _holder_path(lock_path: Path) -> Path:
    return lock_path.with_suffix(".version")
