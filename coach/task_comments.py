"""Remarks on settings of a task that are allowed and probably unwise. They never stop anything.

Each number has its place in the evidence named beside it; the sentences say the number found, the usual one and the source's name.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from coach.problems import Level
from coach.reference_data import model_row, sources
from coach.task_schema import TaskFile
from coach.yaml_document import KeyPath

Remark = tuple[Level, tuple[KeyPath, str, dict[str, Any]]]

LORA_LR_LOW = 5e-5  # evidence.md 1.3: below this and under 1,500 steps, probably under-trained
ENOUGH_STEPS_AT_LOW_LR = 1500  # evidence.md 1.3
LORA_LR_USUAL = "1e-4 – 2e-4"  # evidence.md 1.2, 50 to 10,000 rows
LORA_LR_RISKY = 5e-4  # evidence.md 1.3
LORA_LR_DIVERGES = 3e-3  # evidence.md 1.1: of 80 diverged runs in the Tinker sweep, 72 ran at 3e-3
LORA_LR_DIVERGES_LARGE, LARGE_BILLIONS = 1e-3, 8  # evidence.md 1.3: 1e-3 for 8B and more
FULL_LR_USUAL, FULL_LR_RISKY = "1e-5 – 2e-5", 1e-4  # evidence.md 1.1 (TRL: full 2e-5, LoRA ten times that), 1.2
LORA_BATCH_LARGE = 32  # evidence.md 1.1, LoRA Without Regret: an effective batch under 32
_USUAL_EPOCHS = ((200, 10, "5–10"), (1_000, 5, "3–5"), (10_000, 3, "2–3"))  # evidence.md 1.2: rows below, at most, as said
_EPOCHS_MANY_ROWS, _EPOCHS_UNKNOWN_ROWS = (2, "1–2"), (5, "3–5")  # evidence.md 1.2 and 1.3


def hyperparameter_comments(task: TaskFile, rows: int | None = None) -> list[Remark]:
    """What there is to say about learning rate, epochs, batch and early stopping. `rows`: training rows, where known."""
    if task.training.method in ("prompt", "baseline"):
        return [*_of_the_baseline(task), *_of_repeats(task)]
    return [*_learning_rate(task, rows), *_epochs(task, rows), *_batch(task)]


def label_comments(task: TaskFile) -> list[Remark]:
    """What there is to say about the labels and slots of a classification."""
    return list(_similar_labels(task))


def _of_the_baseline(task: TaskFile) -> list[Remark]:
    """The baseline trains no language model: the numbers beside it have no effect."""
    if task.training.method != "baseline":
        return []
    return [("info", (("training", "method"), "baseline_ignores_numbers", {"model": task.training.base_model}))]


def _of_repeats(task: TaskFile) -> Iterator[Remark]:
    """What trains no weights answers the same whatever the seed: it runs once."""
    for name in ("seeds", "folds"):
        if (count := getattr(task.training, name)) > 1:
            yield "info", (("training", name), "repeats_ignored", {"name": name, "count": count, "method": task.training.method})


def _learning_rate(task: TaskFile, rows: int | None) -> Iterator[Remark]:
    training = task.training
    if training.method != "sft":  # preference methods have rates of their own, 5e-6 (evidence.md 1.1)
        return
    rate, path = training.learning_rate, ("training", "learning_rate")
    data = {"found": f"{rate:g}", "usual": LORA_LR_USUAL, "source": _source("lr-too-low")}
    if training.lora is None:
        if rate > FULL_LR_RISKY:
            yield "warning", (path, "full_lr_high", data | {"usual": FULL_LR_USUAL, "source": _source("trl-peft")})
        return
    diverges = LORA_LR_DIVERGES_LARGE if _billions(training.base_model) >= LARGE_BILLIONS else LORA_LR_DIVERGES
    steps = rows * training.epochs / training.batch_size if rows is not None else 0
    own = model_row(training.base_model)
    tried = own.own_learning_rate(oversampled=training.balance == "oversample") if own else None
    if own is not None and tried is not None:  # tried on this very model, which is what the coach advises
        data |= {"usual": f"{tried:.0e}".replace("e-0", "e-"), "source": sources()[own.source].title}
    if rate < LORA_LR_LOW and steps < ENOUGH_STEPS_AT_LOW_LR:
        yield "warning", (path, "lora_lr_low", data | {"low": f"{LORA_LR_LOW:g}"})
    elif rate >= diverges:
        yield "warning", (path, "lora_lr_diverges", data | {"limit": f"{diverges:g}", "source": _source("tinker-sweep")})
    elif rate > LORA_LR_RISKY:
        yield "warning", (path, "lora_lr_high", data | {"high": f"{LORA_LR_RISKY:g}"})


def _epochs(task: TaskFile, rows: int | None) -> Iterator[Remark]:
    epochs = task.training.epochs
    fitting = ((most, usual) for below, most, usual in _USUAL_EPOCHS if rows is not None and rows < below)
    most, usual = _EPOCHS_UNKNOWN_ROWS if rows is None else next(fitting, _EPOCHS_MANY_ROWS)
    if epochs <= most:
        return
    data = {"found": f"{epochs:g}", "usual": usual, "source": _source("defaults-by-size")}
    stops = task.training.early_stopping is not None
    yield "info" if stops else "warning", (("training", "epochs"), "epochs_many" if stops else "epochs_many_no_stop", data)


def _batch(task: TaskFile) -> Iterator[Remark]:
    if task.training.lora and task.training.batch_size >= LORA_BATCH_LARGE:
        data = {"found": task.training.batch_size, "limit": LORA_BATCH_LARGE, "source": _source("lora-without-regret")}
        yield "info", (("training", "batch_size"), "lora_batch_large", data)


def _similar_labels(task: TaskFile) -> Iterator[Remark]:
    """Labels that differ only in case, width or inner spaces: rows will hold them mixed up."""
    for name, labels in task.targets.items():
        folded = ["".join(unicodedata.normalize("NFKC", label).casefold().split()) for label in labels]
        times = Counter(folded)
        alike = [label for label, fold in zip(labels, folded, strict=True) if times[fold] > 1]
        if len({label.strip() for label in alike}) > 1:
            path = ("output_format", "enum") if name is None else ("output_format", "schema", name, "enum")
            yield "warning", (path, "similar_labels", {"labels": alike})


def _source(key: str) -> str:
    """A source by the name a reader can look for."""
    return sources()[key].title


def _billions(base_model: str) -> float:
    """The size a model's name states, in billions of parameters: `Qwen/Qwen3-4B` 4, unknown 0."""
    found = re.search(r"(\d+(?:\.\d+)?)\s*b(?![a-z0-9])", base_model, re.IGNORECASE)
    return float(found[1]) if found else 0.0
