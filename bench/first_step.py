"""From the command to the first optimiser step, read from the events a training writes; shared by `overhead.py` and `gpu_check.py`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coach.version_folder import Version
from training.event_log import EventTail

POLL_S = 0.01
PARTS = (
    # the moment at which a part ends: (its name, how its event is told)
    ("interpreter and lock", lambda event: event["type"] == "started"),
    ("imports", lambda event: event["type"] == "phase" and event.get("name") == "baseline"),
    ("baseline", lambda event: event["type"] == "phase" and event.get("name") == "loading"),
    ("loading, adapter and rows", lambda event: event["type"] == "phase" and event.get("name") == "training"),
    ("first step", lambda event: event["type"] == "step"),
)


def time_to_first_step(version: Version, root: Path, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Seconds of `python -m training run` up to its first step, part by part; the run is asked to stop after it and waited for.

    The clock is the log's own (Unix seconds, milliseconds). Raises RuntimeError where it ended before a step.
    """
    task = str(version.folder.parents[1])
    began = time.time()
    process = subprocess.Popen(
        [sys.executable, "-m", "training", "run", task, "--version", version.name],
        cwd=root, env=dict(env) if env else None, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    events: list[dict[str, Any]] = []
    tail = EventTail(version.events_path)
    while not any(event["type"] == "step" for event in events):
        ended = process.poll() is not None
        events += tail.poll()
        if ended and not any(event["type"] == "step" for event in events):
            said = process.stderr.read() if process.stderr else ""
            raise RuntimeError(f"the training ended before its first step: {said.strip()[-400:]}")
        time.sleep(POLL_S)
    version.stop_path.touch()
    process.communicate()
    return parts_of(events, began)


def parts_of(events: list[dict[str, Any]], began: float) -> dict[str, Any]:
    """Seconds of each part, and `total_s`, from the log's events and the moment the command was given."""
    parts, before = {}, began
    for name, ends in PARTS:
        at = next((float(event["t"]) for event in events if ends(event)), None)
        if at is None:  # a method without that phase
            continue
        parts[name], before = round(at - before, 3), at
    return {"total_s": round(before - began, 3), "parts_s": parts}
