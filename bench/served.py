"""A Streamlit server of the app to measure, with a workspace of its own, and how times are summed up."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import record

ROOT = record.ROOT


@contextmanager
def server() -> Iterator[tuple[int, Path, psutil.Process]]:
    """A server with a workspace of its own; port, workspace, process."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
        with open(Path(folder) / "server.log", "wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "COACH_WORKSPACE": folder}, stdout=log, stderr=log)
        try:
            _wait_until_healthy(port)
            yield port, Path(folder), psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_healthy(port: int) -> None:
    from urllib.request import urlopen

    for _ in range(300):
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start within 30 s")


def milliseconds(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    place = min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))
    return {"n": len(ordered), "p50_ms": round(1000 * statistics.median(ordered), 1), "p95_ms": round(1000 * ordered[place], 1)}
