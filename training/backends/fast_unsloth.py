"""Unsloth on a CUDA GPU: the same steps as `plain.py`, by Unsloth's fast kernels.

Unsloth must be imported before transformers, trl and peft in any process that uses it (design.md section 8); `training.backends` sees to
that. Its functions take `**kwargs`, so a misspelt argument would pass in silence: tests/training/test_unsloth_arguments.py holds every
name passed here against the pinned version's own signatures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import unsloth  # isort: skip - before transformers, trl and peft
from unsloth import FastLanguageModel

from coach.errors import ModelError
from coach.task_schema import Lora
from training.backends.loaded import LoadedModel
from training.device import Device
from training.methods.completion_loss import TokenCountingTrainer
from training.methods.sft import TrainerFactory

DEFAULT_MAX_TOKENS = 1024


class UnslothBackend:
    name = "unsloth"
    version = unsloth.__version__

    def load(self, source: Path, device: Device, *, max_tokens: int | None, four_bit: bool = False) -> LoadedModel:
        try:
            model, tokenizer = FastLanguageModel.from_pretrained(
                model_name=str(source),
                max_seq_length=max_tokens or DEFAULT_MAX_TOKENS,
                dtype=device.dtype,
                load_in_4bit=four_bit,
                trust_remote_code=False,
                use_exact_model_name=True,
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError("model.unreadable", source=str(source), problem=str(error).splitlines()[0]) from error
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        return LoadedModel(model, tokenizer, context, self.name)

    def add_lora(self, loaded: LoadedModel, lora: Lora, *, seed: int) -> LoadedModel:
        loaded.model = FastLanguageModel.get_peft_model(
            loaded.model,
            r=lora.r,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=lora.target_modules,
            use_rslora=lora.variant == "rslora",
            use_gradient_checkpointing="unsloth",
            random_state=seed,
            **({"use_dora": True} if lora.variant == "dora" else {}),
        )
        return loaded

    def open_adapter(self, loaded: LoadedModel, adapter: Path) -> LoadedModel:
        from peft import PeftModel

        loaded.model = PeftModel.from_pretrained(loaded.model, adapter)
        self.for_answers(loaded)
        return loaded

    def expect_length(self, loaded: LoadedModel, max_tokens: int) -> None:
        """Unsloth chose its kernels at loading."""

    def for_answers(self, loaded: LoadedModel) -> None:
        FastLanguageModel.for_inference(loaded.model)

    def for_training(self, loaded: LoadedModel) -> None:
        FastLanguageModel.for_training(loaded.model)

    def trainer(self) -> TrainerFactory:
        """TRL's own trainer, which Unsloth has patched: its fused loss computes no logits at all."""
        return _FusedLossTrainer


class _FusedLossTrainer(TokenCountingTrainer):
    """Refuses class weights: the fused loss cannot weigh rows."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if "row_weight" in inputs:
            raise ModelError("model.class_weights_fused")
        return super().compute_loss(model, inputs, *args, **kwargs)
