"""What an audit suggests doing: one sentence key per kind of problem, gravest first, each with its numbers.

Owns the problem codes' order and the thresholds from which classes are worth a word. Finds nothing itself: `audit.py` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

ProblemCode = Literal[
    "unparseable", "field_missing", "label_unknown", "label_variant", "duplicate", "label_conflict", "too_short", "too_long",
    "too_many_tokens",
]  # fmt: skip
CODES: tuple[ProblemCode, ...] = get_args(ProblemCode)
SKEWED_AT = 3.0  # largest class to smallest: from here on accuracy hides the small one (evidence 2.5: report macro-F1)
FEW_ROWS_IN_CLASS = 20  # evidence 2.6: below 20 rows a class needs more rows before anything else
A_SLIP = 3  # rows: of a class beside others of many, so few are as likely a slip of the pen as a class
SHOWN_SMALL_CLASSES = 10
SUGGESTION_ORDER: tuple[ProblemCode, ...] = (
    "label_conflict", "unparseable", "field_missing", "label_unknown", "label_variant", "duplicate", "too_many_tokens",
    "too_long", "too_short",
)  # fmt: skip
FEW_ROWS = 50  # evidence 1.2: below 50 rows no training, a prompt or the baseline


@dataclass(frozen=True)
class Suggestion:
    """A key under `audit.suggestion` and the values its sentence needs."""

    key: str
    data: dict[str, Any] = field(default_factory=dict)


def suggestions(
    problems: Mapping[ProblemCode, Sequence[int]],
    distribution: Mapping[str, int],
    ratio: float | None,
    valid: int,
    has_labels: bool,
) -> list[Suggestion]:
    """One sentence per kind of problem that calls for an act, gravest first; each names its numbers."""
    found = [Suggestion(code, {"count": len(problems[code])}) for code in SUGGESTION_ORDER if code in problems]
    if not has_labels:
        return found
    if len(distribution) == 1:
        found.insert(0, Suggestion("one_class", {"label": next(iter(distribution))}))
    if valid < FEW_ROWS:
        found.insert(0, Suggestion("few_rows", {"count": valid, "wanted": FEW_ROWS}))
    tiny = {label: count for label, count in distribution.items() if count <= A_SLIP}
    if tiny and len(distribution) - len(tiny) > 1:
        found.append(Suggestion("tiny_class", {"labels": _listed(tiny)}))
    small = {label: count for label, count in distribution.items() if count < FEW_ROWS_IN_CLASS}
    if small and valid >= FEW_ROWS:
        found.append(Suggestion("small_class", {"labels": _listed(small), "wanted": FEW_ROWS_IN_CLASS}))
    if ratio is not None and ratio >= SKEWED_AT and len(distribution) > 1:
        names = list(distribution)
        found.append(Suggestion("skewed", {"largest": names[0], "smallest": names[-1], "ratio": ratio}))
    return found


def _listed(counts: Mapping[str, int]) -> str:
    """The smallest ones, with their rows."""
    return ", ".join(f"{label} {count}" for label, count in list(counts.items())[-SHOWN_SMALL_CLASSES:])
