"""What every backend gives the worker: a model with its adapter, the tokenizer, and the trainer class that fits them.

The contract of `plain.py` and `fast_unsloth.py`. No heavy import here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from coach.task_schema import Lora

if TYPE_CHECKING:
    from training.device import Device
    from training.methods.sft import TrainerFactory


@dataclass
class LoadedModel:
    """A model ready to train or to ask.

    `context` is the model's own limit in tokens, None where it states none; `fused_layers` how many train by our own arithmetic.
    """

    model: Any
    tokenizer: Any
    context: int | None
    backend: str
    fused_layers: int = 0


class Backend(Protocol):
    """Loads base models, wraps them for LoRA, opens trained adapters. One file each; both pass the same contract test."""

    name: str

    def load(self, source: Path, device: Device, *, max_tokens: int | None, four_bit: bool = False) -> LoadedModel: ...

    def add_lora(self, loaded: LoadedModel, lora: Lora, *, seed: int) -> LoadedModel: ...

    def open_adapter(self, loaded: LoadedModel, adapter: Path) -> LoadedModel: ...

    def expect_length(self, loaded: LoadedModel, max_tokens: int) -> None: ...

    def for_answers(self, loaded: LoadedModel) -> None: ...

    def for_training(self, loaded: LoadedModel) -> None: ...

    def trainer(self) -> TrainerFactory: ...
