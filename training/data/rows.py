"""One row of task data and its file form, `data/*.jsonl` (contract: design.md section 4).

Owns the type and the reading and writing of already clean files. Reading what people bring is `read.py`'s.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from coach.errors import DataError

Output = str | dict[str, Any]

TEXT_FIELD = "text"  # what a mapping calls the main text


@dataclass(frozen=True)
class Row:
    """`input` holds a value per placeholder; `output` a text, or an object where the task's output format is JSON."""

    id: str
    input: dict[str, str]
    output: Output
    source: str = ""
    synthetic: bool = False


def read_rows(path: Path) -> list[Row]:
    """The rows of a clean JSONL file. Raises DataError with the line number for a line that is not a row."""
    rows = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines(): a text may hold U+2028
    except FileNotFoundError as error:
        raise DataError("data.split_missing", path=str(path)) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(row_of(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError("data.row_broken", path=str(path), line=number, problem=str(error)) from error
    return rows


def row_of(fields: Any) -> Row:
    """A row as JSON has it. Raises ValueError, KeyError, TypeError or AttributeError for what is none."""
    return Row(
        id=str(fields["id"]),
        input={name: str(value) for name, value in fields["input"].items()},
        output=fields["output"],
        source=str(fields.get("source", "")),
        synthetic=bool(fields.get("synthetic", False)),
    )


def rows_to_jsonl(rows: list[Row]) -> str:
    """The file's whole text, one row a line, keys in the contract's order."""
    return "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)


def find_rows(path: Path, ids: Collection[str], *, within: int = 1000) -> dict[str, Row]:
    """The rows called `ids` among the first `within` lines, by id; reading ends with the last one found.

    For looking something up, so what is missing, broken or beyond is left out without a word.
    """
    found: dict[str, Row] = {}
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            for line in islice(lines, within):
                if len(found) == len(ids):
                    break
                row = _row_or_none(line)
                if row is not None and row.id in ids:
                    found[row.id] = row
    except OSError:
        pass
    return found


def _row_or_none(line: str) -> Row | None:
    try:
        fields = json.loads(line)
        return Row(str(fields["id"]), {name: str(value) for name, value in fields["input"].items()}, fields["output"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
