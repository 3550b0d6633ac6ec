"""Stage 2's document, `task_summary.yaml`: the goal in one place, made from the answers and edited by a person.

Owns the document's shape, how answers become it, and what is read back from an edited one. How a constraint is worded and
recognised is `constraints.py`'s.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, field_validator

from coach.answers import Answers, metric_name
from coach.atomic_write import write_atomically
from coach.constraints import constraints_of, recognise
from coach.task_schema import MOST_VERSIONS_KEPT, SLUG_PATTERN, DeployTarget, Metric, Strict, TaskType, VersionStrategy
from coach.text import DEFAULT_LANGUAGE, Language, text
from coach.validation import validate
from coach.yaml_document import YamlDocument, parse_document, read_document
from coach.yaml_writing import dump, with_plain_numbers


class SummarySuccess(Strict):
    """`baseline` is name, last underscore, score: `rule_based_0.65`."""

    primary_metric: Metric | None = None
    threshold: float | None = Field(default=None, ge=0, le=1)
    baseline: str | None = None

    @field_validator("primary_metric", mode="before")
    @classmethod
    def _as_people_write_it(cls, value: Any) -> Any:
        return metric_name(value) or value if isinstance(value, str) else value


class SummaryVersioning(Strict):
    strategy: VersionStrategy | None = None
    deploy_target: DeployTarget | None = None
    retention: int | None = Field(default=None, ge=1, le=MOST_VERSIONS_KEPT)


class TaskSummary(Strict):
    """`constraints` are sentences of the form `name: value`; those the coach recognises are answers, the rest stays text."""

    name: str | None = Field(default=None, pattern=SLUG_PATTERN)
    type: TaskType | None = None
    domain: str | None = None
    goal: str | None = None
    constraints: list[str] = Field(default_factory=list)
    success_criteria: SummarySuccess = Field(default_factory=SummarySuccess)
    versioning: SummaryVersioning = Field(default_factory=SummaryVersioning)

    @field_validator("constraints", mode="before")
    @classmethod
    def _as_sentences(cls, value: Any) -> Any:
        """YAML reads `- GPU: A100` as a mapping; here it is the sentence `GPU: A100`."""
        if not isinstance(value, list):
            return [] if value is None else value
        return [_as_sentence(item) for item in value]

    @field_validator("success_criteria", "versioning", mode="before")
    @classmethod
    def _empty_section(cls, value: Any) -> Any:
        return {} if value is None else value


class SummaryDocument(Strict):
    task_summary: TaskSummary


def summarize(answers: Answers, language: Language = DEFAULT_LANGUAGE, earlier: TaskSummary | None = None) -> TaskSummary:
    """The summary of `answers`; the goal and the free constraints of an `earlier`, edited one are kept."""
    success, versioning = answers.success, answers.versioning
    known = constraints_of(answers, language)
    kept = [said for said in earlier.constraints if said not in known and not recognise(said)] if earlier else []
    return TaskSummary(
        name=answers.task.name,
        type=answers.task.type,
        domain=answers.task.domain,
        goal=(earlier.goal if earlier else None) or _goal(answers, language),
        constraints=known + kept,
        success_criteria=SummarySuccess(
            primary_metric=success.primary_metric,
            threshold=success.threshold,
            baseline=baseline_text(success.baseline_name, success.baseline_score),
        ),
        versioning=SummaryVersioning(
            strategy=versioning.strategy, deploy_target=versioning.deploy_target, retention=versioning.retention
        ),
    )


def apply_summary(answers: Answers, summary: TaskSummary) -> Answers:
    """`answers` with what `summary` says: its fields and the constraints the coach recognises. What it leaves out stays.

    A field whose value changes is no longer assumed: a person has now said it.
    """
    said = fields_of(summary)
    if said.get("resources.gpu_name") not in (None, answers.resources.gpu_name):
        said.setdefault("resources.vram_gb", _FORGET)  # the memory of another card
    return _with_fields(answers, said)


def fields_of(summary: TaskSummary) -> dict[str, Any]:
    """What `summary` says, by dotted key of the answers; None where it says nothing."""
    success, versioning = summary.success_criteria, summary.versioning
    name, score = baseline_parts(success.baseline)
    said: dict[str, Any] = {
        "task.name": summary.name,
        "task.type": summary.type,
        "task.domain": summary.domain,
        "success.primary_metric": success.primary_metric,
        "success.threshold": success.threshold,
        "success.baseline_name": name,
        "success.baseline_score": score,
        "versioning.strategy": versioning.strategy,
        "versioning.deploy_target": versioning.deploy_target,
        "versioning.retention": versioning.retention,
    }
    for sentence in summary.constraints:
        said |= recognise(sentence)
    return said


def read_summary(path: Path) -> TaskSummary:
    """The summary in the file at `path`. Raises DocumentError with every problem in it."""
    return _validated(read_document(path))


def parse_summary(content: str | bytes, name: str = "task_summary.yaml") -> TaskSummary:
    """The summary in `content`; `name` is what errors call it. Raises DocumentError with every problem in it."""
    return _validated(parse_document(content, name))


def summary_to_yaml(summary: TaskSummary) -> str:
    """The document in the specification's shape: `task_summary:` with its keys in order, what is unknown left out."""
    written = summary.model_dump(mode="python", exclude_none=True)
    written["constraints"] = constraint_entries(summary.constraints)
    return dump({"task_summary": with_plain_numbers({key: value for key, value in written.items() if value not in ({}, [])})})


