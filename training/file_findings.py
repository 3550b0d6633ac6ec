"""What a data file answers of the interview, and how that stands beside what people have said.

Compares and proposes; writing is the caller's. A person's own answer is never replaced here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coach.answer_edits import LABELS_KEY, OPEN, Held, changed, held
from coach.answers import Answers, ClassBalance
from coach.interview import Answer
from coach.situation import SKEWED_AT
from training.attached_file import Attachment, Inspection
from training.data.near_labels import NearLabel
from training.data.row_ids import same_text

MOST_LABELS = 200  # a column with more is not a set of classes a person wrote down (columns.py)
ABOUT_THE_FILE = ("resources.data_path", "resources.data_format")
ROWS_KEY = "resources.labelled_rows"
FROM_ITS_COLUMNS = (ROWS_KEY, LABELS_KEY, "resources.class_balance")


@dataclass(frozen=True)
class Found:
    """`value` as the answers would hold it; `also`: what a person may say just as well (all rows, where `value` counts usable ones).

    `near`: labels among `value` that may be another one misspelt.
    """

    value: Answer
    also: tuple[Answer, ...] = ()
    near: tuple[NearLabel, ...] = ()

    def agrees_with(self, said: Answer) -> bool:
        return any(_same(said, value) for value in (self.value, *self.also))


Findings = dict[str, Found]


def findings(attachment: Attachment, inspection: Inspection, data_path: str) -> Findings:
    """What the file says, by key of the answers; `data_path` is its place as the answers write it.

    Rows and balance are left open where a label column is wanted and there is none, or none of its labels is one of the task's.
    """
    report = inspection.report
    found: Findings = {"resources.data_path": Found(data_path)}
    if report is None:
        return found
    found["resources.data_format"] = Found("csv" if report.format == "tsv" else report.format)
    is_classification = attachment.task_type == "classification"
    if report.rows_valid and not (is_classification and inspection.label_column is None):
        found[ROWS_KEY] = Found(report.rows_valid, (report.rows_total,))
    if not is_classification:
        return found
    labels = list(dict.fromkeys([*report.class_distribution, *report.unknown_labels]))  # the largest class first
    if 2 <= len(labels) <= MOST_LABELS:
        near = tuple(one for one in report.near_labels if one.label in labels)
        intended = [label for label in labels if label not in {one.label for one in near}]
        found[LABELS_KEY] = Found(labels, (intended,) if near else (), near)
    if report.balance_ratio is not None and len(report.class_distribution) > 1:
        balance: ClassBalance = "skewed" if report.balance_ratio >= SKEWED_AT else "balanced"
        found["resources.class_balance"] = Found(balance)
    return found


def to_fill(answers: Answers, found: Findings, former: Findings | None = None, *, is_new: bool = False) -> dict[str, Held]:
    """The fields to write: open ones, assumed ones, and those the file has answered (`from_file`, or they hold `former`'s value).

    What the file had answered and this look does not tell is open again. With `is_new`, a file just attached, its place and format
    are written whatever stood there.
    """
    fields = {
        key: Held(one.value)
        for key, one in found.items()
        if held(answers, key) != Held(one.value) and (_is_free(answers, key, former or {}) or (is_new and key in ABOUT_THE_FILE))
    }
    untold = [key for key in FROM_ITS_COLUMNS if key not in found and is_the_files(answers, key, former or {})]
    return {**fields, **dict.fromkeys(untold, OPEN)}


def with_filled(answers: Answers, fields: Mapping[str, Held]) -> Answers:
    """`answers` with what the file answers written in and marked as the file's."""
    answers = changed(answers, fields)
    given = [key for key, new in fields.items() if new.value is not None]
    return answers.model_copy(update={"from_file": [*answers.from_file, *given]})


def with_rows_counted(answers: Answers, found: Findings) -> Answers:
    """`answers` with the usable rows of the file in place of what was said: advice goes by what was counted."""
    rows = found.get(ROWS_KEY)
    return changed(answers, {ROWS_KEY: Held(rows.value)}) if rows else answers


def is_the_files(answers: Answers, key: str, former: Mapping[str, Found]) -> bool:
    """Whether the field holds what the file has answered."""
    value = held(answers, key).value
    return value is not None and (key in answers.from_file or (key in former and _same(value, former[key].value)))


def contradictions(answers: Answers, found: Findings) -> dict[str, Found]:
    """Where a person's answer or the coach's assumption is not what the file says, or nobody has answered."""
    return {key: one for key, one in found.items() if not one.agrees_with(held(answers, key).value)}


def _is_free(answers: Answers, key: str, former: Mapping[str, Found]) -> bool:
    now = held(answers, key)
    return now.value is None or now.assumed or is_the_files(answers, key, former)


def _same(one: Answer, other: Answer) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return {same_text(label) for label in one} == {same_text(label) for label in other}
    return one == other
