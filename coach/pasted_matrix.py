"""Finding a confusion matrix in a text: a CSV with the classes' names, a table in Markdown, or the bare numbers as numpy prints them.

Rows are the actual classes, as scikit-learn has them. A line and a column of totals are taken off.
"""

from __future__ import annotations

import csv
import re

import numpy as np
from numpy.typing import NDArray

from coach.errors import UserError

MOST_CLASSES, MOST_ROWS = 500, 5_000_000
_COUNT = re.compile(r"\d{1,12}(?:\.0*)?")
_BARE = re.compile(r"[\d\s.,;\[\]()]+")
_WRAPPING = re.compile(r"array|tensor|matrix|dtype=\w+(?:\.\w+)?")
_RULE = re.compile(r"[\s|:+-]+")
Matrix = tuple[list[str], NDArray[np.int64]]


def find_matrix(text: str, *, strict: bool) -> Matrix | None:
    """Names and counts, shape [labels, labels]; None where there is none. With `strict`, raises UserError where one is there but wrong."""
    try:
        found = _bare(text) or _named(text)
        return None if found is None else _checked(*found)
    except UserError:
        if strict:
            raise
        return None


def _bare(text: str) -> tuple[list[str], list[list[int]]] | None:
    """`[[8 2] [1 9]]`, in one line or several, or lines of numbers: classes are numbered from 0."""
    plain = _WRAPPING.sub("", text)
    if not _BARE.fullmatch(plain) or text.lstrip("\n").startswith((",", "\t", ";")):
        return None
    lines = re.split(r"[\]\n]" if "]" in plain else r"\n", plain)
    rows = [re.findall(r"\d[\d.]*", line) for line in lines if re.search(r"\d", line)]
    if len(rows) < 2 or len(rows[0]) < len(rows[1]):  # a first line that is shorter holds the names
        return None
    return [str(place) for place in range(len(rows))], _counts(rows)


def _named(text: str) -> tuple[list[str], list[list[int]]] | None:
    """`,a,b` then `a,8,2` and `b,1,9`; cells parted by comma, tab, semicolon or bar."""
    lines = [line[1:-1] if len(line) > 1 and line[0] == line[-1] == "|" else line for line in map(_trimmed, text.splitlines())]
    lines = [line for line in lines if line.strip() and not _RULE.fullmatch(line)]
    if len(lines) < 3:
        return None
    mark = max(",\t;|", key=lines[0].count)
    table = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]
    if all(row[-1] == "" for row in table):
        table = [row[:-1] for row in table]
    names, body = table[0][1:], table[1:]
    if len(names) < 2 or any(len(row) < 2 or not re.search(r"\d", row[1]) for row in body):
        return None
    down = [row[0] for row in body]
    rows = _counts([[cell.replace(",", "") for cell in row[1:]] for row in body])
    if down != names and sorted(down) == sorted(names):
        rows = [rows[down.index(name)] for name in names]
    elif down != names and len(down) == len(names):
        raise UserError("figures.other_names", across=", ".join(names[:5]), down=", ".join(down[:5]))
    return names, rows


def _trimmed(line: str) -> str:
    """Without the spaces around a table's bars; a tab in front is an empty first cell."""
    return line.strip(" ") if line.strip(" ").startswith("|") else line.rstrip()


def _counts(rows: list[list[str]]) -> list[list[int]]:
    if any(not _COUNT.fullmatch(cell) for row in rows for cell in row):
        raise UserError("figures.no_counts", cell=next(cell for row in rows for cell in row if not _COUNT.fullmatch(cell))[:20])
    return [[int(cell.partition(".")[0]) for cell in row] for row in rows]


def _checked(labels: list[str], rows: list[list[int]]) -> Matrix:
    if len(set(labels)) < len(labels):
        raise UserError("figures.class_twice", label=next(label for label in labels if labels.count(label) > 1))
    if len(rows) != len(labels) or any(len(row) != len(labels) for row in rows):
        widest = max((len(row) for row in rows), key=lambda width: abs(width - len(labels)))
        raise UserError("figures.not_square", rows=len(rows), columns=widest, labels=len(labels))
    counts = np.array(rows, dtype=np.int64)
    if len(labels) > 2 and (counts[-1] == counts[:-1].sum(axis=0)).all() and (counts[:, -1] == counts[:, :-1].sum(axis=1)).all():
        labels, counts = labels[:-1], counts[:-1, :-1]
    if not 0 < counts.sum() <= MOST_ROWS or len(labels) > MOST_CLASSES:
        raise UserError("figures.impossible_counts", rows=int(counts.sum()), labels=len(labels))
    return labels, counts
