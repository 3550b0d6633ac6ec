"""One version's folder, `versions/vN/`: where each of its files is, reading and writing them, and freezing a new one.

A version is one recipe on one frozen copy of the data. Frozen parts (`config.yaml`, `data/`, `data_snapshot.json`) are written
once, here; what comes of the run is written by whoever trains. Knows nothing of training, nor of other tasks.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coach.atomic_write import move_into_place, not_written, write_atomically
from coach.data_snapshot import DATA_VERSION, snapshot_document
from coach.errors import WorkspaceError
from coach.run_documents import refuse_misshapen_results, refuse_misshapen_snapshot
from coach.task_file import read_task_file
from coach.task_schema import TaskFile
from coach.versioning import is_version_name
from coach.yaml_document import read_document
from coach.yaml_writing import dump

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNFINISHED = re.compile(r"\.[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.[0-9a-f]{12}\.tmp")  # as `freeze` names its work
JsonObject = dict[str, Any]  # a document other programs may add keys to; whoever reads one knows the keys it needs
Arrange = Callable[["Version", TaskFile], None]  # replaces files of a version that is being made


@dataclass(frozen=True)
class Version:
    """A frozen version. `folder` is `<task>/versions/<name>`."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def is_frozen(self) -> bool:
        return self.config_path.is_file()

    @property
    def config(self) -> TaskFile:
        """The task as it was frozen. Raises DocumentError."""
        return read_task_file(self.config_path, written_by_us=True)

    @property
    def config_path(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def data_folder(self) -> Path:
        return self.folder / "data"

    def split_path(self, name: SplitName) -> Path:
        return self.data_folder / f"{name}.jsonl"

    @property
    def snapshot_path(self) -> Path:
        return self.folder / "data_snapshot.json"

    @property
    def events_path(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def results_path(self) -> Path:
        return self.folder / "results.json"

    @property
    def model_info_path(self) -> Path:
        return self.folder / "model_info.json"

    @property
    def lineage_path(self) -> Path:
        return self.folder / "lineage.yaml"

    @property
    def predictions_path(self) -> Path:
        return self.folder / "predictions.jsonl"

    @property
    def model_folder(self) -> Path:
        return self.folder / "model"

    @property
    def unfinished_model_folder(self) -> Path:
        """Where a model is written before it is moved to `model_folder`."""
        return self.folder / ".model.writing"

    @property
    def checkpoints_folder(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def evals_folder(self) -> Path:
        return self.folder / "evals"

    @property
    def lock_path(self) -> Path:
        return self.folder / "worker.lock"

    @property
    def stop_path(self) -> Path:
        return self.folder / "stop"

    @property
    def stdout_path(self) -> Path:
        return self.folder / "stdout.log"

    def results(self) -> JsonObject | None:
        """`results.json`, or None while there is none. Raises WorkspaceError where it is not readable."""
        results = read_json(self.results_path)
        refuse_misshapen_results(results, self.results_path)
        return results

    def snapshot(self) -> JsonObject | None:
        """`data_snapshot.json`, or None while there is none. Raises WorkspaceError where it is not readable."""
        snapshot = read_json(self.snapshot_path)
        refuse_misshapen_snapshot(snapshot, self.snapshot_path)
        return snapshot

    def model_info(self) -> JsonObject | None:
        return read_json(self.model_info_path)

    def lineage(self) -> JsonObject | None:
        """`lineage.yaml`, or None while there is none. Raises DocumentError where it is not readable."""
        return read_document(self.lineage_path).mapping if self.lineage_path.exists() else None

    def write_results(self, results: Mapping[str, Any]) -> None:
        write_json(self.results_path, results)

    def write_snapshot(self, snapshot: Mapping[str, Any]) -> None:
        write_json(self.snapshot_path, snapshot)

    def write_model_info(self, info: Mapping[str, Any]) -> None:
        write_json(self.model_info_path, info)

    def write_lineage(self, lineage: Mapping[str, Any]) -> None:
        write_atomically(self.lineage_path, dump(_finite(dict(lineage))))

    def changed_splits(self) -> list[str]:
        """Frozen splits whose content is no longer what the snapshot says: somebody wrote into them in place."""
        frozen = (self.snapshot() or {}).get("splits", {})
        return [name for name in frozen if not self._is_as_frozen(name, frozen[name].get("sha256"))]

    def _is_as_frozen(self, name: Any, sha256: Any) -> bool:
        path = self.split_path(name)
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def freeze(task_folder: Path, config: TaskFile, config_text: str | bytes, name: str, arrange: Arrange | None = None) -> Version:
    """Makes `versions/<name>` whole or not at all, from the task's `data/`. The caller holds the task's lock.

    `config_text` is `config` as it is to stand in `config.yaml`; `arrange` may write the new version's splits anew.
    Raises WorkspaceError: name does not fit, version exists, a split is missing or broken, disk full.
    """
    if not is_version_name(name, config.versioning.strategy):
        raise WorkspaceError("workspace.version_name", name=name, strategy=config.versioning.strategy)
    version = Version(task_folder / "versions" / name)
    if version.folder.exists():
        raise WorkspaceError("workspace.version_exists", name=name, folder=str(version.folder))
    sources = _split_sources(task_folder)
    _remove_unfinished(task_folder / "versions")
    building = version.folder.with_name(f".{name}.{secrets.token_hex(6)}.tmp")
    try:
        (building / "data").mkdir(parents=True)
        frozen = Version(building)
        for split, source in sources.items():
            link_or_copy(source, frozen.split_path(split))
        if arrange is not None:
            arrange(frozen, config)
        splits: dict[str, Path] = {split: frozen.split_path(split) for split in sources}
        frozen.write_snapshot(snapshot_document(splits, task_folder / DATA_VERSION, config))
        write_atomically(frozen.config_path, config_text)
        move_into_place(building, version.folder)
    except OSError as error:
        raise error if isinstance(error, WorkspaceError) else not_written(error, version.folder) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return version


def _remove_unfinished(versions_folder: Path) -> None:
    """What a freeze that was killed has left; nobody else is freezing, since the caller holds the task's lock."""
    for path in versions_folder.glob(".*.tmp"):
        if _UNFINISHED.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _split_sources(task_folder: Path) -> dict[SplitName, Path]:
    """The splits there are; train and test must be, and must lie inside the task."""
    sources: dict[SplitName, Path] = {}
    for split in SPLITS:
        path = task_folder / "data" / f"{split}.jsonl"
        if not path.exists():
            if split != "valid":  # whether one can train without a validation part is the engine's to say
                raise WorkspaceError("workspace.split_missing", split=split, path=str(path))
            continue
        if not path.resolve().is_relative_to(task_folder.resolve()):
            raise WorkspaceError("workspace.climbs_out", path=str(path), target=str(path.resolve()), folder=str(task_folder))
        if not path.is_file():
            raise WorkspaceError("workspace.split_missing", split=split, path=str(path))
        sources[split] = path.resolve()
    return sources


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system can, else a copy. Working files are replaced, never written into, so a link keeps."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def read_json(path: Path) -> JsonObject | None:
    """The JSON object in `path`, or None where there is no file. Raises WorkspaceError for anything else."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise WorkspaceError("workspace.broken_json", path=str(path), reason=str(error)) from error
    if not isinstance(document, dict):
        raise WorkspaceError("workspace.broken_json", path=str(path), reason=type(document).__name__)
    return document


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Replaces the file at `path`: UTF-8, two spaces, keys in their order; NaN and infinity as null. Raises WorkspaceError."""
    write_atomically(path, json.dumps(_finite(dict(document)), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
