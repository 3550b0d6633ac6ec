"""What every runner on this machine does alike: tell whether a run is on or has to wait, wait until it has begun, ask it to stop.

Knows files and a question "does it still live?"; whether that is a thread or a process is the runner's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from coach.version_folder import Version
from training.device_lock import device_is_busy, device_name
from training.held_lock import is_locked
from training.run_reader import RunReader
from training.run_status import RunStatus
from training.runners.process_wide import Place
from training.waiting_line import in_front, queue_of, ticket_of

_LOOK_EVERY_S = 0.02
_LEAVING_S = 3.0  # between a worker's last event and its lock let go; milliseconds on an idle machine

Lives = Callable[[], bool]


def folder_of(version: Version) -> str:
    """What a run is known by: the version's folder, links followed."""
    return str(version.folder.resolve())


def place_of(version: Version) -> Place:
    """Of the frozen recipe, which is written once: a version made anew under the same name has another. None where it is gone."""
    try:
        found = version.config_path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def read_status(version: Version, now: float = 0.0) -> RunStatus:
    """The state as the files have it, the whole log read once; `now` in Unix seconds. Whoever asks again and again keeps a RunReader."""
    return RunReader(version.events_path, version.lock_path).read(now)


def is_taken(version: Version) -> bool:
    """Whether a worker trains the version. One that has written its last event is given a moment to let go of the lock."""
    reader, deadline = RunReader(version.events_path, version.lock_path), time.monotonic() + _LEAVING_S
    while is_locked(version.lock_path):
        if reader.read(0.0).view.terminal is None or time.monotonic() > deadline:
            return True
        time.sleep(_LOOK_EVERY_S)
    return False


def has_to_wait(version: Version) -> bool:
    """Whether something trains on the device, or others are in line for it."""
    return device_is_busy(device_name()) or bool(in_front(queue_of(version), ticket_of(version)))


def is_over(version: Version, attempts_before: int) -> bool:
    """Whether the attempt begun after `attempts_before` others has come and gone, whatever still lives of its thread or process."""
    taken = is_taken(version)  # asked first: what is free now has written its last event
    return not taken and read_status(version).view.attempt > attempts_before


def wait_until_begun(version: Version, attempts_before: int, lives: Lives, wait_s: float) -> None:
    """Returns once the new attempt stands in the log or in line, the run has ended, or `wait_s` seconds have passed."""
    reader, deadline = RunReader(version.events_path, version.lock_path), time.monotonic() + wait_s
    while lives() and time.monotonic() < deadline:
        found = reader.read(0.0)
        if found.view.attempt > attempts_before or found.state == "queued":
            return
        time.sleep(_LOOK_EVERY_S)


def with_beginning(found: RunStatus, attempts_before: int, lives: bool) -> RunStatus:
    """`found`, or `running` where a run lives that is not in line and has not come to its first event yet."""
    begins = lives and not found.alive and found.state != "queued" and found.view.attempt <= attempts_before
    return RunStatus("running", found.view) if begins else found


def ask_to_stop(version: Version) -> None:
    """Puts down the file the worker looks for at the end of each step."""
    version.stop_path.touch()
