"""What differs between two versions' recipes, setting by setting. Knows nothing of scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coach.task_schema import TaskFile

# These differ between versions without being a change of the recipe.
UNCOMPARED = (
    "schema",
    "version",
    "change",
    "created",
    "updated",
    "status",
    "title",
)


@dataclass(frozen=True)
class ConfigChange:
    path: str
    before: Any
    after: Any


def config_changes(before: TaskFile, after: TaskFile) -> Iterator[ConfigChange]:
    """Every setting that differs, by dotted path: `training.lora.r` 16 → 32."""
    old, new = _flat(before.model_dump(mode="json", by_alias=True)), _flat(after.model_dump(mode="json", by_alias=True))
    for path in [*old, *(path for path in new if path not in old)]:
        if path.split(".")[0] not in UNCOMPARED and old.get(path) != new.get(path):
            yield ConfigChange(path, old.get(path), new.get(path))


def _flat(document: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(document, dict):
        return {prefix: document}
    flat: dict[str, Any] = {}
    for name, value in document.items():
        flat |= _flat(value, f"{prefix}.{name}" if prefix else name)
    return flat


def changed_words(changes: Sequence[ConfigChange]) -> list[str]:
    """`training.lora.r: 16 → 32`, one a change."""
    return [f"{change.path}: {shown_value(change.before)} → {shown_value(change.after)}" for change in changes]


def shown_value(value: Any) -> str:
    """A setting's value as a person reads it; a dash where it is unset."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # 5 epochs are held as 5.0
    return "—" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
