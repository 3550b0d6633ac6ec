"""The numbers of a training: LoRA rank and alpha, learning rate, epochs, batch. Tables in methods.yaml, from evidence.md 1.2.

A base model with numbers of its own (models.yaml) has the last word within the table's limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from coach.plan import Advice, LoraSize, Peft
from coach.recommendation.data import choose_balance
from coach.reference_data import FullTuning, LoraBand, ModelRow, lora_band, method_book
from coach.sentence import Data, Sentence, Value, sentence
from coach.situation import TRAIN_SHARE, Situation
from coach.task_schema import Balance

FEWEST_STEPS = 100  # evidence.md 1.1 (Tinker), 1.2: at least 100 optimiser steps
SPEC_LEARNING_RATE, SPEC_EPOCHS = 1e-5, 8  # the specification's example task, with 500 rows
UNKNOWN_ROWS = 500  # the specification's example; what the numbers are taken for where nobody has said how many rows there are


@dataclass(frozen=True)
class Numbers:
    """`lora` is None for full fine-tuning."""

    lora: LoraSize | None
    learning_rate: float
    epochs: int
    batch_size: int


@dataclass(frozen=True)
class Setting:
    """What a rule may look at: the situation, the model, how it is trained, and the table's row."""

    situation: Situation
    model: ModelRow
    peft: Peft
    rows: int
    band: LoraBand | FullTuning
    balance: Balance

    @property
    def is_oversampled(self) -> bool:
        return self.balance == "oversample"


NumberRule = Callable[[Setting, Numbers], Advice]


def choose_numbers(
    situation: Situation, model: ModelRow, peft: Peft, balance: Balance | None = None
) -> tuple[Numbers, list[Advice]]:
    """The numbers, and a reason for each. `balance`: what is done to the classes, the coach's own choice where none is given."""
    rows = situation.learnable_rows or UNKNOWN_ROWS
    band = method_book().full if peft == "none" else lora_band(rows)
    setting = Setting(situation, model, peft, rows, band, balance or choose_balance(situation)[0])
    numbers = Numbers(
        lora=LoraSize(band.r, band.alpha) if isinstance(band, LoraBand) else None,
        learning_rate=learning_rate_of(model, band, oversampled=setting.is_oversampled),
        epochs=epochs_of(model, band, rows),
        batch_size=band.batch_size,
    )
    return numbers, [rule(setting, numbers) for rule in NUMBER_RULES]


def learning_rate_of(model: ModelRow, band: LoraBand | FullTuning, *, oversampled: bool) -> float:
    """The model's own, else the table's; from 7B on the lower end of the usual range (LLaMA-Factory)."""
    large, own = method_book().large_model, model.own_learning_rate(oversampled=oversampled)
    if isinstance(band, FullTuning):
        return band.learning_rate
    if own is not None:
        return own
    return large.learning_rate if (model.params_b or 0) >= large.from_params_b else band.learning_rate


def epochs_of(model: ModelRow, band: LoraBand | FullTuning, rows: int) -> int:
    """The model's own or the table's start, enough for 100 steps, within the table's fewest and most."""
    fewest, start, most = band.epochs
    steps = max(1, math.ceil(rows * TRAIN_SHARE / band.batch_size))
    wanted = max(model.epochs or start, math.ceil(FEWEST_STEPS / steps))
    return min(most, max(fewest, wanted))


def rank(setting: Setting, numbers: Numbers) -> Advice:
    """r and alpha. The specification grows the rank with the rows; the sweep shows that rank is not the lever there."""
    if numbers.lora is None:
        what = sentence("advice.hyperparameters.no_lora_what")
        return _advice("no_lora", what, "biderman", rows=setting.rows)
    what = sentence("advice.hyperparameters.rank_what", r=numbers.lora.r, alpha=numbers.lora.alpha)
    spec = "small" if setting.rows < 500 else "middle" if setting.rows < 2000 else "none"
    return _advice(f"rank.{spec}", what, "tinker-sweep", r=numbers.lora.r, rows=setting.rows)


def learning_rate(setting: Setting, numbers: Numbers) -> Advice:
    """The lever. The specification's example has 1e-5, ten to twenty times too low for LoRA in a run of this length."""
    what = sentence("advice.hyperparameters.learning_rate_what", rate=short_rate(numbers.learning_rate))
    data: Data = {
        "rate": short_rate(numbers.learning_rate),
        "spec": short_rate(SPEC_LEARNING_RATE),
        "times": round(numbers.learning_rate / SPEC_LEARNING_RATE),
    }
    if numbers.lora is None:
        return _advice("learning_rate.full", what, "trl-peft", **data)
    if (usual := setting.model.learning_rate) is not None:
        if numbers.learning_rate == usual:
            return _advice("learning_rate.own", what, setting.model.source, model=setting.model.id, **data)
        return _advice("learning_rate.oversampled", what, "rates-tried", model=setting.model.id, usual=short_rate(usual), **data)
    large = numbers.learning_rate == method_book().large_model.learning_rate
    return _advice(
        "learning_rate.large" if large else "learning_rate.usual", what, "llama-factory" if large else "lr-too-low", **data
    )


def epochs(setting: Setting, numbers: Numbers) -> Advice:
    """Few, with early stopping on the task's metric; the specification's example has 8."""
    what = sentence("advice.hyperparameters.epochs_what", epochs=numbers.epochs)
    _, start, most = setting.band.epochs
    data: Data = {"epochs": numbers.epochs, "most": most, "spec": SPEC_EPOCHS, "rows": setting.rows, "steps": FEWEST_STEPS}
    if setting.model.epochs == numbers.epochs:
        return _advice("epochs.own", what, setting.model.source, model=setting.model.id, **data)
    return _advice("epochs.for_steps" if numbers.epochs > start else "epochs.usual", what, "defaults-by-size", **data)


def batch(setting: Setting, numbers: Numbers) -> Advice:
    """Small effective batches: LoRA pays more for large ones than full fine-tuning does."""
    what = sentence("advice.hyperparameters.batch_what", batch=numbers.batch_size)
    rule = "batch.lora" if numbers.lora else "batch.full"
    return _advice(rule, what, "lora-without-regret" if numbers.lora else "defaults-by-size", batch=numbers.batch_size)


NUMBER_RULES: tuple[NumberRule, ...] = (rank, learning_rate, epochs, batch)


def _advice(rule: str, what: Sentence, source: str, **data: Value) -> Advice:
    return Advice(
        "hyperparameters", f"hyperparameters.{rule}", what, Sentence(f"advice.hyperparameters.{rule}", dict(data)), source
    )


def short_rate(rate: float) -> str:
    """`0.0002` as `2e-4`, as people write it."""
    mantissa, exponent = f"{rate:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
