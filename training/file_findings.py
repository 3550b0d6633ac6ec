"""What a data file answers of the interview, and how that stands beside what people have said.

Compares and proposes; writing is the caller's. A person's own answer is never replaced here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coach.answer_edits import Held, held
from coach.answers import Answers, ClassBalance
from coach.interview import Answer
from coach.situation import SKEWED_AT
from training.attached_file import Attachment, Inspection
from training.data.row_ids import same_text

MOST_LABELS = 200  # a column with more is not a set of classes a person wrote down (columns.py)
ABOUT_THE_FILE = ("resources.data_path", "resources.data_format")


@dataclass(frozen=True)
class Found:
    """`value` as the answers would hold it; `also`: what a person may say just as well (all rows, where `value` counts usable ones)."""

    value: Answer
    also: tuple[Answer, ...] = ()

    def agrees_with(self, said: Answer) -> bool:
        return any(_same(said, value) for value in (self.value, *self.also))


Findings = dict[str, Found]


def findings(attachment: Attachment, inspection: Inspection, data_path: str) -> Findings:
    """What the file says, by key of the answers; `data_path` is its place as the answers write it."""
    report = inspection.report
    found: Findings = {"resources.data_path": Found(data_path)}
    if report is None:
        return found
    found["resources.data_format"] = Found("csv" if report.format == "tsv" else report.format)
    found["resources.labelled_rows"] = Found(report.rows_valid, (report.rows_total,))
    if attachment.task_type != "classification":
        return found
    labels = list(dict.fromkeys([*report.class_distribution, *report.unknown_labels]))  # the largest class first
    if 2 <= len(labels) <= MOST_LABELS:
        found["task.labels"] = Found(labels)
    if report.balance_ratio is not None and len(report.class_distribution) > 1:
        balance: ClassBalance = "skewed" if report.balance_ratio >= SKEWED_AT else "balanced"
        found["resources.class_balance"] = Found(balance)
    return found


def to_fill(answers: Answers, found: Findings, former: Findings | None = None, *, is_new: bool = False) -> dict[str, Held]:
    """The fields to write: open ones, assumed ones, and those that hold what the file said before (`former`).

    With `is_new`, a file just attached, its place and format are written whatever stood there.
    """
    return {
        key: Held(one.value)
        for key, one in found.items()
        if held(answers, key) != Held(one.value) and (_is_free(answers, key, former or {}) or (is_new and key in ABOUT_THE_FILE))
    }


def contradictions(answers: Answers, found: Findings) -> dict[str, Found]:
    """Where a person's answer or the coach's assumption is not what the file says, or nobody has answered."""
    return {key: one for key, one in found.items() if not one.agrees_with(held(answers, key).value)}


def _is_free(answers: Answers, key: str, former: Mapping[str, Found]) -> bool:
    now = held(answers, key)
    return now.value is None or now.assumed or (key in former and _same(now.value, former[key].value))


def _same(one: Answer, other: Answer) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return {same_text(label) for label in one} == {same_text(label) for label in other}
    return one == other
