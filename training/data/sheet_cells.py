"""The written cells of a workbook's first sheet in one pass: their values, and the formulas that were saved without one.

openpyxl's own rows are filled up to their last cell, and gaps between rows with empty rows: four kilobytes become millions of
cells. Here only what is written counts, and no more of it than the limit. Knows no tables. Imports openpyxl, so import it late.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import openpyxl
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

_UNSAVED = "unsaved"  # our own key in openpyxl's dictionary of a cell


class TooManyCells(Exception):
    """The sheet holds more written cells than are allowed."""


@dataclass(frozen=True)
class SheetRow:
    """One row as written: its number in the sheet, values and unsaved formulas by column, columns counted from 1."""

    number: int
    values: dict[int, Any]
    unsaved: dict[int, str]


def sheet_rows(path: Path, most_cells: int) -> Iterator[SheetRow]:
    """The rows of the first sheet that have a value or a formula in them, in order.

    Raises TooManyCells beyond `most_cells` written ones, and for a damaged workbook whatever openpyxl stumbles over.
    """
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        with sheet._get_source() as source:
            parser = _Parser(
                source,
                sheet._shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            parser.cells_left = most_cells
            last = 0
            for number, cells in parser.parse():
                if number <= last:
                    continue
                last = number
                values = {cell["column"]: cell["value"] for cell in cells if cell["value"] is not None}
                unsaved = {cell["column"]: cell[_UNSAVED] for cell in cells if _UNSAVED in cell}
                if values or unsaved:
                    yield SheetRow(number, values, unsaved)
    finally:
        book.close()


class _Parser(WorkSheetParser):  # type: ignore[misc]  # openpyxl comes without types
    """openpyxl's parser, counting cells before they are read and noting formulas that have no value."""

    cells_left = 0

    def parse_row(self, row: Element) -> tuple[int, list[dict[str, Any]]]:
        self.cells_left -= len(row)
        if self.cells_left < 0:
            raise TooManyCells
        number, cells = super().parse_row(row)
        return number, cells

    def parse_cell(self, element: Element) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and (formula := element.find(FORMULA_TAG)) is not None:
            cell[_UNSAVED] = "=" + (formula.text or "")
        return cell
