"""`run(version folder)`: the one function that trains, wherever it runs (this process, another, another machine).

Needs nothing but the version's folder and the installed packages. Owns the order of phases, the lock, and the promise that every
attempt ends with a terminal event unless the process itself is killed. Everything that happens is an event; it prints nothing.
"""

from __future__ import annotations

import errno
import logging
import os
import platform
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from coach.atomic_write import not_written, remove_unfinished
from coach.errors import CoachError, TrainingError, UserError, WorkspaceError
from coach.version_folder import Version
from training import checkpoints
from training.attempt import Attempt, Ending, refuse_to_begin
from training.device_lock import device_held
from training.event_log import EventLog, Listener, read_events
from training.memory import is_out_of_memory
from training.run_status import HEARTBEAT_S
from training.run_view import RunView, fold

LOCK_WAIT_S = 3.0  # a reader that asks whether the lock is held takes it for a moment
TRACEBACK_LINES = 12
MESSAGE_CHARS = 600  # of each line in a `failed` event, which has to fit 64 KB
DISK_FULL_BYTES = 64 * 1024
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


def run(
    version: Version,
    *,
    resume: bool = False,
    max_steps: int | None = None,
    listener: Listener | None = None,
    now: Callable[[], datetime],
) -> str:
    """Trains, evaluates and writes the results of `version`; returns the type of the terminal event.

    `resume` goes on from the latest checkpoint; `max_steps` bounds the optimiser steps (recorded in the log and in the results).
    Raises WorkspaceError when the version is finished already, another worker holds it, another version trains on this device
    (`device_lock.BUSY`), or the disk has no room to log a failure; the user's and our own errors after the start are events first and
    then raised. A version deleted meanwhile is left as it is: nothing more is written, `training.version_gone` is raised.
    """
    with device_held(version), _worker_lock(version):
        before = fold(RunView(), read_events(version.events_path))
        refuse_to_begin(version, before, resume=resume)
        version.stop_path.unlink(missing_ok=True)
        _remove_unfinished(version)
        log = _open_log(version, listener)
        try:
            if not resume:
                _clear(version)
            with _heartbeat(log):
                kind = _work(version, lambda: _attempt(version, before, resume=resume, max_steps=max_steps), log, now)
        finally:
            log.close()
        if kind == "finished":  # only now: until that event stood in the log they were what a resume would need
            shutil.rmtree(version.checkpoints_folder, ignore_errors=True)
            version.stop_path.unlink(missing_ok=True)
        return kind


def _work(version: Version, begin: Callable[[], Attempt], log: EventLog, now: Callable[[], datetime]) -> str:
    try:
        attempt = begin()
        _write_beginning(log, version, attempt)
        ending = _method_of(version)(version, attempt, log, now)
        log.append(ending.kind, **ending.fields)
        return ending.kind
    except BaseException as error:
        log.require_in_place()  # whatever its files' absence made a library say
        if _program_is_closing():
            return _stop_with_the_program(version, log)
        found = _as_ours(error, version.folder)
        try:
            _write_failure(log, found, error)
        except OSError:  # the disk takes nothing at all: whoever began the run is still told what went wrong
            logging.getLogger(__name__).warning("%s: its failure could not be written into its log", version.folder)
        if found is error or isinstance(error, KeyboardInterrupt):
            raise
        raise found from error


def _program_is_closing() -> bool:
    """The main thread has ended and this one is a server's: libraries cannot import or start threads any more and fail in many ways."""
    return not threading.main_thread().is_alive()


def _stop_with_the_program(version: Version, log: EventLog) -> str:
    """`stopped`, since nothing is wrong with the task: it goes on from the latest checkpoint, or from the beginning."""
    step = checkpoints.latest(version.checkpoints_folder)
    log.append("stopped", step=step or 0, reason="closed", checkpoint=step and f"checkpoints/{step}")
    return "stopped"


def _clear(version: Version) -> None:
    """Removes what an attempt that came to nothing left behind, so that nobody takes its scores for this one's."""
    for path in (version.results_path, version.predictions_path, version.model_info_path):
        path.unlink(missing_ok=True)
    for folder in (version.checkpoints_folder, version.model_folder, version.evals_folder):
        shutil.rmtree(folder, ignore_errors=True)


def _remove_unfinished(version: Version) -> None:
    """What a worker that was killed in the middle of a write has left; whoever holds the lock is the only one to write these."""
    whole = (version.predictions_path, version.results_path, version.model_info_path, version.lineage_path)
    for path in (*whole, version.evals_folder / "*"):  # of evaluations all there are
        remove_unfinished(path)
    for folder in (checkpoints.writing_folder(version.checkpoints_folder), version.unfinished_model_folder):
        shutil.rmtree(folder, ignore_errors=True)


def _open_log(version: Version, listener: Listener | None) -> EventLog:
    try:
        return EventLog(version.events_path, listener=listener)
    except OSError as error:
        raise not_written(error, version.events_path) from error


