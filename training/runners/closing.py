"""Whether this program is about to end, as a training within it has to know before anything is torn down.

Knows the main thread and the sockets that take connections; refuses to know what is done about it, and which server it is.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

import psutil

from training.runners.process_wide import process_wide

LOOK_EVERY_S = 1.0


def is_closing() -> bool:
    """Whether this program has been asked to end: nothing new is begun in it."""
    return process_wide()["closing"] or not threading.main_thread().is_alive()


def wait_until_closing() -> None:
    """Returns once the main thread has ended, or the server in it takes no more connections.

    Uvicorn closes its socket first and then waits without a limit until every browser has hung up (`timeout_graceful_shutdown`, which
    Streamlit 1.67 leaves unset): one that went to sleep would keep a server that was told to end, and its training with it.
    """
    main, listening = threading.main_thread(), _listening_sockets()
    while main.is_alive() and (not listening or any(_is_open(fd, inode) for fd, inode in listening.items())):
        main.join(LOOK_EVERY_S)


def _listening_sockets() -> dict[int, int]:
    """The sockets on which this program takes connections: file descriptor and inode."""
    with suppress(psutil.Error, OSError):  # not to be known here: then the main thread's end has to do
        found = [socket.fd for socket in psutil.Process().net_connections("tcp") if socket.status == psutil.CONN_LISTEN]
        return {fd: os.fstat(fd).st_ino for fd in found if fd >= 0}
    return {}


def _is_open(fd: int, inode: int) -> bool:
    try:
        return os.fstat(fd).st_ino == inode
    except OSError:
        return False
