"""transformers + peft + trl, on a CPU or a GPU: the backend that always works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from transformers.utils import logging as transformers_logging

from coach.errors import ModelError
from coach.task_schema import Lora
from training.backends.fused.model import fuse_layers
from training.backends.loaded import LoadedModel
from training.device import Device
from training.methods.completion_loss import CompletionLossTrainer
from training.methods.sft import TrainerFactory

EAGER_UP_TO_TOKENS = 256


class PlainBackend:
    name = "plain"

    def load(self, source: Path, device: Device, *, max_tokens: int | None, four_bit: bool = False) -> LoadedModel:
        """Weights in the device's number format; safetensors only, no code from the model's folder."""
        if four_bit:
            raise ModelError("model.four_bit_needs_cuda", source=str(source))
        transformers_logging.disable_progress_bar()
        tokenizer = open_tokenizer(source)
        try:
            model, about = AutoModelForCausalLM.from_pretrained(
                source, dtype=device.dtype, use_safetensors=True, trust_remote_code=False, output_loading_info=True
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError("model.unreadable", source=str(source), problem=_first_line(error)) from error
        if about["missing_keys"]:  # transformers would fill them with random numbers and go on
            raise ModelError("model.weights_missing", source=str(source), count=len(about["missing_keys"]))
        model.to(device.type)
        context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        return LoadedModel(model, tokenizer, context, self.name)

    def add_lora(self, loaded: LoadedModel, lora: Lora, *, seed: int) -> LoadedModel:
        set_seed(seed)
        config = LoraConfig(
            r=lora.r,
            lora_alpha=lora.alpha,  # type: ignore[arg-type] - peft divides it by r; a fraction is as good
            lora_dropout=lora.dropout,
            target_modules=lora.target_modules,
            use_rslora=lora.variant == "rslora",
            use_dora=lora.variant == "dora",
            task_type="CAUSAL_LM",
        )
        loaded.model = get_peft_model(loaded.model, config)
        _leave_casts_to_autocast(loaded.model)
        if loaded.model.device.type == "cpu":
            loaded.fused_layers = fuse_layers(loaded.model)
        return loaded

    def open_adapter(self, loaded: LoadedModel, adapter: Path) -> LoadedModel:
        loaded.model = PeftModel.from_pretrained(loaded.model, adapter)
        _leave_casts_to_autocast(loaded.model)
        loaded.model.eval()
        return loaded

    def expect_length(self, loaded: LoadedModel, max_tokens: int) -> None:
        """Plain attention for short rows on a CPU: there the fused kernel's preparation costs more than it saves (bench/README.md).

        It holds a matrix of tokens × tokens a head, so longer rows keep the fused one.
        """
        model = loaded.model
        if model.device.type == "cpu":
            model.set_attn_implementation("eager" if max_tokens <= EAGER_UP_TO_TOKENS else "sdpa")

    def for_answers(self, loaded: LoadedModel) -> None:
        loaded.model.eval()

    def for_training(self, loaded: LoadedModel) -> None:
        loaded.model.train()

    def trainer(self) -> TrainerFactory:
        return CompletionLossTrainer


def _leave_casts_to_autocast(model: Any) -> None:
    """Stops peft from turning each layer's input into the adapter's float32, which autocast turns back into bf16 a line later.

    Every pass over a half-precision model runs under autocast (TRL's while training, ours while answering): a tenth of a step's time.
    """
    if model.dtype == torch.float32:
        return
    for layer in model.modules():
        if isinstance(layer, BaseTunerLayer):
            layer.cast_input_dtype_enabled = False


def open_tokenizer(source: Path) -> Any:
    """The tokenizer of a model folder, with a padding token. Raises ModelError where it cannot be read."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError("model.unreadable", source=str(source), problem=_first_line(error)) from error
    if tokenizer.eos_token is None:
        raise ModelError("model.no_end_token", source=str(source))
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
