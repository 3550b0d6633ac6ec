"""Checkpoints on disk: `checkpoints/<step>/`, complete or not there, the best and the latest kept.

TRL writes a checkpoint beside its final place; one rename makes it count, once everything in it is on the disk, and one rename ends it.
Nothing in it is unpickled without `weights_only=True`.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

from coach.atomic_write import flush_folder, move_into_place

WRITING = ".writing"
NEEDED = (
    "trainer_state.json",
    "adapter_config.json",
    "adapter_model.safetensors",
    "averaged.safetensors",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",  # transformers goes on without it, with other dropout
)
UNWANTED = (
    "training_args.bin",  # a pickle of the arguments; config.yaml has them already
    "tokenizer.json",  # the base model's, 33 MB of the starter's; not worth the flush
    "tokenizer_config.json",
    "README.md",
)


def writing_folder(checkpoints: Path) -> Path:
    """Where the trainer writes (`checkpoint-<step>` inside it) before `accept` moves it."""
    return checkpoints / WRITING


def written(checkpoints: Path, step: int) -> Path:
    """The trainer's finished but not yet accepted checkpoint."""
    return writing_folder(checkpoints) / f"checkpoint-{step}"


def accept(checkpoints: Path, step: int) -> Path:
    """Moves the trainer's finished `checkpoint-<step>` to `checkpoints/<step>` in one rename and returns it. Raises OSError."""
    source = written(checkpoints, step)
    for name in UNWANTED:
        (source / name).unlink(missing_ok=True)
    target = checkpoints / str(step)
    if target.exists():  # a damaged one that was passed over
        shutil.rmtree(target)
    move_into_place(source, target)
    flush_folder(checkpoints.parent)  # the first of a run has just made `checkpoints`
    return target


def latest(checkpoints: Path) -> int | None:
    """The step of the latest complete checkpoint."""
    return max(steps(checkpoints), default=None)


def latest_sound(checkpoints: Path) -> int | None:
    """The step of the latest checkpoint whose files can all be read; damaged ones are passed over."""
    return next((step for step in reversed(steps(checkpoints)) if is_sound(checkpoints / str(step))), None)


def steps(checkpoints: Path) -> list[int]:
    """The steps of all complete checkpoints, rising."""
    if not checkpoints.is_dir():
        return []
    return sorted(int(folder.name) for folder in checkpoints.iterdir() if folder.name.isdigit() and is_complete(folder))


def is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in NEEDED)


def is_sound(folder: Path) -> bool:
    """Whether every file a resume needs can be read. Without torch, whose import would keep the event `resumed` waiting for seconds."""
    from safetensors import safe_open

    try:
        for name in NEEDED:
            if name.endswith(".json"):
                json.loads((folder / name).read_text(encoding="utf-8"))
            elif name.endswith(".safetensors"):
                with safe_open(folder / name, framework="numpy"):  # checks its table against the file's length
                    pass
            else:
                with zipfile.ZipFile(folder / name) as archive:  # what torch.save writes, a checksum for each part
                    if archive.testzip() is not None:
                        return False
    except Exception:  # whatever a damaged file makes its reader raise, it cannot be resumed from
        return False
    return True


def prune(checkpoints: Path, keep: set[int]) -> None:
    """Removes every checkpoint but those of the steps in `keep`, and what a broken write left.

    Renamed first: a checkpoint that was half removed when the process was killed would pass for a whole one.
    """
    waste = writing_folder(checkpoints)
    waste.mkdir(exist_ok=True)
    for folder in list(checkpoints.iterdir()):
        if folder.name.isdigit() and int(folder.name) not in keep:
            with suppress(OSError):  # the next one tries again
                os.rename(folder, waste / f"removed-{folder.name}")
    shutil.rmtree(waste, ignore_errors=True)
