"""How the last attempt to train a version stands, read from the end of its events.jsonl.

Knows the names of the events that begin and end an attempt (contract: design.md section 5), nothing else of a run. Needed because
results.json may be left by an earlier attempt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from coach.errors import WorkspaceError

_TURNING_POINTS = ("started", "resumed", "finished", "stopped", "failed")
_FIRST_BYTES = 64 * 1024  # one event is at most this long


def results_are_of_the_last_attempt(events_path: Path) -> bool:
    """Whether the last attempt finished, so that results.json is its own; True where there is no log at all (a copied folder)."""
    try:
        return _last_turning_point(events_path) == "finished"
    except FileNotFoundError:
        return True
    except OSError as error:
        raise WorkspaceError("workspace.unreadable", path=str(events_path), reason=error.strerror or str(error)) from error


def _last_turning_point(path: Path) -> str | None:
    """The last event that begins or ends an attempt, looked for in a longer and longer end of the file."""
    with open(path, "rb") as file:
        size, wanted = file.seek(0, 2), _FIRST_BYTES
        while True:
            file.seek(max(0, size - wanted))
            found = next(_turning_points(file.read(min(size, wanted))), None)
            if found or wanted >= size:
                return found
            wanted *= 4


def _turning_points(block: bytes) -> Iterator[str]:
    """From the last complete line back; a line that is cut at the block's start, or torn, is passed over."""
    for line in reversed(block[: block.rfind(b"\n") + 1].split(b"\n")):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and event.get("type") in _TURNING_POINTS:
            yield event["type"]
