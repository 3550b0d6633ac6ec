"""Where task.yaml and the goal differ: success as the person's answers say it, for the text to take over."""

from __future__ import annotations

from dataclasses import dataclass

from coach.answers import Answers
from coach.interview import answer_of
from coach.task_schema import TaskFile
from coach.yaml_document import YamlValue

KEYS: dict[str, tuple[str, ...]] = {  # of the answers' success → of task.yaml
    "primary_metric": ("success_criteria", "primary_metric"),
    "threshold": ("success_criteria", "threshold"),
    "baseline_name": ("success_criteria", "baseline", "name"),
    "baseline_score": ("success_criteria", "baseline", "score"),
}


@dataclass(frozen=True)
class GoalChange:
    """One field of success: what task.yaml says, None where nothing, and what the answers say."""

    field: str
    written: YamlValue
    answered: YamlValue


def goal_changes(file: TaskFile, answers: Answers) -> list[GoalChange]:
    """What the answers say otherwise than task.yaml; what is open or assumed there counts for nothing."""
    criteria = file.success_criteria
    baseline = criteria.baseline
    written = {
        "primary_metric": criteria.primary_metric,
        "threshold": criteria.threshold,
        "baseline_name": baseline.name if baseline else None,
        "baseline_score": baseline.score if baseline else None,
    }
    said = {field: answer_of(f"success.{field}", answers) for field in written if f"success.{field}" not in answers.assumed}
    return [GoalChange(field, written[field], value) for field, value in said.items() if value not in (None, written[field])]


def values_of(changes: list[GoalChange], file: TaskFile) -> dict[tuple[str, ...], YamlValue]:
    """The same as values to put into the text; a score needs a name beside it."""
    values = {KEYS[change.field]: change.answered for change in changes}
    if KEYS["baseline_score"] in values and KEYS["baseline_name"] not in values and file.success_criteria.baseline is None:
        values[KEYS["baseline_name"]] = "baseline"
    return values
