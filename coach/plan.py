"""The recommended plan: what to do, each choice with its reason and source, what else could be done, and what to expect.

Owns the shape and its JSON form (contract: design.md section 7). How it is chosen is `recommendation`'s, how it is printed
`plan_lines.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from coach.reference_data import sources
from coach.sentence import Sentence
from coach.task_schema import Balance, DeployTarget, Method, VersionStrategy
from coach.text import Language

if TYPE_CHECKING:
    from coach.estimate import Estimate
    from coach.forecast import Forecast

Peft = Literal["lora", "qlora", "none"]
Augmentation = Literal["none", "small_classes", "all_classes"]
Topic = Literal["method", "base_model", "hyperparameters", "data", "versioning", "deployment"]


@dataclass(frozen=True)
class Advice:
    """One rule that applied: what it chooses, because of what, by which source (a key of sources.yaml)."""

    topic: Topic
    rule: str
    what: Sentence
    because: Sentence
    source: str

    def as_json(self, language: Language) -> dict[str, str]:
        return {"rule": self.rule, "because": self.because.say(language), "source": sources()[self.source].citation}


@dataclass(frozen=True)
class Alternative:
    """Another way: its price, what it would bring, and when the coach would choose it instead."""

    option: Sentence
    cost: Sentence
    gain: Sentence
    when: Sentence

    def as_json(self, language: Language) -> dict[str, str]:
        return {name: getattr(self, name).say(language) for name in ("option", "cost", "gain", "when")}


@dataclass(frozen=True)
class LoraSize:
    r: int
    alpha: int


@dataclass(frozen=True)
class PlannedStage:
    """One method in the order they follow each other; numbers only where they differ from the plan's own."""

    method: Method
    learning_rate: float | None = None
    epochs: int | None = None

    def as_json(self) -> dict[str, Any]:
        numbers = {"learning_rate": self.learning_rate, "epochs": self.epochs}
        return {"method": self.method, **{name: value for name, value in numbers.items() if value is not None}}


@dataclass(frozen=True)
class VersionPlan:
    strategy: VersionStrategy
    naming: str
    retention: int


@dataclass(frozen=True)
class Plan:
    """`stages` always holds at least the first method. Numbers of training are None where nothing is trained."""

    stages: tuple[PlannedStage, ...]
    peft: Peft
    base_model: str
    lora: LoraSize | None
    learning_rate: float | None
    epochs: int | None
    batch_size: int | None
    balance: Balance
    augmentation: Augmentation
    versioning: VersionPlan
    deployment: DeployTarget
    reasons: tuple[Advice, ...]
    alternatives: tuple[Alternative, ...]
    warnings: tuple[Sentence, ...]
    forecast: Forecast
    estimate: Estimate
    headline: Sentence
    rules_version: str = ""

    @property
    def method(self) -> Method:
        return self.stages[0].method

    @property
    def trains(self) -> bool:
        """Whether any stage changes weights."""
        return any(stage.method not in ("prompt", "baseline") for stage in self.stages)

    def as_json(self, language: Language) -> dict[str, Any]:
        """The document of `python -m coach recommend --json`."""
        versioning = self.versioning
        return {
            "method": self.method,
            "peft": self.peft,
            "base_model": self.base_model,
            "lora": {"r": self.lora.r, "alpha": self.lora.alpha} if self.lora else None,
            "learning_rate": self.learning_rate,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "stages": [stage.as_json() for stage in self.stages],
            "balance": self.balance,
            "augmentation": self.augmentation,
            "versioning": {"strategy": versioning.strategy, "naming": versioning.naming, "retention": versioning.retention},
            "deployment": self.deployment,
            "reasons": [advice.as_json(language) for advice in self.reasons],
            "alternatives": [other.as_json(language) for other in self.alternatives],
            "warnings": [warning.say(language) for warning in self.warnings],
            "forecast": self.forecast.as_json(language),
            "estimate": self.estimate.as_json(language),
        }
