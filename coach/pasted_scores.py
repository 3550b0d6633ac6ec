"""Figures somebody brings from elsewhere, pasted as text: a classification report as scikit-learn prints it, or a confusion matrix.

Turns them into what `results.json` holds, so that verdict and diagnosis read them like a version's own. A matrix says more than a
report: its scores come with an interval, and with what is taken for what. Rows are the actual classes, as scikit-learn has them.
"""

from __future__ import annotations

import csv
import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from coach.errors import UserError
from coach.statistics import bootstrap_interval
from coach.task_schema import Metric

MOST_LETTERS, MOST_CLASSES, MOST_ROWS = 100_000, 500, 5_000_000
_COUNT = r"\d{1,12}"
_SHARE = r"[01](?:\.\d+)?|\.\d+"
_REPORT_LINE = re.compile(
    rf"^\s*(?P<label>\S.*?)\s+(?P<precision>{_SHARE})\s+(?P<recall>{_SHARE})\s+(?P<f1>{_SHARE})\s+(?P<rows>\d+)\s*$"
)
_ACCURACY_LINE = re.compile(rf"^\s*(?:accuracy|micro avg)\s+(?:{_SHARE}\s+)*?(?P<value>{_SHARE})\s+\d+\s*$")
_AVERAGES = ("micro avg", "macro avg", "weighted avg", "samples avg")
_SEED = 0
Scores = dict[str, Any]


def read_pasted(pasted: str, *, metric: Metric | None = None) -> Scores:
    """What `results.json` would say of these figures; `metric`: the one that counts, macro-F1 where none is named.

    Raises UserError where the text is neither a report nor a matrix, or holds numbers that cannot be.
    """
    text = unicodedata.normalize("NFKC", pasted).lstrip("\ufeff").strip("\r\n ")
    if not text.strip():
        raise UserError("figures.nothing")
    if len(text) > MOST_LETTERS:
        raise UserError("figures.too_long", letters=len(text), most=MOST_LETTERS)
    scores = _report(text.splitlines()) or _matrix(text)
    if scores is None:
        raise UserError("figures.unreadable", line=text.splitlines()[0][:80])
    name = metric if metric in ("macro_f1", "accuracy") and scores.get(metric) is not None else "macro_f1"
    return {**scores, "primary_metric": {"name": name, "value": scores[name]}, **_interval(scores, name)}


def read_figures_file(name: str) -> str:
    """The text of a file of figures, `-` for standard input. Raises UserError where it cannot be read."""
    try:
        if name == "-":
            return sys.stdin.read(MOST_LETTERS + 1)
        with open(name, encoding="utf-8-sig", errors="replace") as file:
            return file.read(MOST_LETTERS + 1)
    except OSError as error:
        raise UserError("figures.no_file", path=name, reason=error.strerror or str(error)) from error


def _report(lines: Sequence[str]) -> Scores | None:
    """Each class's precision, recall, F1 and support, and the accuracy where it stands there. Averages are worked out, not read."""
    per_class: dict[str, dict[str, Any]] = {}
    for found in filter(None, map(_REPORT_LINE.match, lines)):
        label = found["label"]
        if label in _AVERAGES:
            continue
        if label in per_class:
            raise UserError("figures.class_twice", label=label)
        scores = {name: float(found[name]) for name in ("precision", "recall", "f1")}
        if any(value > 1 for value in scores.values()):
            raise UserError("figures.no_share", label=label, value=max(scores.values()))
        per_class[label] = {**scores, "support": int(found["rows"])}
    if len(per_class) < 2:
        return None
    accuracy = next((float(found["value"]) for found in map(_ACCURACY_LINE.match, lines) if found), None)
    macro = sum(scores["f1"] for scores in per_class.values()) / len(per_class)
    rows = sum(scores["support"] for scores in per_class.values())
    return {"macro_f1": macro, "accuracy": accuracy, "per_class": per_class, "rows": {"test": rows}}


