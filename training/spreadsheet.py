"""Tables as CSV that a spreadsheet opens as they are: no cell of it is run as a formula, and Excel is told that it is UTF-8.

Owns what a formula begins like. What stands in the cells is the caller's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

FORMULA_START = re.compile(r"[\t\r]|[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠﹦﹢﹣﹫]")


def spreadsheet_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The whole text, formulas disarmed in header and cells."""
    text = io.StringIO()
    writer = csv.writer(text)
    for cells in (header, *rows):
        writer.writerow([disarmed(value) for value in cells])
    return "\ufeff" + text.getvalue()  # the mark tells Excel that this is UTF-8


def disarmed(value: Any) -> Any:
    """A cell that a spreadsheet will not run as a formula: a text that begins like one gets an apostrophe in front."""
    return "'" + value if isinstance(value, str) and FORMULA_START.match(value) else value
