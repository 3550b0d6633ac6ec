"""What a task's own files tell where the interview has not been held: answers that task.yaml implies, and the rows `data/` holds.

A person's answer always goes first. Reads the folder, writes nothing.
"""

from __future__ import annotations

from typing import Any

from coach.answers import Answers
from coach.errors import CoachError
from coach.interview import Answer, answer_of, with_answer
from coach.situation import DataFacts
from coach.source_split import split_of_source
from coach.task_check import count_rows
from coach.task_schema import TaskFile
from coach.version_folder import SPLITS
from coach.workspace import Task
from coach.yaml_document import read_document


def answers_with_task(answers: Answers, task: TaskFile) -> Answers:
    """`answers`, their open fields filled from a task.yaml as far as it speaks of them. What is filled is not marked as assumed."""
    success, versioning, targets = task.success_criteria, task.versioning, list(task.targets.values())
    said: dict[str, Answer] = {
        "task.type": task.task_type,
        "task.domain": task.domain,
        "task.language": task.language,
        "task.labels": targets[0] if len(targets) == 1 and task.task_type == "classification" else None,
        "success.primary_metric": success.primary_metric,
        "success.threshold": success.threshold,
        "success.baseline_name": success.baseline.name if success.baseline else None,
        "success.baseline_score": success.baseline.score if success.baseline else None,
        "versioning.deploy_target": versioning.deploy_target,
        "resources.host": task.execution.host,
        "resources.gpu": "remote" if task.execution.type == "remote_ssh" else None,
    }
    filled = answers
    for key, value in said.items():
        if value is not None and answer_of(key, answers) is None:
            filled = with_answer(filled, key, value)
    return filled


def facts_of_data(task: Task) -> DataFacts | None:
    """Rows and classes of the data made for training; None where there are none. No baseline has been scored on them.

    Test rows that came as a file of their own are not among those that one learns from; the classes are then taken in the shares
    that all parts have together, which is what data_version.yaml states.
    """
    counts = {part: count_rows(task.data_folder / f"{part}.jsonl") or 0 for part in SPLITS}
    if not counts["train"]:
        return None
    classes = _class_counts(task)
    total = sum(classes.values()) or sum(counts.values())
    if not split_of_source(task.folder).get("test_file"):
        return DataFacts(rows=total, class_counts=classes)
    share = 1 - counts["test"] / sum(counts.values())
    shared = {label: round(count * share) for label, count in classes.items()}
    return DataFacts(rows=sum(shared.values()) or round(total * share), class_counts=shared, test_rows=counts["test"])


def _class_counts(task: Task) -> dict[str, int]:
    """As data_version.yaml states them; a file that cannot be read states nothing."""
    path = task.data_version_path
    try:
        said: Any = read_document(path).mapping.get("class_distribution") if path.is_file() else None
    except CoachError:
        return {}
    return {str(name): count for name, count in said.items() if isinstance(count, int)} if isinstance(said, dict) else {}
