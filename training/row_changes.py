"""What became of the labels between two versions, in words for the later one's lineage. Reads their frozen rows; judges nothing."""

from __future__ import annotations

from coach.text import Language, text
from coach.version_folder import SPLITS, Version
from training.data.corrections import Corrections, Parts, relabelled
from training.data.rows import read_rows


def frozen_parts(version: Version) -> Parts:
    """The version's rows by part; a part it does not have is empty."""
    return {part: read_rows(version.split_path(part)) if version.split_path(part).is_file() else [] for part in SPLITS}


def changed_rows(before: Version, after: Version, corrections: Corrections, language: Language) -> list[str]:
    """A line for labels that were put right, one for rows left out as ambiguous, one where the test is no longer the same.

    Nothing where the rows are the same files. Raises DataError for a line that is no row.
    """
    if _hashes(before) == _hashes(after):
        return []
    old, new = frozen_parts(before), frozen_parts(after)
    counts = relabelled(old, new)
    said = []
    if any(counts.values()):
        said.append(text("lineage.labels_corrected", language, count=sum(counts.values()), **counts))
    learnt = {row.id for part in ("train", "valid") for row in new[part]}  # type: ignore[index]
    out = sum(row.id in corrections.left_out and row.id not in learnt for row in old["train"])
    if out:
        said.append(text("lineage.rows_left_out", language, count=out))
    if counts["test"]:
        said.append(text("lineage.test_corrected", language, count=counts["test"], parent=before.name))
    return said


def _hashes(version: Version) -> dict[str, object]:
    splits = (version.snapshot() or {}).get("splits") or {}
    return {part: (splits.get(part) or {}).get("sha256") for part in SPLITS}
