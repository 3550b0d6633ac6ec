"""The task summary as a card of fields: what each field holds in a text that is being written, and the text with one field changed.

Reads leniently, so that a fault in one field does not close the others; the faults themselves are `goal.py`'s to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from coach.answers import metric_name
from coach.constraints import recognise
from coach.errors import DocumentError
from coach.task_schema import MOST_VERSIONS_KEPT, DeployTarget, Metric, TaskType, VersionStrategy
from coach.task_summary import TaskSummary, baseline_parts, baseline_text, constraint_entries
from coach.yaml_document import parse_document
from coach.yaml_in_place import with_value

CardField = Literal[
    "type", "domain", "goal", "constraints", "primary_metric", "threshold", "baseline_name", "baseline_score", "strategy",
    "deploy_target", "retention",
]  # fmt: skip
CARD_FIELDS: tuple[CardField, ...] = get_args(CardField)
ANSWER_KEYS: dict[CardField, str] = {  # which answer a field is, where it is one
    "type": "task.type", "domain": "task.domain", "primary_metric": "success.primary_metric", "threshold": "success.threshold",
    "baseline_name": "success.baseline_name", "baseline_score": "success.baseline_score", "strategy": "versioning.strategy",
    "deploy_target": "versioning.deploy_target", "retention": "versioning.retention",
}  # fmt: skip
_SECTIONS: dict[CardField, str] = {
    "primary_metric": "success_criteria", "threshold": "success_criteria", "baseline_name": "success_criteria",
    "baseline_score": "success_criteria", "strategy": "versioning", "deploy_target": "versioning", "retention": "versioning",
}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """One value for each field; None where the text says nothing that could be one. `constraints`: one sentence a line."""

    name: str | None = None
    type: TaskType | None = None
    domain: str | None = None
    goal: str | None = None
    constraints: str | None = None
    primary_metric: Metric | None = None
    threshold: float | None = None
    baseline_name: str | None = None
    baseline_score: float | None = None
    strategy: VersionStrategy | None = None
    deploy_target: DeployTarget | None = None
    retention: int | None = None

    @property
    def recognised(self) -> dict[str, Any]:
        """What the coach reads out of the constraints, by dotted key of the answers: `resources.labelled_rows`, …"""
        found: dict[str, Any] = {}
        for sentence in (self.constraints or "").split("\n"):
            found |= recognise(sentence)
        return found


def card_of(content: str) -> Card | None:
    """The card of a summary's text, or None while the text is no YAML."""
    try:
        said = parse_document(content, "").mapping.get("task_summary")
    except DocumentError:
        return None
    summary = said if isinstance(said, dict) else {}
    success, versioning = _section(summary, "success_criteria"), _section(summary, "versioning")
    baseline_name, baseline_score = baseline_parts(_text(success.get("baseline")))
    retention = _number(versioning.get("retention"))
    return Card(
        name=_text(summary.get("name")),
        type=_one_of(summary.get("type"), TaskType),
        domain=_text(summary.get("domain")),
        goal=_text(summary.get("goal")),
        constraints=_lines(summary.get("constraints")),
        primary_metric=metric_name(_text(success.get("primary_metric")) or ""),
        threshold=_share(success.get("threshold")),
        baseline_name=baseline_name,
        baseline_score=baseline_score,
        strategy=_one_of(versioning.get("strategy"), VersionStrategy),
        deploy_target=_one_of(versioning.get("deploy_target"), DeployTarget),
        retention=int(retention) if retention is not None and retention in range(1, MOST_VERSIONS_KEPT + 1) else None,
    )


def with_field(content: str, field: CardField, value: Any) -> str:
    """`content` with one field of the card changed; None or nothing but spaces removes it. Raises DocumentError for no YAML."""
    if isinstance(value, str):
        value = value.strip() or None
    if field in ("baseline_name", "baseline_score"):
        card = card_of(content) or Card()
        name, score = (value, card.baseline_score) if field == "baseline_name" else (card.baseline_name, value)
        return with_value(content, ("task_summary", "success_criteria", "baseline"), baseline_text(name, score))
    if field == "goal" and value:
        value += "\n"
    if field == "constraints" and value:
        value = constraint_entries([line.strip() for line in value.split("\n") if line.strip()])
    path = ("task_summary", *([_SECTIONS[field]] if field in _SECTIONS else []), field)
    return with_value(content, path, value)


def _section(summary: dict[str, Any], name: str) -> dict[str, Any]:
    found = summary.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list | bool) else str(value)


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool | list | dict) or value is None else float(value)
    except (ValueError, OverflowError):
        return None


def _share(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and 0 <= number <= 1 else None


def _one_of(value: Any, allowed: Any) -> Any:
    return value if value in get_args(allowed) else None


def _lines(value: Any) -> str | None:
    """The constraints as sentences, as the summary's own model reads them."""
    try:
        return "\n".join(TaskSummary.model_validate({"constraints": value}).constraints) or None
    except ValueError:
        return None
