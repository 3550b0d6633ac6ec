"""Words that tell what a person is after (intents.yaml), and whether one is said. What follows from them is others' to decide."""

from __future__ import annotations

import functools
import re
from typing import Literal

from coach.reference_data import Row, read_catalog
from coach.task_schema import Metric, TaskType


class Intents(Row):
    """Words that tell what a person is after; the first list of several with a hit decides."""

    roads: dict[Literal["diagnose", "diagnose_with_score", "diagnose_reached", "advise", "advise_between"], list[str]]
    known_methods: list[str]
    without_a_model: list[str]
    task_types: dict[TaskType, list[str]]
    whole_phrases: dict[TaskType, list[str]]
    domains: dict[str, list[str]]
    data_languages: dict[str, list[str]]
    metrics: dict[Metric, list[str]]
    needs: dict[Literal["reasoning", "light_deployment", "tooling", "alignment"], list[str]]
    gpu_none: list[str]
    feeling: list[str]
    placeholders: dict[str, list[str]]
    json_answer: list[str]
    sorting: list[str]
    routing: list[str]
    after_a_list: list[str]
    filler: list[str]


@functools.cache
def intents() -> Intents:
    return Intents.model_validate(read_catalog("intents"))


def stands_in(word: str, text: str) -> bool:
    """Whether `word` is said in `text`: Latin words as whole words, others anywhere; case does not count."""
    word, text = word.lower(), text.lower()
    if not word.isascii():
        return word in text
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text))
