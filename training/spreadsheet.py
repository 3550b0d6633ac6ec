"""Tables as CSV that a spreadsheet opens as they are: no cell of it is run as a formula, and Excel is told that it is UTF-8.

What stands in the cells is the caller's, what a formula begins like `data/cell_formulas.py`'s.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from training.data.cell_formulas import disarmed

INPUT = "input:"  # before the name of an input that is called like one of our own columns


def input_columns(placeholders: Sequence[str], own: Collection[str]) -> list[str]:
    """The header of each input, in the order given: its name, marked where one of our `own` columns has it."""
    return [f"{INPUT}{name}" if name in own else name for name in placeholders]


def spreadsheet_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The whole text, formulas disarmed in header and cells."""
    text = io.StringIO()
    writer = csv.writer(text)
    for cells in (header, *rows):
        writer.writerow([disarmed(value) for value in cells])
    return "\ufeff" + text.getvalue()  # the mark tells Excel that this is UTF-8
