"""The shape that readers of a version's `results.json` and `data_snapshot.json` rely on.

Owns the check alone, so that a file edited by hand is refused in a sentence where it is read, and not by a crash where it is used.
Keys may be missing and others may be added; what they mean is their readers' to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from coach.errors import WorkspaceError

Number = int | float


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())


class _PrimaryMetric(_Part):
    name: str | None = None
    value: Number | None = None


class _Target(_Part):
    threshold: Number | None = None


class _Interval(_Part):
    low: Number | None = None
    high: Number | None = None


class _ClassScores(_Part):
    precision: Number | None = None
    recall: Number | None = None
    f1: Number
    support: int = 0


class _Matrix(_Part):
    labels: list[str] | None = None
    counts: list[list[int]] | None = None

    @model_validator(mode="after")
    def _a_row_each(self) -> _Matrix:
        labels, counts = self.labels or [], self.counts or []
        if len(counts) != len(labels) or any(len(row) < len(labels) for row in counts):
            raise ValueError("not a row and a column for each label")
        return self


class _Scores(_Part):
    macro_f1: Number | None = None
    per_class: dict[str, _ClassScores] | None = None
    confusion_matrix: _Matrix | None = None


class _Run(_Part):
    name: str
    fold: int | None = None
    primary_metric: Number | None = None
    accuracy: Number | None = None
    macro_f1: Number | None = None


class _Spread(_Part):
    mean: Number
    standard_deviation: Number | None = None
    lowest: Number
    highest: Number


class _Repeats(_Part):
    metric: str | None = None
    runs: list[_Run] = Field(min_length=1)
    primary_metric: _Spread | None = None
    accuracy: _Spread | None = None
    macro_f1: _Spread | None = None


class _Results(_Scores):
    primary_metric: _PrimaryMetric | None = None
    target: _Target | None = None
    confidence_interval: _Interval | None = None
    rows: dict[str, int | None] | None = None
    invalid_rate: Number | None = None
    baseline: dict[str, dict[str, Any] | None] | None = None
    targets: dict[str, _Scores] | None = None
    max_steps: int | None = None
    repeats: _Repeats | None = None


class _Split(_Part):
    sha256: str | None = None
    rows: int = 0
    class_distribution: dict[str, int] = {}


class _Snapshot(_Part):
    splits: dict[str, _Split] = {}


def refuse_misshapen_results(document: Mapping[str, Any] | None, path: Path) -> None:
    """Raises WorkspaceError naming the first place where results.json is not of the shape its readers rely on."""
    _refuse(_Results, document, path)


def refuse_misshapen_snapshot(document: Mapping[str, Any] | None, path: Path) -> None:
    """The same for data_snapshot.json."""
    _refuse(_Snapshot, document, path)


def _refuse(shape: type[BaseModel], document: Mapping[str, Any] | None, path: Path) -> None:
    if document is None:
        return
    try:
        shape.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise WorkspaceError("workspace.broken_json", path=str(path), reason=f"{place}: {first['msg']}") from error
