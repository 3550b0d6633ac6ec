"""Time and memory of the training a task.yaml asks for, from its own rows where they are there.

Counts rows and tokens, asks what this machine has measured, and hands both to `coach.estimate`. Imports no model: tokens are reckoned
from characters.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from coach.estimate import Estimate, estimate_baseline, estimate_prompt, estimate_training
from coach.hardware import Hardware
from coach.measured import Measured
from coach.plan import Peft
from coach.reference_data import ModelRow
from coach.task_schema import TaskFile, Training
from coach.token_count import expected_tokens, pieces
from coach.work import Work
from training.data.render import Segment, answer_segments, labels_of, prompt_of
from training.data.rows import Row, read_rows
from training.evaluation.label_trie import branchings
from training.measurements import measured
from training.model_shape import known_model

ROWS_COUNTED = 2000  # of more rows every second, third … is looked at
LONGEST_KEPT = 1024  # training/data/tokens.py: where `max_seq_tokens: auto` cuts
END_TOKENS = 1  # behind every answer


def estimate_task(
    task: TaskFile, data_folder: Path, machine: Hardware, *, near: Path | None = None, max_steps: int | None = None
) -> Estimate:
    """The estimate for `task` on `machine`. Without data only memory is said. Raises ModelError for a model nothing is known of.

    `near` is the task's folder, where that is not `data_folder`'s own: a base model's path may start from there.
    """
    if task.training.method == "baseline":
        return estimate_baseline()
    if task.training.method == "prompt":
        return estimate_prompt()
    model = known_model(task.training.base_model, near or data_folder.parent)
    return estimate_work(task.training, model, machine, work_of(task, data_folder, max_steps=max_steps))


def estimate_work(
    training: Training, model: ModelRow, machine: Hardware, work: Work | None, known: Measured | None = None
) -> Estimate:
    """The estimate for that much work, by `known` or what else this machine has measured; `seeds` and `folds` are as many runs."""
    known = known or (measured(training, machine, work) if work else None)
    return estimate_training(model, peft_of(training), machine, work, known, runs=max(training.seeds, training.folds))


def peft_of(training: Training) -> Peft:
    return "none" if training.lora is None else "qlora" if training.quantization == "4bit" else "lora"


def work_of(task: TaskFile, data_folder: Path, *, max_steps: int | None = None) -> Work | None:
    """What there is to compute, or None while there are no training rows."""
    rows = {part: _rows(data_folder / f"{part}.jsonl") for part in ("train", "valid", "test")}
    if not rows["train"]:
        return None
    training, answers = task.training, [_answer_tokens(task, _labels(task, row)) for row in _some(rows["train"])]
    limit = LONGEST_KEPT if training.max_seq_tokens == "auto" else int(training.max_seq_tokens)
    lengths = [min(limit, length) for length in _lengths(task, rows["train"], statistics.fmean(answers))]
    every = [row for part in rows.values() for row in part]
    longest = max((expected_tokens(prompt_of(task, row.input)) for row in _longest(every)), default=0.0) + max(answers)
    return Work(
        train_rows=_balanced(task, rows["train"]),
        valid_rows=len(rows["valid"]),
        test_rows=len(rows["test"]),
        epochs=training.epochs,
        batch_size=training.batch_size,
        row_tokens=statistics.fmean(lengths),
        long_row_tokens=min(limit, round(longest)),
        rank=training.lora.r if training.lora else 0,
        evaluations_per_epoch=training.evaluations_per_epoch,
        answer_tokens=statistics.fmean(answers),
        max_steps=max_steps,
        **label_counts(task),
    )


def label_counts(task: TaskFile) -> dict[str, int]:
    """`labels`, `further_choices` and `longest_answer` of a Work, as far as the labels alone tell them."""
    if not task.targets:
        return {}
    longest = {target: max(labels, key=len) for target, labels in task.targets.items()}
    return {
        "labels": max(len(labels) for labels in task.targets.values()),
        "further_choices": sum(_further_choices(labels) for labels in task.targets.values()),
        "longest_answer": round(_answer_tokens(task, longest)),
    }


def _lengths(task: TaskFile, rows: Sequence[Row], answer: float) -> list[float]:
    return [expected_tokens(prompt_of(task, row.input)) + answer for row in _some(rows)]


def _some(rows: Sequence[Row]) -> Sequence[Row]:
    return rows[:: max(1, len(rows) // ROWS_COUNTED)]


def _longest(rows: Sequence[Row]) -> list[Row]:
    """The rows with most characters; of Chinese and English rows mixed, the one with most tokens is most likely among them."""
    return sorted(rows, key=lambda row: -sum(len(value) for value in row.input.values()))[:5]


def _labels(task: TaskFile, row: Row) -> dict[str | None, str]:
    return labels_of(task, row) if task.targets else {None: str(row.output)}


def _answer_tokens(task: TaskFile, labels: dict[str | None, str]) -> float:
    """Tokens of an answer, its ending included."""
    segments = answer_segments(task, labels) if task.targets else [Segment(str(labels[None]))]
    return sum(expected_tokens(segment.text) - 1 for segment in segments) + END_TOKENS


def _further_choices(labels: Sequence[str]) -> int:
    """Places behind the first where labels part, taking pieces of text for tokens."""
    numbers: dict[str, int] = {}
    spelt = [[numbers.setdefault(piece, len(numbers)) for piece in pieces(label)] for label in labels]
    distinct = list(dict.fromkeys(map(tuple, spelt)))
    return sum(bool(choice.path) for choice in branchings(distinct, end=-1))


def _rows(path: Path) -> list[Row]:
    return read_rows(path) if path.is_file() else []


def _balanced(task: TaskFile, rows: list[Row]) -> float:
    """Rows an epoch reads, oversampled ones counted (half way to equal classes, as `methods.sft` does)."""
    if task.training.balance != "oversample" or not task.targets:
        return float(len(rows))
    counts = Counter(next(iter(labels_of(task, row).values())) for row in rows)
    largest = max(counts.values())
    return float(sum((count * largest) ** 0.5 for count in counts.values()))
