"""Measuring a task on this machine (calibration.py) for a page: in a process of its own, so that its memory is its own and no page waits.

The process is the command everybody can type, `python -m training estimate … --calibrate`; what it finds it keeps for every later
estimate. Owns starting it, and what it said where it failed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Literal

from coach.atomic_write import not_written
from coach.text import Language
from coach.workspace import Task
from training.device_lock import device_is_busy, device_name
from training.runners.own_process import PROJECT_FOLDER
from training.runners.process_wide import process_wide

LAST_LINES = 3  # an error is three lines


@dataclass(frozen=True)
class Measuring:
    """`busy`: something else is trained or measured on this device. `said`: why the last one failed, in the words of the command."""

    state: Literal["idle", "measuring", "busy", "failed"]
    said: tuple[str, ...] = ()


def begin_measuring(task: Task, language: Language) -> None:
    """Measures the task as it is saved; nothing where that is being done already. Raises WorkspaceError where no process can be had."""
    held = process_wide()
    with held["lock"]:
        if measuring(task).state == "measuring":
            return
        try:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "training",
                    "--lang",
                    language,
                    "estimate",
                    str(task.folder.resolve()),
                    "--calibrate",
                    "--json",
                ],
                cwd=PROJECT_FOLDER,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise not_written(error, task.folder) from error
        said: list[bytes] = []
        listener = threading.Thread(target=_listen, args=(process, said), name=f"listens to {process.pid}", daemon=True)
        held["measurings"][str(task.folder.resolve())] = {"process": process, "listener": listener, "said": said}
        listener.start()


def measuring(task: Task) -> Measuring:
    """How it stands with measuring this task."""
    begun = process_wide()["measurings"].get(str(task.folder.resolve()))
    if begun is not None and begun["listener"].is_alive():
        return Measuring("measuring")
    if device_is_busy(device_name()):
        return Measuring("busy")
    if begun is not None and begun["process"].returncode:
        return Measuring("failed", tuple(b"".join(begun["said"]).decode("utf-8", "replace").splitlines()[-LAST_LINES:]))
    return Measuring("idle")


def _listen(process: subprocess.Popen[bytes], said: list[bytes]) -> None:
    """Until its end; or its output would fill the pipe, and it would stay a zombie."""
    said.append(process.communicate()[1])
