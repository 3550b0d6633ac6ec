"""A finished version as it is judged: its results, its diagnosis, and the evidence that the diagnosis reads.

Owns the gathering. What the numbers mean is `coach.diagnosis`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coach.diagnosis import Diagnosis, diagnose
from coach.errors import CoachError
from coach.finding import Answered, Evidence, LabelSuspects
from coach.history import finished_results
from coach.repeats import task_folder
from coach.reviews import read_reviews
from coach.task_schema import TaskFile
from coach.version_folder import JsonObject, Version
from training.answered_rows import answered_rows
from training.event_log import read_events
from training.run_view import RunView, fold

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


def diagnosed(version: Version) -> Diagnosis | None:
    """The diagnosis with a look at the labels, which takes a second or two; None where the last attempt has not finished."""
    results = finished_results(version)
    return None if results is None else diagnose(evidence_on(version, results, labels=True))


def evidence_on(version: Version, results: Mapping[str, Any], *, labels: bool = False) -> Evidence:
    """`labels`: whether they are to be looked at too. Raises WorkspaceError, DataError and DocumentError where a document is damaged."""
    view = fold(RunView(), read_events(version.events_path))
    splits = (version.snapshot() or {}).get("splits") or {}
    train, test = ((splits.get(part) or {}).get("class_distribution") or {} for part in ("train", "test"))
    evals = [event for event in view.evals if event.get("split", "valid") == "valid"]
    training = version.config.training
    rate = training.learning_rate if training.lora and training.method == "sft" else None
    suspects = _suspects(version) if labels else None
    return Evidence(results, evals, view.steps, train, training.balance, rate, test, _answered(version), suspects)


def _answered(version: Version) -> list[Answered]:
    """Of several targets the first, as everywhere in a diagnosis."""
    rows = answered_rows(version, next(iter(version.config.targets), None))
    return [Answered(sum(map(len, row.inputs.values())), row.right, row.sure) for row in rows if row.inputs]


def _suspects(version: Version) -> LabelSuspects | None:
    """Of the first target; None where the rows are too few to be looked at, or are no classes."""
    from training.label_suspects import suspects_of

    target = next(iter(version.config.targets), None)
    try:
        found = suspects_of(version, target, at_most=LOOKED_AT)
        marked = read_reviews(task_folder(version))
    except CoachError:  # which fault, the list of suspects says
        return None
    return LabelSuspects(found.rows, sum(row.strong and (row.id, target) not in marked for row in found.found), found.agreement)
