"""A running average of the trained weights: what is evaluated, kept as best, and written as the model.

Small data make single steps noisy; averaging the last part of an epoch costs nothing and scored higher than the last weights on the news
sample (bench/README.md). Exponential moving average (Polyak and Juditsky 1992; the warm-up of the decay as in TensorFlow's
ExponentialMovingAverage). TRL's BEMACallback was passed over: it writes a second model instead of lending its weights to an evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

FILE_NAME = "averaged.safetensors"
HORIZON_EPOCHS = 2 / 3
SHORTEST, LONGEST = 10, 500  # optimiser steps


class WeightAverage:
    """Averages the trainable parameters of `model` over about `horizon` optimiser steps."""

    def __init__(self, model: torch.nn.Module, horizon: float) -> None:
        self._trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
        self._average = {name: value.detach().clone() for name, value in self._trained.items()}
        self._decay = 1 - 1 / horizon
        self._updates = 0

    @torch.no_grad()
    def update(self) -> None:
        """Takes the weights of a finished step in. Early steps count more, so that the start does not linger."""
        self._updates += 1
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        for name, value in self._trained.items():
            self._average[name].lerp_(value, 1 - decay)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The model answers with the averaged weights; afterwards it has its own back."""
        own = {name: value.detach().clone() for name, value in self._trained.items()}
        self._put(self._average)
        try:
            yield
        finally:
            self._put(own)

    def save(self, folder: Path) -> None:
        state = {**self._average, "updates": torch.tensor(self._updates)}
        save_file({name: value.contiguous() for name, value in state.items()}, folder / FILE_NAME)

    def restore(self, folder: Path) -> None:
        """Goes on from a checkpoint's average."""
        state = load_file(folder / FILE_NAME)
        self._updates = int(state.pop("updates"))
        for name, value in state.items():
            self._average[name].copy_(value)

    def take(self, folder: Path | None = None) -> None:
        """Puts the averaged weights, a checkpoint's where one is given, into the model for good."""
        if folder is not None:
            self.restore(folder)
        self._put(self._average)

    @torch.no_grad()
    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        for name, value in self._trained.items():
            value.copy_(weights[name])


def horizon_for(steps_per_epoch: int) -> float:
    """Two thirds of an epoch, within bounds, in optimiser steps."""
    return float(min(LONGEST, max(SHORTEST, HORIZON_EPOCHS * steps_per_epoch)))
