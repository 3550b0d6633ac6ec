"""The choices of a plan that a person may make otherwise: their names, their values, and where each stands in task.yaml.

Owns the list and the way between a plan, a task.yaml and plain values. What the coach thinks of a value is `opinions`'s, where it is
kept `overrides.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal, get_args

from coach.plan import Advice, Peft, Plan
from coach.recommendation.hyperparameters import Numbers, choose_numbers
from coach.recommendation.method import FULL_TUNING_ROWS
from coach.recommendation.versioning import NAMING
from coach.reference_data import ModelRow, method_book, model_or_unknown
from coach.situation import Situation
from coach.task_check import BUILT_METHODS
from coach.task_schema import Balance, DeployTarget, Lora, Method, TaskFile, VersionStrategy
from coach.versioning import is_version_name, next_version

Choice = Literal[
    "method", "base_model", "peft", "lora_r", "lora_alpha", "learning_rate", "epochs", "batch_size", "balance", "strategy",
    "retention", "deployment",
]  # fmt: skip
CHOICES: tuple[Choice, ...] = get_args(Choice)
ChoiceValue = str | int | float
STRUCTURE: tuple[Choice, ...] = ("method", "base_model", "peft", "balance")  # the numbers follow from these
OF_TRAINING: tuple[Choice, ...] = ("peft", "lora_r", "lora_alpha", "learning_rate", "epochs", "batch_size", "balance")
RATE_RULES = "hyperparameters.learning_rate"
LENGTH_RULES = ("hyperparameters.epochs", "hyperparameters.batch")
PREFERENCE_METHODS: tuple[Method, ...] = ("dpo", "orpo", "kto")


@dataclass(frozen=True)
class Settings:
    """One value for each choice. Where nothing is trained, the numbers are those that training would take."""

    method: Method
    base_model: str
    peft: Peft
    lora_r: int
    lora_alpha: float
    learning_rate: float
    epochs: float
    batch_size: int
    balance: Balance
    strategy: VersionStrategy
    retention: int
    deployment: DeployTarget

    @property
    def trains(self) -> bool:
        return self.method not in ("prompt", "baseline")

    def value(self, choice: Choice) -> ChoiceValue:
        return getattr(self, choice)  # type: ignore[no-any-return]

    def with_values(self, changes: Mapping[Choice, Any]) -> Settings:
        fields: dict[str, Any] = {str(choice): value for choice, value in changes.items()}
        return replace(self, **fields)

    def matters(self, choice: Choice, *, trains: bool) -> bool:
        """Whether the choice has any effect: no rank without LoRA, no epochs without training, now or as the next step."""
        if choice in OF_TRAINING and not trains:
            return False
        return choice not in ("lora_r", "lora_alpha") or self.peft != "none"


def is_built(choice: Choice, value: ChoiceValue) -> bool:
    """Whether it can be trained by now; it can be written into task.yaml all the same."""
    return value in BUILT_METHODS if choice == "method" else (choice, value) != ("peft", "none")


def same(one: ChoiceValue | None, other: ChoiceValue | None) -> bool:
    """Whether two values are one: 16 and 16.0, 2e-4 and 0.0002."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other)
    return one == other


def advised_settings(plan: Plan, situation: Situation, given: Mapping[Choice, Any] | None = None) -> Settings:
    """The coach's values. With a method, base model, way of training or balance `given`, the numbers are those for it."""
    said: dict[Choice, Any] = {name: value for name, value in (given or {}).items() if name in STRUCTURE}
    trained = plan.peft if plan.lora or plan.learning_rate else "lora"
    first = Settings(
        method=plan.method,
        base_model=plan.base_model,
        peft=trained,
        lora_r=16,
        lora_alpha=32,
        learning_rate=2e-4,
        epochs=3,
        batch_size=8,
        balance=plan.balance,
        strategy=plan.versioning.strategy,
        retention=plan.versioning.retention,
        deployment=plan.deployment,
    )
    return _with_numbers(first.with_values(said), situation)


