"""Where a waiting version stands and how long it will be: from the running training's log and the estimates of those in front.

Reads files, changes nothing. A wait is None where one of its parts is not known yet; it is never guessed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from coach.text import Language, text
from coach.version_folder import Version
from training.device_lock import device_holder, device_is_busy, device_name
from training.run_reader import shared_reader, time_left_s
from training.waiting_line import Ticket, in_front, queue_of, ticket_of


@dataclass(frozen=True)
class Standing:
    """`place` is 1 for who comes next. `moves`: whether somebody stands behind it who will begin it; else it waits for a server.

    `wait_s`: seconds until its turn. `running`: the version that trains now, in this workspace or another.
    """

    place: int
    wait_s: float | None
    moves: bool
    running: Version | None

    def say(self, language: Language) -> str:
        """Place and wait, as every page and command says them."""
        place = text(f"queue.place.{'next' if self.place == 1 else 'later'}", language, place=self.place)
        if not self.moves:
            return text("queue.line", language, place=place, wait=text("queue.wait.server", language))
        return text("queue.line", language, place=place, wait=wait_words(self.wait_s, language))


def standing(version: Version, now: float) -> Standing | None:
    """The version's place in line and its wait; None where it is not in line. `now` in Unix seconds."""
    ticket = ticket_of(version)
    return None if ticket is None else _standing(queue_of(version), ticket, now)


def outlook(workspace_queue: Path, now: float) -> Standing | None:
    """Where a version started now would stand; None where it would begin at once."""
    found = _standing(workspace_queue, None, now)
    return found if found.place > 1 or device_is_busy(device_name()) else None


def wait_words(seconds: float | None, language: Language) -> str:
    """A wait in whole minutes, rounded up."""
    if seconds is None:
        return text("queue.wait.unknown", language)
    minutes = math.ceil(seconds / 60)
    if minutes <= 1:
        return text("queue.wait.soon", language)
    if minutes < 60:
        return text("queue.wait.minutes", language, m=minutes)
    return text("queue.wait.hours", language, h=minutes // 60, m=minutes % 60)


def _standing(queue: Path, ticket: Ticket | None, now: float) -> Standing:
    before = in_front(queue, ticket)
    device = device_name() if ticket is None else ticket.said.device
    running = device_holder(device)
    parts = [_left_s(running, device, now), *(other.said.expected_s for other in before)]
    known = [part for part in parts if part is not None]
    wait_s = sum(known) if len(known) == len(parts) else None
    return Standing(len(before) + 1, wait_s, ticket is None or ticket.moves, running)


def _left_s(running: Version | None, device: str, now: float) -> float | None:
    if running is None:
        return None if device_is_busy(device) else 0.0
    found = shared_reader(running).read(now)
    return time_left_s(found.view, now, found.repeat)
