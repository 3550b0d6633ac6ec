"""Whether somebody holds a file lock, asked without getting in anybody's way. Refuses to know what the lock stands for."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def is_locked(lock_path: Path) -> bool:
    """Whether anybody, in this process or another, holds the lock.

    Asked with a shared lock, so that readers who ask at the same moment do not take one another for a holder.
    """
    if fcntl is None:
        return _is_locked_elsewhere(lock_path)
    try:
        with lock_path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:  # some file systems say EACCES for a lock that is held
        return error.filename is None
    except OSError:
        return False  # no such file, or a file system without locks: nobody can be working on it
    return False


def _is_locked_elsewhere(lock_path: Path) -> bool:
    if not lock_path.exists():
        return False
    probe = FileLock(lock_path)
    try:
        probe.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False  # a read-only copy of a task: nobody can be working on it
    probe.release()
    return False
