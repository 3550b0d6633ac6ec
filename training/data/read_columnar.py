"""Parquet files and Excel sheets to rows of text. Only these two libraries' errors are known here."""

from __future__ import annotations

import datetime
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coach.errors import DataError
from training.data.read_json import as_cell
from training.data.table import Cell, LineProblem, Table, column_names

MAX_UNPACKED_BYTES = 2_000_000_000  # what a workbook may grow to when unpacked: no table beyond it for one machine
UNPACKED_BYTES_UNASKED = 10_000_000  # up to this nothing is asked about how well it was packed
MAX_PACKING = 100  # beyond it a zip bomb (Apache POI draws the same line); sheets of people pack 5 to 20 times
MAX_SHEET_CELLS = 2_000_000  # 400,000 rows of 5 columns; openpyxl reads some 150,000 cells a second
MAX_PARQUET_CELLS = 20_000_000  # each becomes a text of its own in memory, however well the column was packed


def read_parquet(path: Path) -> Table:
    """The table of a Parquet file, rows counted from 1. Raises DataError: no Parquet file, no rows, or too many cells."""
    import pyarrow
    import pyarrow.parquet

    try:
        described = pyarrow.parquet.read_metadata(path)
        _refuse_cells(path, described.num_rows * described.num_columns, MAX_PARQUET_CELLS)
        table = pyarrow.parquet.read_table(path, memory_map=False)
        columns = column_names([str(name) for name in table.column_names], path)
        rows = [{name: _text(value) for name, value in row.items()} for row in table.rename_columns(list(columns)).to_pylist()]
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError("data.file_broken", path=path.name, format="Parquet", problem=str(error).split("\n")[0][:160]) from error
    if not rows:
        raise DataError("data.header_only", path=path.name, line=0, columns=", ".join(columns))
    return Table(path, "parquet", columns, rows, list(range(1, len(rows) + 1)))


def read_xlsx(path: Path) -> Table:
    """The table of an Excel workbook's first sheet, row numbers as the sheet shows them; blank rows are passed over.

    A formula counts as the value it had when the file was saved; without one its row is a problem. Raises DataError: no
    workbook, nothing in it, a header alone, a doubled column name, more than MAX_SHEET_CELLS cells.
    """
    _refuse_bomb(path)
    rows = _sheet(path)
    head = next(((number, cells) for number, cells, _ in rows if _end(cells)), None)
    if head is None:
        raise DataError("data.empty", path=path.name)
    width = _end(head[1])
    places = range(1, width + 1)
    header = [head[1].get(place) for place in places]
    columns = column_names([cell or "" for cell in header], path)
    table = Table(path, "xlsx", columns, [], [])
    held = width
    for number, cells, unsaved in rows:
        end, formula = _end(cells), next((unsaved[place] for place in unsaved if place <= width), None)
        row = [cells.get(place) for place in places]
        if end > width:
            table.problems.append(LineProblem(number, "field_count", f"{end} ≠ {width}"))
        elif formula is not None:
            table.problems.append(LineProblem(number, "formula_unsaved", formula[:60]))
        elif row == header:
            table.problems.append(LineProblem(number, "header_again"))
        elif end:
            held += width
            _refuse_cells(path, held, MAX_SHEET_CELLS)
            table.rows.append(dict(zip(columns, row, strict=True)))
            table.row_numbers.append(number)
    if not table.rows and not table.problems:
        raise DataError("data.header_only", path=path.name, line=head[0], columns=", ".join(columns))
    return table


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            packed = sum(entry.compress_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError("data.file_broken", path=path.name, format="XLSX", problem=str(error)) from error
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > UNPACKED_BYTES_UNASKED and unpacked > packed * MAX_PACKING):
        raise DataError("data.unpacks_too_large", path=path.name, packed_kb=-(-packed // 1000), unpacked_mb=round(unpacked / 1e6))


def _refuse_cells(path: Path, cells: int, limit: int) -> None:
    if cells > limit:
        raise DataError("data.too_many_cells", path=path.name, limit=f"{limit:,}")


def _sheet(path: Path) -> Iterator[tuple[int, dict[int, Cell], dict[int, str]]]:
    """(row number, cells by column, unsaved formulas by column) of the first sheet's rows that hold anything."""
    from training.data.sheet_cells import TooManyCells, sheet_rows

    try:
        for row in sheet_rows(path, MAX_SHEET_CELLS):
            yield row.number, {place: _text(value) for place, value in row.values.items()}, row.unsaved
    except TooManyCells:
        _refuse_cells(path, MAX_SHEET_CELLS + 1, MAX_SHEET_CELLS)
    except Exception as error:  # a damaged workbook raises whatever the parser stumbles over
        raise DataError("data.file_broken", path=path.name, format="XLSX", problem=str(error)[:160]) from error


def _end(cells: dict[int, Cell]) -> int:
    """The last column with more than spaces in it; 0 where there is none."""
    return max((place for place, cell in cells.items() if cell and not cell.isspace()), default=0)


def _text(value: Any) -> Cell:
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, (dict, list, bool, str, int)) or value is None:
        return as_cell(value)
    return str(value)
