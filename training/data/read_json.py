"""JSON and JSONL text to rows of text; broken lines are collected with their numbers. Knows nothing of encodings."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from coach.errors import DataError
from training.data.decode import REPLACEMENT, Decoded
from training.data.table import Cell, FileFormat, LineProblem, Table, is_writable_name, unwritable_name

MAX_LINE_CHARS = 5_000_000  # one JSON line; beyond this it is a whole document on one line, or damage
MAX_DIGITS = 4_000  # Python makes no number of more than 4,300 digits; a longer one stays the text it is


def parse_jsonl(decoded: Decoded, path: Path) -> Table:
    """The table of JSONL text, row numbers being lines. Raises DataError: nothing in it, or no line that is an object."""
    if not decoded.text.strip():
        raise DataError("data.empty", path=path.name)
    objects: list[tuple[int, dict[str, Any]]] = []
    problems = []
    for number, line in enumerate(io.StringIO(decoded.text), start=1):
        if not line.strip():
            continue
        value = _parse_line(number, line, path, decoded.has_broken_bytes)
        if isinstance(value, LineProblem):
            problems.append(value)
        else:
            objects.append((number, value))
    if not objects:
        raise DataError("data.no_rows", path=path.name, format="JSONL")
    return _table(objects, path, "jsonl", decoded.encoding, problems)


def parse_json(decoded: Decoded, path: Path) -> Table:
    """The table of a JSON document: a list of objects, or an object that holds one (`{"data": [...]}`); rows count from 1.

    Lines of objects under a .json name are read as JSONL. Raises DataError: nothing in it, broken, or no list of objects.
    """
    if not decoded.text.strip():
        raise DataError("data.empty", path=path.name)
    try:
        document = _load(decoded.text)
    except json.JSONDecodeError as error:
        if _starts_with_object_line(decoded.text):
            return parse_jsonl(decoded, path)
        raise DataError("data.json_broken", path=path.name, line=error.lineno, column=error.colno, problem=error.msg) from error
    except RecursionError as error:
        raise DataError("data.json_broken", path=path.name, line=1, column=1, problem="nesting too deep") from error
    entries = _list_of_objects(document)
    if entries is None:
        raise DataError("data.json_shape", path=path.name, kind=type(document).__name__)
    objects = [(number, entry) for number, entry in enumerate(entries, start=1) if isinstance(entry, dict)]
    problems = [
        LineProblem(number, "not_an_object", type(entry).__name__)
        for number, entry in enumerate(entries, start=1)
        if not isinstance(entry, dict)
    ]
    if not objects:
        raise DataError("data.no_rows", path=path.name, format="JSON")
    return _table(objects, path, "json", decoded.encoding, problems)


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits


_load = json.JSONDecoder(parse_int=_whole).decode


def _parse_line(number: int, line: str, path: Path, has_broken_bytes: bool) -> dict[str, Any] | LineProblem:
    if len(line) > MAX_LINE_CHARS:
        raise DataError("data.field_too_large", path=path.name, line=number, characters=f"{MAX_LINE_CHARS:,}")
    try:
        value = _load(line)
    except (ValueError, RecursionError) as error:
        return LineProblem(number, "broken_json", str(error)[:120])
    if not isinstance(value, dict):
        return LineProblem(number, "not_an_object", type(value).__name__)
    if has_broken_bytes and REPLACEMENT in line:
        return LineProblem(number, "broken_encoding")
    return value


def _starts_with_object_line(text: str) -> bool:
    try:
        return isinstance(_load(text.lstrip().split("\n", 1)[0]), dict)
    except (ValueError, RecursionError):
        return False


def _list_of_objects(document: Any) -> list[Any] | None:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return None
    data = document.get("data")
    if isinstance(data, list):
        return data
    lists = [value for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return lists[0] if len(lists) == 1 else None


def _table(
    objects: list[tuple[int, dict[str, Any]]], path: Path, format: FileFormat, encoding: str, problems: list[LineProblem]
) -> Table:
    columns = tuple(dict.fromkeys(name for _, entry in objects for name in entry))
    unwritable = {name for name in columns if not is_writable_name(name)}
    if unwritable and all(unwritable & entry.keys() for _, entry in objects):
        place = next(place for place, name in enumerate(columns, start=1) if name in unwritable)
        raise unwritable_name(columns[place - 1], place, path)
    writable = tuple(name for name in columns if name not in unwritable)
    table = Table(path, format, writable, [], [], problems, encoding=encoding)
    for number, entry in objects:
        row = {name: as_cell(value) for name, value in entry.items()}
        if unwritable & row.keys() or any(cell and not _is_writable(cell) for cell in row.values()):
            problems.append(LineProblem(number, "broken_encoding"))
            continue
        table.rows.append(row)
        table.row_numbers.append(number)
    problems.sort(key=lambda problem: problem.row)
    return table


def _is_writable(cell: str) -> bool:
    """False for half of a surrogate pair (`"\\ud83d"`, a cut emoji), which JSON allows and no file can hold as UTF-8."""
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def as_cell(value: Any) -> Cell:
    """A value as text: text as it stands, null as None, true/false in JSON's spelling, structures as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (dict, list, bool)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
