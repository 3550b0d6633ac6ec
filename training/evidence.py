"""A finished version as it is judged: its results, its diagnosis, and the evidence that the diagnosis reads.

Owns the gathering. What the numbers mean is `coach.diagnosis`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coach.diagnosis import Diagnosis, diagnose
from coach.errors import CoachError, DataError
from coach.finding import Answered, Evidence, LabelSuspects
from coach.history import finished_results
from coach.repeats import task_folder
from coach.reviews import read_reviews
from coach.task_schema import TaskFile
from coach.version_folder import JsonObject, Version
from training.answered_rows import AnsweredRow, answered_rows
from training.event_log import read_events
from training.run_view import RunView, fold

if TYPE_CHECKING:
    from training.label_suspects import Suspects
    from training.near_copies import Copies

    FindSuspects = Callable[[Version, str | None, int | None], Suspects]

LOOKED_AT = 3_000  # rows, drawn from more: a share is known well enough from them, in about a second


@dataclass(frozen=True)
class Examined:
    """One finished version, read once."""

    config: TaskFile
    results: JsonObject
    diagnosis: Diagnosis


def examine(version: Version) -> Examined | None:
    """The version with its diagnosis; None where its last attempt has not finished. Raises WorkspaceError and DocumentError."""
    results = finished_results(version)
    return None if results is None else Examined(version.config, results, diagnose(evidence_on(version, results)))


def look_at_labels(version: Version, results: Mapping[str, Any], find: FindSuspects | None = None) -> Suspects | None:
    """Rows whose label may be wrong, by the first target, among at most LOOKED_AT drawn; None where there is nothing to look at.

    `find` looks in `label_suspects.suspects_of`'s place: whoever keeps what was found hands it in.
    """
    from training.label_suspects import suspects_of

    many = sum(filter(None, (results.get("rows") or {}).values())) > LOOKED_AT
    try:
        return (find or suspects_of)(version, next(iter(version.config.targets), None), LOOKED_AT if many else None)
    except DataError:  # which fault, the list of suspects says
        return None


def look_at_copies(version: Version) -> Copies | None:
    """Test rows of which training has nearly the same text; None where nothing was trained or rows cannot be looked at."""
    from training.near_copies import copies_in

    try:
        return None if version.config.training.method == "prompt" else copies_in(version)
    except DataError:  # a damaged split; who reads it says so
        return None


def evidence_on(
    version: Version, results: Mapping[str, Any], suspects: Suspects | None = None, copies: Copies | None = None
) -> Evidence:
    """`suspects` where labels were looked at, `copies` where texts were.

    Raises WorkspaceError, DataError and DocumentError where a document is damaged.
    """
    view = fold(RunView(), read_events(version.events_path))
    splits = (version.snapshot() or {}).get("splits") or {}
    train, test = ((splits.get(part) or {}).get("class_distribution") or {} for part in ("train", "test"))
    evals = [event for event in view.evals if event.get("split", "valid") == "valid" and event["step"] != view.early_look]
    training = version.config.training
    rate = training.learning_rate if training.lora and training.method == "sft" else None
    target = next(iter(version.config.targets), None)  # of several the first
    answered = as_evidence(answered_rows(version, target), copies)
    doubted = _unmarked(version, suspects) if suspects else None
    seen = copies.seen if copies else 1.0
    return Evidence(results, evals, view.steps, train, training.balance, rate, test, answered, doubted, seen)


def as_evidence(rows: Sequence[AnsweredRow], copies: Copies | None = None) -> list[Answered]:
    """What a diagnosis reads of the rows whose texts are there."""
    copied = copies.copied if copies else {}
    return [Answered(sum(map(len, row.inputs.values())), row.right, row.sure, copied.get(row.id)) for row in rows if row.inputs]


def _unmarked(version: Version, suspects: Suspects) -> LabelSuspects:
    """What is left to a person to look at; where the marks cannot be read, all of it, and the list says why."""
    target, marked = next(iter(version.config.targets), None), {}
    with suppress(CoachError):
        marked = read_reviews(task_folder(version))
    count = sum(row.strong and (row.id, target) not in marked for row in suspects.found)
    return LabelSuspects(suspects.rows, count, suspects.agreement)
