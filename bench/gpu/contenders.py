"""The three trainers that are held against each other, on the same rows, LoRA, optimiser and number format.

`ours` goes through the project's own backend, loading and trainer. `unsloth` and `trl` are the scripts a person would write by each
project's own guide, with nothing of ours in them but the encoded rows. Each must run in a process of its own: Unsloth patches
transformers when it is imported.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.gpu.learnable_rows import SEED, rows_of, task_for

CONTENDERS = ("ours", "unsloth", "trl")
METHODS = ("lora", "full", "qlora")
BUILT = {"ours": ("lora",), "unsloth": METHODS, "trl": METHODS}  # full and QLoRA are not built in our trainer yet
ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
RANK, ALPHA = 16, 32


def trainer_of(contender: str, method: str, folder: Path, tokens: int, micro: int, steps: int) -> Any:
    """A trainer ready for `steps` steps of `micro` rows of `tokens` tokens. Imports Unsloth where `contender` needs it."""
    make = {"ours": _ours, "unsloth": _unsloth, "trl": _trl}[contender]
    return make(method, folder, tokens, micro, steps)


def encoded_rows(folder: Path, tokens: int, micro: int, steps: int, tokenizer: Any) -> Any:
    from datasets import Dataset

    from training.data.tokens import RowEncoder, training_columns

    encoder = RowEncoder(task_for(folder, tokens=tokens), tokenizer, tokens)
    rows = rows_of(encoder, micro * steps, tokens)
    return Dataset.from_dict(training_columns([encoder.encode(row) for row in rows]))


def _ours(method: str, folder: Path, tokens: int, micro: int, steps: int) -> Any:
    from training.backends import choose_backend, heavy_imports, open_backend

    with heavy_imports():
        from training.device import choose_device
        from training.methods import sft
    task = task_for(folder, tokens=tokens, batch_size=micro)
    assert method == "lora" and task.training.lora is not None
    backend, device = open_backend(choose_backend()), choose_device()
    loaded = backend.load(folder, device, max_tokens=tokens)
    loaded = backend.add_lora(loaded, task.training.lora, seed=SEED)
    backend.expect_length(loaded, tokens)
    return sft.build_trainer(
        backend.trainer(),
        model=loaded.model,
        tokenizer=loaded.tokenizer,
        rows=encoded_rows(folder, tokens, micro, steps, loaded.tokenizer),
        training=task.training,
        device=device,
        output=Path(tempfile.mkdtemp()),
        max_steps=steps,
        callbacks=[],
    )


def _unsloth(method: str, folder: Path, tokens: int, micro: int, steps: int) -> Any:
    """As in Unsloth's notebooks; rows with `input_ids` and `labels` are taken as they are (unslothai/unsloth issue 7139)."""
    import unsloth  # noqa: F401, I001 - before transformers, trl and peft
    from unsloth import FastLanguageModel

    from trl import SFTTrainer

    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=str(folder),
        max_seq_length=tokens,
        dtype=None,
        load_in_4bit=method == "qlora",
        full_finetuning=method == "full",
        use_exact_model_name=True,
    )
    if method != "full":
        model = FastLanguageModel.get_peft_model(
            model,
            r=RANK,
            lora_alpha=ALPHA,
            lora_dropout=0,
            bias="none",
            target_modules=ALL_LINEAR,
            use_gradient_checkpointing="unsloth",
            random_state=SEED,
        )
    rows = encoded_rows(folder, tokens, micro, steps, tokenizer).remove_columns("length")
    args = _script_arguments(tokens, micro, steps)
    return SFTTrainer(model=model, args=args, train_dataset=rows, processing_class=tokenizer)


def _trl(method: str, folder: Path, tokens: int, micro: int, steps: int) -> Any:
    import torch
    from peft import LoraConfig, prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from trl import SFTTrainer

    four_bit = {}
    if method == "qlora":
        four_bit["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
        )
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, device_map={"": 0} if torch.cuda.is_available() else None, **four_bit
    )
    if method == "qlora":
        model = prepare_model_for_kbit_training(model)
    lora = LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return SFTTrainer(
        model=model,
        args=_script_arguments(tokens, micro, steps, dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=encoded_rows(folder, tokens, micro, steps, tokenizer).remove_columns("length"),
        processing_class=tokenizer,
        peft_config=None if method == "full" else lora,
    )


def _script_arguments(tokens: int, micro: int, steps: int, **more: Any) -> Any:
    import torch
    from trl import SFTConfig

    on_gpu = torch.cuda.is_available()
    bf16 = not on_gpu or torch.cuda.is_bf16_supported(including_emulation=False)
    return SFTConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=1,
        max_steps=steps,
        learning_rate=2e-4,
        lr_scheduler_type="cosine",
        optim="adamw_torch_fused",
        max_grad_norm=1.0,
        bf16=bf16,
        fp16=not bf16,
        use_cpu=not on_gpu,
        gradient_checkpointing=on_gpu,
        dataloader_pin_memory=on_gpu,
        max_length=tokens,
        packing=False,
        seed=SEED,
        data_seed=SEED,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **more,
    )
