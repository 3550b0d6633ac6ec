"""CSV and TSV text to rows: the delimiter, the header, and every line that is no row, by its number in the file.

A quote that is never closed swallows the rest of a file in a plain reader; here it costs its own line. Knows nothing of encodings
or of what the columns mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from coach.errors import DataError
from training.data.decode import REPLACEMENT, Decoded
from training.data.table import LineProblem, Table, column_names

DELIMITERS = (",", "\t", ";", "|")
MAX_FIELD_CHARS = 1_000_000  # a whole book; more is a quote gone wrong or a file that is no table
MAX_RECORD_LINES = 500  # lines one quoted cell may span before its quote counts as never closed
_SNIFF_RECORDS = 50


def parse_delimited(decoded: Decoded, path: Path, delimiter: str | None, *, tabs: bool) -> Table:
    """The table of CSV or TSV text; `delimiter` None means find out.

    Raises DataError: nothing in it, a header alone, a doubled column name, a cell of more than a million characters.
    """
    lines = _lines(decoded.text, path)
    separator = delimiter or ("\t" if tabs else _sniff(lines))
    records = _records(lines, separator)
    header_line, header = next(records)
    if isinstance(header, LineProblem):
        raise DataError("data.header_broken", path=path.name, line=header_line)
    columns = column_names(_without_empty_tail(header), path)
    table = Table(path, "tsv" if tabs else "csv", columns, [], [], encoding=decoded.encoding, delimiter=separator)
    width = len(columns)
    for row, cells in records:
        if type(cells) is list and len(cells) == width and cells != header and not decoded.has_broken_bytes:
            table.rows.append(dict(zip(columns, cells, strict=True)))  # nearly every row of nearly every file
            table.row_numbers.append(row)
            continue
        problem = cells if isinstance(cells, LineProblem) else _fault(row, cells, header, width, decoded)
        if problem is not None:
            table.problems.append(problem)
        elif isinstance(cells, list):
            table.rows.append(dict(zip(columns, cells, strict=False)))
            table.row_numbers.append(row)
    if not table.rows and not table.problems:
        raise DataError("data.header_only", path=path.name, line=header_line, columns=", ".join(columns))
    return table


def _lines(text: str, path: Path) -> list[str]:
    if not text.strip():
        raise DataError("data.empty", path=path.name)
    lines = list(io.StringIO(text, newline=""))
    longest = max(range(len(lines)), key=lambda place: len(lines[place]))
    if len(lines[longest]) > MAX_FIELD_CHARS:
        raise DataError("data.field_too_large", path=path.name, line=longest + 1, characters=f"{MAX_FIELD_CHARS:,}")
    return lines


def _sniff(lines: Sequence[str]) -> str:
    """The delimiter under which the first records agree best on a number of fields above one; comma where none does."""
    best, best_agreement = ",", 0.0
    for candidate in DELIMITERS:
        widths = []
        for _, cells in _records(lines[: _SNIFF_RECORDS * 20], candidate):
            widths.append(len(cells) if isinstance(cells, list) else 0)
            if len(widths) == _SNIFF_RECORDS:
                break
        if not widths or widths[0] < 2:
            continue
        agreement = sum(width == widths[0] for width in widths) / len(widths)
        if agreement > best_agreement:
            best, best_agreement = candidate, agreement
    return best


class _RecordTooLong(Exception):
    """A record went on for more than MAX_RECORD_LINES lines."""


class _Feed:
    """Lines handed to the csv reader one by one, so that a failed record can be taken up again at its second line."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.place = 0
        self.record_start = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.place >= len(self.lines):
            raise StopIteration
        if self.place - self.record_start >= MAX_RECORD_LINES:
            raise _RecordTooLong
        self.place += 1
        return self.lines[self.place - 1]


def _records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str] | LineProblem]]:
    """(line number, cells or problem) for each record that is not blank. A failed record costs its first line only."""
    csv.field_size_limit(MAX_FIELD_CHARS * 2)
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while feed.place < len(lines):
        feed.record_start = feed.place
        try:
            cells = next(reader)
        except (csv.Error, _RecordTooLong):
            yield feed.record_start + 1, LineProblem(feed.record_start + 1, "open_quote")
            feed.place = feed.record_start + 1
            reader = csv.reader(feed, delimiter=delimiter, strict=True)
            continue
        if any(map(str.strip, cells)):
            yield feed.record_start + 1, cells


def _fault(row: int, cells: list[str], header: list[str], width: int, decoded: Decoded) -> LineProblem | None:
    if cells == header:
        return LineProblem(row, "header_again")
    kept = cells if len(cells) <= width or any(cell.strip() for cell in cells[width:]) else cells[:width]
    if len(kept) != width:
        return LineProblem(row, "field_count", f"{len(kept)} ≠ {width}")
    if decoded.has_broken_bytes and any(REPLACEMENT in cell for cell in cells):
        return LineProblem(row, "broken_encoding")
    return None


def _without_empty_tail(header: list[str]) -> list[str]:
    """A header without the empty columns that spreadsheets leave at its end."""
    end = len(header)
    while end and not header[end - 1].strip():
        end -= 1
    return header[:end]
