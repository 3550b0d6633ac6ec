"""Everything a rule may look at, in one frozen place: the answers, the facts of a data file where there is one, the machine.

Owns what follows from them by counting (rows, skew, language group, row length). Recommends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coach.answers import Answers
from coach.hardware import Hardware, machine_for
from coach.reference_data import LanguageGroup
from coach.task_schema import Metric, TaskType

if TYPE_CHECKING:
    from coach.gain import SeenGain
    from coach.learning_curve import CurvePoint

TOO_FEW_ROWS = 50  # evidence.md 1.2: below 50 prompt, or a cheap baseline
SHORT_WEEKS = 0.5  # until then there is time for a baseline and a version, not for labelling: judgement
ALIKE_ROWS, ALIKE_SHARE = 5, 0.05  # of 600 real texts drawn at random up to 1.2 % are alike (bench/alike.py)
FEW_ROWS_PER_CLASS = 8  # evidence.md 1.2: below 8 a class, no training
SKEWED_AT = 3.0  # largest class to smallest: accuracy can then reach .75 of two classes without ever naming the small one
TEST_SHARE, VALID_SHARE, TRAIN_SHARE = 0.15, 0.15, 0.70  # how data is split unless parts came with it (example task)
UNKNOWN_ROW_TOKENS = 128  # judgement: a short paragraph
UNKNOWN_LONG_ROW_TOKENS = 512  # evidence.md 5.2 computes its table at 512
LONGEST_ROW_TOKENS = 1024  # rows are cut there unless task.yaml says otherwise
TEMPLATE_TOKENS = 24  # the instruction around a text, measured on the news sample: 38 tokens for a headline of 22 characters
TOKENS_PER_CHARACTER: dict[LanguageGroup, float] = {
    "zh": 0.65,
    "en": 0.25,
    "other": 0.4,
}  # the same sample; English is the usual quarter


@dataclass(frozen=True)
class DataFacts:
    """What a look at the person's own file shows. Scores are the cheap baseline's, on rows held out; lengths in characters.

    `seen_gains`: what finished versions on this machine scored beside their baselines. `alike_rows`: of `compared_rows`, those that share
    their wording with another but for names and numbers; `baseline_apart`: the task's metric where such rows are never learnt from and
    asked at once, None where they are few. `unnamed_labels`: labels of rows left out because the answers do not name them.
    """

    rows: int
    class_counts: dict[str, int] = field(default_factory=dict)
    test_rows: int | None = None
    median_chars: int | None = None
    p95_chars: int | None = None
    conflicting_rows: int = 0
    repeated_rows: int = 0
    baseline_macro_f1: float | None = None
    baseline_accuracy: float | None = None
    baseline_curve: tuple[CurvePoint, ...] = ()
    alike_rows: int = 0
    compared_rows: int = 0
    baseline_apart: float | None = None
    seen_gains: tuple[SeenGain, ...] = ()
    unnamed_labels: dict[str, int] = field(default_factory=dict)


def are_many(alike: int, rows: int) -> bool:
    """Whether so many of the rows share their wording with another that a score on them says little of new wordings."""
    return alike >= max(ALIKE_ROWS, ALIKE_SHARE * rows)


@dataclass(frozen=True)
class Look:
    """The facts, the columns they were read from, and the labels found there, largest class first.

    `mapping` goes from a task's field to a column, as the task's data_source.yaml says; empty where nobody has said.
    """

    facts: DataFacts
    path: Path
    text_columns: tuple[str, ...]
    label_column: str | None
    labels: tuple[str, ...]
    mapping: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Situation:
    """`rows` is None where nobody has said how many there are. `machine` is the one to train on."""

    answers: Answers
    facts: DataFacts | None
    machine: Hardware
    task_type: TaskType

    @property
    def rows(self) -> int | None:
        if self.facts is not None:
            return self.facts.rows
        said = self.answers.resources
        return 0 if said.labelled_rows is None and said.data_format == "none" else said.labelled_rows

    @property
    def pairs(self) -> int:
        return self.answers.resources.preference_pairs or 0

    @property
    def learnable_rows(self) -> int | None:
        """Rows that supervised tuning can learn from: for generation the chosen answers of the pairs are such rows too."""
        if self.task_type == "generation" and self.pairs:
            return max(self.rows or 0, self.pairs)
        return self.rows

    @property
    def can_label(self) -> bool:
        """Whether more rows may be hoped for: not where there are none to be had, or no time for it."""
        weeks = self.answers.business.deadline_weeks
        return self.answers.resources.more_data != "none" and (weeks is None or weeks > SHORT_WEEKS)

    @property
    def labels(self) -> list[str]:
        return list(self.facts.class_counts) if self.facts and self.facts.class_counts else self.answers.task.labels or []

    @property
    def small_classes(self) -> dict[str, int]:
        """Classes with fewer than FEW_ROWS_PER_CLASS rows; without counts, every class where an even share falls short."""
        if self.task_type != "classification":
            return {}
        if self.facts and self.facts.class_counts:
            return {label: count for label, count in self.facts.class_counts.items() if count < FEW_ROWS_PER_CLASS}
        if self.rows is None or not self.labels or self.rows >= FEW_ROWS_PER_CLASS * len(self.labels):
            return {}
        return dict.fromkeys(self.labels, self.rows // len(self.labels))

    @property
    def skew(self) -> float | None:
        """Rows of the largest class for each row of the smallest; None where the counts are not known."""
        counts = list(self.facts.class_counts.values()) if self.facts else []
        return max(counts) / max(1, min(counts)) if len(counts) > 1 else None

    @property
    def is_skewed(self) -> bool:
        if self.task_type != "classification":
            return False
        return self.skew >= SKEWED_AT if self.skew is not None else self.answers.resources.class_balance == "skewed"

    @property
    def metric(self) -> Metric:
        """The person's metric, else macro-F1, entity-F1 or ROUGE-L by type of task."""
        usual: dict[TaskType, Metric] = {"classification": "macro_f1", "extraction": "entity_f1", "generation": "rouge_l"}
        return self.answers.success.primary_metric or usual[self.task_type]

    @property
    def language(self) -> LanguageGroup:
        said = (self.answers.task.language or "zh-TW").lower()
        return "zh" if said.startswith("zh") else "en" if said.startswith("en") else "other"

    @property
    def test_rows(self) -> int | None:
        if self.facts and self.facts.test_rows is not None:
            return self.facts.test_rows
        return None if self.rows is None else round(self.rows * TEST_SHARE)

    @property
    def train_share(self) -> float:
        """Of the labelled rows, what is learnt from: more where the test came as a part of its own."""
        came_apart = self.facts is not None and self.facts.test_rows is not None
        return TRAIN_SHARE / (TRAIN_SHARE + VALID_SHARE) if came_apart else TRAIN_SHARE

    @property
    def row_tokens(self) -> int:
        """Tokens of an average row, template included."""
        return self._tokens(self.facts.median_chars if self.facts else None, UNKNOWN_ROW_TOKENS)

    @property
    def long_row_tokens(self) -> int:
        """Tokens of a long row (95th percentile): what memory has to hold."""
        return self._tokens(self.facts.p95_chars if self.facts else None, UNKNOWN_LONG_ROW_TOKENS)

    def _tokens(self, characters: int | None, unknown: int) -> int:
        if characters is None:
            return unknown
        return min(LONGEST_ROW_TOKENS, TEMPLATE_TOKENS + round(characters * TOKENS_PER_CHARACTER[self.language]))


def situation_of(answers: Answers, facts: DataFacts | None, machine: Hardware) -> Situation:
    """The situation; a task whose type is not said yet counts as classification, the most common and the most frugal."""
    return Situation(answers, facts, machine_for(answers, machine), answers.task.type or "classification")


def days_in(weeks: float) -> int:
    """Whole days, one at least."""
    return max(1, round(weeks * 7))
