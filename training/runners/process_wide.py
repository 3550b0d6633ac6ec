"""What this process holds exactly once, however often Streamlit reloads our modules or any browser clears its caches.

It hangs on a module that has no file: a reload gives every file of ours a new module, `st.cache_resource` is emptied by one message of
any client (streamlit.md 3.1). Holds plain data and objects of the standard library alone: after a reload our own classes are others.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import types
from typing import Any, TypedDict, cast

_MODULE = "_coach_process"
Place = tuple[int, int] | None  # what tells a version's folder from a later one of the same name
Refusal = tuple[str, dict[str, Any]]  # a CoachError's key and data; the class itself may be another after a reload


class Training(TypedDict):
    """The training in this process. `attempts_before`: attempts its log held when it was begun; `refused`: the error it ended with."""

    folder: str
    place: Place
    thread: threading.Thread
    attempts_before: int
    refused: list[Refusal]


class Child(TypedDict):
    """A training in a process that this one started."""

    process: subprocess.Popen[bytes]
    place: Place
    attempts_before: int


class MeasuringProcess(TypedDict):
    """A task's calibration in a process that this one started; `listener` lives as long as it does, `said` is what stood on its stderr."""

    process: subprocess.Popen[bytes]
    listener: threading.Thread
    said: list[bytes]


class ProcessWide(TypedDict):
    """Take `lock` to begin a run or a measuring, `lines_lock` to watch a line. `training` is the latest in this process, ended or not.

    `children` are kept by version folder, `measurings` by task folder; `lines`, the threads that begin those who wait, by the folder
    of their line. `closing`: the program has been asked to end.
    """

    lock: threading.Lock
    lines_lock: threading.Lock
    training: Training | None
    children: dict[str, Child]
    lines: dict[str, threading.Thread]
    measurings: dict[str, MeasuringProcess]
    end_watcher: threading.Thread | None
    closing: bool


def process_wide() -> ProcessWide:
    module = sys.modules.setdefault(_MODULE, types.ModuleType(_MODULE))
    fresh: ProcessWide = {
        "lock": threading.Lock(),
        "lines_lock": threading.Lock(),
        "training": None,
        "children": {},
        "lines": {},
        "measurings": {},
        "end_watcher": None,
        "closing": False,
    }
    return cast(ProcessWide, module.__dict__.setdefault("held", fresh))
