"""Time and memory of the training a task.yaml asks for, from its own rows where they are there.

Counts rows and tokens and hands them to `coach.estimate`. Imports no model: tokens are reckoned
from characters.
"""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path

from coach.errors import ModelError
from coach.estimate import Estimate, Work, estimate_baseline, estimate_prompt, estimate_training
from coach.hardware import Hardware
from coach.reference_data import ModelRow, model_row
from coach.task_schema import TaskFile
from training.data.render import labels_of, prompt_of
from training.data.rows import Row, read_rows

TOKENS_PER_CHARACTER = {"zh": 0.85, "other": 0.3}  # starter tokenizer on the three samples, prompt and answer


def estimate_task(task: TaskFile, data_folder: Path, machine: Hardware) -> Estimate:
    """The estimate for `task` on `machine`. Without data only memory is said. Raises ModelError for a model nothing is known of."""
    if task.training.method == "baseline":
        return estimate_baseline()
    if task.training.method == "prompt":
        return estimate_prompt()
    model = model_row(task.training.base_model)
    if model is None:
        raise ModelError("model.not_in_catalogue", source=task.training.base_model)
    peft = "none" if task.training.lora is None else "qlora" if task.training.quantization == "4bit" else "lora"
    return estimate_training(model, peft, machine, work_of(task, data_folder, model))


def work_of(task: TaskFile, data_folder: Path, model: ModelRow) -> Work | None:
    """What there is to compute, or None while there are no training rows."""
    rows = {part: _rows(data_folder / f"{part}.jsonl") for part in ("train", "valid", "test")}
    if not rows["train"]:
        return None
    lengths = sorted(round(len(prompt_of(task, row.input)) * _tokens_per_character(task)) + 4 for row in rows["train"])
    training = task.training
    return Work(
        train_rows=_balanced(task, rows["train"]),
        valid_rows=len(rows["valid"]),
        test_rows=len(rows["test"]),
        epochs=training.epochs,
        batch_size=training.batch_size,
        row_tokens=max(1, round(statistics.fmean(lengths))),
        long_row_tokens=lengths[int(0.95 * (len(lengths) - 1))],
        rank=training.lora.r if training.lora else 16,
    )


def _rows(path: Path) -> list[Row]:
    return read_rows(path) if path.is_file() else []


def _tokens_per_character(task: TaskFile) -> float:
    return TOKENS_PER_CHARACTER["zh" if task.language.startswith("zh") else "other"]


def _balanced(task: TaskFile, rows: list[Row]) -> float:
    """Rows an epoch reads, oversampled ones counted (half way to equal classes, as `methods.sft` does)."""
    if task.training.balance != "oversample" or not task.targets:
        return float(len(rows))
    counts = Counter(next(iter(labels_of(task, row).values())) for row in rows)
    largest = max(counts.values())
    return float(sum((count * largest) ** 0.5 for count in counts.values()))
