"""Checkpoints on disk: `checkpoints/<step>/`, complete or not there, the best and the latest kept.

TRL writes a checkpoint beside its final place; one rename makes it count. Nothing in it is unpickled without `weights_only=True`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

WRITING = ".writing"


def writing_folder(checkpoints: Path) -> Path:
    """Where the trainer writes (`checkpoint-<step>` inside it) before `accept` moves it."""
    return checkpoints / WRITING


def written(checkpoints: Path, step: int) -> Path:
    """The trainer's finished but not yet accepted checkpoint."""
    return writing_folder(checkpoints) / f"checkpoint-{step}"


def accept(checkpoints: Path, step: int) -> Path:
    """Moves the trainer's finished `checkpoint-<step>` to `checkpoints/<step>` in one rename and returns it."""
    source = written(checkpoints, step)
    (source / "training_args.bin").unlink(missing_ok=True)  # a pickle of the arguments; config.yaml has them already
    target = checkpoints / str(step)
    if target.exists():
        shutil.rmtree(target)
    os.replace(source, target)
    return target


def latest(checkpoints: Path) -> int | None:
    """The step of the latest complete checkpoint."""
    return max(steps(checkpoints), default=None)


def steps(checkpoints: Path) -> list[int]:
    if not checkpoints.is_dir():
        return []
    return sorted(int(folder.name) for folder in checkpoints.iterdir() if folder.name.isdigit() and folder.is_dir())


def prune(checkpoints: Path, keep: set[int]) -> None:
    """Removes every checkpoint but those of the steps in `keep`, and what a broken write left."""
    for step in steps(checkpoints):
        if step not in keep:
            shutil.rmtree(checkpoints / str(step), ignore_errors=True)
    shutil.rmtree(writing_folder(checkpoints), ignore_errors=True)