def _method_of(version: Version) -> Callable[[Version, Attempt, EventLog, Callable[[], datetime]], Ending]:
    """The function that carries out the version's method; heavy libraries (torch, transformers, trl, peft) are imported with it."""
    method = version.config.training.method
    if method == "baseline":
        from training.baseline_run import run_baseline

        return run_baseline
    from training.backends import heavy_imports

    with heavy_imports():
        if method == "prompt":
            from training.prompt_run import run_prompt as carry_out
        else:
            from training.fine_tuning import fine_tune as carry_out
    return carry_out


def _attempt(version: Version, before: RunView, *, resume: bool, max_steps: int | None) -> Attempt:
    if not resume:
        return Attempt(before.attempt + 1, 0, RunView(), max_steps)
    step = checkpoints.latest_sound(version.checkpoints_folder)
    if step is None:
        raise WorkspaceError("training.checkpoint_damaged", version=version.name, folder=str(version.checkpoints_folder))
    recorded = max_steps if max_steps is not None else _recorded_max_steps(version)
    view = fold(before, [{"type": "resumed", "attempt": before.attempt + 1, "from_step": step}])
    return Attempt(before.attempt + 1, step, view, recorded)


def _recorded_max_steps(version: Version) -> int | None:
    started = [event for event in read_events(version.events_path) if event["type"] in ("started", "resumed")]
    return started[-1].get("max_steps") if started else None


def _write_beginning(log: EventLog, version: Version, attempt: Attempt) -> None:
    worker = {"pid": os.getpid(), "host": platform.node()}
    limit = {} if attempt.max_steps is None else {"max_steps": attempt.max_steps}
    if attempt.from_step:
        log.append("resumed", attempt=attempt.number, from_step=attempt.from_step, worker=worker, **limit)
    else:
        log.append("started", attempt=attempt.number, version=version.name, worker=worker, **limit)


@contextmanager
def _worker_lock(version: Version) -> Iterator[None]:
    if not version.is_frozen:  # asking for the lock would make the folder of a version that was deleted
        raise WorkspaceError("training.version_gone", path=str(version.events_path), folder=str(version.folder))
    lock = FileLock(version.lock_path)
    try:
        lock.acquire(timeout=LOCK_WAIT_S)
    except Timeout as error:
        raise WorkspaceError("training.running_already", version=version.name, folder=str(version.folder)) from error
    except OSError as error:
        raise WorkspaceError("workspace.not_writable", path=str(version.folder), reason=error.strerror or str(error)) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _heartbeat(log: EventLog) -> Iterator[None]:
    """A sign of life every HEARTBEAT_S seconds while the phases work, from a thread of its own."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_S):
            try:
                log.append("heartbeat")
            except OSError:  # no room at the moment, or the version is gone: the worker itself will meet it and say so
                continue
            except ValueError:  # the log is closed
                return

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _as_ours(error: BaseException, folder: Path) -> BaseException:
    """The error as a sentence of ours where we know what it means; otherwise as it is."""
    if isinstance(error, CoachError):
        return error
    said = str(error).lower()
    if isinstance(error, KeyboardInterrupt):
        return TrainingError("training.broken_off")
    if is_out_of_memory(error):
        return TrainingError("training.out_of_memory")
    if _is_disk_full(error, said, folder):
        return UserError("training.disk_full", path=str(getattr(error, "filename", None) or folder))
    if isinstance(error, OSError) and error.errno in _NO_RIGHT and Path(str(error.filename)).is_relative_to(folder):
        return not_written(error, Path(str(error.filename)))
    return error


def _is_disk_full(error: BaseException, said: str, folder: Path) -> bool:
    """Libraries say it in many ways (safetensors: "os error 28", torch: a failed write); a full disk itself is the last proof."""
    if getattr(error, "errno", None) == errno.ENOSPC or "os error 28" in said or "no space left" in said:
        return True
    return isinstance(error, OSError | RuntimeError) and shutil.disk_usage(folder).free < DISK_FULL_BYTES


def _write_failure(log: EventLog, found: BaseException, raised: BaseException) -> None:
    """The `failed` event: class, message, hint, the end of the traceback, and the key and data to say it in another language."""
    trace = "".join(traceback.format_exception(raised)).splitlines()[-TRACEBACK_LINES:]
    if not isinstance(found, CoachError):
        found = TrainingError("training.unexpected", problem=" ".join(f"{type(found).__name__}: {found}".split())[:MESSAGE_CHARS])
    what, expected, todo = (line[:MESSAGE_CHARS] for line in found.lines())
    fields: dict[str, Any] = {"class": type(raised).__name__, "message": what, "hint": f"{expected} {todo}", "key": found.key}
    data = {name: value[:MESSAGE_CHARS] if isinstance(value, str) else value for name, value in found.data.items()}
    log.append("failed", **fields, data=data, traceback="\n".join(line[:MESSAGE_CHARS] for line in trace))
