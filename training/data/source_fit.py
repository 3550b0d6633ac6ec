"""Whether a data_source.yaml still names the columns a task needs, and the same source with its columns named anew.

A source is first written when a file is attached, before there is a task.yaml; the task may then want other fields of it. Owns that
one step. The document's shape is `source.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from coach.task_schema import TaskFile
from training.data.rows import TEXT_FIELD
from training.data.source import OUTPUT_FIELD, OUTPUT_FIELDS, DataSource, FileSource, read_data_source


def sole_file(source: DataSource) -> FileSource | None:
    """The one file all rows come from, or None where there are several sources or another kind: those a person edits by hand."""
    only = source.sources[0] if len(source.sources) == 1 else None
    return only if isinstance(only, FileSource) and only.enabled else None


def first_file(source: DataSource) -> FileSource | None:
    """The first file rows are read from."""
    return next((entry for entry in source.sources if isinstance(entry, FileSource) and entry.enabled), None)


def said_columns(path: Path) -> dict[str, str]:
    """Field to column, as every file source of the data_source.yaml at `path` maps them; none where there is no such file."""
    if not path.is_file():
        return {}
    return {name: column for source in read_data_source(path).sources for name, column in source.mapping.items()}


def output_fields(task: TaskFile) -> list[str]:
    """What a mapping calls the parts of the answer."""
    if task.output_format.type == "json":
        return list(task.output_format.properties or {})
    return [OUTPUT_FIELD]


def sketch(placeholders: Sequence[str], labels: Sequence[str] | None) -> TaskFile:
    """Just enough of a task to write a source for, before there is one."""
    return TaskFile.model_validate(
        {
            "task_name": "sketch",
            "input_template": "\n".join(f"{{{name}}}" for name in placeholders),
            "output_format": {"type": "text", "enum": list(labels) if labels else None},
            "training": {"base_model": "none", "method": "baseline"},
        }
    )


def fits(source: DataSource, task: TaskFile) -> bool:
    """Whether each source names a column for every field of the task, and nothing leans on a field the task does not have."""
    outputs = output_fields(task)
    fields = {*task.placeholders, *outputs, *(name for name in OUTPUT_FIELDS if task.output_format.type == "text")}
    leaning = {*(source.merge.deduplication.fields or []), *filter(None, [source.split.stratify_by])}
    whole = [] if task.output_format.type == "text" else [name for name in OUTPUT_FIELDS if name not in task.placeholders]
    return leaning <= fields and all(
        {*task.placeholders, *outputs} <= set(entry.mapping) and not any(name in entry.mapping for name in whole)
        for entry in source.sources
        if entry.enabled
    )


def refitted(source: DataSource, task: TaskFile, mapping: Mapping[str, str], *, now: datetime) -> DataSource:
    """`source` of one file with `mapping`; what else a person set in it stays, as far as it names fields there still are."""
    entry = source.sources[0].model_copy(update={"mapping": dict(mapping)})
    keys = task.placeholders
    deduplication = source.merge.deduplication
    if deduplication.key is not None:
        deduplication = deduplication.model_copy(update={"key": keys[0] if len(keys) == 1 else keys})
    stratify = next(iter(task.targets), None) or (OUTPUT_FIELD if task.targets else None)
    split = source.split.model_copy(update={"stratify_by": stratify, "group_by": _group(source, keys, mapping)})
    merge = source.merge.model_copy(update={"deduplication": deduplication})
    return source.model_copy(update={"updated": now, "sources": [entry], "merge": merge, "split": split})


def own_group(inputs: Sequence[str]) -> str | None:
    """What keeps rows together where nobody chose a column: the text, once something else stands beside it."""
    return TEXT_FIELD if len(inputs) > 1 and TEXT_FIELD in inputs else None


def chosen_group(group_by: str | None, mapping: Mapping[str, str]) -> str | None:
    """The column somebody chose for `group_by`; None where it is a field, as of itself, or has become the column of one."""
    return None if group_by in mapping or group_by in mapping.values() else group_by


def _group(source: DataSource, keys: Sequence[str], mapping: Mapping[str, str]) -> str | None:
    """A chosen column stays as long as it is no field's, a field other than the text as it was written; a person who took the text out
    of it by hand is not overruled.
    """
    now = source.split.group_by
    if now in mapping and now != TEXT_FIELD:
        return now
    if (chosen := chosen_group(now, mapping)) is not None:
        return chosen
    was_taken_out = now is None and len(source.merge.deduplication.fields or []) > 1
    return None if was_taken_out else own_group(keys)
