"""What a training that was cut off is held against: one that was not, on a watched disk, with its folder before each of its writes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import training.baseline
from coach.version_folder import Version
from tests.conftest import NOW
from tests.faults import Operation
from training import checkpoints
from training.event_log import read_events
from training.run_status import run_status
from training.run_view import RunView, fold
from training.worker import run

# six steps of two batches each; evaluated, and saved, at 2, 4 and 6: within an epoch and at its end
SETTINGS: dict[str, Any] = {
    "batch_size": 10,
    "evaluations_per_epoch": 2,
    "lora": {"r": 4, "alpha": 8, "dropout": 0.3},
    "balance": "oversample",
}


def make_it_repeatable(patch: pytest.MonkeyPatch) -> None:
    """The same numbers on every processor, one thread, and no second for the baseline at each of dozens of attempts."""
    import torch

    import training.device
    import training.preparing

    plain = training.device.Device("cpu", torch.float32, "device.cpu_fp32")
    patch.setattr(training.preparing, "choose_device", lambda: plain)
    patch.setattr(training.device, "_usable_cores", lambda: 1)
    patch.setattr("training.fine_tuning.train_baseline", _remembered)


_baselines: dict[Any, Any] = {}


def _remembered(fit: Any, judged: Any, task: Any, **named: Any) -> Any:
    key = (tuple(row.id for row in judged), named.get("like"))
    if key not in _baselines:
        _baselines[key] = training.baseline.train_baseline(fit, judged, task, **named)
    return _baselines[key]


@dataclass(frozen=True)
class Whole:
    """A training that nobody cut off: its folder, its writes, and a copy of the folder before each of them."""

    version: Version
    operations: list[Operation]
    copies: Path

    def cut_before(self, index: int, task: Path) -> Version:
        """The folder as it was before write `index`, laid into `task`; of a line of the log half was there."""
        version = Version(task / "versions" / "v1")
        shutil.rmtree(version.folder, ignore_errors=True)
        shutil.copytree(self.copies / f"{index}", version.folder)
        operation = self.operations[index]
        if operation.kind == "append":
            with version.events_path.open("ab") as log:
                log.write(operation.data[: len(operation.data) // 2])
        return version

    def named(self, index: int) -> str:
        operation = self.operations[index]
        names = [path.relative_to(self.version.folder).as_posix() for path in (operation.path, operation.target) if path]
        return f"{index}: {operation.kind} {' to '.join(names)} {operation.data[:60].decode(errors='replace')}"


def state(version: Version) -> str:
    return run_status(version.events_path, version.lock_path, now=0.0).state


def view(version: Version) -> RunView:
    return fold(RunView(), read_events(version.events_path))


def weights(version: Version) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(version.model_folder / "adapter_model.safetensors")


def everything_in(version: Version) -> set[str]:
    return {path.relative_to(version.folder).as_posix() for path in version.folder.rglob("*")} - {"worker.lock"}


def go_on(version: Version) -> str:
    """As a person would: resume where there is a checkpoint, else start again."""
    return run(version, resume=checkpoints.latest(version.checkpoints_folder) is not None, now=lambda: NOW)


def assert_nothing_counts_half(version: Version, where: str) -> None:
    """What can be seen at a glance of a folder whose worker is gone."""
    found, state_now = view(version), state(version)
    steps = [event["step"] for event in found.steps]
    assert steps == list(range(1, len(steps) + 1)), where
    assert state_now in ("new", "interrupted", "failed", "finished"), where
    kept = checkpoints.latest(version.checkpoints_folder)
    if state_now == "finished":
        assert version.results() and version.lineage()["decision"]["verdict"] and weights(version), where
    else:
        assert kept == checkpoints.latest_sound(version.checkpoints_folder), where
        assert kept is None or kept in steps, where
        said = [event["step"] for event in found.checkpoints]
        assert not said or kept == max(said) or kept == max(said) + 2, where  # the event comes after the rename
    if version.model_folder.exists():
        assert weights(version).keys(), where
    if version.results_path.exists():
        assert version.results()["rows"] and weights(version) and version.model_info(), where
        assert len(version.predictions_path.read_text(encoding="utf-8").splitlines()) == 12, where


def assert_the_same(version: Version, whole: Version, where: str) -> None:
    found, expected = view(version), view(whole)
    assert found.terminal["type"] == "finished", where
    assert [event["step"] for event in found.steps] == [event["step"] for event in expected.steps], where
    for key in ("loss", "learning_rate", "grad_norm"):
        assert [event[key] for event in found.steps] == pytest.approx([event[key] for event in expected.steps], abs=1e-5), where
    assert [event["tokens"] for event in found.steps] == [event["tokens"] for event in expected.steps], where
    scores = [[(event["step"], event["value"], event["best"]) for event in of.evals] for of in (found, expected)]
    assert scores[0] == scores[1], where
    results = [{**of.results(), "cost": None, "environment": None} for of in (version, whole)]
    assert results[0] == results[1], where
    assert version.predictions_path.read_bytes() == whole.predictions_path.read_bytes(), where
    for name, value in weights(whole).items():
        assert abs(weights(version)[name] - value).max() < 1e-5, f"{where}: {name}"
    assert everything_in(version) == everything_in(whole), where
