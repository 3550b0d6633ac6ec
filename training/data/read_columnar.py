"""Parquet files and Excel sheets to rows of text. Only these two libraries' errors are known here."""

from __future__ import annotations

import datetime
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.errors import DataError
from training.data.read_json import as_cell
from training.data.table import Cell, LineProblem, Table, column_names

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

MAX_UNPACKED_BYTES = 2_000_000_000  # what a sheet may grow to when unpacked; beyond it, a zip bomb or no table for one machine


def read_parquet(path: Path) -> Table:
    """The table of a Parquet file, rows counted from 1. Raises DataError: no Parquet file, or no rows."""
    import pyarrow
    import pyarrow.parquet

    try:
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
    workbook, nothing in it, a header alone, a doubled column name.
    """
    _refuse_bomb(path)
    sheet_rows = list(_sheet(path, values=True))
    if not sheet_rows:
        raise DataError("data.empty", path=path.name)
    header_row, header = sheet_rows[0]
    columns = column_names([cell or "" for cell in _without_tail(header)], path)
    unsaved = _unsaved_formulas(path, sheet_rows, len(columns))
    table = Table(path, "xlsx", columns, [], [])
    for number, cells in sheet_rows[1:]:
        if any(cells[len(columns) :]):
            table.problems.append(LineProblem(number, "field_count", f"{len(_without_tail(cells))} ≠ {len(columns)}"))
        elif number in unsaved:
            table.problems.append(LineProblem(number, "formula_unsaved", unsaved[number]))
        elif cells[: len(columns)] == header[: len(columns)]:
            table.problems.append(LineProblem(number, "header_again"))
        else:
            table.rows.append(dict(zip(columns, cells + [None] * len(columns), strict=False)))
            table.row_numbers.append(number)
    if not table.rows and not table.problems:
        raise DataError("data.header_only", path=path.name, line=header_row, columns=", ".join(columns))
    return table


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError("data.file_broken", path=path.name, format="XLSX", problem=str(error)) from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise DataError(
            "data.file_too_large", path=path.name, size_mb=round(unpacked / 1e6), limit_mb=round(MAX_UNPACKED_BYTES / 1e6)
        )


def _sheet(path: Path, *, values: bool) -> Iterator[tuple[int, list[Cell]]]:
    """(row number, cells) of the first sheet's rows that hold anything: values, or formulas where `values` is False."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=values)
        try:
            sheet: ReadOnlyWorksheet = book.worksheets[0]
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                texts = [_text(value) for value in cells]
                if any(text and text.strip() for text in texts):
                    yield number, texts
        finally:
            book.close()
    except Exception as error:  # a damaged workbook raises whatever the parser stumbles over
        raise DataError("data.file_broken", path=path.name, format="XLSX", problem=str(error)[:160]) from error


def _unsaved_formulas(path: Path, sheet_rows: list[tuple[int, list[Cell]]], width: int) -> dict[int, str]:
    """Rows with a formula that has no saved value: row number to the formula."""
    filled = {number: [cell is not None for cell in cells[:width]] for number, cells in sheet_rows}
    if all(all(cells) and len(cells) == width for cells in filled.values()):
        return {}
    unsaved = {}
    for number, cells in _sheet(path, values=False):
        known = filled.get(number, [])
        for place, cell in enumerate(cells[:width]):
            if cell is not None and cell.startswith("=") and not (place < len(known) and known[place]):
                unsaved[number] = cell[:60]
    return unsaved


def _without_tail(cells: list[Cell]) -> list[Cell]:
    end = len(cells)
    while end and not (cells[end - 1] or "").strip():
        end -= 1
    return cells[:end]


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
