"""Append to and tail `events.jsonl`: one writer, one `write` a line; readers keep a byte offset.

A line counts only once its newline is there. A writer that finds a torn last line (a crash or a full disk mid-write) ends it before its
next one, and readers step over what is no event. A small reserve file is given back to the disk so that `failed` can be written on a full
one. The last event of an attempt is on the disk when `append` returns; so is everything else after `flush`.
A log that was deleted or replaced while it is written is never brought back: the writer is told instead.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from coach.atomic_write import flush_folder
from coach.errors import WorkspaceError
from training.events import EVENT_TYPES, SCHEMA_VERSION, TERMINAL_TYPES, Event, EventType, finite, is_event

MAX_LINE_BYTES = 64 * 1024
RESERVE, RESERVE_BYTES = ".events.reserve", 256 * 1024
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

Listener = Callable[[Event], None]


class EventLog:
    """The one writer of a version's log. Thread-safe within its process; the worker lock keeps other processes out.

    Raises OSError where the folder is gone, the file cannot be written, or the disk has no room for the reserve.
    """

    def __init__(self, path: Path, *, listener: Listener | None = None, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._listener = listener
        self._clock = clock
        self._lock = threading.Lock()
        self._reserve = path.with_name(RESERVE)
        self._seq = _next_seq(path)
        self._hold_reserve()  # first: a run that could not say why it failed does not begin
        try:
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - held open for the run, closed by close()
            self._torn = _is_torn(path)
            flush_folder(path.parent)
        except OSError:
            self._reserve.unlink(missing_ok=True)
            raise

    def append(self, kind: EventType, **fields: Any) -> Event:
        """Writes one event and returns it.

        Raises ValueError for an unknown type or a line above 64 KB, WorkspaceError as `require_in_place` does, OSError from the disk.
        """
        if kind not in EVENT_TYPES:
            raise ValueError(f"{kind!r} is not an event type")
        with self._lock:
            event: Event = {"v": SCHEMA_VERSION, "seq": self._seq, "t": round(self._clock(), 3), "type": kind, **finite(fields)}
            line = (json.dumps(event, ensure_ascii=False, separators=(", ", ": ")) + "\n").encode("utf-8")
            if len(line) > MAX_LINE_BYTES:
                raise ValueError(f"a {kind} event of {len(line)} bytes; at most {MAX_LINE_BYTES} fit a line")
            self.require_in_place()
            self._write(line, last=kind in TERMINAL_TYPES)
            self._seq += 1
        self._tell(event)
        return event

    def flush(self) -> None:
        """Everything appended so far is on the disk afterwards. To be asked before a checkpoint counts: a resume reads both."""
        os.fsync(self._file.fileno())

    def is_in_place(self) -> bool:
        """Whether the path still leads to the file that is written here: neither deleted nor replaced. Costs two looks at the disk."""
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError):  # cannot be told at the moment, or closed: whoever writes will meet it
            return True

    def require_in_place(self) -> None:
        """To be asked before anything is written into the version's folder. Raises WorkspaceError once that is another, or gone."""
        if not self.is_in_place():
            raise WorkspaceError("training.version_gone", path=str(self.path), folder=str(self.path.parent))

    def _tell(self, event: Event) -> None:
        """A display that fails (a closed pipe, a value it cannot draw) is left out from then on; it must not end a training."""
        if self._listener is None:
            return
        try:
            self._listener(event)
        except Exception:
            logging.getLogger(__name__).warning("the display of events failed and is switched off", exc_info=True)
            self._listener = None

    def close(self) -> None:
        in_place = self.is_in_place()
        self._file.close()
        if in_place:  # else it is another run's
            self._reserve.unlink(missing_ok=True)

    def _write(self, line: bytes, *, last: bool) -> None:
        try:
            self._write_whole(line)
        except OSError as error:
            if error.errno not in _NO_ROOM or not last or not self._reserve.exists():
                raise
            self._reserve.unlink()
            self._write_whole(line)
        if last:
            self.flush()

    def _write_whole(self, line: bytes) -> None:
        whole = b"\n" + line if self._torn else line
        self._torn = True
        written = self._file.write(whole)
        if written != len(whole):  # a short write is how some file systems say "full"
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._torn = False

    def _hold_reserve(self) -> None:
        try:
            self._reserve.write_bytes(b"\0" * RESERVE_BYTES)
        except OSError:
            self._reserve.unlink(missing_ok=True)
            raise


def _is_torn(path: Path) -> bool:
    """Whether the last line has no end."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as handle:
        handle.seek(-1, os.SEEK_END)
        return handle.read(1) != b"\n"


def _next_seq(path: Path) -> int:
    last = -1
    for event in read_events(path):
        last = max(last, event.get("seq", -1))
    return last + 1


class EventTail:
    """A reader's place in a log: each `poll` gives the events whose newline has come since the last one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.torn = 0  # complete lines that were no event

    def poll(self) -> list[Event]:
        try:
            with self.path.open("rb") as handle:
                handle.seek(self.offset)
                block = handle.read()
        except OSError:  # none, a folder, not ours to read: nothing is known of the run
            return []
        end = block.rfind(b"\n") + 1
        self.offset += end
        return list(self._parse(block[:end]))

    def _parse(self, block: bytes) -> Iterator[Event]:
        for line in block.splitlines():
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):  # bytes that are no UTF-8; brackets a hundred thousand deep
                self.torn += 1
                continue
            if is_event(event):
                yield event
            else:
                self.torn += 1


def read_events(path: Path) -> list[Event]:
    """Every complete event of a log; an empty list where there is none."""
    return EventTail(path).poll()
