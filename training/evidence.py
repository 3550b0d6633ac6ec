"""A finished version as it is judged: its results, its diagnosis, and the evidence that the diagnosis reads.

Owns the gathering. What the numbers mean is `coach.diagnosis`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coach.diagnosis import Diagnosis, diagnose
from coach.finding import Answered, Evidence
from coach.history import finished_results
from coach.task_schema import TaskFile
from coach.version_folder import JsonObject, Version
from training.answered_rows import AnsweredRow, answered_rows
from training.event_log import read_events
from training.run_view import RunView, fold


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


def evidence_on(version: Version, results: Mapping[str, Any]) -> Evidence:
    """Raises WorkspaceError, DataError and DocumentError where a document of the version is damaged."""
    view = fold(RunView(), read_events(version.events_path))
    splits = (version.snapshot() or {}).get("splits") or {}
    train, test = ((splits.get(part) or {}).get("class_distribution") or {} for part in ("train", "test"))
    evals = [event for event in view.evals if event.get("split", "valid") == "valid"]
    training = version.config.training
    rate = training.learning_rate if training.lora and training.method == "sft" else None
    answered = as_evidence(answered_rows(version, next(iter(version.config.targets), None)))  # of several targets the first
    return Evidence(results, evals, view.steps, train, training.balance, rate, test, answered)


def as_evidence(rows: Sequence[AnsweredRow]) -> list[Answered]:
    """What a diagnosis reads of the rows whose texts are there."""
    return [Answered(sum(map(len, row.inputs.values())), row.right, row.sure) for row in rows if row.inputs]