def constraint_entries(sentences: list[str]) -> list[str | dict[str, str]]:
    """The constraints as YAML writes them best: `GPU: A100` without quotes, as the specification does."""
    return [_as_entry(sentence) for sentence in sentences]


def write_summary(path: Path, summary: TaskSummary) -> None:
    """Replaces the file at `path` in one step. Raises WorkspaceError where it cannot be written."""
    write_atomically(path, summary_to_yaml(summary))


_FORGET = object()


def _validated(document: YamlDocument) -> TaskSummary:
    return validate(document, SummaryDocument, key="summary.problems").task_summary


def _as_sentence(item: Any) -> Any:
    """Only a flat mapping is a sentence; anything deeper is left for the model to object to."""
    if not isinstance(item, dict) or any(isinstance(said, list | dict) for said in item.values()):
        return item
    return ", ".join(f"{name}: {'' if said is None else said}" for name, said in item.items())


def _as_entry(sentence: str) -> str | dict[str, str]:
    """`GPU: A100` as the one-key mapping that YAML writes without quotes, as the specification does."""
    name, colon, value = sentence.partition(": ")
    return {name: value} if colon and name.strip() == name and value.strip() == value and name and value else sentence


def _goal(answers: Answers, language: Language) -> str | None:
    """What is to be solved, what goes in and comes out, and what is wrong today: each only where it was answered."""
    business, task = answers.business, answers.task
    said = [
        business.problem,
        task.input and task.output and text("summary.goal.in_and_out", language, input=task.input, output=task.output),
        business.current_solution and text("summary.goal.today", language, solution=business.current_solution),
        business.dissatisfaction and text("summary.goal.dissatisfaction", language, dissatisfaction=business.dissatisfaction),
    ]
    lines = [sentence.strip() for sentence in said if sentence]
    return "\n".join(lines) + "\n" if lines else None


def baseline_text(name: str | None, score: float | None) -> str | None:
    """Name, last underscore, score, as the summary writes a baseline; None where there is neither."""
    return name if score is None else f"{name or 'baseline'}_{score!r}"


def baseline_parts(written: str | None) -> tuple[str | None, float | None]:
    """Name and score; a tail that is no decimal fraction of 1 belongs to the name (`model_2`)."""
    found = re.fullmatch(r"(?:(?P<name>.*)_)?(?P<score>[01]?\.\d+(?:e-\d+)?)", (written or "").strip())
    if not written or not found or float(found["score"]) > 1:
        return written, None
    return found["name"] or None, float(found["score"])


def _with_fields(answers: Answers, said: dict[str, Any]) -> Answers:
    """`answers` with the values of `said`, by dotted key; None leaves a field as it is."""
    changed: set[str] = set()
    topics: dict[str, BaseModel] = {}
    for key, value in said.items():
        topic_name, field_name = key.split(".")
        topic = topics.get(topic_name) or getattr(answers, topic_name).model_copy()
        new = None if value is _FORGET else value
        if (value is not None) and getattr(topic, field_name) != new:
            setattr(topic, field_name, new)
            changed.add(key)
        topics[topic_name] = topic
    assumed = [key for key in answers.assumed if key not in changed]
    from_file = [key for key in answers.from_file if key not in changed]
    return answers.model_copy(update={**topics, "assumed": assumed, "from_file": from_file})
