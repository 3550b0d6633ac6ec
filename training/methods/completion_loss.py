"""A thin layer over TRL's trainers: loss only where there are labels, and logits computed nowhere else.

The plain SFTTrainer computes logits for every position of a vocabulary of 262,144 and throws most of them away: 1.7 s a step on two
cores where this takes about 0.5 s (bench/train_speed.json). Everything else (batching, optimiser, scheduler,
callbacks, checkpoints) is TRL's and transformers' own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTTrainer

from training.backends.fused.model import read_only_at
from training.evaluation.output_layer import gather_at
from training.methods.in_parts import InParts
from training.methods.label_loss import LabelLoss, has_plain_head

WIDTH_STEP = 4
"""Batches are padded to a multiple of this many tokens. oneDNN, the processor's matrix library, makes its kernels anew for each width it
has not met and keeps them: 20 MB and a fifth of a step for the starter model (bench/README.md)."""


class LengthGroups(Sampler[int]):
    """Rows of like length together, in an order that depends on seed and epoch alone.

    transformers' own LengthGroupedSampler draws from the global random state, so that a run resumed within an epoch would see other
    batches than one that was not interrupted.
    """

    def __init__(self, lengths: Sequence[int], batch_rows: int, seed: int) -> None:
        self.lengths = list(lengths)
        self.batch_rows = batch_rows
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.batch_rows, generator=generator))


class TokenCountingTrainer(SFTTrainer):
    """Counts real tokens (padding left out) and the seconds spent in steps; the loss is TRL's. Used where the backend fuses the loss."""

    tokens_seen: int = 0
    step_s: float = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_parts = InParts()

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        rows = train_dataset if train_dataset is not None else self.train_dataset
        batch_rows = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return LengthGroups(rows[self.args.length_column_name], batch_rows, self.args.data_seed)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None for a checkpoint: nobody publishes those."""

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        start = time.perf_counter()
        tokens = self.tokens_seen + int(inputs["attention_mask"].sum())
        step = super().training_step
        if num_items_in_batch is None:  # a loss divided by its own rows: parts of it would not add up
            loss = step(model, inputs)
        else:
            loss = self.in_parts.step(model, inputs, lambda part: step(model, part, num_items_in_batch))
        self.tokens_seen = tokens
        self.step_s += time.perf_counter() - start
        return loss


class CompletionLossTrainer(TokenCountingTrainer):
    """SFTTrainer whose loss takes the hidden states at the answer's positions as one contiguous matrix."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model_accepts_loss_kwargs = True  # the sum below is divided by the labels of the whole accumulated batch
        self.fuses_loss = self.args.device.type == "cpu" and has_plain_head(self.model)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Mean negative log-likelihood in nats per answer token; `labels` [batch, sequence] hold -100 where there is none."""
        labels = inputs["labels"]
        targets = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=-100)
        where = targets != -100
        fields = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "use_cache": False}
        with read_only_at(self.model, where):
            at = gather_at(model, where, fields, logits=not self.fuses_loss)
        if at.logits is None:
            nll = LabelLoss.apply(at.hidden, self.model.get_output_embeddings().weight, targets[where])
        else:
            nll = torch.nn.functional.cross_entropy(at.logits.float(), targets[where], reduction="none")
        if "row_weight" in inputs:
            nll = nll * inputs["row_weight"][torch.nonzero(where)[:, 0]].to(nll)
        loss = nll.sum() / (num_items_in_batch if num_items_in_batch is not None else where.sum())
        return (loss, {"loss": loss}) if return_outputs else loss


class CompletionCollator:
    """Pads a batch on the right: `input_ids`, `attention_mask`, `labels` [batch, sequence], `row_weight` [batch] where rows have one."""

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        width = math.ceil(max(len(row["input_ids"]) for row in rows) / WIDTH_STEP) * WIDTH_STEP
        ids = torch.full((len(rows), width), self.pad_id, dtype=torch.long)
        labels = torch.full((len(rows), width), -100, dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for index, row in enumerate(rows):
            length = len(row["input_ids"])
            ids[index, :length] = torch.tensor(row["input_ids"])
            labels[index, :length] = torch.tensor(row["labels"])
            mask[index, :length] = 1
        batch = {"input_ids": ids, "attention_mask": mask, "labels": labels}
        if "row_weight" in rows[0]:
            batch["row_weight"] = torch.tensor([row["row_weight"] for row in rows], dtype=torch.float32)
        return batch
