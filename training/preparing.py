"""A base model, loaded on this machine and ready for one task: backend, device, threads, encoder, answerer.

Shared by the methods that use a language model. This is where torch and its family are first imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coach.repeats import task_folder
from coach.task_schema import TaskFile
from coach.version_folder import Version
from training.attempt import Rows
from training.backends import choose_backend, open_backend
from training.backends.loaded import Backend, LoadedModel
from training.base_model import Progress, resolve_base_model
from training.data.tokens import RowEncoder, choose_max_tokens
from training.device import Device, Threads, choose_device
from training.evaluation.answering import Answerer
from training.event_log import EventLog


@dataclass(frozen=True)
class Prepared:
    """Everything the loop needs, loaded and encoded."""

    task: TaskFile
    rows: Rows
    backend: Backend
    loaded: LoadedModel
    device: Device
    threads: Threads
    encoder: RowEncoder
    answerer: Answerer


def prepare(version: Version, task: TaskFile, rows: Rows, log: EventLog) -> Prepared:
    return prepare_at(task_folder(version), task, rows, _reporter(log))


def prepare_at(near: Path, task: TaskFile, rows: Rows, progress: Progress | None = None) -> Prepared:
    """`near` is the folder a relative path to the base model starts from."""
    threads = Threads()
    threads.apply()
    backend = open_backend(choose_backend())
    device = choose_device()
    source = resolve_base_model(task.training.base_model, near=near, progress=progress)
    loaded = backend.load(source, device, max_tokens=_fixed_length(task), four_bit=task.training.quantization == "4bit")
    everything = [row for part in rows.values() for row in part]  # a test row longer than any training row is not to be cut
    max_tokens = choose_max_tokens(task, loaded.tokenizer, everything, loaded.context)
    backend.expect_length(loaded, max_tokens)
    encoder = RowEncoder(task, loaded.tokenizer, max_tokens)
    answerer = Answerer(task, loaded, backend, device, encoder)
    return Prepared(task, rows, backend, loaded, device, threads, encoder, answerer)


def _fixed_length(task: TaskFile) -> int | None:
    return None if task.training.max_seq_tokens == "auto" else int(task.training.max_seq_tokens)


def _reporter(log: EventLog) -> Callable[[str, int, int], None]:
    """Progress of a download or conversion as phase events, at most one for each twentieth."""
    seen: set[tuple[str, int]] = set()

    def report(stage: str, done: int, total: int) -> None:
        part = done * 20 // max(1, total)
        if (stage, part) not in seen:
            seen.add((stage, part))
            log.append("phase", name="loading", stage=stage, done=done, total=total)

    return report
