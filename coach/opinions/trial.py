"""What an opinion is, and what it is formed on: one value to be judged, beside all the others. Judges nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from coach.choices import Settings
from coach.estimate import memory_gb
from coach.plan import Plan
from coach.recommendation.hyperparameters import UNKNOWN_ROWS
from coach.reference_data import model_or_unknown
from coach.sentence import Sentence
from coach.situation import TRAIN_SHARE, Situation
from coach.task_schema import TaskFile

Level = Literal["fine", "cost", "risk", "not_yet"]
LEVELS: tuple[Level, ...] = ("fine", "cost", "risk", "not_yet")  # by gravity


@dataclass(frozen=True)
class Opinion:
    """`source` is a key of sources.yaml, None where the sentence needs none (what is built, what a choice is)."""

    level: Level
    said: Sentence
    source: str | None = None


@dataclass(frozen=True)
class Trial:
    """A value to be judged, beside all others: `wanted` has it, `advised` is what the coach would take in its place."""

    plan: Plan
    situation: Situation
    advised: Settings
    wanted: Settings

    @property
    def rows(self) -> int:
        return self.situation.learnable_rows if self.situation.learnable_rows is not None else UNKNOWN_ROWS

    @property
    def steps(self) -> float:
        return self.rows * TRAIN_SHARE * self.wanted.epochs / self.wanted.batch_size

    def memory(self, settings: Settings) -> float:
        """GB for one row at a time."""
        model = model_or_unknown(settings.base_model)
        return memory_gb(model, settings.peft, 1, self.situation.long_row_tokens, settings.lora_r)

    def task(self) -> TaskFile:
        """Just enough of a task for the remarks that read one."""
        training: dict[str, Any] = {
            name: getattr(self.wanted, name) for name in ("base_model", "method", "epochs", "learning_rate")
        }
        training |= {"batch_size": self.wanted.batch_size, "quantization": "4bit" if self.wanted.peft == "qlora" else "none"}
        if self.wanted.peft != "none":
            training["lora"] = {"r": self.wanted.lora_r, "alpha": self.wanted.lora_alpha}
        form = {"type": "text", "enum": ["a", "b"]}
        return TaskFile.model_validate(
            {"task_name": "trial", "input_template": "{text}", "output_format": form, "training": training}
        )


Judge = Callable[[Trial], Iterator[Opinion]]
