"""Training in a process of its own, `python -m training run …`: it outlives the app, and what breaks it cannot take the page along.
Where another training runs, that process waits for its turn by itself.

Owns starting that process and clearing away what is left of it. The process itself is the command line everybody can type.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

from coach.atomic_write import not_written
from coach.errors import WorkspaceError
from coach.version_folder import Version
from training.event_log import RESERVE_BYTES
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
from training.runners.process_wide import Child, process_wide

PROJECT_FOLDER = Path(__file__).parents[2]
BEGIN_WAIT_S = 5.0  # its first event comes within a second on an idle machine
LAST_LINES = 3  # an error is three lines
LAST_BYTES = 4096


class OwnProcess:
    """A Runner: `execution: {type: local, isolation: process}`."""

    def start(self, version: Version) -> None:
        """Raises WorkspaceError where the process ends before its run begins."""
        task = str(version.folder.parents[1])
        _begin(version, ["run", task, "--version", version.name])

    def resume(self, version: Version) -> None:
        """Raises WorkspaceError where the process ends before its run begins."""
        _begin(version, ["resume", str(version.folder.parents[1]), version.name])

    def stop(self, version: Version) -> None:
        ask_to_stop(version)

    def status(self, version: Version, now: float) -> RunStatus:
        found, child = read_status(version, now), process_wide()["children"].get(folder_of(version))
        return found if child is None else with_beginning(found, child["attempts_before"], _trains(child, version))


def _begin(version: Version, command: list[str]) -> None:
    held, folder = process_wide(), folder_of(version)
    with held["lock"]:
        former = child = held["children"].get(folder)
        if child is None or not _trains(child, version) or is_over(version, child["attempts_before"]):
            if is_taken(version):
                return
            held["children"][folder] = child = _spawn(version, command)
    wait_until_begun(version, child["attempts_before"], lambda: _lives(child), BEGIN_WAIT_S)
    if child is former and child["process"].poll() == 0 and not is_over(version, child["attempts_before"]):
        _begin(version, command)  # it had just been taken out of the line and was about to end
        return
    _refuse_a_false_start(version, child)


def _spawn(version: Version, command: list[str]) -> Child:
    """A session of its own: neither Ctrl-C on the server nor its terminal's end reaches it."""
    attempts = read_status(version).view.attempt
    try:
        with version.stdout_path.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "training", *command],
                cwd=PROJECT_FOLDER,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise not_written(error, version.stdout_path) from error
    threading.Thread(target=process.wait, name=f"waits for {process.pid}", daemon=True).start()  # or a zombie would stay
    return {"process": process, "place": place_of(version), "attempts_before": attempts}


def _lives(child: Child) -> bool:
    return child["process"].poll() is None


def _trains(child: Child, version: Version) -> bool:
    """Whether it lives for this very version, not for a deleted one of its name: that one ends by itself at its next step."""
    return _lives(child) and child["place"] == place_of(version)


def _refuse_a_false_start(version: Version, child: Child) -> None:
    """A process that ended without a word in the run's log has said why on its own output."""
    code = child["process"].poll()
    if not code or is_taken(version):
        return
    found = read_status(version)
    if found.state == "queued" or found.view.attempt > child["attempts_before"]:  # another was quicker
        return
    if shutil.disk_usage(version.folder).free < RESERVE_BYTES:  # then its output could not be written either
        raise WorkspaceError("workspace.disk_full", path=str(version.events_path))
    said = _last_lines(version.stdout_path)
    raise WorkspaceError("training.process_ended", version=version.name, code=code, said=said, log=str(version.stdout_path))


def _last_lines(path: Path) -> str:
    try:
        end = path.read_bytes()[-LAST_BYTES:]
    except OSError:
        return "—"
    return " ".join(end.decode("utf-8", "replace").splitlines()[-LAST_LINES:]) or "—"
