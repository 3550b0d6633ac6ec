"""The shape of `task.yaml`: names, types, allowed values and defaults, as pydantic models.

Owns what is allowed and what is assumed; reading with line numbers, writing and judging are `task_file.py`'s.
Keys follow the specification; those marked ours in the example task are optional on reading.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

TaskType = Literal["classification", "extraction", "generation"]
Method = Literal["sft", "dpo", "orpo", "kto", "prompt", "baseline"]
Metric = Literal["macro_f1", "accuracy", "micro_f1", "weighted_f1", "entity_f1", "bleu", "rouge_l", "exact_match"]
VersionStrategy = Literal["semantic", "date", "hybrid"]
DeployTarget = Literal["huggingface", "ollama", "api", "local"]
Balance = Literal["none", "oversample", "class_weights"]

SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,62})$"
MAX_LABELS, MOST_VERSIONS_KEPT = 1000, 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
CLASSIFICATION_METRICS: tuple[Metric, ...] = ("macro_f1", "accuracy", "micro_f1", "weighted_f1")
METRICS: tuple[Metric, ...] = get_args(Metric)


def _one_line(name: str) -> str:
    """A name is printed, logged and made a path of: no control characters within it, however it got in."""
    if found := _CONTROL.search(name.strip()):
        raise PydanticCustomError("control_character", "control character", {"sign": f"U+{ord(found.group()):04X}"})
    return name


def repeated(labels: Iterable[str]) -> list[str]:
    """Those that stand more than once, in order."""
    return sorted(label for label, times in Counter(labels).items() if times > 1)


ModelName = Annotated[str, AfterValidator(_one_line)]


class Strict(BaseModel):
    """What people write: an unknown key is an error, never dropped in silence."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, str_strip_whitespace=False)


class Property(Strict):
    """One slot of a JSON answer."""

    type: Literal["string", "number", "integer", "boolean", "array", "object"] = "string"
    enum: list[str] | None = None
    description: str | None = None
    items: dict[str, Any] | None = None


class OutputFormat(Strict):
    """`json` with a schema of properties, or `text`, whose `enum` (ours) lists the labels of a classification."""

    type: Literal["json", "text"] = "text"
    properties: dict[str, Property] | None = Field(default=None, alias="schema")
    enum: list[str] | None = None


class DataSection(Strict):
    source: str | None = None
    seed: int = Field(default=42, ge=0, le=2**32 - 1)


class Lora(Strict):
    r: int = Field(default=16, ge=1, le=1024)
    alpha: float = Field(default=32, gt=0, le=4096)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: str | list[str] = "all-linear"
    variant: Literal["lora", "rslora", "dora"] = "lora"


class EarlyStopping(Strict):
    """Stop after `patience` evaluations without a gain of more than `min_delta` (metric points, 0 to 1)."""

    patience: int = Field(default=3, ge=1)
    min_delta: float = Field(default=0.0, ge=0, lt=1)


class Stage(Strict):
    """One of several methods in sequence; unset values are the training section's own."""

    method: Method
    epochs: float | None = Field(default=None, gt=0, le=1000)
    learning_rate: float | None = Field(default=None, gt=0, lt=1)


class Training(Strict):
    base_model: ModelName
    method: Method = "sft"
    stages: list[Stage] | None = None
    lora: Lora | None = None
    quantization: Literal["none", "4bit"] = "none"
    epochs: float = Field(default=3, gt=0, le=1000)
    learning_rate: float = Field(default=2e-4, gt=0, lt=1)
    batch_size: int = Field(default=8, ge=1, le=4096)
    max_seq_tokens: int | Literal["auto"] = "auto"
    warmup_ratio: float = Field(default=0.1, ge=0, lt=1)
    scheduler: Literal["cosine", "linear", "constant"] = "cosine"
    weight_decay: float = Field(default=0.0, ge=0, lt=1)
    balance: Balance = "none"
    early_stopping: EarlyStopping | None = Field(default_factory=EarlyStopping)
    evaluations_per_epoch: int = Field(default=2, ge=1, le=100)
    seed: int = Field(default=42, ge=0, le=2**32 - 1)
    seeds: int = Field(default=1, ge=1, le=20)  # more: repeats under versions/vN/repeats/, with seed + 1, seed + 2 …
    folds: int = Field(default=1, ge=1, le=20)  # more: each part of the training and validation rows validates once

    @field_validator("max_seq_tokens")
    @classmethod
    def _room_for_a_row(cls, value: int | str) -> int | str:
        if isinstance(value, int) and not 16 <= value <= 1_000_000:
            raise PydanticCustomError("out_of_range", "16 to 1000000", {"value": value, "limit": "16 – 1,000,000"})
        return value


