"""A file as it was read: columns, rows of text, the row numbers a person sees, and the lines that could not be read.

Owns the shape only. How a format becomes a table is the readers'; what the rows are worth is `audit.py`'s.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from coach.errors import DataError

FileFormat = Literal["csv", "tsv", "json", "jsonl", "parquet", "xlsx"]
LineFault = Literal[
    "broken_json", "not_an_object", "field_count", "open_quote", "header_again", "broken_encoding", "formula_unsaved"
]
Cell = str | None
REPEATING_ROWS = 50_000  # enough to see whether the values of a column come again
FEWEST_GROUPS = 10  # of fewer, one alone may be more than a part of the data is to have


@dataclass(frozen=True)
class LineProblem:
    """One line that is not a row: its number as the person sees it, what is wrong, and a short detail (never the row itself)."""

    row: int
    fault: LineFault
    detail: str = ""


@dataclass(frozen=True)
class Table:
    """What a file holds. `rows[i]` stands at `row_numbers[i]`: a line of the file for text formats, a sheet row for xlsx,
    a position from 1 for JSON and Parquet. A cell is None where the row has no such field."""

    path: Path
    format: FileFormat
    columns: tuple[str, ...]
    rows: list[dict[str, Cell]]
    row_numbers: list[int]
    problems: list[LineProblem] = field(default_factory=list)
    encoding: str | None = None
    delimiter: str | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Cell]:
        """Every cell of one column, in row order. Raises DataError naming the columns there are."""
        if name not in self.columns:
            raise DataError("data.column_missing", column=name, path=self.path.name, columns=", ".join(self.columns))
        return [row.get(name) for row in self.rows]

    def repeating(self) -> tuple[str, ...]:
        """Columns of FEWEST_GROUPS values and more that come again, none of them most of the rows, by the first REPEATING_ROWS of them;
        empty cells count for nothing."""
        cells = {name: Counter(cell for row in self.rows[:REPEATING_ROWS] if (cell := row.get(name))) for name in self.columns}
        return tuple(
            name
            for name, counts in cells.items()
            if len(counts) >= FEWEST_GROUPS and 1 < max(counts.values()) <= counts.total() / 2
        )


def column_names(header: Sequence[str], path: Path) -> tuple[str, ...]:
    """Clean names of a header: trimmed, empty ones numbered. Raises DataError where a name stands twice or cannot be written."""
    names = tuple(cell.strip().lstrip("\ufeff") or f"column {place}" for place, cell in enumerate(header, start=1))
    for place, name in enumerate(names, start=1):
        if not is_writable_name(name):
            raise unwritable_name(name, place, path)
    doubled = sorted(name for name, count in Counter(names).items() if count > 1)
    if doubled:
        places = [place for place, name in enumerate(names, start=1) if name == doubled[0]]
        raise DataError("data.header_doubled", path=path.name, column=doubled[0], places=", ".join(map(str, places)))
    return names


def is_writable_name(name: str) -> bool:
    """False for a name that no document can hold or nobody can type: zero bytes, control characters, half a surrogate pair."""
    return name.isprintable() or not any(map(_is_unwritable, name))


def unwritable_name(name: str, place: int, path: Path) -> DataError:
    """The refusal of such a name, with its bad characters spelt out as U+ and their number."""
    spelt = "".join(f"U+{ord(character):04X}" if _is_unwritable(character) else character for character in name[:80])
    return DataError("data.header_unwritable", path=path.name, column=spelt, place=place)


def _is_unwritable(character: str) -> bool:
    """Controls but for tab and line breaks (which cells of spreadsheets do hold), surrogates, and the two that never are text."""
    is_control = unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r"
    return is_control or character in "\ufffe\uffff"
