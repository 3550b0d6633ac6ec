"""A task that a byte-level model of no knowledge can learn, in rows of one exact length: the first letter decides the label."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any

from coach.task_file import task_to_yaml
from coach.task_schema import TaskFile
from coach.workspace import Task, freeze_version
from training.clock import local_now
from training.data.rows import Row
from training.data.tokens import RowEncoder

FRUITS = ("apple", "berry", "cocoa")  # of one length: a prompt leaves room for the longest label
SEED = 42


def label_names(count: int) -> list[str]:
    """Three fruits; more are the fruits numbered, so that many begin alike."""
    return list(FRUITS) if count <= len(FRUITS) else [f"{FRUITS[place % 3]} {place:03d}" for place in range(count)]


def task_for(model: Path | str, *, labels: int = 3, tokens: int, **training: Any) -> TaskFile:
    return TaskFile.model_validate(
        {
            "task_name": "first-letter",
            "version": "v1",
            "language": "en",
            "input_template": "{text}",
            "output_format": {"type": "text", "enum": label_names(labels)},
            "training": {
                "base_model": str(model),
                "lora": {"r": 16, "alpha": 32},
                "learning_rate": 2e-4,
                "max_seq_tokens": tokens,
                "seed": SEED,
                "early_stopping": {"patience": 99},
                **training,
            },
            "success_criteria": {"primary_metric": "macro_f1", "threshold": 0.8},
        }
    )


def rows_of(encoder: RowEncoder, count: int, tokens: int, *, part: str = "train") -> list[Row]:
    """`count` rows whose prompt and answer have exactly `tokens` tokens together."""
    labels = encoder.task.targets[None]
    chance = random.Random(f"{SEED} {part} {tokens}")
    rows = []
    for place in range(count):
        label = labels[place % len(labels)]
        room = tokens - encoder.encode(Row("", {"text": ""}, label)).length
        if room < 1:
            raise ValueError(f"a row of {tokens} tokens has no room for a text: the template and the label take {tokens - room}")
        text = label[0] + "".join(chance.choices(string.ascii_lowercase, k=room - 1))
        rows.append(Row(f"r-{part}-{place:05d}", {"text": text}, label))
    return rows


def make_version(folder: Path, task: TaskFile, tokenizer: Any, counts: dict[str, int], tokens: int) -> Any:
    """A task folder with rows of `tokens` tokens in each part, frozen as its first version."""
    encoder = RowEncoder(task, tokenizer, tokens)
    (folder / "data").mkdir(parents=True)
    (folder / "task.yaml").write_text(task_to_yaml(task), encoding="utf-8")
    for part, count in counts.items():
        rows = rows_of(encoder, count, tokens, part=part)
        lines = [
            json.dumps({"id": row.id, "input": row.input, "output": row.output, "source": "made", "synthetic": True})
            for row in rows
        ]
        (folder / "data" / f"{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return freeze_version(Task.open(folder), task.version, local_now())
