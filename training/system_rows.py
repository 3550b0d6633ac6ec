"""Which test rows the rows of a person's file speak of: by the row's id, else by its texts.

Owns that one question, and the refusal of a file whose ids are ours by accident. What the rows answer is `system_file.py`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coach.errors import DataError
from training.data.cell_formulas import rearmed
from training.data.row_ids import same_text
from training.data.rows import Row
from training.data.table import Table
from training.spreadsheet import input_columns

COMPARED_LETTERS = 30  # of a text beside an id: systems cut long texts, they do not change how one begins
HANDED_OUT = ("id", "predicted")  # our own columns in the file of test rows to answer; what is called so is no input
Key = tuple[str, ...]


@dataclass(frozen=True)
class Matched:
    """`ids[i]`: the test rows that row i of the table speaks of; none where it is no test row. `columns`: what told so."""

    by: Literal["id", "text"]
    columns: tuple[str, ...]
    ids: list[Key]

    @property
    def rows(self) -> set[str]:
        return {row for found in self.ids for row in found}


def match_rows(table: Table, test: Sequence[Row], placeholders: Sequence[str], mapping: Mapping[str, str]) -> Matched:
    """By whichever of ids and texts finds more test rows; columns are told by what stands in them. `mapping`: field to column, as said.

    Texts are the same where `same_text` says so; two test rows of one text are both meant. Raises DataError where the ids are
    there and the texts beside them are others: a file of another task.
    """
    by_id, by_text = _by_id(table, test), _by_text(table, test, placeholders, mapping)
    if len(by_text.rows) > len(by_id.rows):
        return by_text
    _refuse_other_texts(table, test, by_id, placeholders, mapping)
    return by_id


def _by_id(table: Table, test: Sequence[Row]) -> Matched:
    known = {row.id for row in test}
    hits = {name: len(known & {(row.get(name) or "").strip() for row in table.rows}) for name in table.columns}
    column = max(table.columns, key=lambda name: hits[name], default=None)
    if column is None or not hits[column]:
        return Matched("id", (), [()] * len(table))
    said = [(row.get(column) or "").strip() for row in table.rows]
    return Matched("id", (column,), [(row,) if row in known else () for row in said])


def _by_text(table: Table, test: Sequence[Row], placeholders: Sequence[str], mapping: Mapping[str, str]) -> Matched:
    columns = _text_columns(table, test, placeholders, mapping)
    if len(columns) < len(placeholders) or not placeholders:
        return Matched("text", (), [()] * len(table))
    meant: dict[Key, list[str]] = defaultdict(list)
    for row in test:
        meant[tuple(same_text(row.input.get(name, "")) for name in placeholders)].append(row.id)
    keys = zip(*(map(same_text, _texts(table, columns[name])) for name in placeholders))
    return Matched("text", tuple(columns.values()), [tuple(meant.get(key, ())) for key in keys])


def _text_columns(table: Table, test: Sequence[Row], placeholders: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """For each placeholder the column that holds most of its texts; of equals the one that is called so."""
    known = {name: {same_text(row.input.get(name, "")) for row in test} - {""} for name in placeholders}
    hits: dict[tuple[str, str], int] = {}
    for column in table.columns:
        there = set(map(same_text, _texts(table, column)))  # a column at a time: the file may be large
        hits.update({(name, column): len(known[name] & there) for name in placeholders})
    found: dict[str, str] = {}
    for name in placeholders:
        free = [column for column in table.columns if column not in found.values() and hits[name, column]]
        called = _called(name, mapping)
        if free:
            found[name] = max(free, key=lambda column: (hits[name, column], column in called))
    return found


def _refuse_other_texts(
    table: Table, test: Sequence[Row], found: Matched, placeholders: Sequence[str], mapping: Mapping[str, str]
) -> None:
    by_id = {row.id: row for row in test}
    for name in placeholders:
        column = next((column for column in _called(name, mapping) if column in table.columns), None)
        if column is None:
            continue
        pairs = [(by_id[ids[0]].input.get(name, ""), text) for ids, text in zip(found.ids, _texts(table, column)) if ids]
        other = [(ours, theirs) for ours, theirs in pairs if theirs.strip() and _start(ours) != _start(theirs)]
        if 2 * len(other) > len(pairs):
            ours, theirs = (text[:COMPARED_LETTERS] for text in other[0])
            raise DataError(
                "systems.other_rows", path=table.path.name, count=len(other), rows=len(pairs), ours=ours, theirs=theirs
            )


def _called(name: str, mapping: Mapping[str, str]) -> tuple[str | None, ...]:
    """What the column of an input may be called: as it was handed out, else as the person's own data call it."""
    return (*input_columns([name], HANDED_OUT), mapping.get(name))


def _start(text: str) -> str:
    return same_text(text)[:COMPARED_LETTERS]


def _texts(table: Table, column: str) -> list[str]:
    return [rearmed(row.get(column) or "") for row in table.rows]
