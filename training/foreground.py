"""`python -m training run` and `resume`: waits in line where something trains, then trains in this process and shows it.

Owns the place in line of a process that waits by itself, held by a lock so that a killed one is known, and its one line on the terminal.
Ctrl-C leaves the line; once the training runs it asks for a stop with a checkpoint (run_report.py).
"""

from __future__ import annotations

import sys
import time

from filelock import FileLock

from coach.command_line import print_lines
from coach.errors import WorkspaceError
from coach.text import Language, text
from coach.version_folder import Version
from training.attempt import refuse_to_begin
from training.clock import local_now
from training.device_lock import BUSY, device_is_busy, device_name
from training.event_log import Listener
from training.events import Event
from training.expected_time import expected_s
from training.run_reader import shared_reader
from training.run_report import ProgressReport
from training.run_view import RunView
from training.runners.beginning import ask_to_stop, has_to_wait, is_taken
from training.standing import Standing, standing
from training.waiting_line import Ticket, in_front, queue_of, sweep, take_place, ticket_of
from training.worker import run

LOOK_EVERY_S = 0.5


def run_in_turn(version: Version, language: Language, *, quiet: bool, resume: bool, max_steps: int | None) -> bool:
    """Trains the version once nothing else trains on this device; False where it was taken out of the line before.

    `quiet`: nothing is drawn. Raises what `worker.run` raises, and WorkspaceError where the version runs or waits already, or is
    trained, or deleted, while it waits.
    """
    if is_taken(version):
        raise WorkspaceError("training.running_already", version=version.name, folder=str(version.folder))
    report, place = ProgressReport(version, language, quiet=quiet), Place(version, resume, max_steps)
    try:
        while place.wait(WaitingReport(version, language, quiet=quiet)):
            try:
                with report:
                    run(version, resume=resume, max_steps=max_steps, listener=place.leaving_before(report.show), now=local_now)
                return True
            except WorkspaceError as error:
                if error.key != BUSY:  # else another workspace was quicker by a moment
                    raise
    finally:
        report.close()
        place.leave()
    return False


class Place:
    """The place in line of a training this process begins itself; none as long as it need not wait."""

    def __init__(self, version: Version, resume: bool, max_steps: int | None) -> None:
        self._version, self._resume, self._max_steps = version, resume, max_steps
        self._ticket: Ticket | None = None
        self._lock: FileLock | None = None

    def wait(self, show: WaitingReport) -> bool:
        """Returns True once it is the version's turn, False where it was cancelled, by Ctrl-C here or by anybody elsewhere."""
        if self._ticket is None:
            view = self._refuse_in_vain()
            if ticket_of(self._version) is None and not has_to_wait(self._version):
                return True
            expected = expected_s(self._version, view, self._max_steps)
            self._ticket, self._lock = take_place(
                self._version, behind="process", attempts=view.attempt, resume=self._resume, max_steps=self._max_steps, expected_s=expected
            )  # fmt: skip
        try:
            return self._watch(self._ticket, show)
        except KeyboardInterrupt:
            return False
        finally:
            show.end()

    def leaving_before(self, show: Listener) -> Listener:
        """A listener that takes the version out of the line at the first event of its run; cancelled at that moment, it stops at once."""

        def heard(event: Event) -> None:
            if self._ticket is not None and not self.leave():
                ask_to_stop(self._version)
            show(event)

        return heard

    def leave(self) -> bool:
        """Gives the place up; False where it was taken away, or there is none."""
        left = self._ticket is not None and self._ticket.leave()
        if self._lock is not None:
            self._lock.release()
        self._ticket = self._lock = None
        return left

    def _watch(self, ticket: Ticket, show: WaitingReport) -> bool:
        queue = queue_of(self._version)
        while ticket.path.exists():
            self._refuse_in_vain()
            if not in_front(queue, ticket) and not device_is_busy(device_name()):
                return True
            show(standing(self._version, time.time()))
            time.sleep(LOOK_EVERY_S)
            sweep(queue)
        return False

    def _refuse_in_vain(self) -> RunView:
        """The run so far. Raises WorkspaceError where there is nothing to wait for: trained meanwhile, deleted, nothing to resume."""
        if not self._version.is_frozen:
            raise WorkspaceError("training.version_gone", path=str(self._version.events_path), folder=str(self._version.folder))
        view = shared_reader(self._version).read(0.0).view
        refuse_to_begin(self._version, view, resume=self._resume)
        if self._ticket is not None and self._ticket.has_begun(view.attempt):
            raise WorkspaceError("training.running_already", version=self._version.name, folder=str(self._version.folder))
        return view


class WaitingReport:
    """Where the version stands: one line that changes on a terminal, a line for each new place elsewhere."""

    def __init__(self, version: Version, language: Language, *, quiet: bool) -> None:
        self._version, self._language, self._quiet = version, language, quiet
        self._said: tuple[str, int] | None = None

    def __call__(self, found: Standing | None) -> None:
        if found is None or self._quiet:
            return
        line = text("cli.training.waiting", self._language, version=self._version.name, standing=found.say(self._language))
        if sys.stderr.isatty():
            if self._said is None or self._said[0] != line:
                sys.stderr.write(f"\r\x1b[K{line}")
                sys.stderr.flush()
        elif self._said is None or self._said[1] != found.place:
            print_lines([line], to=sys.stderr)
        self._said = line, found.place

    def end(self) -> None:
        """The terminal's line is free again."""
        if self._said is not None and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._said = None
