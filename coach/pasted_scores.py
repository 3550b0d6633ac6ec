"""Figures somebody brings from elsewhere, pasted as text: a classification report as scikit-learn prints it, or a confusion matrix.

Turns them into what `results.json` holds, so that verdict and diagnosis read them like a version's own. A matrix says more than a
report: its scores come with an interval, and with what is taken for what. Finding either in a text is `pasted_report.py`'s and
`pasted_matrix.py`'s.
"""

from __future__ import annotations

import codecs
import functools
import sys
import unicodedata
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coach.errors import UserError
from coach.pasted_matrix import find_matrix
from coach.pasted_report import MOST_LETTERS, find_report
from coach.statistics import bootstrap_counts
from coach.task_schema import Metric

RESAMPLES, FEWER_RESAMPLES, MANY_CELLS = 2_000, 300, 2_500  # of a matrix of fifty classes and more
_ENCODINGS = ("utf-8-sig", "cp950")  # and UTF-16 by its mark; what spreadsheets save on a Windows in Traditional Chinese
_HEAD = ("precision", "recall")  # words in the first line of every report
ROUNDED = 0.02  # how far apart the shares of a report, printed with two places, and those of its matrix may lie
_SEED = 0
Scores = dict[str, Any]


@functools.lru_cache(maxsize=16)  # a page asks for the same text on every rerun: read what comes back, change nothing in it
def read_pasted(pasted: str, *, metric: Metric | None = None) -> Scores:
    """What `results.json` would say of these figures; `metric`: the one that counts, macro-F1 where none is named.

    Raises UserError where the text is neither a report nor a matrix, or holds numbers that cannot be.
    """
    text = unicodedata.normalize("NFKC", pasted).lstrip("\ufeff").strip("\r\n ")
    if not text.strip():
        raise UserError("figures.nothing")
    if len(text) > MOST_LETTERS:
        raise UserError("figures.too_long", letters=len(text), most=MOST_LETTERS)
    scores = _scores(text)
    name = metric if metric in ("macro_f1", "accuracy") and scores.get(metric) is not None else "macro_f1"
    return {**scores, "primary_metric": {"name": name, "value": scores[name]}, **_interval(scores, name)}


def read_figures_file(name: str) -> str:
    """The text of a file of figures, `-` for standard input. Raises UserError where it cannot be read."""
    try:
        if name == "-":
            if sys.stdin is None:
                raise OSError("closed")
            return sys.stdin.read(MOST_LETTERS + 1)
        with open(name, "rb") as file:
            return _decoded(file.read(4 * MOST_LETTERS + 4))
    except (OSError, ValueError) as error:
        raise UserError("figures.no_file", path=name, reason=getattr(error, "strerror", None) or str(error)) from error


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    for encoding in _ENCODINGS:
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    raise ValueError("UTF-8, UTF-16, Big5: –")


def _scores(text: str) -> Scores:
    """A report is told by its head, or by shares where the text is no matrix. Of a report with a matrix behind it the matrix counts."""
    has_head = all(word in text.lower() for word in _HEAD)
    matrix = None if has_head else find_matrix(text, strict=False)
    if matrix is not None:
        return _scores_of(*matrix)
    report, rest = find_report(text) if has_head or "." in text or "%" in text else (None, text)
    if report is not None:
        behind = find_matrix(rest, strict=False)
        fits = behind is not None and behind[1].sum() == report["rows"]["test"] and len(behind[0]) == len(report["per_class"])
        if behind is not None and fits:
            return _scores_of(list(report["per_class"]), behind[1])
        counts = _two_classes(report)
        return report if counts is None else {**_scores_of(list(report["per_class"]), counts), **report}
    lines = [line for line in text.splitlines() if line.strip()]
    if has_head:
        raise UserError(
            "figures.no_report_lines", line=next((line.strip() for line in lines if _HEAD[0] not in line.lower()), "")[:80]
        )
    find_matrix(text, strict=True)
    raise UserError("figures.unreadable", line=lines[0][:80])


def _two_classes(report: Scores) -> NDArray[np.int64] | None:
    """The matrix behind a report of two classes: what is missed of one was named the other.

    None where the report has no accuracy of its own (then there may be further classes) or its figures do not agree with that.
    """
    per_class, printed = report["per_class"], report.get("accuracy")
    if len(per_class) != 2 or printed is None:
        return None
    support = np.array([scores["support"] for scores in per_class.values()])
    right = np.round([scores["recall"] * scores["support"] for scores in per_class.values()]).astype(np.int64)
    counts = np.array([[right[0], support[0] - right[0]], [support[1] - right[1], right[1]]], dtype=np.int64)
    named = counts.sum(axis=0)
    wanted = [scores["precision"] for scores in per_class.values()]
    agrees = np.abs(right / np.maximum(named, 1) - wanted) <= ROUNDED
    fits = abs(right.sum() / max(1, support.sum()) - printed) <= ROUNDED
    return counts if support.min() > 0 and agrees.all() and fits else None


def _scores_of(labels: list[str], counts: NDArray[np.int64]) -> Scores:
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
    resamples = RESAMPLES if np.count_nonzero(counts) <= MANY_CELLS else FEWER_RESAMPLES
    found = bootstrap_counts(counts, metric, seed=_SEED, resamples=resamples)  # type: ignore[arg-type]
    return {"confidence_interval": {"low": found.low, "high": found.high, "level": found.level, "method": found.method}}
