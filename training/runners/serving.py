"""The one thread of a server that begins those who wait, each when its turn comes: also those an earlier server has left in line.

Owns the watch over a line and what is taken out of it unbegun. Of several servers on a workspace one watches, known by a lock it holds;
another takes over when that one ends. How a training begins is in_process.py's; processes that wait by themselves are left alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from coach.errors import CoachError
from training.attempt import refuse_to_begin
from training.device_lock import device_is_busy, device_name
from training.run_reader import shared_reader
from training.runners.closing import is_closing
from training.runners.process_wide import process_wide
from training.waiting_line import Ticket, for_servers, in_front, refuse, serving_lock, sweep

LOOK_EVERY_S = 0.5

Begin = Callable[[Ticket], None]


def serve(queue: Path, begin: Begin) -> None:
    """Sees to it that one thread of this process watches the line as long as servers' tickets are in it. Returns at once."""
    held = process_wide()
    with held["lines_lock"]:
        watcher = held["lines"].get(str(queue))
        if (watcher is None or not watcher.is_alive()) and for_servers(queue):
            watcher = threading.Thread(target=_watch, args=(queue, begin), name=f"begins those who wait in {queue}", daemon=True)
            held["lines"][str(queue)] = watcher
            watcher.start()


def _watch(queue: Path, begin: Begin) -> None:
    held, lock = process_wide(), FileLock(serving_lock(queue, device_name()))
    try:
        while True:
            with held["lines_lock"]:
                if not for_servers(queue):
                    del held["lines"][str(queue)]
                    return
            if not is_closing() and _is_ours(lock):
                _look(queue, begin)
            time.sleep(LOOK_EVERY_S)
    finally:
        lock.release()


def _is_ours(lock: FileLock) -> bool:
    with suppress(Timeout, OSError):  # another server watches, or the workspace is gone
        if not lock.is_locked:
            lock.acquire(timeout=0)
    return lock.is_locked


def _look(queue: Path, begin: Begin) -> None:
    """Once along the line. Whatever goes wrong with one ticket must not keep the others waiting for ever."""
    sweep(queue)
    for ticket in for_servers(queue):
        try:
            if _is_settled(ticket):
                continue
            if not in_front(queue, ticket) and not device_is_busy(device_name()):
                begin(ticket)
        except CoachError as error:
            _take_out(ticket, error)
        except Exception as error:
            logging.getLogger(__name__).exception("%s: it cannot begin", ticket.path)
            refuse(ticket, "training.unexpected", {"problem": f"{type(error).__name__}: {error}"})


def _is_settled(ticket: Ticket) -> bool:
    """Takes it out where its attempt has begun elsewhere, or its version is gone. Raises CoachError where it may not begin any more."""
    version = ticket.version
    if not version.is_frozen:
        logging.getLogger(__name__).warning("%s: deleted while it waited to be trained", version.folder)
        return ticket.leave() or True
    view = shared_reader(version).read(0.0).view
    if ticket.has_begun(view.attempt):
        return ticket.leave() or True
    refuse_to_begin(version, view, resume=ticket.said.resume)
    return False


def _take_out(ticket: Ticket, error: CoachError) -> None:
    logging.getLogger(__name__).warning("%s: %s", ticket.version.folder, error)
    refuse(ticket, error.key, error.data)
