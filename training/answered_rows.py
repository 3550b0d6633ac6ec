"""The test rows a version answered, as a person reads them: the text beside what was right, what was said, and how sure.

Owns joining answers with the frozen test split, choosing among them, and the CSV. What a page shows of them is the page's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coach.answers_given import read_given
from coach.version_folder import Version
from training.data.rows import read_rows
from training.spreadsheet import input_columns, spreadsheet_csv

Order = Literal["most_sure", "least_sure"]
_FIXED = ("id", "actual", "predicted", "score_predicted", "score_actual", "raw")


@dataclass(frozen=True)
class AnsweredRow:
    """`inputs`: placeholder to text, empty where the row is no longer in the split. `predicted` is None outside the format."""

    id: str
    inputs: Mapping[str, str]
    actual: str | None
    predicted: str | None
    scores: Mapping[str, float]
    raw: str | None

    @property
    def right(self) -> bool:
        return self.predicted is not None and self.predicted == self.actual

    @property
    def sure(self) -> float | None:
        """The probability the model gave its answer, 0 to 1; None where it was not scored."""
        return None if self.predicted is None else self.scores.get(self.predicted)

    @property
    def score_of_actual(self) -> float | None:
        return None if self.actual is None else self.scores.get(self.actual)


@dataclass(frozen=True)
class Choice:
    """Which rows: wrong ones, of one class or any, with one answer or any; right ones where both name the same class.

    `outside` asks for answers outside the format. `search`: letters that stand in one of the texts.
    """

    actual: str | None = None
    predicted: str | None = None
    outside: bool = False
    search: str = ""
    order: Order = "most_sure"


def answered_rows(version: Version, target: str | None) -> tuple[AnsweredRow, ...]:
    """Every row of predictions.jsonl with its text; none where that file is missing. Raises WorkspaceError and DataError."""
    labels = set(version.config.targets.get(target, ()))
    texts = {row.id: row.input for row in read_rows(version.split_path("test"))} if version.split_path("test").is_file() else {}
    return tuple(
        AnsweredRow(
            id=given.id,
            inputs=texts.get(given.id, {}),
            actual=given.actual,
            predicted=given.predicted if given.predicted in labels else None,
            scores=given.scores,
            raw=given.raw,
        )
        for given in read_given(version.predictions_path, target)
    )


def chosen(rows: Sequence[AnsweredRow], choice: Choice) -> list[AnsweredRow]:
    """The rows of the choice, by how sure the model was of its answer; rows without scores last."""
    wanted = _folded(choice.search)
    found = [row for row in rows if _fits(row, choice) and (not wanted or _holds(row, wanted))]
    sign = -1 if choice.order == "most_sure" else 1
    return sorted(found, key=lambda row: (row.sure is None, sign * (row.sure or 0.0), row.id))


def _fits(row: AnsweredRow, choice: Choice) -> bool:
    if choice.actual is not None and row.actual != choice.actual:
        return False
    if choice.outside:
        return row.predicted is None
    if choice.predicted is None:
        return not row.right
    return row.predicted == choice.predicted and (not row.right or choice.actual == choice.predicted)


def _holds(row: AnsweredRow, wanted: str) -> bool:
    return any(wanted in _folded(text) for text in (row.id, *row.inputs.values()))


def _folded(text: str) -> str:
    """Full-width and half-width, capitals and small letters alike."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def rows_to_csv(rows: Sequence[AnsweredRow], placeholders: Sequence[str]) -> str:
    """The rows as CSV for a spreadsheet: one column an input, the answers, two scores; formulas disarmed, marked as UTF-8."""
    texts = ([row.inputs.get(name, "") for name in placeholders] for row in rows)
    answers = ((row.actual, row.predicted, row.sure, row.score_of_actual, row.raw) for row in rows)
    cells = ([row.id, *text, *answer] for row, text, answer in zip(rows, texts, answers))
    return spreadsheet_csv([_FIXED[0], *input_columns(placeholders, _FIXED), *_FIXED[1:]], cells)
