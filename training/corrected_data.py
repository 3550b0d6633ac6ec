"""Marks become data: the corrections a person asked for, and `data/` made with them, for the next version.

Owns which marks count, and that what is interrupted loses nothing and can be finished. Versions keep the rows they were frozen with, and
raw files stay as they came.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from coach.atomic_write import write_atomically
from coach.errors import CoachError, UserError
from coach.reviews import REVIEWS_FILE, Reviews, read_reviews
from coach.text import Language, text
from coach.workspace import Task
from training.data.build import (
    build_data,
    last_data_version,
    made_under_its_old_name,
    mark_as_current,
    write_data_version,
)
from training.data.corrections import (
    Corrections,
    CorrectionsFile,
    NewLabel,
    Parts,
    corrected,
    corrections_path,
    count_changed,
    read_corrections,
    relabelled,
    uncorrected,
    write_corrections,
)
from training.data.rows import read_rows, rows_to_jsonl
from training.data.source import raw_files, read_data_source
from training.data.split import PARTS, Part, label_of
from training.new_version import prepare_data
from training.starting import PREPARING_WAIT_S


@dataclass(frozen=True)
class Pending:
    """What marks would do to `data/` now. `labels`: rows by part whose label would change; `left_out`: rows that would leave training,
    or come back to it. `missing`: rows marked as wrongly labelled that are not in `data/` with that label, or whose right class the
    task does not have. `unfinished`: the last correction was interrupted, and is finished even where no row changes any more.
    """

    labels: Mapping[Part, int]
    left_out: int
    missing: int
    unfinished: bool

    @property
    def count(self) -> int:
        return sum(self.labels.values()) + self.left_out


@dataclass(frozen=True)
class CorrectedData(Pending):
    """The same, done; `version` is the name of the data as they are now."""

    version: str

    def lines(self, language: Language) -> list[str]:
        """What was done, for a person."""
        said = [text("audit.corrected.made", language, version=self.version, count=sum(self.labels.values()), **self.labels)]
        if self.left_out:
            said.append(text("audit.corrected.left_out", language, count=self.left_out))
        if self.missing:
            said.append(text("audit.corrected.missing", language, count=self.missing))
        if self.labels["test"]:
            said.append(text("audit.corrected.test", language, count=self.labels["test"]))
        return said


def deciding_files(task: Task) -> list[Path]:
    """What `pending` is read from."""
    parts = [task.data_folder / f"{part}.jsonl" for part in PARTS]
    return [task.file_path, task.folder / REVIEWS_FILE, corrections_path(task.folder), *parts]


def pending(task: Task, *, leave_out_ambiguous: bool = False) -> Pending:
    """What `correct_data` would do. Raises WorkspaceError and DataError where a file is damaged."""
    return _compare(task, leave_out_ambiguous).found


def correct_data(task: Task, now: datetime, *, leave_out_ambiguous: bool = False) -> CorrectedData:
    """Makes `data/` anew with every label marked as wrong put right, in all parts; ambiguous rows leave training where that is asked for.

    All marks are taken together, so that a mark taken back takes its correction back. Raises UserError where nothing would change,
    WorkspaceError and DataError as making data does. Until `data/` and its version are written, corrections.jsonl holds the
    corrections before and after, so that whatever interrupts this (a full disk, a kill), the next call finishes or undoes it.
    """
    with task.lock(PREPARING_WAIT_S):
        prepare_data(task, now)
        before = CorrectionsFile.of(task.folder)
        compared = _compare(task, leave_out_ambiguous)
        found = compared.found
        if not (found.count or found.unfinished):
            marked = sum(review.mark == "label_wrong" for review in read_reviews(task.folder).values())
            raise UserError("reviews.nothing_to_correct", marked=marked, missing=found.missing)
        write_corrections(task.folder, compared.wanted)
        try:
            version = _make(task, compared, now)
        except BaseException:
            if _parts(task) == compared.parts:  # else half is done: both stay, and making it again finishes
                with suppress(CoachError):
                    before.put_back()
            raise
        write_corrections(task.folder, replace(compared.wanted, earlier=None))
        mark_as_current(task.folder)
        return CorrectedData(found.labels, found.left_out, found.missing, found.unfinished, version)


@dataclass(frozen=True)
class _Compared:
    """`parts` as they are now; `base`: before any correction; `new`: with those that are `wanted`, which know the earlier ones too;
    `found`: what is new in it.
    """

    parts: Parts
    base: Parts
    new: Parts
    wanted: Corrections
    found: Pending


def _compare(task: Task, leave_out_ambiguous: bool) -> _Compared:
    parts = _parts(task)
    in_force = read_corrections(task.folder)
    base = uncorrected(parts, in_force)
    wanted, missing = _wanted(base, parts, read_reviews(task.folder), task.file.targets, leave_out_ambiguous)
    new = corrected(base, wanted)
    left = {row.id for row in new["train"]} ^ {row.id for row in parts["train"]}
    found = Pending(relabelled(parts, new), len(left), missing, in_force.earlier is not None)
    name = str(last_data_version(task.folder).get("version", ""))
    if in_force.earlier is not None and not found.count:
        name = in_force.earlier.version  # the parts are made; whether their version is, the name tells
    return _Compared(parts, base, new, wanted.after(in_force, name), found)


def _parts(task: Task) -> Parts:
    return {part: read_rows(task.data_folder / f"{part}.jsonl") for part in PARTS}


def _wanted(
    base: Parts, parts: Parts, reviews: Reviews, targets: Mapping[str | None, Collection[str]], leave_out_ambiguous: bool
) -> tuple[Corrections, int]:
    """The corrections the marks ask for, and how many marks of a wrong label find no row, one that carries yet another label, or no
    class of that name in the task.
    """
    before = {row.id: row for rows in base.values() for row in rows}
    now = before | {row.id: row for rows in parts.values() for row in rows}
    labels, missing = {}, 0
    for key, review in reviews.items():
        carried = [label_of(rows[review.id], review.target) for rows in (before, now) if review.id in rows]
        meant = review.label if review.label is not None else review.given  # a corrected label found right stays corrected
        if review.given not in carried or meant not in targets.get(review.target, ()):
            missing += review.mark == "label_wrong"
            continue
        if meant != carried[0]:
            labels[key] = NewLabel(carried[0], meant)
    unclear = {review.id for review in reviews.values() if review.mark == "ambiguous"} if leave_out_ambiguous else set()
    return Corrections(labels, {row.id: row for row in base["train"] if row.id in unclear}), missing


def _make(task: Task, compared: _Compared, now: datetime) -> str:
    """From the source where it can be read, else in the parts themselves; either way files are replaced, never written into."""
    source_path = task.folder / "data_source.yaml"
    if source_path.is_file():
        source = read_data_source(source_path)
        if all((task.folder / path).is_file() for path in raw_files(source)):
            return build_data(task.folder, source, task.file, now=now, corrections=compared.wanted).version
    for part in PARTS:
        path, text = task.data_folder / f"{part}.jsonl", rows_to_jsonl(compared.new[part])
        if path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)
    last = last_data_version(task.folder)
    if "version" in last and not compared.found.count and not made_under_its_old_name(last, compared.wanted):
        return str(last["version"])
    rows = [row for part in PARTS for row in compared.new[part]]
    config_hash = last.get("source_config_hash")
    return write_data_version(task.folder, rows, task.file, now, config_hash, count_changed(compared.base, compared.new))