class UserBaseline(Strict):
    """What is in use today: its name and its score on the primary metric."""

    name: str
    score: float | None = Field(default=None, ge=0, le=1)


class SuccessCriteria(Strict):
    primary_metric: Metric = "macro_f1"
    threshold: float | None = Field(default=None, ge=0, le=1)
    baseline: UserBaseline | None = None

    @field_validator("baseline", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`rule_based_0.65` (the summary's short form): name, last underscore, score."""
        if not isinstance(value, str):
            return value
        name, _, score = value.rpartition("_")
        try:
            return {"name": name or value, "score": float(score)}
        except ValueError:
            return {"name": value}


class Execution(Strict):
    type: Literal["local", "remote_ssh"] = "local"
    host: str | None = None
    isolation: Literal["thread", "process"] = "thread"


class Retention(Strict):
    keep_recent: int = Field(default=3, ge=1, le=MOST_VERSIONS_KEPT)
    keep_deployed: bool = True
    keep_best: bool = True
    cleanup_exp_after: str | None = Field(default="7d", pattern=r"^\d+d$")


class Versioning(Strict):
    strategy: VersionStrategy = "semantic"
    naming: str = "{task}-v{n}"
    retention: Retention = Field(default_factory=Retention)
    deploy_target: DeployTarget = "local"

    @field_validator("retention", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`retention: 3` is the short form of `{keep_recent: 3}`."""
        return {"keep_recent": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Change(Strict):
    """What the version to come is for (ours): the one it starts from, and its maker's own words. Frozen with it, told in its lineage."""

    parent: str | None = None
    statement: str


class TaskFile(Strict):
    """A whole task: what the model reads and writes, how it is trained, what success is, how versions are named."""

    document: Literal["llm-coach/task@1"] = Field(default="llm-coach/task@1", alias="schema")
    task_name: str = Field(pattern=SLUG_PATTERN)
    title: str | None = None
    version: str = "v1"
    change: Change | None = None
    task_type: TaskType = "classification"
    domain: str = "general"
    language: str = "zh-TW"
    input_template: str
    output_format: OutputFormat = Field(default_factory=OutputFormat)
    data: DataSection = Field(default_factory=DataSection)
    training: Training
    success_criteria: SuccessCriteria = Field(default_factory=SuccessCriteria)
    execution: Execution = Field(default_factory=Execution)
    versioning: Versioning = Field(default_factory=Versioning)
    created: datetime | None = None
    updated: datetime | None = None
    status: str | None = None

    @field_validator("input_template")
    @classmethod
    def _template_has_placeholders(cls, template: str) -> str:
        try:
            found = _placeholders(template)
        except ValueError as error:
            raise PydanticCustomError("template_broken", "broken template: {reason}", {"reason": str(error)}) from error
        if not found:
            raise PydanticCustomError("no_placeholder", "no placeholder")
        if strange := ["{" + name + "}" for name in found if not name.isidentifier()]:
            raise PydanticCustomError("placeholder_name", "no name: {placeholder}", {"placeholder": ", ".join(strange)})
        if formatted := _formatted(template):
            raise PydanticCustomError("placeholder_form", "a format: {placeholder}", {"placeholder": formatted})
        return template

    @property
    def placeholders(self) -> list[str]:
        """The names in `input_template`, in order, each once: `["entity", "text"]`."""
        return _placeholders(self.input_template)

    @property
    def targets(self) -> dict[str | None, list[str]]:
        """What is classified: property name to its allowed labels. A text answer has the one name None."""
        if self.output_format.type == "text":
            return {None: self.output_format.enum} if self.output_format.enum else {}
        return {name: slot.enum for name, slot in (self.output_format.properties or {}).items() if slot.enum}


def _placeholders(template: str) -> list[str]:
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    return list(dict.fromkeys(names))


def _formatted(template: str) -> str | None:
    """The first placeholder with a conversion or a format behind its name (`{text!r}`, `{text:>5}`, `{text:}`), or None."""
    plain = ""
    for literal, name, form, conversion in string.Formatter().parse(template):
        plain += literal.replace("{", "{{").replace("}", "}}")
        if name is None:
            continue
        plain += "{" + name + "}"
        if not template.startswith(plain):
            return "{" + name + (f"!{conversion}" if conversion else "") + (f":{form}" if form or not conversion else "") + "}"
    return None
