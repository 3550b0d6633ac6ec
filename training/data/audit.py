"""What a table is worth as training data: how many rows, what is wrong with which, how the classes lie, how long the texts are.

Owns the checks; the report is `audit_report.py`'s. Changes nothing: leaving rows out is `build.py`'s.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from training.data.audit_report import WARNINGS, AuditReport, Disagreeing
from training.data.labels import canonical_labels
from training.data.lengths import Lengths
from training.data.near_labels import NearLabel, near_labels
from training.data.row_ids import same_text
from training.data.suggestions import CODES, ProblemCode, Suggestion, suggestions
from training.data.table import Table

MOST_DISAGREEING, OF_EACH_LABEL = 200, 3  # rows kept to be read, and of one text with one label; all are counted
DISAGREEING_LETTERS = 500  # of a text
MOST_CLASSES = 200  # a column with more is no set of classes (columns.py), and comparing its values pair by pair takes hours


@dataclass(frozen=True)
class Limits:
    """When a text counts as too short or too long: characters, and tokens where a counter is given (0 = no limit)."""

    min_chars: int = 2
    max_chars: int = 8_000
    max_tokens: int = 2_048  # the usual training length of the catalogue's models on one card


def audit(
    table: Table,
    text_columns: Sequence[str],
    label_column: str | None,
    *,
    allowed_labels: Sequence[str] | None = None,
    count_tokens: Callable[[str], int] | None = None,
    limits: Limits | None = None,
) -> AuditReport:
    """The validation report of one table; several text columns are judged as one text, joined by newlines.

    `count_tokens` is the model's own counter. Raises DataError for a column that is not there.
    """
    for column in [*text_columns, *([label_column] if label_column else [])]:
        table.column(column)
    found = _Findings(table, text_columns, label_column, limits or Limits())
    found.look_at_lines()
    found.look_at_fields()
    found.look_at_labels(allowed_labels)
    found.look_at_repeats()
    found.look_at_lengths(count_tokens)
    return found.report()


class _Findings:
    """Collects row numbers by code, one check a method."""

    def __init__(self, table: Table, text_columns: Sequence[str], label_column: str | None, limits: Limits) -> None:
        self.table, self.limits, self.has_labels = table, limits, label_column is not None
        self.numbers = table.row_numbers
        self.labels = [(row.get(label_column) or "") if label_column else "" for row in table.rows]
        self.written = self.labels
        self.texts, self.blank = _texts(table, text_columns)
        self.rows: dict[ProblemCode, set[int]] = defaultdict(set)
        self.out: set[int] = set()  # the numbers of all rows under a code that is no warning
        self.faults: dict[str, list[int]] = defaultdict(list)
        self.unknown: Counter[str] = Counter()
        self.variants: dict[str, dict[str, int]] = {}
        self.near: list[NearLabel] = []
        self.conflicts: list[dict[str, int]] = []
        self.disagreeing: list[Disagreeing] = []
        self.chars: Lengths | None = None
        self.tokens: Lengths | None = None

    def look_at_lines(self) -> None:
        for problem in self.table.problems:
            self.faults[problem.fault].append(problem.row)
        self._mark("unparseable", (problem.row for problem in self.table.problems))

    def look_at_fields(self) -> None:
        rows = zip(self.numbers, self.blank, self.labels, strict=True)
        self._mark(
            "field_missing",
            (number for number, is_blank, label in rows if is_blank or (self.has_labels and (not label or label.isspace()))),
        )

    def look_at_labels(self, allowed: Sequence[str] | None) -> None:
        if not self.has_labels:
            return
        written = Counter(self.labels)
        counts = {label: count for label, count in written.items() if label.strip()}
        canonical = canonical_labels(counts, allowed)
        for label, count in counts.items():
            target = canonical.get(label)
            if target is not None and target != label:
                self.variants.setdefault(target, {})[label] = count
            if target is None:
                self.unknown[label.strip()] += count
        unknown = {label for label in counts if canonical[label] is None}
        variants = {label for label in counts if canonical[label] not in (None, label)}
        rows = list(zip(self.numbers, self.labels, strict=True))
        self._mark("label_unknown", (number for number, label in rows if label in unknown))
        self._mark("label_variant", (number for number, label in rows if label in variants))
        meant: dict[str, list[int]] = defaultdict(list)
        for number, label in rows:
            if label in counts:
                meant[canonical[label] or label.strip()].append(number)
        self.near = near_labels(meant, allowed) if len(meant) <= MOST_CLASSES else []
        self.labels = [canonical.get(label) or "" for label in self.labels]

    def look_at_repeats(self) -> None:
        places: dict[str, list[int]] = defaultdict(list)
        for place, content in enumerate(self.texts):
            if content and self.numbers[place] not in self.out:
                places[same_text(content)].append(place)
        for repeats in places.values():
            if len(repeats) == 1:
                continue
            labels = {self.labels[place] for place in repeats}
            if len(labels) > 1:
                self.conflicts.append({label: sum(self.labels[p] == label for p in repeats) for label in sorted(labels)})
                self._mark("label_conflict", (self.numbers[place] for place in repeats))
                self._keep_disagreeing(repeats)
            else:
                self._mark("duplicate", (self.numbers[place] for place in repeats[1:]))

    def _keep_disagreeing(self, repeats: Sequence[int]) -> None:
        """The first rows of each label, as long as there is room for all of a text's labels."""
        by_label: dict[str, list[int]] = defaultdict(list)
        for place in repeats:
            by_label[self.labels[place]].append(place)
        first = [place for places in by_label.values() for place in places[:OF_EACH_LABEL]]
        if len(self.disagreeing) + len(first) <= MOST_DISAGREEING:
            self.disagreeing += [
                Disagreeing(self.numbers[place], self.texts[place][:DISAGREEING_LETTERS], self.written[place].strip())
                for place in first
            ]

    def look_at_lengths(self, count_tokens: Callable[[str], int] | None) -> None:
        kept = [place for place, number in enumerate(self.numbers) if number not in self.out]
        chars = {place: len(self.texts[place]) for place in kept}
        self._mark("too_short", (self.numbers[p] for p, count in chars.items() if count < self.limits.min_chars))
        self._mark("too_long", (self.numbers[p] for p, count in chars.items() if 0 < self.limits.max_chars < count))
        self.chars = Lengths.of(list(chars.values()))
        if count_tokens is None:
            return
        tokens = {place: count_tokens(self.texts[place]) for place in kept}
        self._mark("too_many_tokens", (self.numbers[p] for p, count in tokens.items() if 0 < self.limits.max_tokens < count))
        self.tokens = Lengths.of(list(tokens.values()))

    def report(self) -> AuditReport:
        usable = [label for number, label in zip(self.numbers, self.labels, strict=True) if number not in self.out]
        counts = Counter(label for label in usable if label)
        distribution = dict(counts.most_common())
        ratio = round(max(counts.values()) / min(counts.values()), 2) if counts else None
        total = len(self.table) + len(self.table.problems)
        valid = len(usable)
        problems = {code: sorted(self.rows[code]) for code in CODES if self.rows[code]}
        return AuditReport(
            path=self.table.path.name,
            format=self.table.format,
            encoding=self.table.encoding,
            delimiter=self.table.delimiter,
            rows_total=total,
            rows_valid=valid,
            problems=problems,
            faults=dict(self.faults),
            unknown_labels=dict(self.unknown.most_common()),
            label_variants=self.variants,
            near_labels=tuple(self.near),
            conflicts=self.conflicts,
            disagreeing=tuple(self.disagreeing),
            class_distribution=distribution,
            balance_ratio=ratio,
            chars=self.chars,
            tokens=self.tokens,
            suggestions=[*map(_misspelt, self.near), *suggestions(problems, distribution, ratio, valid, self.has_labels)],
        )

    def _mark(self, code: ProblemCode, numbers: Iterable[int]) -> None:
        marked = set(numbers)
        self.rows[code] |= marked
        if code not in WARNINGS:
            self.out |= marked


def _texts(table: Table, columns: Sequence[str]) -> tuple[list[str], list[bool]]:
    """Each row's text, and whether one of its columns is blank."""
    if len(columns) == 1:
        texts = [(row.get(columns[0]) or "").strip() for row in table.rows]
        return texts, [not content for content in texts]
    cells = [[row.get(column) or "" for column in columns] for row in table.rows]
    return ["\n".join(row).strip() for row in cells], [not all(cell.strip() for cell in row) for row in cells]


def _misspelt(near: NearLabel) -> Suggestion:
    return Suggestion("misspelt_label", {"label": near.label, "meant": near.meant, "rows": ", ".join(map(str, near.rows))})
