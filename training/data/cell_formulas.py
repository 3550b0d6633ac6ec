"""Cells a spreadsheet would run as formulas: they get an apostrophe in front where we write them, and lose it where they come back."""

from __future__ import annotations

import re
from typing import Any

# What a spreadsheet begins a formula with, full width too (Excel with a Chinese or Japanese keyboard takes it), and what it may pass over
# before it; a tab or a return in front is kept from shifting the cell.
FORMULA_START = re.compile(r"[\t\r]|[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠﹦﹢﹣﹫]")


def disarmed(value: Any) -> Any:
    """A cell that a spreadsheet will not run as a formula: a text that begins like one gets an apostrophe in front."""
    return "'" + value if isinstance(value, str) and FORMULA_START.match(value) else value


def rearmed(cell: str) -> str:
    """The text `disarmed` was given."""
    return cell[1:] if cell.startswith("'") and FORMULA_START.match(cell[1:]) else cell
