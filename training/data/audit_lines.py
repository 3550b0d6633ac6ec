"""An audit report in sentences, for a terminal or a page. Owns order and brevity; the figures are `audit_report.py`'s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coach.text import Language, text

if TYPE_CHECKING:
    from training.data.audit_report import AuditReport
    from training.data.lengths import Lengths

SHOWN_ROWS = 10  # row numbers in a line for a person; the JSON holds every one
SHOWN_CLASSES = 30


def report_lines(report: AuditReport, language: Language) -> list[str]:
    """Counts, problems with their first row numbers, classes, lengths, suggestions."""
    return [
        *_head(report, language),
        *_problems(report, language),
        *_classes(report, language),
        *_lengths(report, language),
        *[text(f"audit.suggestion.{s.key}", language, **s.data) for s in report.suggestions],
    ]


def row_list(rows: Sequence[int], language: Language) -> str:
    """`3, 8, 9 … (120 in all)`: the first row numbers, and how many there are beyond them."""
    shown = ", ".join(map(str, rows[:SHOWN_ROWS]))
    return shown if len(rows) <= SHOWN_ROWS else text("audit.rows_more", language, rows=shown, count=len(rows))


def _head(report: AuditReport, language: Language) -> list[str]:
    lines = [text("audit.file", language, path=report.path, format=report.format.upper())]
    if report.encoding:
        lines[0] += text("audit.encoding", language, encoding=report.encoding)
    if report.delimiter:
        shown = "tab" if report.delimiter == "\t" else report.delimiter
        lines[0] += text("audit.delimiter", language, delimiter=shown)
    lines.append(text("audit.rows", language, total=report.rows_total, valid=report.rows_valid))
    return lines


def _problems(report: AuditReport, language: Language) -> list[str]:
    if not report.problems:
        return [text("audit.no_problems", language)]
    lines = []
    for code, rows in report.problems.items():
        lines.append(text(f"audit.problem.{code}", language, count=len(rows), rows=row_list(rows, language)))
        if code == "unparseable":
            lines += [
                f"    {text(f'audit.fault.{fault}', language, rows=row_list(at, language))}"
                for fault, at in report.faults.items()
            ]
        if code == "label_unknown":
            shown = ", ".join(f"{label!r} × {count}" for label, count in list(report.unknown_labels.items())[:SHOWN_ROWS])
            lines.append(f"    {shown}")
        if code == "label_variant":
            lines += [
                f"    {' / '.join(f'{spelling!r} × {count}' for spelling, count in spellings.items())} → {label!r}"
                for label, spellings in list(report.label_variants.items())[:SHOWN_ROWS]
            ]
    return lines


def _classes(report: AuditReport, language: Language) -> list[str]:
    total = sum(report.class_distribution.values())
    if not total:
        return []
    shown = list(report.class_distribution.items())[:SHOWN_CLASSES]
    lines = [text("audit.classes", language, count=len(report.class_distribution), ratio=report.balance_ratio)]
    lines += [text("audit.class", language, label=label, count=count, share=count / total) for label, count in shown]
    if len(report.class_distribution) > SHOWN_CLASSES:
        lines.append(text("audit.classes_more", language, count=len(report.class_distribution) - SHOWN_CLASSES))
    return lines


def _lengths(report: AuditReport, language: Language) -> list[str]:
    return [
        text(f"audit.length.{unit}", language, low=length.minimum, median=length.median, p95=length.p95, top=length.maximum)
        for unit, length in _known_lengths(report)
    ]


def _known_lengths(report: AuditReport) -> list[tuple[str, Lengths]]:
    return [(unit, length) for unit, length in (("chars", report.chars), ("tokens", report.tokens)) if length is not None]
