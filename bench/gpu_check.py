"""Proves and measures the GPU path without a model hub: `make gpu-check`, about two hours on one card with everything asked for.

    python bench/gpu_check.py [--models …] [--methods lora,full,qlora] [--only training,scoring,first_step,interrupted,out_of_memory]
    python bench/gpu_check.py --tiny [--out FOLDER]      a rehearsal on a processor, a minute; it says nothing of a GPU

Models of true shape with random weights are built once (about 13 GB under .cache/gpu-check) and loaded as a user's local model is.
Writes gpu_check.json and gpu_check.md into bench/gpu/ (a rehearsal: into a temporary folder), anew after each measurement, so that a check
broken off keeps what it has. Exit code 1 where something that must hold does not: a training survives memory that runs out, a resumed one
ends with the same weights, labels stay the same. What each part is: bench/gpu/.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench import record
from bench.first_step import time_to_first_step
from bench.gpu import lives, table
from bench.gpu.cells import MICRO_BATCHES, NOT_BUILT, REHEARSAL, Grid, predicted_gb
from bench.gpu.contenders import METHODS
from bench.gpu.processes import Processes, do
from bench.gpu.true_shape import MODELS
from coach.command_line import run_command
from coach.errors import UserError
from coach.text import Language
from coach.version_folder import Version

RESULTS = ROOT / "bench" / "gpu"
MODELS_FOLDER = ROOT / ".cache" / "gpu-check"
Found = dict[str, Any]


class Check:
    """The figures so far, written after each measurement."""

    def __init__(self, processes: Processes, grid: Grid, folders: dict[str, str], out: Path, *, tiny: bool) -> None:
        self.processes, self.grid, self.folders, self.out, self.tiny = processes, grid, folders, out, tiny
        self.smallest = folders[grid.models[0]]
        self.found: Found = {"rehearsal": tiny, "device": _device(tiny), "cells": []}

    def put(self, name: str, figures: Any) -> None:
        self.found[name] = figures
        document = record.document("gpu_check", self.found)
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "gpu_check.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (self.out / "gpu_check.md").write_text(table.page(document), encoding="utf-8")

    def training(self) -> None:
        cells: list[Found] = []
        for cell in self.grid.cells():
            figures: Found = {**cell.fields(), "predicted_gb": predicted_gb(cell)}
            for contender in self.grid.contenders:
                if contender not in self.grid.asked(cell):
                    figures[contender] = {"not_built": NOT_BUILT}
                    continue
                figures[contender] = self.processes.run(
                    "speed",
                    contender=contender,
                    method=cell.method,
                    folder=self.folders[cell.model],
                    tokens=cell.tokens,
                    micro=cell.micro,
                    steps=self.grid.steps,
                    warm_up=self.grid.warm_up,
                )
                _say(f"{cell.model} {cell.method} {cell.tokens} × {cell.micro} {contender}: {figures[contender]}")
            cells.append(figures)
            self.put("cells", cells)

    def scoring(self) -> None:
        cells: list[Found] = []
        for model in self.grid.models:
            for tokens in self.grid.tokens:
                for labels in (3,) if self.tiny else (3, 500):
                    amount = {"rows": 12, "turns": 2} if self.tiny else {"rows": max(64, 65536 // tokens), "turns": 5}
                    figures = self.processes.run("scoring", folder=self.folders[model], tokens=tokens, labels=labels, **amount)
                    cells.append({"model": model, "tokens": tokens, "labels": labels, **figures})
                    _say(str(cells[-1]))
                    self.put("scoring", cells)

    def first_step(self) -> None:
        [version] = self._tasks("first-step")
        try:
            self.put("first_step", time_to_first_step(version, ROOT))
        except RuntimeError as error:
            self.put("first_step", {"failed": str(error)})

    def interrupted(self) -> None:
        [whole] = self._tasks("whole")
        cut, *again = lives.copies(whole, ["cut"] if self.tiny else ["cut", "again"])
        self.put("interrupted", lives.interrupted(self.processes, whole, again[0] if again else None, cut))

    def out_of_memory(self) -> None:
        longest = self.grid.tokens[-1]
        [version] = self._tasks("short", tokens=longest, counts={"train": 32, "valid": 4, "test": 4})
        if self.tiny:
            limit: Found = {"at_most_rows": 3}
        else:
            few, many = (self._peak_of(longest, micro) for micro in (MICRO_BATCHES[0], MICRO_BATCHES[-1]))
            gb = lives.memory_limit_gb(few, many)
            if gb is None:
                self.put("out_of_memory", {"failed": "needs the training cells of the same length, measured in the same check"})
                return
            limit = {"at_most_gb": gb}
        self.put("out_of_memory", lives.out_of_memory(self.processes, version.folder, limit))

    def _peak_of(self, tokens: int, micro: int) -> Found | None:
        wanted = (self.grid.models[0], "lora", tokens, micro)
        keys = ("model", "method", "tokens", "micro")
        return next((cell["ours"] for cell in self.found["cells"] if tuple(cell[key] for key in keys) == wanted), None)

    def _tasks(self, name: str, *, tokens: int | None = None, counts: Found | None = None) -> list[Version]:
        """A task folder on the smallest model, frozen as v1."""
        task = Path(tempfile.mkdtemp(prefix="gpu-check-")) / name
        fields = {
            "tokens": tokens or self.grid.tokens[0],
            "counts": counts or {"train": 96, "valid": 12, "test": 12},
            "training": {"batch_size": 8, "epochs": 1 if counts else 2, "evaluations_per_epoch": 3},
        }
        made = self.processes.run("make_tasks", tasks={str(task): fields}, model=self.smallest)
        if "failed" in made:
            raise RuntimeError(made["failed"])
        return [Version(Path(made[str(task)]))]


PARTS: dict[str, Callable[[Check], None]] = {
    "training": Check.training,
    "scoring": Check.scoring,
    "first_step": Check.first_step,
    "interrupted": Check.interrupted,
    "out_of_memory": Check.out_of_memory,
}


def main(argv: Sequence[str], language: Language) -> int:
    asked = _arguments(argv)
    if asked.tiny:  # before torch is imported
        _keep_to_one_core()
    os.environ.update(HF_HUB_OFFLINE="1", UNSLOTH_DISABLE_STATISTICS="1")  # Unsloth asks the hub for a file when it loads a model
    if not asked.tiny and not _has_cuda():
        raise UserError("training.no_gpu_to_check")
    out = asked.out or (Path(tempfile.mkdtemp(prefix="gpu-rehearsal-")) if asked.tiny else RESULTS)
    grid = REHEARSAL if asked.tiny else Grid(models=asked.models, methods=asked.methods)
    place = Path(tempfile.mkdtemp(prefix="gpu-models-")) if asked.tiny else MODELS_FOLDER
    place.mkdir(parents=True, exist_ok=True)
    folders = {model: str(place / model.replace("/", "--")) for model in grid.models}
    processes = Processes(forked=asked.tiny)
    if failed := processes.run("build_models", models=folders).get("failed"):
        raise RuntimeError(failed)
    check = Check(processes, grid, folders, out, tiny=asked.tiny)
    for name in asked.only:
        PARTS[name](check)
    faults = table.faults(check.found)
    print("\n".join([str(out / "gpu_check.md"), table.summary_line(check.found["cells"]), *faults]))
    return 1 if faults else 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    def listed(known: Sequence[str]) -> Callable[[str], list[str]]:
        def read(value: str) -> list[str]:
            names = value.split(",")
            if unknown := [name for name in names if name not in known]:
                raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: known are {', '.join(known)}")
            return names

        return read

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--models", type=listed(MODELS), default=list(MODELS))
    parser.add_argument("--methods", type=listed(METHODS), default=list(METHODS))
    parser.add_argument("--only", type=listed(list(PARTS)), default=list(PARTS))
    return parser.parse_args(argv)


def _keep_to_one_core() -> None:
    """A rehearsal leaves any GPU, the other cores and whatever trains alone."""
    os.environ.update(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1")
    os.environ.setdefault("COACH_DEVICE", f"rehearsal-{os.getpid()}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def _device(tiny: bool) -> Found:
    import importlib.metadata

    import torch

    versions: Found = {"torch": torch.__version__}
    try:
        versions["unsloth"] = importlib.metadata.version("unsloth")
    except importlib.metadata.PackageNotFoundError:
        versions["unsloth"] = "not installed"
    if tiny:
        return {"name": "processor (rehearsal)", "memory_gb": None, **versions}
    card = torch.cuda.get_device_properties(0)
    return {"name": card.name, "memory_gb": round(card.total_memory / 2**30, 1), **versions}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        do(sys.argv[2], json.loads(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
    else:
        sys.exit(run_command(main, sys.argv[1:]))
