"""What a sample says: its entry in the catalogue, and the task.yaml and answers.yaml made from it. Knows no rows and no files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from coach.answers import Answers
from coach.estimate import STARTER_ID
from coach.reference_data import model_row
from coach.task_schema import TaskFile
from coach.text import LANGUAGES, Language
from training.data.split import Part
from training.sample_sources import SamplePackage

Localized = dict[Language, str]


class Sample(BaseModel):
    """One sample as the catalogue describes it. `rows`: training rows by default, exact where the package brings a test part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    package: str
    module: str
    licence: Localized
    rows: int
    valid_rows: int | None = None
    test: Literal["all"] | None = None
    ratios: dict[Part, float] | None = None
    columns: tuple[str, ...]
    mapping: dict[str, str]
    labels: tuple[str, ...]
    language: str
    about: Localized
    answers: dict[str, Any]
    task: dict[str, Any]

    @property
    def source(self) -> SamplePackage:
        return SamplePackage(self.package, self.module, self.labels)


def task_of(sample: Sample, name: str, seed: int, now: datetime, language: Language) -> TaskFile:
    """The confirmed task of a sample."""
    said, balance, starter = _in_language(sample.answers, language), sample.task["balance"], model_row(STARTER_ID)
    assert starter is not None
    return TaskFile.model_validate(
        {
            "task_name": name,
            "title": said["title"],
            "version": "v1",
            "task_type": "classification",
            "domain": said["domain"],
            "language": sample.language,
            "input_template": sample.task["input_template"],
            "output_format": {"type": "text", "enum": list(sample.labels)},
            "data": {"source": "data_source.yaml", "seed": seed},
            "training": {
                "base_model": starter.id,
                "method": "sft",
                "lora": {"r": 16, "alpha": 32},
                "epochs": 3,
                "learning_rate": starter.own_learning_rate(oversampled=balance == "oversample"),
                "batch_size": sample.task["batch_size"],
                "balance": balance,
            },
            "success_criteria": {key: value for key, value in said["success"].items() if key in ("primary_metric", "threshold")},
            "execution": {"type": "local"},
            "created": now,
            "updated": now,
        }
    )


def answers_of(sample: Sample, name: str, rows: int, data_path: str, first: Mapping[str, str], language: Language) -> Answers:
    """What a person who brings these data would have answered; `first` is a row of theirs, the example."""
    said = _in_language(sample.answers, language)
    resources = {"labelled_rows": rows, "data_format": "csv", "data_path": data_path, "more_data": "none", "gpu": "none"}
    return Answers.model_validate(
        {
            "title": said["title"],
            "business": said["business"],
            "task": {
                "name": name,
                "type": "classification",
                "domain": said["domain"],
                "language": sample.language,
                "input": said["input"],
                "output": said["output"],
                "labels": list(sample.labels),
                "example": {"input": _example_input(sample, first), "output": first[sample.mapping["label"]]},
            },
            "resources": {**resources, "class_balance": said["class_balance"]},
            "success": said["success"],
            "versioning": {"iterations": "many", "strategy": "semantic", "deploy_target": "local", "retention": 3},
            "needs": {"reasoning": False, "light_deployment": True, "tooling": False},
            "assumed": ["success.baseline_name", "needs.max_latency_ms"],
        }
    )


def _example_input(sample: Sample, first: Mapping[str, str]) -> str:
    """What the model is given of a row, the label left out."""
    return "\n".join(first[column] for name, column in sample.mapping.items() if name != "label")


def _in_language(value: Any, language: Language) -> Any:
    """A catalogue value with every `{zh-TW: …, en: …}` replaced by its text."""
    if isinstance(value, dict) and set(value) == set(LANGUAGES):
        return value[language]
    return {key: _in_language(child, language) for key, child in value.items()} if isinstance(value, dict) else value