def numbers_beside(situation: Situation, model: ModelRow, peft: Peft, balance: Balance) -> tuple[Numbers, list[Advice]]:
    """The numbers for a way of training, with their reasons: the table for all weights is for many rows, and with fewer LoRA's holds
    but for the learning rate.
    """
    numbers, reasons = choose_numbers(situation, model, peft, balance)
    if peft != "none" or (situation.learnable_rows or 0) >= FULL_TUNING_ROWS:
        return numbers, reasons
    lora, of_lora = choose_numbers(situation, model, "lora", balance)
    kept = [advice for advice in reasons if advice.rule.startswith(RATE_RULES)]
    kept += [advice for advice in of_lora if advice.rule.startswith(LENGTH_RULES)]
    return replace(lora, lora=None, learning_rate=numbers.learning_rate), kept


def _with_numbers(settings: Settings, situation: Situation) -> Settings:
    model = model_or_unknown(settings.base_model)
    numbers, _ = numbers_beside(situation, model, settings.peft, settings.balance)
    rate, epochs = numbers.learning_rate, numbers.epochs
    if settings.method in PREFERENCE_METHODS:
        rate, epochs = method_book().preference.learning_rate, method_book().preference.epochs
    found = replace(settings, learning_rate=rate, epochs=epochs, batch_size=numbers.batch_size)
    return replace(found, lora_r=numbers.lora.r, lora_alpha=numbers.lora.alpha) if numbers.lora else found


def task_settings(task: TaskFile, advised: Settings) -> Settings:
    """The values that stand in a task.yaml; the rank of a task without LoRA is the advised one."""
    training, versioning = task.training, task.versioning
    peft: Peft = "none" if training.lora is None else "qlora" if training.quantization == "4bit" else "lora"
    if not training.lora and training.method in ("prompt", "baseline"):
        peft = advised.peft
    return Settings(
        method=training.method,
        base_model=training.base_model,
        peft=peft,
        lora_r=training.lora.r if training.lora else advised.lora_r,
        lora_alpha=training.lora.alpha if training.lora else advised.lora_alpha,
        learning_rate=training.learning_rate,
        epochs=training.epochs,
        batch_size=training.batch_size,
        balance=training.balance,
        strategy=versioning.strategy,
        retention=versioning.retention.keep_recent,
        deployment=versioning.deploy_target,
    )


def with_choices(
    task: TaskFile, changes: Mapping[Choice, Any], *, advised: Settings, frozen: Sequence[str], today: date
) -> TaskFile:
    """`task` with `changes`. What hangs together follows: LoRA where it is wanted, names that fit their strategy.

    `frozen`: names of the versions there are. Raises pydantic.ValidationError for a value that task.yaml cannot hold.
    """
    wanted = task_settings(task, advised).with_values(changes)
    document: dict[str, Any] = task.model_dump(mode="python", by_alias=True)
    training, versioning = document["training"], document["versioning"]
    training |= {name: getattr(wanted, name) for name in ("base_model", "learning_rate", "epochs", "batch_size", "balance")}
    if wanted.method != task.training.method:
        training |= {"method": wanted.method, "stages": None}
    if wanted.trains or task.training.lora:
        training |= _adapter(task, wanted)
    versioning |= {"strategy": wanted.strategy, "deploy_target": wanted.deployment}
    versioning["retention"]["keep_recent"] = wanted.retention
    if wanted.strategy != task.versioning.strategy:
        if task.versioning.naming == NAMING[task.versioning.strategy]:
            versioning["naming"] = NAMING[wanted.strategy]
        if not is_version_name(task.version, wanted.strategy):
            document["version"] = next_version(frozen, wanted.strategy, today)
    return TaskFile.model_validate(document)


def _adapter(task: TaskFile, wanted: Settings) -> dict[str, Any]:
    if wanted.peft == "none":
        return {"lora": None, "quantization": "none"}
    former = (task.training.lora or Lora()).model_dump(mode="python")
    size = {"r": wanted.lora_r, "alpha": wanted.lora_alpha}
    return {"lora": former | size, "quantization": "4bit" if wanted.peft == "qlora" else "none"}


def differences(chosen: Settings, advised: Settings, *, trains: bool) -> list[Choice]:
    """The choices that matter and have another value than the coach's."""
    mine, theirs = asdict(chosen), asdict(advised)
    return [choice for choice in CHOICES if chosen.matters(choice, trains=trains) and not same(mine[choice], theirs[choice])]
