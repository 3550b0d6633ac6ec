"""What became of the labels between two sets of rows, in words: for a version's lineage, and for whoever is about to make one.

Reads rows and the corrections in force; judges nothing.
"""

from __future__ import annotations

from coach.text import Language, text
from coach.version_folder import SPLITS, Version
from coach.workspace import Task
from training.data.corrections import Corrections, Parts, read_corrections, relabelled
from training.data.rows import read_rows


def frozen_parts(version: Version) -> Parts:
    """The version's rows by part; a part it does not have is empty."""
    return {part: read_rows(version.split_path(part)) if version.split_path(part).is_file() else [] for part in SPLITS}


def changed_rows(task: Task, before: Version, after: Version, language: Language) -> list[str]:
    """A line for labels that were put right or back, one for rows left out as ambiguous, one where the test is no longer the same.

    Nothing where the rows are the same files. Raises DataError for a line that is no row.
    """
    if _hashes(before) == _hashes(after):
        return []
    return _said(before, frozen_parts(after), read_corrections(task.folder), language)


def changed_in_data(task: Task, before: Version, language: Language) -> list[str]:
    """The same of `data/` as it is now; nothing where no correction is in force."""
    corrections = read_corrections(task.folder)
    if not len(corrections):
        return []
    return _said(before, {part: read_rows(task.data_folder / f"{part}.jsonl") for part in SPLITS}, corrections, language)


def _said(before: Version, new: Parts, corrections: Corrections, language: Language) -> list[str]:
    old = frozen_parts(before)
    counts = relabelled(old, new)
    said = []
    if any(counts.values()):
        said.append(text("lineage.labels_corrected", language, count=sum(counts.values()), **counts))
    learnt = {row.id for row in (*new["train"], *new["valid"])}
    out = sum(row.id in corrections.left_out and row.id not in learnt for row in old["train"])
    if out:
        said.append(text("lineage.rows_left_out", language, count=out))
    if counts["test"]:
        said.append(text("lineage.test_corrected", language, count=counts["test"], parent=before.name))
    return said


def _hashes(version: Version) -> dict[str, object]:
    splits = (version.snapshot() or {}).get("splits") or {}
    return {part: (splits.get(part) or {}).get("sha256") for part in SPLITS}
