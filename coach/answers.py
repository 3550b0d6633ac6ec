"""What the interview has collected so far: `answers.yaml`, the truth for stages 1 and 2 (contract: design.md section 6).

Owns the keys, their allowed values, reading and writing. Every key is optional; which ones a stage needs is the
interview's to say.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from coach.atomic_write import write_atomically
from coach.task_schema import (
    MAX_LABELS,
    METRICS,
    MOST_VERSIONS_KEPT,
    SLUG_PATTERN,
    DeployTarget,
    Metric,
    Strict,
    TaskType,
    VersionStrategy,
    repeated,
)
from coach.validation import validate
from coach.yaml_document import YamlDocument, parse_document, read_document
from coach.yaml_writing import dump, with_plain_numbers

Priority = Literal["low", "medium", "high"]
DataFormat = Literal["csv", "json", "jsonl", "parquet", "xlsx", "database", "none"]
MoreData = Literal["none", "some", "continuous"]
ClassBalance = Literal["balanced", "skewed", "unknown"]
GpuPlace = Literal["none", "local", "remote"]
Iterations = Literal["once", "many"]
LANGUAGE_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"  # BCP 47, as far as zh-TW, zh-Hant-TW, en
# Upper limits keep a slip of the keyboard (1e300) from being reckoned with; each is far above anything a task here could need.
Rows = Annotated[int, Field(ge=0, le=1_000_000_000)]
Cards = Annotated[int, Field(ge=0, le=10_000)]
CardMemory = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]  # GB; a whole rack of cards has about 14,000
Weeks = Annotated[float, Field(gt=0, le=520, allow_inf_nan=False)]  # ten years
Milliseconds = Annotated[float, Field(gt=0, le=86_400_000, allow_inf_nan=False)]  # a day
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_OTHER_NAMES: dict[str, Metric] = {"f1": "macro_f1", "f1_macro": "macro_f1", "f1_micro": "micro_f1", "f1_weighted": "weighted_f1",
                                   "acc": "accuracy", "rouge": "rouge_l", "rougel": "rouge_l", "em": "exact_match"}  # fmt: skip
_LABEL_SEPARATOR = re.compile(r"[、,，;；]")


class Business(Strict):
    problem: str | None = None
    current_solution: str | None = None
    dissatisfaction: str | None = None
    priority: Priority | None = None
    deadline_weeks: Weeks | None = None


class Example(Strict):
    input: str | None = None
    output: str | None = None


class TaskAnswers(Strict):
    name: str | None = Field(default=None, pattern=SLUG_PATTERN)
    type: TaskType | None = None
    domain: str | None = None
    language: str | None = Field(default=None, pattern=LANGUAGE_TAG)
    input: str | None = None
    output: str | None = None
    labels: list[str] | None = Field(default=None, max_length=MAX_LABELS)
    example: Example | None = None

    @field_validator("labels", mode="before")
    @classmethod
    def _listed_in_a_line(cls, labels: Any) -> Any:
        """`正面、負面、中立` in one line is a list too."""
        if not isinstance(labels, str) or not _LABEL_SEPARATOR.search(labels):
            return labels
        return [part.strip() for part in _LABEL_SEPARATOR.split(labels) if part.strip()]

    @field_validator("labels")
    @classmethod
    def _each_label_once(cls, labels: list[str] | None) -> list[str] | None:
        """Labels without spaces around them. Raises for an empty label, and for one that stands twice."""
        if labels is None:
            return None
        stripped = [label.strip() for label in labels]
        if "" in stripped:
            raise PydanticCustomError("empty_label", "empty label", {"number": stripped.index("") + 1})
        if doubled := repeated(stripped):
            raise PydanticCustomError("duplicate_labels", "duplicate labels", {"labels": doubled})
        return stripped


class Resources(Strict):
    labelled_rows: Rows | None = None
    data_format: DataFormat | None = None
    data_path: str | None = None
    preference_pairs: Rows | None = None
    more_data: MoreData | None = None
    class_balance: ClassBalance | None = None
    gpu: GpuPlace | None = None
    gpu_name: str | None = None
    vram_gb: CardMemory | None = None
    gpu_count: Cards | None = None
    host: str | None = None


class Success(Strict):
    """`threshold` and `baseline_score` are on the primary metric, 0 to 1."""

    primary_metric: Metric | None = None
    threshold: Share | None = None
    baseline_name: str | None = None
    baseline_score: Share | None = None
    needs_explanation: bool | None = None

    @field_validator("primary_metric", mode="before")
    @classmethod
    def _as_people_write_it(cls, value: Any) -> Any:
        return metric_name(value) or value if isinstance(value, str) else value


class VersioningAnswers(Strict):
    iterations: Iterations | None = None
    strategy: VersionStrategy | None = None
    deploy_target: DeployTarget | None = None
    retention: int | None = Field(default=None, ge=1, le=MOST_VERSIONS_KEPT)


class Needs(Strict):
    reasoning: bool | None = None
    light_deployment: bool | None = None
    tooling: bool | None = None
    alignment: bool | None = None
    max_latency_ms: Milliseconds | None = None


class Answers(Strict):
    """All topics; `assumed` lists the keys (`resources.more_data`) that hold the coach's default, not the person's answer.

    `from_file` lists those that the data file has answered: they follow the file until a person says otherwise.
    """

    title: str | None = None
    business: Business = Field(default_factory=Business)
    task: TaskAnswers = Field(default_factory=TaskAnswers)
    resources: Resources = Field(default_factory=Resources)
    success: Success = Field(default_factory=Success)
    versioning: VersioningAnswers = Field(default_factory=VersioningAnswers)
    needs: Needs = Field(default_factory=Needs)
    assumed: list[str] = Field(default_factory=list)
    from_file: list[str] = Field(default_factory=list)

    @field_validator("business", "task", "resources", "success", "versioning", "needs", mode="before")
    @classmethod
    def _empty_topic(cls, value: Any) -> Any:
        """`business:` with nothing after it is a topic not yet answered."""
        return {} if value is None else value

    @field_validator("assumed", "from_file", mode="before")
    @classmethod
    def _nothing_assumed(cls, value: Any) -> Any:
        return [] if value is None else value


def metric_name(written: str) -> Metric | None:
    """`Macro-F1`, `F1`, `rouge-l` … as the metric's own name, or None. F1 alone is macro-F1, which no large class can carry."""
    name = re.sub(r"[\s\-]+", "_", written.strip().lower())
    return _OTHER_NAMES.get(name) or next((metric for metric in METRICS if metric == name), None)


