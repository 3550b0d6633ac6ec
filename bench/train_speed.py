"""Tokens a second of our loop against a fair plain TRL script, both in this one run: `python bench/train_speed.py [steps]`.

Fair: gradient checkpointing off, bf16, the same threads, batches of like length, dynamic padding, real tokens
counted and padding not. Both see the same rows of the news sample, each in the length-grouped
order of its own sampler; medians after warm-up. Each in a process of its own, one after the other. `share_of_the_product`: four
operations a body parameter and token (forward, and the gradient of the input alone) against a large bf16 product on the same threads.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from record import write
from transformers import AutoModelForCausalLM, PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from coach.workspace import Task
from training.backends import import_in_order
from training.backends.plain import PlainBackend, open_tokenizer
from training.commands import local_now
from training.data.render import labels_of
from training.data.rows import read_rows
from training.data.tokens import RowEncoder, training_columns
from training.device import choose_device
from training.methods import sft
from training.samples import write_sample
from training.starter_model import ensure_starter_model

WARM_UP = 4
SEED = 42


class StepTimer(TrainerCallback):
    """Seconds of each optimiser step and its loss."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.losses: list[float] = []

    def on_step_begin(self, args, state, control, **kwargs):
        self.started = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        self.seconds.append(time.perf_counter() - self.started)

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "loss" in logs:
            self.losses.append(float(logs["loss"]))


class CountingCollator:
    """The trainer's own collator, with the real tokens of each batch written down in the order they are trained on."""

    def __init__(self, collator) -> None:
        self.collator = collator
        self.tokens: list[int] = []

    def __call__(self, rows):
        batch = self.collator(rows)
        self.tokens.append(int(batch["attention_mask"].sum()))
        return batch


def measured(trainer, seed: int = SEED) -> dict[str, object]:
    """Trains, and says tokens a second after warm-up: all tokens over all seconds, and over the median step (slow moments count less)."""
    timer = StepTimer()
    trainer.add_callback(timer)
    trainer.remove_callback(PrinterCallback)
    trainer.data_collator = counted = CountingCollator(trainer.data_collator)
    torch.manual_seed(seed)
    trainer.train()
    seconds, tokens = timer.seconds[WARM_UP:], counted.tokens[WARM_UP : len(timer.seconds)]
    median_s = statistics.median(seconds)
    return {
        "tokens_per_s": round(sum(tokens) / sum(seconds), 1),
        "tokens_per_s_by_median_step": round(statistics.fmean(tokens) / median_s, 1),
        "median_step_s": round(median_s, 3),
        "losses": [round(loss, 4) for loss in timer.losses],
    }


def plain(folder: Path, sample: Path, task, steps: int, seed: int = SEED) -> SFTTrainer:
    """The script a person would write: TRL's SFTTrainer with LoRA, nothing of ours in it."""
    training = task.training
    tokenizer = open_tokenizer(folder)
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16),
        args=SFTConfig(
            output_dir=tempfile.mkdtemp(),
            per_device_train_batch_size=training.batch_size,
            max_steps=steps,
            learning_rate=training.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=training.warmup_ratio,
            bf16=True,
            use_cpu=True,
            gradient_checkpointing=False,
            train_sampling_strategy="group_by_length",
            length_column_name="length",
            seed=seed,
            data_seed=seed,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        ),
        train_dataset=encoded_rows(sample, task, tokenizer),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=training.lora.r, lora_alpha=training.lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
    )


def ours(folder: Path, sample: Path, task, steps: int, seed: int = SEED):
    import_in_order()  # sets what a run sets
    device, training = choose_device(), task.training.model_copy(update={"seed": seed})
    backend = PlainBackend()
    loaded = backend.add_lora(backend.load(folder, device, max_tokens=None), training.lora, seed=seed)
    rows = encoded_rows(sample, task, loaded.tokenizer)
    backend.expect_length(loaded, max(rows["length"]))
    return sft.build_trainer(
        backend.trainer(),
        model=loaded.model,
        tokenizer=loaded.tokenizer,
        rows=rows,
        training=training,
        device=device,
        output=Path(tempfile.mkdtemp()),
        max_steps=steps,
        callbacks=[],
    )


def encoded_rows(sample: Path, task, tokenizer) -> Dataset:
    """The news sample's training rows as the trainer takes them."""
    encoder = RowEncoder(task, tokenizer, 1024)
    train = read_rows(sample / "data" / "train.jsonl")
    assert len(train) == 500 and all(labels_of(task, row) for row in train)
    return Dataset.from_dict(training_columns([encoder.encode(row) for row in train]))


def news_trainer(name: str, place: Path, steps: int, seed: int = SEED):
    """`ours` or `plain_trl` on the news sample, written below `place`, ready to train so many steps."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    sample = place / "news"
    write_sample("news-sentiment", sample, now=local_now())
    return (ours if name == "ours" else plain)(ensure_starter_model(), sample, Task.open(sample).file, steps, seed)


def alone(name: str, steps: int) -> None:
    """One of the two in this process, its figures as a line of JSON: so that each has its own peak of memory."""
    with tempfile.TemporaryDirectory() as place:
        trainer = news_trainer(name, Path(place), steps)
        body = sum(
            parameter.numel() for key, parameter in trainer.model.named_parameters() if "layers" in key and "lora" not in key
        )
        found = measured(trainer)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps({**found, "peak_memory_gb": round(peak, 2), "body_parameters": body}))


def in_a_process(name: str, steps: int) -> dict:
    command = [sys.executable, __file__, str(steps), "--only", name]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def matrix_product_flops(size: int = 2048) -> float:
    """Floating point operations a second of a bf16 matrix product on all threads, the best of ten."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    a, seconds = torch.randn(size, size).bfloat16(), []
    for _ in range(10):
        began = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("steps", type=int, nargs="?", default=24)
    parser.add_argument("--only", choices=["plain_trl", "ours"])
    asked = parser.parse_args()
    if asked.only:
        alone(asked.only, asked.steps)
        return
    found = {name: in_a_process(name, asked.steps) for name in ("plain_trl", "ours")}
    plain_trl, ours_found = found["plain_trl"], found["ours"]
    product = matrix_product_flops()
    ratios = {
        "ratio": round(ours_found["tokens_per_s"] / plain_trl["tokens_per_s"], 2),
        "ratio_by_median_step": round(ours_found["tokens_per_s_by_median_step"] / plain_trl["tokens_per_s_by_median_step"], 2),
        "memory_share": round(ours_found["peak_memory_gb"] / plain_trl["peak_memory_gb"], 3),
        "bf16_product_gflops": round(product / 1e9),
        "share_of_the_product": round(4 * ours_found["body_parameters"] * ours_found["tokens_per_s_by_median_step"] / product, 3),
    }
    write("train_speed", {"threads": torch.get_num_threads(), "steps": asked.steps, **found, **ratios})


if __name__ == "__main__":
    main()
