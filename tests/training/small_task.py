"""A task small enough to train in seconds: the first letter of a text decides its label."""

from __future__ import annotations

import json
from pathlib import Path

from coach.task_file import task_to_yaml
from coach.task_schema import TaskFile
from coach.version_folder import Version
from coach.workspace import Task, freeze_version
from tests.conftest import NOW

LABELS = {"a": "apple", "b": "berry", "c": "cherry"}
ROWS = {"train": 24, "valid": 9, "test": 12}


def task_file(model: Path | str, **training: object) -> TaskFile:
    return TaskFile.model_validate(
        {
            "task_name": "letters",
            "version": "v1",
            "language": "en",
            "input_template": "{text} ->",
            "output_format": {"type": "text", "enum": list(LABELS.values())},
            "training": {
                "base_model": str(model),
                "lora": {"r": 8, "alpha": 16},
                "epochs": 2,
                "learning_rate": 5e-3,
                "batch_size": 4,
                "evaluations_per_epoch": 1,
                "early_stopping": {"patience": 9},
                **training,
            },
            "success_criteria": {"primary_metric": "macro_f1", "threshold": 0.8},
        }
    )


def rows(part: str) -> list[dict[str, object]]:
    letters = list(LABELS)
    return [
        {
            "id": f"r-{part}-{index:04d}",
            "input": {"text": f"{letters[index % 3]}{index * 7 % 10}{part[1]}{index}"},
            "output": LABELS[letters[index % 3]],
            "source": "letters",
            "synthetic": False,
        }
        for index in range(ROWS[part])
    ]


def make_task(folder: Path, task: TaskFile) -> Task:
    (folder / "data").mkdir(parents=True)
    (folder / "task.yaml").write_text(task_to_yaml(task), encoding="utf-8")
    for part in ROWS:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(part))
        (folder / "data" / f"{part}.jsonl").write_text(lines, encoding="utf-8")
    return Task.open(folder)


def make_version(folder: Path, task: TaskFile, name: str = "v1") -> Version:
    return freeze_version(make_task(folder, task), name, NOW)
