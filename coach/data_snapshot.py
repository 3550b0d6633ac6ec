"""`data_snapshot.json`: what exactly a version was trained and tested on.

Owns the document's shape (contract: companions.md section 1) and the counting. Rows are read here as JSON lines: the row's type
is `training`'s, which this layer may not know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coach.errors import WorkspaceError
from coach.task_schema import TaskFile
from coach.yaml_document import read_document

DATA_VERSION = Path("data/data_version.yaml")  # in the task's folder


def snapshot_document(splits: Mapping[str, Path], data_version_path: Path, config: TaskFile) -> dict[str, Any]:
    """The data's own version where it has one, then hash, rows and class counts of each split.

    Raises WorkspaceError for a line that is no row, DocumentError for a broken data_version.yaml.
    """
    data_version = read_document(data_version_path).mapping if data_version_path.exists() else {}
    return {
        "data_version": _text_or_none(data_version.get("version")),
        "source_config_hash": _text_or_none(data_version.get("source_config_hash")),
        "splits": {name: _split_facts(path, config) for name, path in splits.items()},
    }


def _split_facts(path: Path, config: TaskFile) -> dict[str, Any]:
    """Hash and counts from one reading of the file. The first target's labels are counted, zeros too, in the task's order."""
    target, labels = next(iter(config.targets.items()), (None, []))
    counts = dict.fromkeys(labels, 0)
    digest, rows = hashlib.sha256(), 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            digest.update(line)
            if not line.strip():
                continue
            rows += 1
            label = _label(line, target, path, number) if labels else None
            if label is not None:
                counts[label] = counts.get(label, 0) + 1
    return {"path": f"data/{path.name}", "sha256": digest.hexdigest(), "rows": rows, "class_distribution": counts}


def _label(line: bytes, target: str | None, path: Path, number: int) -> str | None:
    try:
        output = json.loads(line)["output"]
        label = output if target is None else output.get(target)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WorkspaceError("workspace.split_broken", path=f"data/{path.name}", line=number) from error
    return label if label is None or isinstance(label, str) else str(label)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)
