"""Where the goal has changed since task.yaml was written: success as the answers say it by now, for the text to take over."""

from __future__ import annotations

from coach.answers import Answers
from coach.interview import answer_of
from coach.task_schema import TaskFile
from coach.yaml_document import YamlValue

SECTION = "success_criteria"


def goal_changes(file: TaskFile, answers: Answers) -> dict[tuple[str, ...], YamlValue]:
    """Keys of task.yaml, and what the person's answers say of them by now; empty where they agree. What is assumed counts for nothing."""
    criteria = file.success_criteria
    baseline = criteria.baseline
    written = {
        "primary_metric": criteria.primary_metric,
        "threshold": criteria.threshold,
        "baseline_score": baseline and baseline.score,
    }
    found: dict[tuple[str, ...], YamlValue] = {}
    for name, value in written.items():
        now = answer_of(f"success.{name}", answers)
        if now is not None and now != value and f"success.{name}" not in answers.assumed:
            found[(SECTION, *name.split("_", 1)) if name == "baseline_score" else (SECTION, name)] = now
    if baseline is None and (SECTION, "baseline", "score") in found:
        found[(SECTION, "baseline", "name")] = answers.success.baseline_name or "baseline"
    return found
