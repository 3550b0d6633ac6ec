"""One attempt at a version: how it begins, what it reads, how it ends. Shared by the worker and the methods it calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coach.errors import DataError
from coach.version_folder import SPLITS, SplitName, Version
from training.data.rows import Row, read_rows
from training.events import TerminalType
from training.run_view import RunView

Rows = dict[SplitName, list[Row]]


@dataclass(frozen=True)
class Attempt:
    """One start or resume. `from_step` is 0 for a start; `view` is what an earlier attempt's log still counts."""

    number: int
    from_step: int
    view: RunView
    max_steps: int | None


@dataclass(frozen=True)
class Ending:
    """The terminal event to write."""

    kind: TerminalType
    fields: dict[str, Any]


def frozen_rows(version: Version) -> Rows:
    """The three frozen splits. Raises DataError where one is missing or empty: without a validation part nobody can tell learning
    from memorising, without a test part nothing can be judged."""
    rows = {split: read_rows(version.split_path(split)) for split in SPLITS}
    for split in SPLITS:
        if not rows[split]:
            raise DataError(f"data.no_{split}_part")
    return rows
