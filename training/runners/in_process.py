"""Training in this very process, as the user asked for: one daemon thread that calls `worker.run`, one training at a time.

Owns the thread, the stop when the program closes and the memory given back at the end. What happens in a training is in its log; nothing
is printed.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

from coach.atomic_write import not_written
from coach.errors import CoachError, WorkspaceError
from coach.version_folder import Version
from training.clock import local_now
from training.run_status import RunStatus
from training.runners.beginning import (
    ask_to_stop,
    folder_of,
    is_over,
    is_taken,
    place_of,
    read_status,
    wait_until_begun,
    with_beginning,
)
from training.runners.process_wide import ProcessWide, Refusal, Training, process_wide
from training.worker import run

BEGIN_WAIT_S = 2.0  # its first event comes within milliseconds
LEAVING_WAIT_S = 5.0
EXIT_WAIT_S = 8.0  # docker stop and systemd kill after ten


class InProcess:
    """A Runner: `execution: {type: local, isolation: thread}`."""

    def start(self, version: Version) -> None:
        """Raises WorkspaceError while this process trains another version."""
        _begin(version, resume=False)

    def resume(self, version: Version) -> None:
        """Raises WorkspaceError while this process trains another version."""
        _begin(version, resume=True)

    def stop(self, version: Version) -> None:
        ask_to_stop(version)

    def status(self, version: Version, now: float) -> RunStatus:
        found, training = read_status(version, now), process_wide()["training"]
        if training is None or not _is_of(training, version):
            return found
        return with_beginning(found, training["attempts_before"], training["thread"].is_alive())


def _begin(version: Version, *, resume: bool) -> None:
    held = process_wide()
    with held["lock"]:
        running = _running(held)
        if running is None or not _is_of(running, version):
            if is_taken(version):  # by another process
                return
            if running is not None:
                raise _busy(version, running)  # the queue of a later issue takes the version on here
            held["training"] = running = _thread_for(version, resume)
            _watch_for_the_end(held)
            running["thread"].start()
    wait_until_begun(version, running["attempts_before"], running["thread"].is_alive, BEGIN_WAIT_S)
    _say_why_not(version, running)


def _say_why_not(version: Version, training: Training) -> None:
    """What kept the run from its first event is in no log: whoever asked for the run is told. Unless another worker was quicker."""
    if training["thread"].is_alive() or read_status(version).view.attempt > training["attempts_before"]:
        return
    for key, data in training["refused"]:
        raise WorkspaceError(key, **data)


def _running(held: ProcessWide) -> Training | None:
    """The training that is on. One whose run is over, or whose version was deleted, is waited for while it ends."""
    training = held["training"]
    if training is None:
        return None
    if not _is_in_place(training) or is_over(Version(Path(training["folder"])), training["attempts_before"]):
        training["thread"].join(LEAVING_WAIT_S)
    return training if training["thread"].is_alive() else None


def _is_of(training: Training, version: Version) -> bool:
    """Whether it trains this very version, not a deleted one of the same name."""
    return training["folder"] == folder_of(version) and training["place"] == place_of(version)


def _is_in_place(training: Training) -> bool:
    return _is_of(training, Version(Path(training["folder"])))


def _busy(version: Version, training: Training) -> WorkspaceError:
    running = Path(training["folder"])
    key = "training.another_runs" if _is_in_place(training) else "training.deleted_runs"
    return WorkspaceError(key, version=version.name, running=running.name, running_task=running.parents[1].name)


def _thread_for(version: Version, resume: bool) -> Training:
    folder, refused = folder_of(version), list[Refusal]()
    # daemon said outright: a page's own thread may be either, and one that is none would keep the server from ending
    name = f"training {version.folder.parents[1].name} {version.name}"
    thread = threading.Thread(target=_train, args=(folder, resume, refused), name=name, daemon=True)
    attempts = read_status(version).view.attempt
    return {"folder": folder, "place": place_of(version), "thread": thread, "attempts_before": attempts, "refused": refused}


def _train(folder: str, resume: bool, refused: list[Refusal]) -> None:
    """The thread: whatever goes wrong is in the run's log already; the server's gets one line of it, and a traceback if it is ours."""
    log = logging.getLogger(__name__)
    try:
        run(Version(Path(folder)), resume=resume, now=local_now)
    except CoachError as error:
        refused.append((error.key, error.data))
        log.warning("%s: %s", folder, error)
    except Exception as error:
        refused.append(_refusal(error, Version(Path(folder))))
        log.error("%s: the training ended with an error of ours", folder, exc_info=True)
    finally:
        _give_memory_back()


def _refusal(error: Exception, version: Version) -> Refusal:
    """An error nobody foresaw, as whoever asked for the run is told it."""
    if isinstance(error, OSError):
        said = not_written(error, version.events_path)
        return said.key, said.data
    return "training.unexpected", {"problem": f"{type(error).__name__}: {error}"}


def _give_memory_back() -> None:
    """Trainer, model and callbacks hold each other, so only a collection frees them; Streamlit's own is switched off."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _watch_for_the_end(held: ProcessWide) -> None:
    """One thread a process that waits for the main one to end.

    Not `atexit`: its functions run last registered first, so torch's own, registered later, would take the operators away from a step that
    is still computed. Threads that are no daemons are waited for before any of them.
    """
    if held["end_watcher"] is None:
        watcher = threading.Thread(target=_stop_and_wait, args=(held,), name="waits for the program's end", daemon=False)
        held["end_watcher"] = watcher
        watcher.start()


def _stop_and_wait(held: ProcessWide) -> None:
    """The program closes: a running training saves a checkpoint at the end of its step, if that step ends in time."""
    threading.main_thread().join()
    training = _running(held)
    if training is None:
        return
    if _is_in_place(training):
        with suppress(OSError):  # the task is deleted at this moment
            ask_to_stop(Version(Path(training["folder"])))
    training["thread"].join(EXIT_WAIT_S)
    if training["thread"].is_alive():
        _leave_in_the_middle(training)


def _leave_in_the_middle(training: Training) -> None:
    """The step was too long. Python cannot end while another thread is inside torch: the process would abort ("terminate called …")."""
    logging.getLogger(__name__).warning(
        "%s: no checkpoint within %g s; it goes on from the last one", training["folder"], EXIT_WAIT_S
    )
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or none
            stream.flush()
    os._exit(0)
