"""Finding a classification report in a text: as scikit-learn prints it, or its DataFrame as it is printed or saved as CSV."""

from __future__ import annotations

import csv
import re
from typing import Any

from coach.errors import UserError

MOST_LETTERS, LONGEST_LINE = 100_000, 500  # of what is pasted
OFF_BY = 0.06  # F1 from rounded precision and recall
_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)%?|nan", re.IGNORECASE)
_ROWS = re.compile(r"\d{1,12}(?:\.0*)?")
_AVERAGES = ("micro avg", "macro avg", "weighted avg", "samples avg", "avg / total")
_WHOLE = ("macro avg", "weighted avg", "avg / total")  # their support is that of all classes together
Report = dict[str, Any]


def find_report(text: str) -> tuple[Report | None, str]:
    """Each class's precision, recall, F1 and support, the accuracy where it stands there; and what comes behind it.

    Averages are worked out, not read. None with fewer than two classes. Raises UserError where lines are missing, stand there twice, or
    cannot be.
    """
    per_class: dict[str, dict[str, Any]] = {}
    accuracy, whole, last, lines = None, None, 0, text.splitlines()
    for number, line in enumerate(lines):
        cells = _cells(line)
        last = number if cells else last
        if cells and cells[0] == "accuracy" and (len(cells) == 3 or not _ROWS.fullmatch(cells[-1])):
            accuracy = _share(cells[-2], "accuracy")
        elif cells is None or len(cells) != 5 or not _ROWS.fullmatch(cells[4]):
            continue
        elif cells[0] == "samples avg":
            raise UserError("figures.multi_label")
        elif cells[0] in _AVERAGES:
            whole = int(cells[4].partition(".")[0]) if cells[0] in _WHOLE else whole
        elif cells[0] in per_class:
            raise UserError("figures.class_twice", label=cells[0])
        else:
            per_class[cells[0]] = _class(cells)
    if len(per_class) < 2:
        return None, text
    rows = sum(scores["support"] for scores in per_class.values())
    if whole is not None and whole != rows:
        raise UserError("figures.lines_missing", rows=rows, whole=whole)
    if not rows:
        raise UserError("figures.impossible_counts", rows=rows, labels=len(per_class))
    macro = sum(scores["f1"] for scores in per_class.values()) / len(per_class)
    return {"macro_f1": macro, "accuracy": accuracy, "per_class": per_class, "rows": {"test": rows}}, "\n".join(lines[last + 1 :])


def _cells(line: str) -> list[str] | None:
    """A name and the numbers behind it; None where the line is no such thing."""
    if len(line) > LONGEST_LINE:
        return None
    mark = max(",\t;", key=line.count)
    cells = next(csv.reader([line], delimiter=mark), []) if line.count(mark) >= 4 else line.rsplit(None, 4)
    if line.split()[:1] == ["accuracy"] and len(line.split()) == 3:
        cells = line.split()
    cells = [cell.strip() for cell in cells]
    return cells if len(cells) > 2 and cells[0] and all(_NUMBER.fullmatch(cell) for cell in cells[1:]) else None


def _class(cells: list[str]) -> dict[str, Any]:
    precision, recall, f1 = (_share(cell, cells[0]) for cell in cells[1:4])
    if precision + recall > 0 and abs(f1 - 2 * precision * recall / (precision + recall)) > OFF_BY:
        raise UserError("figures.no_f1", label=cells[0], f1=f1, precision=precision, recall=recall)
    return {"precision": precision, "recall": recall, "f1": f1, "support": int(cells[4].partition(".")[0])}


def _share(cell: str, label: str) -> float:
    """0 to 1; what is not defined (`nan`, a class never predicted) counts as nothing, as scikit-learn's own averages have it."""
    if cell.lower() == "nan":
        return 0.0
    value = float(cell.rstrip("%")) / (100 if cell.endswith("%") else 1)
    if value > 1:
        raise UserError("figures.no_share", label=label, value=value)
    return value
