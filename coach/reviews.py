"""`reviews.jsonl` in the task's folder: what a person said of single rows — label wrong (and what it should be), ambiguous, model wrong.

Owns the file, one line a row and target, and that two people who mark different rows both keep theirs. A mark is an opinion and changes no
data: what becomes of it is `training.corrected_data`'s.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from coach.atomic_write import write_atomically
from coach.errors import UserError, WorkspaceError
from coach.workspace import Task

REVIEWS_FILE = "reviews.jsonl"
Mark = Literal["label_wrong", "ambiguous", "model_wrong"]
MARKS: tuple[Mark, ...] = get_args(Mark)
RowKey = tuple[str, str | None]  # row id, and the property that is classified; None where the answer is a text


@dataclass(frozen=True)
class Review:
    """`given`: the label the row carried; `label`: what it should be, with label_wrong alone; `at`: when, in ISO 8601."""

    id: str
    target: str | None
    mark: Mark
    given: str
    label: str | None = None
    at: str = ""

    @property
    def key(self) -> RowKey:
        return self.id, self.target

    def says(self) -> tuple[Mark, str | None]:
        return self.mark, self.label


Reviews = Mapping[RowKey, Review]


def read_reviews(task_folder: Path) -> dict[RowKey, Review]:
    """Every row's mark, in the order they were first made; none where there is no file. Raises WorkspaceError where it is damaged."""
    path = task_folder / REVIEWS_FILE
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: U+2028 may stand within a JSON string
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError("reviews.damaged", path=str(path), line=1, reason=str(error)) from error
    found: dict[RowKey, Review] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                review = _review(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise WorkspaceError("reviews.damaged", path=str(path), line=number, reason=str(error)) from error
            found[review.key] = review
    return found


def mark_row(
    task: Task,
    key: RowKey,
    mark: Mark,
    label: str | None,
    *,
    given: str,
    labels: Collection[str],
    seen: Review | None,
    now: datetime,
) -> None:
    """Writes one row's mark. `labels`: those the task allows; `seen`: the mark the person had before their eyes.

    Raises UserError for a label that cannot be, WorkspaceError where somebody else marked the row otherwise meanwhile, or where the file is
    damaged or cannot be written; nothing is written then.
    """
    if mark == "label_wrong":
        if label is None or label not in labels:
            raise UserError("reviews.no_label", id=key[0], label=label or "—", known=", ".join(labels))
        if label == given:
            raise UserError("reviews.same_label", id=key[0], label=label)
    kept = label if mark == "label_wrong" else None
    _put(task, key, Review(key[0], key[1], mark, given, kept, now.isoformat(timespec="seconds")), seen)


def unmark_row(task: Task, key: RowKey, *, seen: Review | None) -> None:
    """Takes a row's mark away. Raises WorkspaceError as `mark_row` does."""
    _put(task, key, None, seen)


def _put(task: Task, key: RowKey, new: Review | None, seen: Review | None) -> None:
    with task.lock():
        reviews = read_reviews(task.folder)
        stands = reviews.get(key)
        if _says(stands) == _says(new):
            return
        if _says(stands) != _says(seen):
            raise WorkspaceError("reviews.changed_meanwhile", id=key[0], found=stands.mark if stands else "—")
        if new is None:
            del reviews[key]
        else:
            reviews[key] = new
        lines = (json.dumps(asdict(review), ensure_ascii=False) + "\n" for review in reviews.values())
        write_atomically(task.folder / REVIEWS_FILE, "".join(lines))


def _says(review: Review | None) -> tuple[Mark, str | None] | None:
    return review.says() if review else None


def _review(document: Any) -> Review:
    """Raises KeyError, TypeError or ValueError for what is no review; keys it does not know are passed over."""
    mark, target, label = document["mark"], document["target"], document.get("label")
    if mark not in MARKS or not isinstance(document["id"], str) or (mark == "label_wrong") != isinstance(label, str):
        raise ValueError(json.dumps(document, ensure_ascii=False)[:200])
    return Review(
        document["id"],
        target if target is None else str(target),
        mark,
        str(document["given"]),
        label,
        str(document.get("at", "")),
    )
