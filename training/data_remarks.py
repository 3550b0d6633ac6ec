"""What task.yaml and the rows say against each other before a training: labels it leaves out, classes too small to be learnt.

Counts come from `data/` where it is made, else from a look at the attached file. Remarks on the text alone are `coach.task_check`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

from coach.remarks import Remark
from coach.situation import FEW_ROWS_PER_CLASS
from coach.task_schema import TaskFile
from coach.text import Language, text
from training.data.labels import canonical_labels

SHOWN_LABELS = 5


def data_remarks(file: TaskFile, counts: Mapping[str, int], language: Language, *, is_built: bool) -> list[Remark]:
    """Cautions about `file` on rows whose labels are counted in `counts`; none where nothing is counted.

    `is_built`: the rows lie in `data/` already, where removing a label does not remove them.
    """
    labels = _sole_labels(file)
    if labels is None or not counts:
        return []
    found = []
    if out := labels_left_out(file, counts):
        said = "labels_still_in_data" if is_built else "labels_left_out"
        found.append(
            Remark(None, "warning", text(f"comments.{said}", language, count=sum(out.values()), labels=_listed(out, language)))
        )
    small = {label: count for label, count in _rows_of(labels, counts).items() if count < FEW_ROWS_PER_CLASS}
    if small:
        listed = _listed(small, language)
        found.append(Remark(None, "warning", text("warnings.tiny_classes", language, count=len(small), classes=listed)))
    return found


def labels_left_out(file: TaskFile, counts: Mapping[str, int]) -> dict[str, int]:
    """The labels of the rows that `file` does not declare, with their rows; spellings of a declared one are not among them."""
    labels = _sole_labels(file)
    if labels is None:
        return {}
    canonical = canonical_labels(counts, labels)
    return {label: count for label, count in counts.items() if count and canonical[label] is None}


def _sole_labels(file: TaskFile) -> list[str] | None:
    """The classes where there is one set of them; of several targets, only the first one's rows are counted by class."""
    return next(iter(file.targets.values())) if file.task_type == "classification" and len(file.targets) == 1 else None


def _rows_of(labels: list[str], counts: Mapping[str, int]) -> dict[str, int]:
    canonical = canonical_labels(counts, labels)
    return {label: sum(count for name, count in counts.items() if canonical[name] == label) for label in labels}


def _listed(counts: Mapping[str, int], language: Language) -> str:
    between = "、" if language == "zh-TW" else ", "
    return between.join(f"{label} ({count})" for label, count in list(counts.items())[:SHOWN_LABELS])
