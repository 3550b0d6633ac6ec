"""From a table to a task's rows: columns to placeholders and answer, labels to their declared spelling; the rest is left out.

Owns what makes a row of a table a row of the task. Knows neither files nor parts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from coach.errors import DataError
from coach.task_schema import TaskFile
from training.data.build_report import LeftOut
from training.data.labels import canonical_labels
from training.data.read_json import as_cell
from training.data.row_ids import Content
from training.data.rows import Output
from training.data.source import OUTPUT_FIELDS
from training.data.table import Cell, Table


@dataclass
class TaskRows:
    """The contents of one source, each with its row number and group, and what was left out."""

    source: str
    contents: list[Content] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    merged_labels: int = 0
    rows_read: int = 0
    encoding: str | None = None


def rows_of_table(table: Table, mapping: Mapping[str, str], task: TaskFile, source: str, group_by: str | None = None) -> TaskRows:
    """The task's rows in a table. Raises DataError: a field without a column, a column that is not there, or no row left."""
    answer = _Answer(table, mapping, task)
    columns = _input_columns(table, mapping, task)
    group_column = (mapping.get(group_by) or group_by) if group_by else None
    if group_column is not None:
        table.column(group_column)
    found = TaskRows(source, rows_read=len(table) + len(table.problems), encoding=table.encoding)
    found.left_out += [LeftOut(source, problem.row, "unparseable") for problem in table.problems]
    for number, row in zip(table.row_numbers, table.rows, strict=True):
        values = {name: (row.get(column) or "").strip() for name, column in columns.items()}
        output = answer.of(row) if all(values.values()) else None
        if output is None:
            found.left_out.append(LeftOut(source, number, answer.fault if all(values.values()) else "field_missing"))
            continue
        found.contents.append(Content(values, output, source))
        found.numbers.append(number)
        found.groups.append(row.get(group_column) if group_column else None)
    found.merged_labels = answer.merged
    if not found.contents:
        reasons = Counter(out.reason for out in found.left_out).most_common()
        told = ", ".join(f"{name} {count}" for name, count in reasons)
        raise DataError("data.nothing_left", path=table.path.name, reasons=told)
    return found


def _input_columns(table: Table, mapping: Mapping[str, str], task: TaskFile) -> dict[str, str]:
    missing = [name for name in task.placeholders if name not in mapping]
    if missing:
        raise _without_column(missing, table)
    for name in task.placeholders:
        table.column(mapping[name])
    return {name: mapping[name] for name in task.placeholders}


def _without_column(fields: list[str], table: Table) -> DataError:
    columns = ", ".join(table.columns)
    return DataError("data.mapping_missing", fields=", ".join(fields), path=table.path.name, columns=columns)


class _Answer:
    """Reads a row's answer; `fault` says why the last one was None, `merged` counts labels taken for a declared spelling."""

    def __init__(self, table: Table, mapping: Mapping[str, str], task: TaskFile) -> None:
        self.merged = 0
        self.fault = "field_missing"
        self.properties = task.output_format.properties or {}
        self.is_text = task.output_format.type == "text"
        self.whole = next((mapping[name] for name in OUTPUT_FIELDS if name in mapping and name not in task.placeholders), None)
        self.columns = {name: mapping[name] for name in self.properties if name in mapping}
        missing = [] if self.whole else [OUTPUT_FIELDS[0]] if self.is_text else [n for n in self.properties if n not in mapping]
        if missing:
            raise _without_column(missing, table)
        for column in [self.whole] if self.whole else self.columns.values():
            table.column(column)
        self.known = {target: _Spellings(labels) for target, labels in task.targets.items()}

    def of(self, row: Mapping[str, Cell]) -> Output | None:
        if self.is_text:
            return self._value(None, row.get(self.whole or ""))
        cells = self._object(row.get(self.whole)) if self.whole else {n: row.get(column) for n, column in self.columns.items()}
        if cells is None:
            return None
        values = {name: self._typed(name, cells.get(name)) for name in self.properties}
        return None if any(value is None for value in values.values()) else values

    def _object(self, cell: Cell) -> dict[str, Cell] | None:
        try:
            parsed = json.loads(cell or "")
        except ValueError:
            self.fault = "unparseable"
            return None
        if not isinstance(parsed, dict):
            self.fault = "unparseable"
            return None
        return {name: as_cell(value) for name, value in parsed.items()}

    def _typed(self, name: str, cell: Cell) -> object:
        if self.properties[name].type == "string":
            return self._value(name, cell)
        try:
            return json.loads(cell or "")
        except ValueError:
            self.fault = "unparseable" if cell and cell.strip() else "field_missing"
            return None

    def _value(self, target: str | None, cell: Cell) -> str | None:
        if not cell or not cell.strip():
            self.fault = "field_missing"
            return None
        if target not in self.known:
            return cell.strip()
        label = self.known[target].declared(cell)
        if label is None:
            self.fault = "label_unknown"
        elif label != cell:
            self.merged += 1
        return label


class _Spellings:
    """Remembers which written label stands for which declared one."""

    def __init__(self, labels: list[str]) -> None:
        self.labels = labels
        self.seen: dict[str, str | None] = {}

    def declared(self, written: str) -> str | None:
        if written not in self.seen:
            self.seen.update(canonical_labels({written: 1}, self.labels))
        return self.seen[written]
