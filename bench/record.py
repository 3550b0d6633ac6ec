"""Writes a bench's figures as JSON with what they depend on: commit, versions, machine, load. Shared by every bench script."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
sys.path.insert(0, str(ROOT))


def document(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    """The figures with what they depend on in front."""
    from training.results import package_versions

    return {
        "bench": name,
        "measured": datetime.now().astimezone().isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD")
        + ("+changes" if _git("status", "--porcelain", "--", "coach", "training", "pages", "app.py") else ""),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "load_1m": round(os.getloadavg()[0], 2)},
        "python": platform.python_version(),
        "packages": package_versions(),
        **figures,
    }


def write(name: str, figures: dict[str, Any]) -> Path:
    """Writes `bench/<name>.json`, prints it, and returns its path."""
    written = json.dumps(document(name, figures), ensure_ascii=False, indent=1)
    path = FOLDER / f"{name}.json"
    path.write_text(written + "\n", encoding="utf-8")
    print(written)
    return path


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def processor() -> str:
    """The processor's name as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
