"""Rows of three topics that share words: a baseline learns them, though not without errors."""

import random

from coach.task_schema import TaskFile
from training.data.rows import Row

TOPICS = {"sport": "match goal team win cup", "money": "bank share price market win", "travel": "train hotel ticket price team"}


def task(labels=tuple(TOPICS), language="en"):
    return TaskFile.model_validate(
        {
            "task_name": "look",
            "language": language,
            "input_template": "{text}",
            "output_format": {"type": "text", "enum": list(labels)},
            "training": {"base_model": "none", "method": "baseline"},
            "success_criteria": {"primary_metric": "macro_f1"},
        }
    )


def rows(count=180):
    """Rows of three topics that share words, each with words of its own that stand nowhere else."""
    chance, found = random.Random(3), []
    for n in range(count):
        label = list(TOPICS)[n % 3]
        words = chance.choices(TOPICS[label].split(), k=3) + chance.choices(" ".join(TOPICS.values()).split(), k=4)
        found.append(Row(str(n), {"text": " ".join([*words, f"own{n}", f"own{n}", f"too{n}"])}, label))
    return found
