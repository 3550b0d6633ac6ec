"""The line of versions that wait for the device: one small file each under `<workspace>/.queue/`, in the order they came.

Owns those files: taking a place, leaving it, who is first, and telling a ticket nobody stands behind any more. A ticket is either a
server's (a thread of any server of the workspace begins it, also after a restart) or a process's own (that process holds a lock beside
it, so a dead one is recognised). Whoever removes a ticket has settled it: who begins a version and finds its ticket gone knows that it
was cancelled at that moment. Knows nothing of threads, nor of how long a training takes. A workspace is the folder a task lies in.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from coach.atomic_write import not_written
from coach.errors import CoachError, WorkspaceError
from coach.version_folder import Version, read_json, write_json
from training.device_lock import device_name
from training.held_lock import is_locked

QUEUE = ".queue"
REFUSED = "refused.json"  # in a version's folder: why it could not begin when its turn came
_TICKET = re.compile(r"\d{20}\..*\.json")
_TRIES = 5  # somebody who leaves may take the empty folder away just then

Behind = Literal["server", "process"]


class TicketFile(BaseModel):
    """What a ticket says. `folder` is the version's, from the workspace; `attempts`: what its log held when it began to wait."""

    model_config = ConfigDict(extra="ignore")

    task: str
    version: str
    folder: str
    device: str
    behind: Behind
    resume: bool = False
    max_steps: int | None = None
    attempts: int = 0
    since: float
    expected_s: float | None = None


@dataclass(frozen=True)
class Ticket:
    """A place in line: the file, and what it says."""

    path: Path
    said: TicketFile

    @property
    def version(self) -> Version:
        return Version(self.path.parent.parent / self.said.folder)

    @property
    def lock_path(self) -> Path:
        """Held as long as the process lives that waits by itself."""
        return self.path.with_suffix(".lock")

    @property
    def moves(self) -> bool:
        """Whether somebody stands behind it who will begin it. A server's ticket with no server at work is waiting for one."""
        return is_locked(serving_lock(self.path.parent, self.said.device) if self.said.behind == "server" else self.lock_path)

    @property
    def waits(self) -> bool:
        return self.said.behind == "server" or self.moves

    def has_begun(self, attempts: int) -> bool:
        """Whether the attempt it stands for has begun; `attempts`: what the version's log holds."""
        return attempts > self.said.attempts

    def leave(self) -> bool:
        """Removes it; False where it was gone already."""
        try:
            self.path.unlink()
        except OSError:
            return False
        finally:
            with suppress(OSError):
                self.lock_path.unlink(missing_ok=True)
            with suppress(OSError):  # servers keep their lock in it
                self.path.parent.rmdir()
        return True


def queue_of(version: Version) -> Path:
    """The folder of the line a version waits in; in its task's own where the task's workspace takes no files."""
    task = version.folder.resolve().parent.parent
    return (task.parent if os.access(task.parent, os.W_OK) else task) / QUEUE


def tickets(queue: Path) -> list[Ticket]:
    """Every ticket in the order they came; what cannot be read is passed over."""
    try:
        paths = sorted(path for path in queue.iterdir() if _TICKET.fullmatch(path.name))
    except OSError:
        return []
    return [ticket for path in paths if (ticket := _read(path)) is not None]


def for_servers(queue: Path) -> list[Ticket]:
    """Those a server that trains on this process's device is to begin. Costs one look where there is no line."""
    here = device_name()
    return [ticket for ticket in tickets(queue) if ticket.said.behind == "server" and ticket.said.device == here]


def serving_lock(queue: Path, device: str) -> Path:
    """Held by the one server that begins the servers' tickets for the device."""
    return queue / f"{device}.serving.lock"


def ticket_of(version: Version) -> Ticket | None:
    """The version's place in line, or None."""
    folder, queue = version.folder.resolve(), queue_of(version)
    if not queue.is_dir():
        return None
    return next((ticket for ticket in tickets(queue) if ticket.version.folder == folder and ticket.waits), None)


