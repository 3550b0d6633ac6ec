"""Training in this very process, as the user asked for: one daemon thread that calls `worker.run`, one training at a time.

Owns the thread, the stop when the program closes and the memory given back at the end. Where another training runs, here or elsewhere on
the device, the version waits in line (waiting_line.py) and serving.py hands it back when its turn has come; the line outlives the
program. What happens in a training is in its log; nothing is printed.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from coach.atomic_write import not_written
from coach.errors import CoachError, WorkspaceError
from coach.version_folder import Version
from training.clock import local_now
from training.device_lock import BUSY
from training.expected_time import expected_s
from training.run_status import RunStatus
from training.runners.beginning import (
    ask_to_stop,
    folder_of,
    has_to_wait,
    is_over,
    is_taken,
    place_of,
    read_status,
    wait_until_begun,
    with_beginning,
)
from training.runners.closing import is_closing, wait_until_closing
from training.runners.process_wide import ProcessWide, Refusal, Training, process_wide
from training.runners.serving import LOOK_EVERY_S, serve
from training.waiting_line import Ticket, queue_of, take_place
from training.worker import run

BEGIN_WAIT_S = 2.0  # its first event comes within milliseconds
LEAVING_WAIT_S = 5.0
EXIT_WAIT_S = 8.0  # docker stop and systemd kill after ten
END_WAIT_S = 5.0  # for what is left once no training runs: other threads and the libraries' own endings


class InProcess:
    """A Runner: `execution: {type: local, isolation: thread}`."""

    def start(self, version: Version) -> None:
        _begin(version, resume=False)

    def resume(self, version: Version) -> None:
        _begin(version, resume=True)

    def stop(self, version: Version) -> None:
        ask_to_stop(version)

    def status(self, version: Version, now: float) -> RunStatus:
        found, training = read_status(version, now), process_wide()["training"]
        if training is None or not _is_of(training, version):
            return found
        return with_beginning(found, training["attempts_before"], training["thread"].is_alive())


def take_on_waiting(queue: Path) -> None:
    """Sees to it that this program begins those who wait in this line for a server, now and later. Returns at once."""
    serve(queue.resolve(), _begin_from_line)


def _begin(version: Version, *, resume: bool) -> None:
    held = process_wide()
    with held["lock"]:
        running = _running(held)
        if running is None or not _is_of(running, version):
            if is_taken(version) or is_closing():  # by another process; or nobody is left to train
                return
            if running is not None or has_to_wait(version):
                _wait_in_line(version, resume)
                return
            running = _start_thread(held, version, resume)
    wait_until_begun(version, running["attempts_before"], running["thread"].is_alive, BEGIN_WAIT_S)
    _say_why_not(version, running)


def _begin_from_line(ticket: Ticket) -> None:
    """Its turn has come: begins it and takes it out of the line. Raises WorkspaceError where it cannot begin."""
    version, held = ticket.version, process_wide()
    with held["lock"]:
        if _running(held) is not None or not ticket.path.exists() or is_closing():
            return
        training = _start_thread(held, version, ticket.said.resume, in_line=True)
    while training["thread"].is_alive() and not ticket.has_begun(read_status(version).view.attempt):
        time.sleep(LOOK_EVERY_S)
    if ticket.has_begun(read_status(version).view.attempt):
        if not ticket.leave():  # cancelled at this very moment
            ask_to_stop(version)
        return
    _say_why_not(version, training)


def _wait_in_line(version: Version, resume: bool) -> None:
    found = read_status(version)
    if found.state != "queued":
        expected = expected_s(version, found.view, None)
        take_place(version, behind="server", attempts=found.view.attempt, resume=resume, expected_s=expected)
    take_on_waiting(queue_of(version))


def _say_why_not(version: Version, training: Training) -> None:
    """What kept the run from its first event is in no log: whoever asked for the run is told. Unless another worker was quicker."""
    if training["thread"].is_alive() or read_status(version).view.attempt > training["attempts_before"]:
        return
    for key, data in training["refused"]:
        if key != BUSY:  # else it waits in line
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


def _start_thread(held: ProcessWide, version: Version, resume: bool, *, in_line: bool = False) -> Training:
    held["training"] = training = _thread_for(version, resume, in_line)
    _watch_for_the_end(held)
    training["thread"].start()
    return training


def _thread_for(version: Version, resume: bool, in_line: bool) -> Training:
    folder, refused = folder_of(version), list[Refusal]()
    # daemon said outright: a page's own thread may be either, and one that is none would keep the server from ending
    name = f"training {version.folder.parents[1].name} {version.name}"
    thread = threading.Thread(target=_train, args=(folder, resume, in_line, refused), name=name, daemon=True)
    attempts = read_status(version).view.attempt
    return {"folder": folder, "place": place_of(version), "thread": thread, "attempts_before": attempts, "refused": refused}


def _train(folder: str, resume: bool, in_line: bool, refused: list[Refusal]) -> None:
    """The thread: whatever goes wrong is in the run's log already; the server's gets one line of it, and a traceback if it is ours.

    Where another program was quicker by a moment, the version takes its place in line; one that is `in_line` keeps it.
    """
    log = logging.getLogger(__name__)
    try:
        run(Version(Path(folder)), resume=resume, now=local_now)
    except CoachError as error:
        refused.append((error.key, error.data))
        if error.key != BUSY:
            log.warning("%s: %s", folder, error)
        elif not in_line:
            _wait_in_line(Version(Path(folder)), resume)
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
    """One thread a process that waits until it is closing.

    Not `atexit`: its functions run last registered first, so torch's own, registered later, would take the operators away from a step that
    is still computed. Threads that are no daemons are waited for before any of them.
    """
    if held["end_watcher"] is None:
        watcher = threading.Thread(target=_stop_and_wait, args=(held,), name="waits for the program's end", daemon=False)
        held["end_watcher"] = watcher
        watcher.start()


def _stop_and_wait(held: ProcessWide) -> None:
    """The program closes: a running training saves a checkpoint at the end of its step, if that step ends in time."""
    wait_until_closing()
    held["closing"] = True
    with held["lock"]:  # whoever is just being begun from the line is seen as well
        training = _running(held)
    if training is not None:
        if _is_in_place(training):
            with suppress(OSError):  # the task is deleted at this moment
                ask_to_stop(Version(Path(training["folder"])))
        training["thread"].join(EXIT_WAIT_S)
        if training["thread"].is_alive():
            _leave_in_the_middle(training)
    with suppress(OSError, ValueError, AttributeError, RuntimeError):  # no stderr to write to
        # a thread or a library that does not end must not keep the server: it is left, and stderr says where it stood
        faulthandler.dump_traceback_later(END_WAIT_S, exit=True)


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