def read_answers(path: Path) -> Answers:
    """The answers in the file at `path`. Raises DocumentError with every problem in it."""
    return _validated(_nested(read_document(path)))


def parse_answers(content: str | bytes, name: str = "answers.yaml") -> Answers:
    """The answers in `content`; `name` is what errors call it. Raises DocumentError with every problem in it."""
    return _validated(_nested(parse_document(content, name)))


def _nested(document: YamlDocument) -> YamlDocument:
    """`task.labels: …` at the top means `task: {labels: …}`: the names `ask` prints may be written down as they stand."""
    mapping: dict[str, Any] = {}
    lines, texts = dict(document.lines), dict(document.texts)
    for key, value in document.mapping.items():
        topic, dot, name = str(key).partition(".")
        inner = mapping.setdefault(topic, {}) if dot and topic in Answers.model_fields else None
        if not isinstance(inner, dict) or name in inner:
            mapping[key] = {**mapping[key], **value} if isinstance(value, dict) and isinstance(mapping.get(key), dict) else value
            continue
        inner[name] = value
        lines |= {(topic, name, *path[1:]): line for path, line in document.lines.items() if path and path[0] == key}
        texts |= {(topic, name, *path[1:]): said for path, said in document.texts.items() if path and path[0] == key}
    return replace(document, mapping=mapping, lines=lines, texts=texts)


def answers_to_yaml(answers: Answers) -> str:
    """What has been answered, in the contract's order; an empty document where nothing has."""
    return dump(with_plain_numbers(_answered(answers)))


def write_answers(path: Path, answers: Answers) -> None:
    """Replaces the file at `path` in one step. Raises WorkspaceError where it cannot be written."""
    write_atomically(path, answers_to_yaml(answers))


def _validated(document: YamlDocument) -> Answers:
    return validate(document, Answers, key="answers.problems")


def _answered(model: BaseModel) -> dict[str, Any]:
    written = model.model_dump(mode="python", exclude_none=True)
    return {name: value for name, value in written.items() if value not in ({}, [])}
