"""Each measurement in a process of its own: what one leaves in memory, or breaks, is nobody else's.

A job is a function of `bench.gpu.jobs` by name, with JSON values in and a dict out. For a rehearsal the heavy libraries are imported once
and every job is forked from there.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[1] / "gpu_check.py"
LAST_LINES = 3


@dataclass
class Running:
    """A job at work; `result` waits for it. What it printed stands in `log`."""

    process: Any
    answer: Path
    log: Path

    def result(self) -> dict[str, Any]:
        """What the job returned, or {"failed": the end of what it said}."""
        code = self._wait()
        if code == 0 and self.answer.is_file():
            found: dict[str, Any] = json.loads(self.answer.read_text(encoding="utf-8"))
            return found
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return {"failed": " | ".join(line.strip() for line in lines[-LAST_LINES:])[-600:] or f"ended with {code}"}

    def is_alive(self) -> bool:
        return self.process.poll() is None if isinstance(self.process, subprocess.Popen) else bool(self.process.is_alive())

    def kill(self) -> None:
        """kill -9, and waits until it is gone."""
        if self.is_alive():
            os.kill(self.process.pid, signal.SIGKILL)
        self._wait()

    def _wait(self) -> int | None:
        if isinstance(self.process, subprocess.Popen):
            return self.process.wait()
        self.process.join()
        return self.process.exitcode  # type: ignore[no-any-return]


class Processes:
    """Starts jobs; `forked` for a rehearsal. Their answers and logs lie in a folder that lives as long as this object."""

    def __init__(self, *, forked: bool) -> None:
        self._forked = forked
        self._folder = tempfile.TemporaryDirectory(prefix="gpu-check-")
        self._number = 0
        if forked:
            import_heavy_libraries()

    def start(self, job: str, **values: Any) -> Running:
        self._number += 1
        answer = Path(self._folder.name) / f"{self._number:03d}-{job}.json"
        log = answer.with_suffix(".log")
        if self._forked:
            process: Any = multiprocessing.get_context("fork").Process(target=do, args=(job, values, answer, log))
            process.start()
        else:
            process = subprocess.Popen([sys.executable, str(SCRIPT), "--job", job, json.dumps(values), str(answer), str(log)])
        return Running(process, answer, log)

    def run(self, job: str, **values: Any) -> dict[str, Any]:
        return self.start(job, **values).result()


def do(job: str, values: dict[str, Any], answer: Path, log: Path) -> None:
    """In the job's own process: does it and leaves the answer, what is printed goes into the log."""
    with log.open("a", encoding="utf-8") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    from bench.gpu.jobs import JOBS

    try:
        found = JOBS[job](**values)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    answer.write_text(json.dumps(found), encoding="utf-8")


def import_heavy_libraries() -> None:
    """Imports and computes nothing: a fork of a process whose torch has begun threads would hang."""
    from training.backends import heavy_imports

    with heavy_imports():
        import training.fine_tuning
        import training.prompt_run  # noqa: F401
