"""Asking a trained version on a page: its answer, and beside it what the base model says to the same words.

Owns when a version can be asked, and that one question goes through a model at a time. Heavy imports come with the first question.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Literal

from coach.hardware import Hardware
from coach.history import finished_results
from coach.repeats import task_folder
from coach.task_schema import TaskFile
from coach.version_folder import Version
from training.predicting import Answer, Ask, Inputs, Progress, open_version, open_with_base
from training.run_status import is_locked

Askable = Literal["yes", "type_not_built", "unfinished", "no_weights"]
Beside = Literal["base", "is_base", "no_base"]
CORES_FOR_BOTH = 8  # judgement: with fewer, loading and asking a model takes a training's processor away for seconds at a time


@dataclass(frozen=True)
class Asked:
    """`base` is None where the version has no base model, or is the base model itself."""

    trained: Answer
    base: Answer | None


AskBoth = Callable[[Mapping[str, str]], Asked]


def askable(version: Version) -> Askable:
    """Whether the version can be asked, from its files alone. Raises WorkspaceError and DocumentError where one is damaged."""
    config = version.config
    if config.task_type != "classification":
        return "type_not_built"
    if finished_results(version) is None:
        return "unfinished"
    needs_weights = config.training.method not in ("baseline", "prompt")
    if needs_weights and not any(version.model_folder.glob("*.safetensors")):
        return "no_weights"
    return "yes"


def beside(task: TaskFile) -> Beside:
    """What stands beside the version's answer: the base model it was trained from, or why there is none."""
    return {"baseline": "no_base", "prompt": "is_base"}.get(task.training.method, "base")  # type: ignore[return-value]


def in_the_way(version: Version, others: Iterable[Version], machine: Hardware) -> Version | None:
    """A version in training that a question would slow down or push out of memory; None where there is room for both.

    A baseline takes neither memory nor time worth speaking of. On a GPU, or with few cores, a language model waits.
    """
    if version.config.training.method == "baseline" or not (machine.has_cuda or machine.cores < CORES_FOR_BOTH):
        return None
    return next((other for other in others if is_locked(other.lock_path)), None)


def open_both(version: Version, progress: Progress | None = None) -> AskBoth:
    """Loads the version, takes seconds; then each question takes a moment. Safe to ask from several threads, one after the other.

    Raises ModelError where the base model cannot be had, WorkspaceError where the version has not finished.
    """
    turn = threading.Lock()
    asked, base = _opened(version, progress)

    def ask(inputs: Mapping[str, str]) -> Asked:
        one: Inputs = [inputs]
        with turn:  # the base answers from the same weights, the adapter switched off meanwhile
            return Asked(asked(one)[0], base(one)[0] if base else None)

    return ask


def _opened(version: Version, progress: Progress | None) -> tuple[Ask, Ask | None]:
    if beside(version.config) == "base":
        return open_with_base(version, progress)
    return open_version(version, progress), None


def whole_file_command(version: Version) -> str:
    """What has a whole file answered by `version`."""
    return (
        f"python -m training predict {quote(str(task_folder(version).resolve()))} {version.name} --file rows.csv -o answers.csv"
    )
