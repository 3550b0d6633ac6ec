"""Tables as CSV that a spreadsheet opens as they are: no cell of it is run as a formula, and Excel is told that it is UTF-8.

What stands in the cells is the caller's, what a formula begins like `data/cell_formulas.py`'s.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from training.data.cell_formulas import disarmed


def spreadsheet_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The whole text, formulas disarmed in header and cells."""
    text = io.StringIO()
    writer = csv.writer(text)
    for cells in (header, *rows):
        writer.writerow([disarmed(value) for value in cells])
    return "\ufeff" + text.getvalue()  # the mark tells Excel that this is UTF-8
