"""`run(version folder)`: the one function that trains, wherever it runs (this process, another, another machine).

Needs nothing but the version's folder and the installed packages. Owns the order of phases, the lock, and the promise that every
attempt ends with a terminal event unless the process itself is killed. Everything that happens is an event; it prints nothing.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from filelock import FileLock, Timeout

from coach.errors import WorkspaceError
from coach.repeats import planned_runs
from coach.version_folder import Version
from training import checkpoints
from training.attempt import Attempt, Ending, refuse_to_begin
from training.device_lock import device_held
from training.event_log import EventLog, Listener, read_events
from training.repeats import own_run_is_over, train_several
from training.run_status import HEARTBEAT_S
from training.run_view import RunView, fold
from training.single_run import carried_out, clear, open_log, remove_leftovers

LOCK_WAIT_S = 3.0  # a reader that asks whether the lock is held takes it for a moment


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
    `listener` hears every event, of repeats too: those follow the version's `phase` that names the repeat.
    Raises WorkspaceError when the version is finished already, another worker holds it, another version trains on this device
    (`device_lock.BUSY`), or the disk has no room to log a failure; the user's and our own errors after the start are events first and
    then raised. A version deleted meanwhile is left as it is: nothing more is written, `training.version_gone` is raised.
    """
    with device_held(version), _worker_lock(version):
        before = fold(RunView(), read_events(version.events_path))
        refuse_to_begin(version, before, resume=resume)
        version.stop_path.unlink(missing_ok=True)
        remove_leftovers(version)
        log = open_log(version, listener)
        try:
            if not resume:
                clear(version)
            with _heartbeat(log):
                ending = carried_out(
                    version,
                    lambda: _attempt(version, before, resume=resume, max_steps=max_steps),
                    log,
                    lambda attempt: _carry_out(version, attempt, log, listener, now),
                )
        finally:
            log.close()
        if ending.kind == "finished":  # only now: until that event stood in the log they were what a resume would need
            shutil.rmtree(version.checkpoints_folder, ignore_errors=True)
            version.stop_path.unlink(missing_ok=True)
        return ending.kind


def _carry_out(
    version: Version, attempt: Attempt, log: EventLog, listener: Listener | None, now: Callable[[], datetime]
) -> Ending:
    method = _method_of(version)
    if len(planned_runs(version.config.training)) == 1:
        return method(version, attempt, log, now)
    return train_several(version, attempt, log, listener, lambda run, its, own_log: method(run, its, own_log, now))


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
    over = own_run_is_over(version)
    step = before.step if over else checkpoints.latest_sound(version.checkpoints_folder)
    if step is None:
        raise WorkspaceError("training.checkpoint_damaged", version=version.name, folder=str(version.checkpoints_folder))
    recorded = max_steps if max_steps is not None else _recorded_max_steps(version)
    view = fold(before, [{"type": "resumed", "attempt": before.attempt + 1, "from_step": step}])
    return Attempt(before.attempt + 1, step, view, recorded, own_run_over=over)


def _recorded_max_steps(version: Version) -> int | None:
    started = [event for event in read_events(version.events_path) if event["type"] in ("started", "resumed")]
    return started[-1].get("max_steps") if started else None


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