def _matrix(text: str) -> Scores | None:
    cells = _cells(text)
    if cells is None:
        return None
    labels, rows = cells
    if len(set(labels)) < len(labels):
        raise UserError("figures.class_twice", label=next(label for label in labels if labels.count(label) > 1))
    if len(rows) != len(labels) or any(len(row) != len(labels) for row in rows):
        widest = max((len(row) for row in rows), key=lambda width: abs(width - len(labels)))
        raise UserError("figures.not_square", rows=len(rows), columns=widest, labels=len(labels))
    if len(labels) > MOST_CLASSES or not 0 < sum(map(sum, rows)) <= MOST_ROWS:
        raise UserError(
            "figures.impossible_counts", rows=sum(map(sum, rows)), labels=len(labels), most=MOST_ROWS, classes=MOST_CLASSES
        )
    return _scores_of(labels, np.array(rows, dtype=np.int64))


def _cells(text: str) -> tuple[list[str], list[list[int]]] | None:
    """Labels and counts. With a line of names: `,a,b` then `a,8,2` and `b,1,9`; without: `[[8 2] [1 9]]`, classes numbered from 0."""
    lines = [line for line in text.splitlines() if line.strip()]
    numbers = [re.findall(r"\d+", line) for line in lines]
    if any(len(number) > 12 for row in numbers for number in row):
        return None
    if all(re.fullmatch(r"[\s\d,;\[\]()]+|\s*(?:array|tensor)\(\[+[\s\d,;\[\]()]+", line) for line in lines):
        if len(lines) == 1 and "]" in text:
            numbers = [re.findall(r"\d+", part) for part in re.split(r"\]", text) if re.search(r"\d", part)]
        rows = [[int(number) for number in row] for row in numbers if row]
        return ([str(place) for place in range(len(rows))], rows) if len(rows) > 1 else None
    delimiter = max(",\t;|", key=lambda mark: lines[0].count(mark))
    if delimiter not in lines[0]:
        return None
    table = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    names, body = table[0][1:], table[1:]
    if len(names) < 2 or not body or any(not re.fullmatch(rf"{_COUNT}(?:\.0+)?", cell) for row in body for cell in row[1:]):
        return None
    if [row[0] for row in body] != names and {row[0] for row in body} == set(names):
        body = sorted(body, key=lambda row: names.index(row[0]))
    elif [row[0] for row in body] != names:
        raise UserError("figures.other_names", across=", ".join(names[:5]), down=", ".join(row[0] for row in body[:5]))
    return names, [[int(cell.partition(".")[0]) for cell in row[1:]] for row in body]


def _scores_of(labels: list[str], counts: np.ndarray[Any, Any]) -> Scores:
    support, named, right = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    per_class = {
        label: {
            "precision": float(right[place] / named[place]) if named[place] else 0.0,
            "recall": float(right[place] / support[place]) if support[place] else 0.0,
            "f1": float(2 * right[place] / (support[place] + named[place])) if support[place] + named[place] else 0.0,
            "support": int(support[place]),
        }
        for place, label in enumerate(labels)
    }
    return {
        "macro_f1": sum(scores["f1"] for scores in per_class.values()) / len(labels),
        "accuracy": float(right.sum() / counts.sum()),
        "per_class": per_class,
        "confusion_matrix": {"labels": labels, "counts": counts.tolist()},
        "rows": {"test": int(counts.sum())},
    }


def _interval(scores: Scores, metric: str) -> Scores:
    """From a matrix the 95 % interval; a report does not say which rows went wrong together."""
    matrix = scores.get("confusion_matrix")
    if matrix is None:
        return {}
    counts = np.array(matrix["counts"])
    actual, predicted = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    found = bootstrap_interval(actual, predicted, metric, seed=_SEED, labels=len(counts), resamples=2_000)  # type: ignore[arg-type]
    return {"confidence_interval": {"low": found.low, "high": found.high, "level": found.level, "method": found.method}}
