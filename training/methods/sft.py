"""Supervised fine-tuning: from encoded rows and the task's training section to a ready trainer.

Owns the mapping from our names to TRL's and the balancing of classes. The loop itself is TRL's; what happens at each step is
`run_callback.py`'s.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig

from coach.task_schema import Training
from training.data.tokens import EncodedRow, training_columns
from training.device import Device
from training.methods.completion_loss import CompletionCollator, TokenCountingTrainer

MICRO_BATCH_ROWS = 8
"""Rows computed at once; the effective batch beyond it is accumulated (evidence.md 5.3: micro-batch 8, not 1)."""

OVERSAMPLING_EXPONENT = 0.5
"""Half way (on a log scale) to equal classes. On the news sample full balance costs a quarter more steps and gains nothing over it
(bench/README.md): the repeated rows are learnt by heart."""

_SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


class TrainerFactory(Protocol):
    """What a backend gives: its trainer class, built with TRL's own arguments."""

    def __call__(self, **kwargs: Any) -> TokenCountingTrainer: ...


@dataclass(frozen=True)
class Batching:
    """How an effective batch is computed: `micro` rows at once, `accumulation` times."""

    micro: int
    accumulation: int


def choose_batching(batch_size: int) -> Batching:
    """The largest micro-batch up to MICRO_BATCH_ROWS that divides the effective batch."""
    micro = next(size for size in range(min(MICRO_BATCH_ROWS, batch_size), 0, -1) if batch_size % size == 0)
    return Batching(micro, batch_size // micro)


def steps_per_epoch(rows: int, batch_size: int) -> int:
    batching = choose_batching(batch_size)
    return max(1, math.ceil(math.ceil(rows / batching.micro) / batching.accumulation))


def oversampled(classes: Sequence[str], seed: int) -> list[int]:
    """Indices in which smaller classes come up more often: whole repeats, then a random remainder. Sorted.

    A class with a share s of the largest is repeated s^-OVERSAMPLING_EXPONENT times on average.
    """
    counts = Counter(classes)
    largest = max(counts.values())
    random = np.random.default_rng(seed)
    indices: list[int] = []
    for name in dict.fromkeys(classes):
        own = [index for index, value in enumerate(classes) if value == name]
        wanted = round(len(own) * (largest / len(own)) ** OVERSAMPLING_EXPONENT)
        repeats, remainder = divmod(wanted, len(own))
        indices += own * repeats + random.permutation(own)[:remainder].tolist()
    return sorted(int(index) for index in indices)


def class_weights(classes: Sequence[str]) -> list[float]:
    """A weight a row, inverse to its class's frequency, with mean 1 over the rows."""
    counts = Counter(classes)
    return [len(classes) / (len(counts) * counts[name]) for name in classes]


def training_set(encoded: Sequence[EncodedRow], classes: Sequence[str], training: Training) -> Dataset:
    """The rows as TRL takes them, balanced as `training.balance` says."""
    if training.balance == "oversample":
        chosen = oversampled(classes, training.seed)
        return Dataset.from_dict(training_columns([encoded[index] for index in chosen]))
    weights = class_weights(classes) if training.balance == "class_weights" else None
    return Dataset.from_dict(training_columns(encoded, weights))


def build_trainer(
    make_trainer: TrainerFactory,
    *,
    model: Any,
    tokenizer: Any,
    rows: Dataset,
    training: Training,
    device: Device,
    output: Path,
    max_steps: int | None,
    callbacks: list[TrainerCallback],
) -> TokenCountingTrainer:
    """A trainer that logs every step and neither evaluates nor saves by itself: the callbacks decide when."""
    batching = choose_batching(training.batch_size)
    args = SFTConfig(
        output_dir=str(output),
        per_device_train_batch_size=batching.micro,
        gradient_accumulation_steps=batching.accumulation,
        num_train_epochs=training.epochs,
        max_steps=max_steps or -1,
        learning_rate=training.learning_rate,
        lr_scheduler_type=_SCHEDULERS[training.scheduler],
        warmup_steps=training.warmup_ratio,  # transformers 5 reads a value below 1 as a share of all steps
        weight_decay=training.weight_decay,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",  # one call for all adapters instead of a loop over 252 small tensors
        seed=training.seed,
        data_seed=training.seed,
        bf16=str(device.dtype) == "torch.bfloat16",
        fp16=str(device.dtype) == "torch.float16",
        use_cpu=device.type == "cpu",
        gradient_checkpointing=device.type == "cuda",
        length_column_name="length",
        dataloader_pin_memory=device.type == "cuda",
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        remove_unused_columns=False,
        logging_steps=1,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = make_trainer(
        model=model,
        args=args,
        data_collator=CompletionCollator(tokenizer.pad_token_id),
        train_dataset=rows,
        processing_class=tokenizer,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)  # the events say it all
    return trainer
