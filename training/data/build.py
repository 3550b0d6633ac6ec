"""Data made (again) from its sources: read, merge, split, and write `data/` with its version.

Everything is read and judged before the first byte is written, so a source that fails leaves the last good data in place. Owns
the files under `data/`; what makes a row is `table_rows.py`'s, who stands in which part `split.py`'s.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from coach.atomic_write import write_atomically
from coach.data_snapshot import DATA_VERSION
from coach.errors import DataError, DocumentError
from coach.task_schema import TaskFile
from coach.yaml_document import read_document
from coach.yaml_writing import dump
from training.data.build_report import BuildReport, LeftOut
from training.data.corrections import Corrections, corrected, count_changed, of_known_classes, read_corrections
from training.data.read import read_table
from training.data.row_ids import row_ids
from training.data.rows import Row, rows_to_jsonl
from training.data.source import OUTPUT_FIELD, DataSource, FileSource
from training.data.split import PARTS, Splits, drop_repeats, label_of, split_rows
from training.data.table_rows import TaskRows, rows_of_table


def build_data(
    task_folder: Path, source: DataSource, task: TaskFile, *, now: datetime, corrections: Corrections | None = None
) -> BuildReport:
    """Makes `data/raw/*.jsonl`, the three parts and `data_version.yaml` of a task folder; the parts with `corrections`, else with
    those in force; none brings in a class that the task does not have.

    Raises DataError: a source that cannot be read or does not run yet, a field without its column, rows that cannot be split.
    Nothing is written then. The same data made again keeps its version.
    """
    _refuse_unknown_fields(source, task)
    read = [_read_source(task_folder, entry, task, source.split.group_by) for entry in _enabled(source)]
    given = {part: _read_given(task_folder, source, task, part) for part in ("valid", "test")}
    everything = [*read, *(rows for rows in given.values() if rows is not None)]
    made, numbers, groups = _numbered(everything)
    pool = [row for rows in read for row in made[rows.source]]
    valid_rows, test_rows = (made[rows.source] if (rows := given[part]) else None for part in ("valid", "test"))
    in_force = read_corrections(task_folder) if corrections is None else corrections
    splits = _split(pool, source, task, groups, valid_rows, test_rows)
    parts = corrected({part: splits.part(part) for part in PARTS}, of_known_classes(in_force, task.targets))
    changed = count_changed({part: splits.part(part) for part in PARTS}, parts)
    splits = replace(splits, **parts)
    texts = _texts(source, {rows.source: made[rows.source] for rows in read}, splits, pool)
    stale = made_under_its_old_name(last_data_version(task_folder), in_force)
    version, unchanged = _write(task_folder, source, texts, splits, task, now, changed, stale)
    left_out = [out for rows in everything for out in rows.left_out]
    left_out += [LeftOut(dropped.row.source, numbers[dropped.row.id], dropped.reason) for dropped in splits.dropped]
    return BuildReport(
        version=version,
        unchanged=unchanged,
        rows_read={rows.source: rows.rows_read for rows in everything},
        left_out=left_out,
        merged_labels=sum(rows.merged_labels for rows in everything),
        counts={part: len(splits.part(part)) for part in PARTS},
        distribution={part: class_distribution(splits.part(part), task) for part in PARTS},
        encodings={rows.source: rows.encoding for rows in everything},
        corrected=changed,
    )


def class_distribution(rows: Sequence[Row], task: TaskFile) -> dict[str, int]:
    """Rows per label of the task's first target, in the declared order, absent ones as 0; empty for a task without labels."""
    targets = task.targets
    if not targets:
        return {}
    counts = Counter(label_of(row, _label_field(task)) for row in rows)
    return {label: counts[label] for label in next(iter(targets.values()))}


def _refuse_unknown_fields(source: DataSource, task: TaskFile) -> None:
    """A key or stratification that names no field would make every row the same."""
    placeholders, answers = set(task.placeholders), {name for name in task.targets if name} | {OUTPUT_FIELD}
    unknown = [name for name in source.merge.deduplication.fields or [] if name not in placeholders]
    if source.split.stratify_by and source.split.stratify_by not in placeholders | answers:
        unknown.append(source.split.stratify_by)
    if unknown:
        raise DataError("data.field_unknown", fields=", ".join(unknown), known=", ".join(sorted(placeholders | answers)))


def _enabled(source: DataSource) -> list[FileSource]:
    entries = [entry for entry in source.sources if entry.enabled]
    if not entries:
        raise DataError("data.no_source", names=", ".join(entry.name for entry in source.sources))
    for entry in entries:
        if not isinstance(entry, FileSource):
            raise DataError("data.source_later", name=entry.name, type=entry.type)
    return [entry for entry in entries if isinstance(entry, FileSource)]


def _read_source(folder: Path, entry: FileSource, task: TaskFile, group_by: str | None) -> TaskRows:
    config = entry.config
    table = read_table(folder / config.source_path, format=config.format, encoding=config.encoding, delimiter=config.delimiter)
    return rows_of_table(table, entry.mapping, task, entry.name, group_by)


