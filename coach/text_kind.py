"""What kind of judgement a task asks for, as far as the gain of fine-tuning has been seen to differ by it (bench/forecast.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coach.intents import intents, stands_in
from coach.situation import Situation
from coach.task_schema import TaskFile


@dataclass(frozen=True)
class TextKind:
    """`english`: else the texts are in another language, which small models know less of. `feeling`: else it is about the subject."""

    english: bool
    feeling: bool


def kind_of(situation: Situation) -> TextKind:
    """By the language, and the labels and words of the answers."""
    task = situation.answers.task
    said = [*situation.labels, task.name, task.domain, task.input, task.output, situation.answers.business.problem]
    return TextKind(situation.language == "en", is_feeling(said))


def kind_of_task(task: TaskFile) -> TextKind:
    """The same of a task.yaml."""
    labels = [label for target in task.targets.values() for label in target]
    return TextKind(task.language.lower().startswith("en"), is_feeling([*labels, task.task_name, task.domain]))


def is_feeling(said: Iterable[str | None]) -> bool:
    """Whether words stand among `said` that are listed under `feeling` in intents.yaml."""
    written = " ".join(filter(None, said)).lower()
    return any(stands_in(word, written) for word in intents().feeling)