def in_front(queue: Path, ticket: Ticket | None) -> list[Ticket]:
    """Those who come before `ticket`, or before whoever comes now; dead ones and those that wait for a server are stepped over."""
    device = device_name() if ticket is None else ticket.said.device
    before = [other for other in tickets(queue) if ticket is None or other.path.name < ticket.path.name]
    return [other for other in before if other.said.device == device and other.moves]


def take_place(
    version: Version,
    *,
    behind: Behind,
    attempts: int,
    resume: bool,
    max_steps: int | None = None,
    expected_s: float | None = None,
) -> tuple[Ticket, FileLock | None]:
    """Puts the version at the end of the line and returns its ticket, with the lock held for it where a process waits itself.

    A server's version that waits already keeps its place. Raises WorkspaceError where a process would wait for such a one, and where
    the file cannot be written.
    """
    queue, folder = queue_of(version), version.folder.resolve()
    sweep(queue)
    found = ticket_of(version)
    if found is not None and not found.has_begun(attempts):
        if behind == "server":
            return found, None
        if found.moves:
            raise WorkspaceError("training.waiting_already", version=version.name)
    if found is not None:  # settled, or a server's with no server to begin it
        found.leave()
    task = folder.parent.parent
    said = TicketFile(
        task=task.name, version=version.name, folder=folder.relative_to(queue.parent).as_posix(), device=device_name(), behind=behind,
        resume=resume, max_steps=max_steps, attempts=attempts, since=round(time.time(), 3), expected_s=expected_s,
    )  # fmt: skip
    return _write(queue, said)


def leave_line(version: Version) -> bool:
    """Takes the version out of the line; whether it was in it."""
    folder = version.folder.resolve()
    mine = [ticket for ticket in tickets(queue_of(version)) if ticket.version.folder == folder]
    left = [ticket.leave() for ticket in mine if ticket.waits]
    return any(left)


def sweep(queue: Path) -> None:
    """Removes the tickets of processes that are dead."""
    for ticket in tickets(queue):
        if not ticket.waits:
            ticket.leave()


# --- why one did not begin -----------------------------------------------------------------------------------------------------


def refuse(ticket: Ticket, key: str, data: Mapping[str, Any]) -> None:
    """Takes it out of the line and leaves the reason, an error's key and data, where whoever looks at the version reads it.

    The reason first: nobody finds a version that waits no more and cannot be told why.
    """
    try:
        with suppress(CoachError):  # the version is gone, or the disk is full: the server's log has the reason too
            write_json(ticket.version.folder / REFUSED, {"attempts": ticket.said.attempts, "key": key, "data": dict(data)})
    finally:
        ticket.leave()


def refusal(version: Version, attempts: int) -> CoachError | None:
    """Why the version could not begin when its turn came; None once another attempt has begun. `attempts`: what its log holds."""
    try:
        document = read_json(version.folder / REFUSED) or {}
        error = WorkspaceError(str(document["key"]), **document["data"])
        error.lines()
    except (CoachError, KeyError, TypeError):  # none, damaged, or of another release
        return None
    return error if document.get("attempts") == attempts else None


# --- the files -----------------------------------------------------------------------------------------------------------------


def _read(path: Path) -> Ticket | None:
    try:
        return Ticket(path, TicketFile.model_validate_json(path.read_bytes()))
    except (OSError, ValidationError):
        return None


def _write(queue: Path, said: TicketFile) -> tuple[Ticket, FileLock | None]:
    last = max((int(ticket.path.name[:20]) for ticket in tickets(queue)), default=0)
    order = max(time.time_ns(), last + 1)  # a clock that was set back sends nobody to the front
    ticket = Ticket(queue / f"{order:020d}.{said.task[:60]}.{said.version[:64]}.json", said)
    for left in reversed(range(_TRIES)):
        lock = FileLock(ticket.lock_path) if said.behind == "process" else None
        try:
            queue.mkdir(exist_ok=True)
            if lock is not None:
                lock.acquire(timeout=0)  # before the ticket is there: nobody may take a new one for a dead one's
            write_json(ticket.path, said.model_dump())
        except (OSError, WorkspaceError) as error:
            if lock is not None:
                lock.release()
            if not left:
                raise error if isinstance(error, WorkspaceError) else not_written(error, ticket.path) from error
        else:
            return ticket, lock
    raise AssertionError("the last try returns or raises")
