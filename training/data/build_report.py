"""What a build of the data did: counts, what was left out and why, the parts and their classes; as JSON and in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coach.text import DEFAULT_LANGUAGE, Language, text
from training.data.split import PARTS, Part


@dataclass(frozen=True)
class LeftOut:
    """A row that did not make it: its source, its row number there, and a reason (a fault, or split.DropReason)."""

    source: str
    row: int
    reason: str


@dataclass(frozen=True)
class BuildReport:
    """One build. `rows_read` by source name; `distribution` by part, then label; `merged_labels` counts respelt labels, `corrected`
    rows whose label was put right by a person, or that were left out of training.
    """

    version: str
    unchanged: bool
    rows_read: dict[str, int]
    left_out: list[LeftOut]
    merged_labels: int
    counts: dict[Part, int]
    distribution: dict[Part, dict[str, int]]
    encodings: dict[str, str | None]
    corrected: int = 0

    @property
    def classes_missing(self) -> list[tuple[str, Part]]:
        return [(label, part) for part in PARTS for label, count in self.distribution[part].items() if count == 0]

    def to_json(self) -> dict[str, Any]:
        return {
            "data_version": self.version,
            "unchanged": self.unchanged,
            "rows_read": self.rows_read,
            "left_out": [{"source": out.source, "row": out.row, "reason": out.reason} for out in self.left_out],
            "merged_labels": self.merged_labels,
            "corrected": self.corrected,
            "rows": dict(self.counts),
            "class_distribution": {part: dict(labels) for part, labels in self.distribution.items()},
            "encodings": self.encodings,
        }

    def lines(self, language: Language = DEFAULT_LANGUAGE) -> list[str]:
        """The report for a person: read, left out by reason, parts, classes that a part lacks."""
        sources = ", ".join(f"{name} {count}" for name, count in self.rows_read.items())
        lines = [text("audit.build.read", language, count=sum(self.rows_read.values()), sources=sources)]
        reasons = Counter(out.reason for out in self.left_out)
        if reasons:
            lines.append(text("audit.build.left_out", language, count=len(self.left_out)))
            lines += [text(f"audit.build.reason.{reason}", language, count=count) for reason, count in reasons.items()]
        if self.merged_labels:
            lines.append(text("audit.build.merged_labels", language, count=self.merged_labels))
        if self.corrected:
            lines.append(text("audit.build.corrected", language, count=self.corrected))
        lines.append(text("audit.build.parts", language, version=self.version, **_by_part(self.counts)))
        if self.unchanged:
            lines.append(text("audit.build.unchanged", language, version=self.version))
        for label, part in self.classes_missing:
            lines.append(
                text("audit.build.class_missing", language, label=label, part=text(f"audit.build.part.{part}", language))
            )
        return lines


def _by_part(counts: Mapping[Part, int]) -> dict[str, int]:
    return {part: counts[part] for part in PARTS}
