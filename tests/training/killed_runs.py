"""Trains one version without a break and kills another, `kill -9`, at as many random points as are asked for: `… killed_runs FOLDER TIMES`.

A program of its own: it imports the heavy libraries once and forks for each life, so that a life costs a second. Prints a line for each:
what it was (`as`), the operation it was killed before, how it ended (0, or the signal).
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path

import pytest

import training.__main__
import training.fine_tuning
from coach.version_folder import Version
from tests.faults import Operation, watched_disk
from tests.training.cut_off import go_on, make_it_repeatable
from training import checkpoints
from training.runners import RUNNERS
from training.runners.process_wide import process_wide

ROLES = ("worker", "command line", "server")
OPERATIONS = (8, 80)  # a life gets this far; a checkpoint takes about forty


def live(version: Version, role: str, killed_at: int | None) -> int:
    """One attempt in a process of its own; its exit code, or minus the signal that ended it."""

    def kill(index: int, operation: Operation) -> None:
        if index == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        code = 1
        try:
            with pytest.MonkeyPatch.context() as patch, watched_disk(version.folder, kill):
                make_it_repeatable(patch)
                train(version, role)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def train(version: Version, role: str) -> None:
    has_checkpoint = checkpoints.latest(version.checkpoints_folder) is not None
    if role == "worker":
        go_on(version)
    elif role == "command line":
        task = str(version.folder.parents[1])
        words = ["resume", task, version.name] if has_checkpoint else ["run", task, "--version", version.name]
        assert training.__main__.main(words, "en") == 0
    else:
        runner = RUNNERS["local", "thread"]
        (runner.resume if has_checkpoint else runner.start)(version)
        held = process_wide()["training"]
        assert held is not None
        held["thread"].join()


def main(folder: Path, times: int) -> None:
    uncut, cut = (Version(folder / name / "letters" / "versions" / "v1") for name in ("whole", "killed"))
    chance = random.Random(4)
    lives = [(uncut, "worker", None)]
    lives += [(cut, ROLES[number % 3], chance.randint(*OPERATIONS)) for number in range(times)]
    for version, role, killed_at in [*lives, (cut, "worker", None)]:
        ended = live(version, role, killed_at)
        print(json.dumps({"as": role, "operation": killed_at, "ended": ended}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
