"""One run in its own folder, a version's or a repeat's: begun in its log, carried out, and ended by a terminal event whatever happens.

Owns the folder's log from the first event to the last, the errors said in it, and what a broken-off attempt has left. Which attempt it is,
the locks and the order of several runs are their callers'.
"""

from __future__ import annotations

import errno
import logging
import os
import platform
import shutil
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coach.atomic_write import not_written, remove_unfinished
from coach.errors import CoachError, TrainingError, UserError
from coach.repeats import planned_runs, repeats_folder
from coach.version_folder import Version
from training import checkpoints
from training.attempt import Attempt, Ending
from training.event_log import EventLog, Listener
from training.expectation import expectation, in_own_process, keep_what_it_took
from training.memory import is_out_of_memory

TRACEBACK_LINES = 12
MESSAGE_CHARS = 600  # of each line in a `failed` event, which has to fit 64 KB
DISK_FULL_BYTES = 64 * 1024
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


def clear(version: Version) -> None:
    """Removes what an attempt that came to nothing left behind, so that nobody takes its scores for this one's."""
    for path in (version.results_path, version.predictions_path, version.model_info_path):
        path.unlink(missing_ok=True)
    for folder in (version.checkpoints_folder, version.model_folder, version.evals_folder, repeats_folder(version)):
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(version: Version) -> None:
    """What a worker that was killed in the middle of a write has left; whoever holds the lock is the only one to write these."""
    whole = (version.predictions_path, version.results_path, version.model_info_path, version.lineage_path)
    for path in (*whole, version.evals_folder / "*"):  # of evaluations all there are
        remove_unfinished(path)
    for folder in (checkpoints.writing_folder(version.checkpoints_folder), version.unfinished_model_folder):
        shutil.rmtree(folder, ignore_errors=True)


def open_log(version: Version, listener: Listener | None) -> EventLog:
    """Raises WorkspaceError where the disk takes no log, or has no room to log a failure."""
    try:
        return EventLog(version.events_path, listener=listener)
    except OSError as error:
        raise not_written(error, version.events_path) from error


def carried_out(version: Version, begin: Callable[[], Attempt], log: EventLog, method: Callable[[Attempt], Ending]) -> Ending:
    """Runs `method` on the attempt that `begin` finds, and writes into `log` how it began and how it ended.

    The user's and our own errors are events first and then raised.
    """
    try:
        attempt = begin()
        _write_beginning(log, version, attempt)
        ending = method(attempt)
        log.append(ending.kind, **ending.fields)
        keep_what_it_took(version)
        return ending
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


def _stop_with_the_program(version: Version, log: EventLog) -> Ending:
    """`stopped`, since nothing is wrong with the task: it goes on from the latest checkpoint, or from the beginning."""
    step = checkpoints.latest(version.checkpoints_folder)
    ending = Ending("stopped", {"step": step or 0, "reason": "closed", "checkpoint": step and f"checkpoints/{step}"})
    log.append(ending.kind, **ending.fields)
    return ending


def _write_beginning(log: EventLog, version: Version, attempt: Attempt) -> None:
    worker = {"pid": os.getpid(), "host": platform.node(), "own_process": in_own_process()}
    limit = {} if attempt.max_steps is None else {"max_steps": attempt.max_steps}
    if (runs := _runs_of(version)) > 1:
        limit["runs"] = runs
    if attempt.from_step:
        log.append("resumed", attempt=attempt.number, from_step=attempt.from_step, worker=worker, **limit)
    else:
        expected = expectation(version, attempt.max_steps)
        said = {"estimate": expected} if expected else {}
        log.append("started", attempt=attempt.number, version=version.name, worker=worker, **limit, **said)


def _runs_of(version: Version) -> int:
    """A recipe that cannot be read is its method's to refuse: by then the attempt has begun."""
    try:
        return len(planned_runs(version.config.training))
    except CoachError:
        return 1


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
    said = in_words(found)
    what, expected, todo = (line[:MESSAGE_CHARS] for line in said.lines())
    fields: dict[str, Any] = {"class": type(raised).__name__, "message": what, "hint": f"{expected} {todo}", "key": said.key}
    log.append("failed", **fields, data=_shortened(said.data), traceback="\n".join(line[:MESSAGE_CHARS] for line in trace))


def in_words(error: BaseException) -> CoachError:
    """The error itself where it is one of ours, else one of ours that quotes it."""
    if isinstance(error, CoachError):
        return error
    return TrainingError("training.unexpected", problem=" ".join(f"{type(error).__name__}: {error}".split())[:MESSAGE_CHARS])


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(inner) for name, inner in value.items()}
    return value[:MESSAGE_CHARS] if isinstance(value, str) else value
