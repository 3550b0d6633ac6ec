"""What a task's data_source.yaml says of its split, for those who look at the folder only; `training/data/source.py` reads all of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coach.errors import CoachError
from coach.yaml_document import read_document


def split_of_source(folder: Path) -> Mapping[str, Any]:
    """What data_source.yaml says of the split; empty where there is none or it cannot be read, which making the data says."""
    try:
        split = read_document(folder / "data_source.yaml").mapping.get("split")
    except CoachError:
        return {}
    return split if isinstance(split, dict) else {}
