"""From a task to a new version: data prepared where they have to be, parts checked, the version frozen, its lineage begun.

What `training run` does before it trains, and what a page does when somebody presses start. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from coach.config_changes import changed_words, config_changes
from coach.errors import CoachError, DataError, UserError
from coach.lineage import lineage_document
from coach.task_schema import Change, TaskFile
from coach.text import language_of, text
from coach.version_folder import SPLITS, Version
from coach.versioning import version_key
from coach.workspace import Task, freeze_version
from training.data.corrections import corrections_path, is_half_made, of_known_classes, read_corrections
from training.data.folds import first_fold, write_fold
from training.data.rows import read_rows
from training.row_changes import changed_rows

if TYPE_CHECKING:
    from training.data.build_report import BuildReport


@dataclass(frozen=True)
class PreparedData:
    """`report` where `data/` was made now; `raw_gone` names raw files that are missing while the data made from them are kept."""

    report: BuildReport | None = None
    raw_gone: tuple[str, ...] = ()


def prepare_data(task: Task, now: datetime) -> PreparedData:
    """Makes `data/` from data_source.yaml where it has not been made yet, or the source, a raw file or the corrections changed since."""
    source_path = task.folder / "data_source.yaml"
    if not source_path.is_file():
        return PreparedData()
    from training.data.build import build_data
    from training.data.source import raw_files, read_data_source

    source = read_data_source(source_path)
    built = task.data_version_path
    if (task.data_folder / "train.jsonl").is_file() and built.is_file():
        raw = [task.folder / path for path in raw_files(source)]
        gone = tuple(path.name for path in raw if not path.is_file())
        if gone or max(path.stat().st_mtime for path in (source_path, *raw, *_corrections(task))) <= built.stat().st_mtime:
            return PreparedData(raw_gone=gone)
    return PreparedData(build_data(task.folder, source, task.file, now=now))


def _corrections(task: Task) -> list[Path]:
    """The file of those in force, and task.yaml where one names a class that is no longer there: then data lose it again."""
    path = corrections_path(task.folder)
    if not path.is_file():
        return []
    in_force = read_corrections(task.folder)
    return [path] if of_known_classes(in_force, task.file.targets) == in_force else [path, task.file_path]


def new_version(task: Task, name: str, now: datetime, *, changes: str | None = None) -> Version:
    """Freezes task.yaml and `data/` as version `name`; `changes` is what its maker says of it, for the lineage.

    Where it asks for folds it is frozen with the first of them. Raises UserError without data, DataError without one of the three
    parts, with too few rows for the folds, where groups of rows would be torn apart by them, and while `data/` are half corrected.
    """
    if not (task.data_folder / "train.jsonl").is_file() and not (task.folder / "data_source.yaml").is_file():
        raise UserError("training.no_data", folder=str(task.folder))
    for part in SPLITS:
        path = task.data_folder / f"{part}.jsonl"
        if not path.is_file() or not read_rows(path):
            raise DataError(f"data.no_{part}_part")
    if is_half_made(task.folder, task.data_version_path):
        raise DataError("data.half_corrected", task=quote(str(task.folder)))
    _refuse_torn_groups(task)
    version = freeze_version(task, name, now, _first_of_the_folds)
    _begin_lineage(task, version, now, changes)
    return version


def _refuse_torn_groups(task: Task) -> None:
    """Which rows belong together is known while data are made from their source, and nowhere after that."""
    folds, source_path = task.file.training.folds, task.folder / "data_source.yaml"
    if folds == 1 or not source_path.is_file():
        return
    from training.data.source import read_data_source

    if group_by := read_data_source(source_path).split.group_by:
        raise DataError("data.folds_with_groups", group_by=group_by, folds=folds)


def _first_of_the_folds(version: Version, config: TaskFile) -> None:
    """The frozen training and validation rows, cut so that the version's own run is the first of its folds."""
    if config.training.folds > 1 and config.training.method == "sft":
        fold = first_fold(read_rows(version.split_path("train")), read_rows(version.split_path("valid")), config)
        write_fold(version, fold)


def _begin_lineage(task: Task, version: Version, now: datetime, said: str | None) -> None:
    """Where the version comes from and what was changed, seen from the version before it; results follow at the end of the run."""
    others = [other for other in task.versions() if other.name != version.name]
    earlier = [other for other in others if version_key(other.name) < version_key(version.name)]
    config = version.config
    intended = _intended(config, others)
    named = next((other for other in others if intended and other.name == intended.parent), None)
    parent = named or (earlier[-1] if earlier else None)
    said = said or (intended.statement if intended else None)
    changes = [" ".join(said.split())] if said and said.strip() else []
    if parent:
        with suppress(CoachError):  # an earlier version whose rows are damaged is told where it is opened
            rows = changed_rows(task, parent, version, language_of(config.language))
            changes += [line for line in rows if line not in changes]
        changes += changed_words(list(config_changes(parent.config, config)))
    what = "lineage.first_version" if parent is None else "lineage.no_change"
    document = lineage_document(
        config,
        version.snapshot(),
        None,
        version=version.name,
        created=now,
        parent=parent.name if parent else None,
        changes=changes or [text(what, language_of(config.language))],
    )
    version.write_lineage(document)


def _intended(config: TaskFile, others: Sequence[Version]) -> Change | None:
    """What task.yaml says this version is for; nothing where an earlier version was frozen with the same words: they are left over."""
    if config.change is None or any(other.config.change == config.change for other in others):
        return None
    return config.change