def _read_given(folder: Path, source: DataSource, task: TaskFile, part: str) -> TaskRows | None:
    """The rows of `test_file` or `valid_file`, read with the mapping of the first source that has the same columns."""
    name = source.split.test_file if part == "test" else source.split.valid_file
    if name is None:
        return None
    table = read_table(folder / name)
    entries = _enabled(source)
    fitting = next((entry for entry in entries if set(entry.mapping.values()) <= set(table.columns)), entries[0])
    taken = {entry.name for entry in source.sources}
    stem = Path(name).stem
    return rows_of_table(table, fitting.mapping, task, f"{stem}_{part}" if stem in taken else stem)


def _numbered(read: Sequence[TaskRows]) -> tuple[dict[str, list[Row]], dict[str, int], dict[str, str]]:
    """Rows by source with their ids, row number by id, and group by id."""
    ids = iter(row_ids([content for rows in read for content in rows.contents]))
    made: dict[str, list[Row]] = {}
    numbers: dict[str, int] = {}
    groups: dict[str, str] = {}
    for rows in read:
        made[rows.source] = [Row(next(ids), dict(content.input), content.output, content.source) for content in rows.contents]
        for row, number, group in zip(made[rows.source], rows.numbers, rows.groups, strict=True):
            numbers[row.id] = number
            if group:
                groups[row.id] = group
    return made, numbers, groups


def _split(
    pool: list[Row], source: DataSource, task: TaskFile, groups: dict[str, str], valid: list[Row] | None, test: list[Row] | None
) -> Splits:
    split, merge = source.split, source.merge
    stratify = split.stratify_by or _label_field(task)
    return split_rows(
        pool,
        split.ratios if split.enabled else {"train": 1.0},
        stratify if task.targets else None,
        split.random_seed,
        groups or None,
        test,
        valid,
        key=merge.deduplication.fields,
        deduplicate=merge.enabled and merge.deduplication.enabled,
        shuffle=merge.enabled and merge.shuffle,
    )


def _label_field(task: TaskFile) -> str | None:
    """The first target's name as rows know it; the text answer goes by OUTPUT_FIELD."""
    return next(iter(task.targets), None) or (OUTPUT_FIELD if task.targets else None)


def _texts(source: DataSource, made: dict[str, list[Row]], splits: Splits, pool: list[Row]) -> dict[str, str]:
    """The text of every file, by its path in the task folder, the three parts last."""
    texts = {entry.raw_path: rows_to_jsonl(made[entry.name]) for entry in source.sources if entry.name in made}
    if source.merge.enabled:
        deduplication = source.merge.deduplication
        merged = drop_repeats(pool, deduplication.fields)[0] if deduplication.enabled else pool
        texts[source.merge.output_path] = rows_to_jsonl(merged)
    return texts | {f"data/{part}.jsonl": rows_to_jsonl(splits.part(part)) for part in PARTS}


def _write(
    folder: Path,
    source: DataSource,
    texts: dict[str, str],
    splits: Splits,
    task: TaskFile,
    now: datetime,
    changed: int,
    stale: bool,
) -> tuple[str, bool]:
    """Writes what differs, the version last; returns it, and whether it is still the last one: never where that is `stale`."""
    last = last_data_version(folder)
    parts_same = all(_content(folder / f"data/{part}.jsonl") == texts[f"data/{part}.jsonl"] for part in PARTS)
    unchanged = parts_same and last.get("source_config_hash") == source.config_hash() and "version" in last and not stale
    for path, content in texts.items():
        if _content(folder / path) != content:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / path, content)
    if unchanged:
        mark_as_current(folder)
        return str(last["version"]), True
    rows = [row for part in PARTS for row in splits.part(part)]
    return write_data_version(folder, rows, task, now, source.config_hash(), changed), False


def write_data_version(
    folder: Path, rows: Sequence[Row], task: TaskFile, now: datetime, config_hash: str | None, changed: int = 0
) -> str:
    """Writes `data_version.yaml` for `rows`, `changed` of which were corrected, and returns the next version's name."""
    document: dict[str, Any] = {
        "version": _next_version(str(last_data_version(folder).get("version", "")), now),
        "source_config_hash": config_hash,
        "total_records": len(rows),
        "class_distribution": class_distribution(rows, task),
        "generated_at": now.isoformat(timespec="seconds"),
        **({"corrections": changed} if changed else {}),
    }
    write_atomically(folder / DATA_VERSION, dump(document))
    return str(document["version"])


def made_under_its_old_name(last: Mapping[str, Any], corrections: Corrections) -> bool:
    """Whether a correction was interrupted before the `last` version of the data was named."""
    return corrections.earlier is not None and corrections.earlier.version == str(last.get("version", ""))


def mark_as_current(folder: Path) -> None:
    """The data's version is no older than what it is made from: made again from the same, it is the same."""
    with suppress(OSError):  # then it is made again once more
        os.utime(folder / DATA_VERSION)


def last_data_version(folder: Path) -> dict[str, Any]:
    """What `data_version.yaml` says; nothing where it cannot be read."""
    try:
        return read_document(folder / DATA_VERSION).mapping
    except DocumentError:
        return {}


def _next_version(last: str, now: datetime) -> str:
    """`YYYY-MM-DD-001`, counted up within a day."""
    day = now.date().isoformat()
    count = int(last.removeprefix(f"{day}-")) if last.startswith(f"{day}-") and last[len(day) + 1 :].isdigit() else 0
    return f"{day}-{count + 1:03d}"


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
