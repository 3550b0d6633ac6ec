"""What an audit found, as JSON and as lines for a person. The checks are `audit.py`'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coach.text import DEFAULT_LANGUAGE, Language
from training.data.audit_lines import report_lines
from training.data.lengths import Lengths
from training.data.near_labels import NearLabel
from training.data.suggestions import ProblemCode, Suggestion

WARNINGS: frozenset[ProblemCode] = frozenset(
    {"label_variant", "too_short", "too_long", "too_many_tokens"}
)  # such rows stay valid


@dataclass(frozen=True)
class Disagreeing:
    """A row whose text stands elsewhere with another label: its number, the beginning of its text, its label as the file has it."""

    number: int
    text: str
    label: str


@dataclass(frozen=True)
class AuditReport:
    """The validation report. `problems` holds every row number of every code; a row may stand under several codes.

    `disagreeing`: rows of the same text with different labels, those of one text together, few of each label (`audit.py` says how many).
    """

    path: str
    format: str
    encoding: str | None
    delimiter: str | None
    rows_total: int
    rows_valid: int
    problems: dict[ProblemCode, list[int]]
    faults: dict[str, list[int]]
    unknown_labels: dict[str, int]
    label_variants: dict[str, dict[str, int]]
    near_labels: tuple[NearLabel, ...]
    conflicts: list[dict[str, int]]
    disagreeing: tuple[Disagreeing, ...]
    class_distribution: dict[str, int]
    balance_ratio: float | None
    chars: Lengths | None
    tokens: Lengths | None
    suggestions: list[Suggestion]

    def to_json(self) -> dict[str, Any]:
        """The whole report as plain JSON values; `blocking` says whether rows of that code are left out of training."""
        problems = [
            {"code": code, "count": len(rows), "rows": rows, "blocking": code not in WARNINGS}
            for code, rows in self.problems.items()
        ]
        return {
            "file": {"path": self.path, "format": self.format, "encoding": self.encoding, "delimiter": self.delimiter},
            "rows": {"total": self.rows_total, "valid": self.rows_valid},
            "problems": problems,
            "line_faults": self.faults,
            "unknown_labels": self.unknown_labels,
            "label_variants": self.label_variants,
            "near_labels": [{"label": one.label, "meant": one.meant, "rows": list(one.rows)} for one in self.near_labels],
            "conflicts": self.conflicts,
            "disagreeing": [{"row": one.number, "text": one.text, "label": one.label} for one in self.disagreeing],
            "class_distribution": self.class_distribution,
            "balance_ratio": self.balance_ratio,
            "length_chars": self.chars.to_json() if self.chars else None,
            "length_tokens": self.tokens.to_json() if self.tokens else None,
            "suggestions": [{"key": f"audit.suggestion.{s.key}", "data": s.data} for s in self.suggestions],
        }

    def lines(self, language: Language = DEFAULT_LANGUAGE) -> list[str]:
        """The report for a person: counts, problems with their first row numbers, classes, lengths, suggestions."""
        return report_lines(self, language)
