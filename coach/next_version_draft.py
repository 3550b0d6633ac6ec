"""The next version, before it is trained: a parent's frozen recipe, a few settings changed, and its maker's statement of the change.

Owns what the draft of task.yaml says. Choosing what to change is the reader's; a finding may propose it (`experiment_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from coach.config_changes import config_changes, shown_value
from coach.errors import UserError
from coach.finding import Finding
from coach.sentence import Sentence
from coach.task_schema import Balance, Change, Lora, Method, TaskFile, Training
from coach.version_folder import Version
from coach.version_remarks import has_the_same_rows
from coach.versioning import Change as ChangeKind
from coach.versioning import next_version
from coach.workspace import Task

MOST_LETTERS = 500  # of a statement: it is one line of a history
HALF, THREE_TIMES, A_THIRD = 0.5, 3.0, 1 / 3  # of the learning rate, as catalog/text/diagnosis.yaml advises in words


@dataclass(frozen=True)
class Settings:
    """What a version to come may change at once; everything else is its parent's. `lora_r` is None where there is no adapter."""

    method: Method
    base_model: str
    learning_rate: float
    epochs: float
    lora_r: int | None
    balance: Balance


def settings_of(config: TaskFile) -> Settings:
    training = config.training
    rank = training.lora.r if training.lora else None
    return Settings(training.method, training.base_model, training.learning_rate, training.epochs, rank, training.balance)


def experiment_of(finding: Finding, config: TaskFile) -> dict[str, float | str]:
    """The settings a finding's experiment changes, by name; empty where it asks for rows or for reading instead."""
    training = config.training
    if finding.name in ("imbalance", "never_predicted"):
        return {"balance": "oversample"} if training.balance == "none" else {}
    if finding.name == "collapse":
        return {"balance": "oversample"} if training.balance == "none" else _rate(training, A_THIRD)
    if finding.name == "overfitting":
        return _rate(training, HALF)
    if finding.name == "flat_loss":
        return _rate(training, THREE_TIMES)
    if finding.code == "D03" and training.method != "baseline":
        return {"method": "baseline"}
    if finding.name == "loss_turning" and training.epochs > 1:
        return {"epochs": training.epochs - 1}
    return {}


def expectation_of(finding: Finding) -> Sentence:
    """What the experiment should bring, and when to give it up. For findings with an experiment."""
    return Sentence(f"diagnosis.{finding.name}.expect", finding.data)


def tuned(config: TaskFile) -> dict[str, float | str]:
    """The settings that fine-tune after a version that was the baseline alone; empty after any other. The numbers stand ready there."""
    if config.training.method != "baseline":
        return {}
    return {"method": "sft", "lora_r": config.training.lora.r if config.training.lora else Lora().r}


def changes_of(config: TaskFile, values: Mapping[str, float | str]) -> list[str]:
    """What `values` change in `config`, in the words of task.yaml: `balance: none → oversample`."""
    before = asdict(settings_of(config))
    return [
        f"{name}: {shown_value(before[name])} → {shown_value(value)}" for name, value in values.items() if before[name] != value
    ]


def next_name(task: Task, parent: Version, kind: ChangeKind, now: datetime) -> str:
    """The name the version would get; `kind` matters to semantic names alone."""
    taken = [version.name for version in task.versions()]
    return next_version(taken, parent.config.versioning.strategy, now.date(), kind, parent.name)


def refuse_a_copy(task: Task, parent: Version, draft: TaskFile) -> None:
    """Raises UserError where `draft` repeats its parent in every setting and every row."""
    if not any(config_changes(parent.config, draft)) and has_the_same_rows(task, parent):
        raise UserError("iterate.nothing_differs", version=draft.version, parent=parent.name)


def draft_next_version(parent: Version, name: str, statement: str, settings: Settings, now: datetime) -> TaskFile:
    """task.yaml for version `name`: the parent's, with `settings` and the statement. Raises UserError without a statement."""
    said = " ".join(statement.split())
    if not said:
        raise UserError("iterate.no_statement", version=name)
    if len(said) > MOST_LETTERS:
        raise UserError("iterate.long_statement", letters=len(said), most=MOST_LETTERS)
    if not settings.base_model.strip():
        raise UserError("iterate.no_base_model", version=name)
    config = parent.config
    training = config.training.model_copy(update=_changed(config.training, settings))
    update: Mapping[str, object] = {
        "version": name,
        "change": Change(parent=parent.name, statement=said),
        "training": training,
        "updated": now,
        "status": None,
    }
    return config.model_copy(update=update)


def waiting_draft(task: Task) -> TaskFile | None:
    """task.yaml where it stands for a version that is not frozen yet: a new draft takes its place. Raises DocumentError."""
    if not task.has_file:
        return None
    file = task.file
    return None if file.version in [version.name for version in task.versions()] else file


def _changed(training: Training, settings: Settings) -> dict[str, object]:
    return {
        "method": settings.method,
        "base_model": settings.base_model.strip(),
        "learning_rate": settings.learning_rate,
        "epochs": settings.epochs,
        "balance": settings.balance,
        "lora": _lora(training.lora, settings),
    }


def _lora(lora: Lora | None, settings: Settings) -> Lora | None:
    """The parent's adapter with the rank asked for. Alpha goes with it: alpha ÷ r is the strength, and that is not what was changed."""
    if settings.lora_r is None:
        return lora or (Lora() if settings.method == "sft" else None)
    if lora is None:
        return Lora(r=settings.lora_r, alpha=2 * settings.lora_r)
    return lora.model_copy(update={"r": settings.lora_r, "alpha": lora.alpha * settings.lora_r / lora.r})


def _rate(training: Training, factor: float) -> dict[str, float | str]:
    return {"learning_rate": float(f"{training.learning_rate * factor:.2g}")}
