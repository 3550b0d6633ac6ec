"""What a training has to compute, counted: rows, tokens, steps, evaluations. Knows no machine, no model, no seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

LARGEST_MICRO_BATCH = 8  # rows computed at once (training/methods/sft.py; evidence.md 5.3: 8, not 1)
SCORED_TOKENS_AT_ONCE = 2048  # training/evaluation/label_scoring.py: BATCH_TOKENS
DECODED_AT_EVALUATION, DECODED_AT_TEST, DECODED_AT_ONCE = 8, 48, 16  # training/fine_tuning.py, finishing.py, answering.py
SPARE_ANSWER_TOKENS = 4  # decoded beyond the longest answer (training/evaluation/answering.py)
ALWAYS_OPENED, OPENED_OF_MANY = (
    11,
    3.0,
)  # choices behind the first: all of a few; of many those that could win (bench/label_scoring.json)
EVALUATIONS_PER_EPOCH = 2  # task.yaml's default
EARLY_SHARE = 5  # the early look comes after a fifth of the way to the first evaluation,
EARLY_FROM = 4  # where that is this many steps at least


@dataclass(frozen=True)
class Schedule:
    """When to evaluate, in optimiser steps; `total` counts them all.

    Where the first evaluation is far off, an early look comes before it, so that whoever watches sees the classes within a minute or so.
    It is scored and shown like the others; what is noticed, kept as best and stopped for goes by the others, since a model that has
    hardly begun misleads. `looks_early`: False for runs of releases that did not.
    """

    total: int
    evaluate_every: int
    looks_early: bool = True

    @classmethod
    def of(cls, total: int, steps_per_epoch: int, evaluations_per_epoch: int) -> Schedule:
        return cls(total, max(1, round(steps_per_epoch / evaluations_per_epoch)))

    @property
    def early_look(self) -> int | None:
        step = self.evaluate_every // EARLY_SHARE
        return step if self.looks_early and EARLY_FROM <= step < self.total else None

    @property
    def regular_evaluations(self) -> int:
        return math.ceil(self.total / self.evaluate_every)

    @property
    def evaluations(self) -> int:
        return self.evaluations_after(0)

    def evaluations_after(self, step: int) -> int:
        """How many are still to come once that of `step`, if it has one, is done."""
        early = self.early_look is not None and step < self.early_look
        return self.regular_evaluations - step // self.evaluate_every + early if step < self.total else 0

    def is_due(self, step: int) -> bool:
        return step % self.evaluate_every == 0 or step in (self.early_look, self.total)


@dataclass(frozen=True)
class Work:
    """`train_rows` with oversampled ones counted. Lengths in tokens, prompt and answer together; answers with their ending.

    `further_choices`: places where labels that begin alike part again, of all labels. `max_steps`: no more optimiser steps than these.
    """

    train_rows: float
    valid_rows: float
    test_rows: float
    epochs: float
    batch_size: int
    row_tokens: float
    long_row_tokens: int
    rank: int = 16
    labels: int = 3
    answer_tokens: float = 3.0
    longest_answer: int = 4
    further_choices: int = 0
    evaluations_per_epoch: int = EVALUATIONS_PER_EPOCH
    max_steps: int | None = None

    @property
    def micro_batch(self) -> int:
        """Rows computed at once: the most up to LARGEST_MICRO_BATCH that divide the batch."""
        return next(rows for rows in range(min(LARGEST_MICRO_BATCH, self.batch_size), 0, -1) if self.batch_size % rows == 0)

    @property
    def steps_per_epoch(self) -> int:
        return max(1, math.ceil(self.train_rows / self.batch_size))

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole training."""
        whole = math.ceil(self.steps_per_epoch * self.epochs)
        return min(whole, self.max_steps) if self.max_steps else whole

    @property
    def trained_rows(self) -> float:
        """Rows read by all steps, each as often as it comes up."""
        return min(float(self.steps * self.batch_size), self.train_rows * self.epochs)

    @property
    def trained_tokens(self) -> float:
        return self.trained_rows * self.row_tokens

    @property
    def evaluations(self) -> int:
        return Schedule.of(self.steps, self.steps_per_epoch, self.evaluations_per_epoch).evaluations

    @property
    def scored_rows(self) -> float:
        """Rows whose label is sought, validation rows at each evaluation and the test rows once."""
        return self.valid_rows * self.evaluations + self.test_rows

    @property
    def opened_choices(self) -> float:
        """Choices looked at behind the first, for each row."""
        return float(self.further_choices) if self.further_choices <= ALWAYS_OPENED else OPENED_OF_MANY

    @property
    def decoded_rows(self) -> float:
        return min(DECODED_AT_EVALUATION, self.valid_rows) * self.evaluations + min(DECODED_AT_TEST, self.test_rows)

    @property
    def decoded_places(self) -> float:
        """Times the model is asked for one more token of all rows decoded together."""
        test_batches = math.ceil(min(DECODED_AT_TEST, self.test_rows) / DECODED_AT_ONCE)
        return (self.evaluations + test_batches) * (self.longest_answer + SPARE_ANSWER_TOKENS)
