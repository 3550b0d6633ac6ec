"""Trains one version of three seeds without a break and kills another, `kill -9`, at each of KILLED_BEFORE: `… killed_repeats FOLDER`.

A program of its own, like killed_runs.py: it forks for each life. Prints a line for each: before what it was killed, and how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

import training.fine_tuning  # noqa: F401  imported once, for all lives
from coach.version_folder import Version
from tests.faults import Operation, watched_disk
from tests.training.cut_off import go_on, make_it_repeatable

KILLED_BEFORE = [  # kind of write, end of its path, part of its data; in the order they come
    ("rename", "repeats/seed-43/config.yaml", b""),
    ("append", "repeats/seed-43/events.jsonl", b'"step": 1'),
    ("append", "repeats/seed-43/events.jsonl", b'"step": 3'),
    ("rename", "repeats/seed-43/checkpoints/4", b""),
    ("append", "v1/events.jsonl", b'"resumed"'),
    ("rename", "repeats/seed-43/results.json", b""),
    ("append", "repeats/seed-43/events.jsonl", b'"finished"'),
    ("remove", "repeats/seed-43/.events.reserve", b""),
    ("append", "v1/events.jsonl", b'"seed-44"'),
    ("append", "repeats/seed-44/events.jsonl", b'"step": 6'),
    ("rename", "v1/results.json", b""),
    ("append", "v1/events.jsonl", b'"finished"'),
]
Kill = tuple[str, str, bytes]


def live(version: Version, killed_before: Kill | None) -> int:
    """One attempt in a process of its own; its exit code, or minus the signal that ended it."""
    repeats = version.folder / "repeats"

    def kill(index: int, operation: Operation) -> None:
        if killed_before is None or not repeats.exists():
            return
        kind, ending, data = killed_before
        if operation.kind == kind and str(operation.target or operation.path).endswith(ending) and data in operation.data:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        code = 1
        try:
            with pytest.MonkeyPatch.context() as patch, watched_disk(version.folder, kill):
                make_it_repeatable(patch)
                go_on(version)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path) -> None:
    uncut, cut = (Version(folder / name / "letters" / "versions" / "v1") for name in ("whole", "killed"))
    for version, killed_before in [(uncut, None), *((cut, kill) for kill in KILLED_BEFORE), (cut, None)]:
        ended = live(version, killed_before)
        print(json.dumps({"before": killed_before and killed_before[:2], "ended": ended}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
