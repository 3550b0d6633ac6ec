"""Supervised fine-tuning of a version: fit the cheap baseline, load the base model, train, keep the best step, hand over to finishing."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from coach.errors import TaskError
from coach.task_schema import TaskFile, Training
from coach.version_folder import Version
from coach.work import Schedule
from training import checkpoints
from training.attempt import Attempt, Ending, frozen_rows, stopped_before_training
from training.baseline import BaselineScores, train_baseline
from training.data.render import labels_of
from training.data.rows import Row
from training.evaluation.answering import decode_sample, invalid_rate
from training.evaluation.metrics import classification_report
from training.event_log import EventLog
from training.finishing import Course, between_batches, evaluate_on_test, write_adapter, write_verdict
from training.first_notices import first_notices
from training.methods import sft
from training.methods.completion_loss import TokenCountingTrainer
from training.notices import Plan
from training.preparing import Prepared, prepare
from training.results import scores_in_event
from training.run_callback import Evaluation, RunCallback, progress_from
from training.weight_average import WeightAverage, horizon_for

SAMPLES_SHOWN = 3  # decoded answers put into the log at each evaluation
SAMPLES_DECODED = 8  # decoded at each evaluation to see whether the format holds


def fine_tune(version: Version, attempt: Attempt, log: EventLog, now: Callable[[], datetime]) -> Ending:
    """Runs the whole attempt and says how it ended: `finished`, or `stopped` with a checkpoint behind it."""
    task = version.config
    _refuse_what_cannot_train(task)
    rows = frozen_rows(version)
    log.append("phase", name="baseline")
    baseline = train_baseline(rows["train"], rows["valid"], task, seed=task.training.seed)
    if ending := stopped_before_training(version, attempt):
        return ending
    log.append("phase", name="loading")
    ready = prepare(version, task, rows, log)
    if ending := stopped_before_training(version, attempt):
        return ending
    callback, trainer = _train(version, attempt, ready, baseline, log)
    progress = callback.progress
    if callback.end_reason == "stopped":
        return Ending("stopped", {"step": last_step(callback), "reason": "asked", "checkpoint": _last_checkpoint(version)})
    log.append("phase", name="evaluating")
    _take_best(version, callback)
    course = Course(
        best_step=progress.best_step,
        best_value=progress.best_value if progress.best_step is not None else None,
        end_reason=callback.end_reason,
        train_s=trainer.step_s,
        tokens=trainer.tokens_seen,
        max_steps=attempt.max_steps,
    )
    test_baseline = train_baseline(rows["train"], rows["test"], task, seed=task.training.seed, like=baseline.choice)
    log.require_in_place()
    if attempt.keeps_model:
        write_adapter(version, ready)  # before the results: a version with results has its model
    results = evaluate_on_test(version, ready, course, test_baseline, log)
    log.require_in_place()
    if attempt.keeps_model:
        write_verdict(version, task, results, now())
    return Ending("finished", {"best_step": progress.best_step, "reason": callback.end_reason, "results": "results.json"})


def _refuse_what_cannot_train(task: TaskFile) -> None:
    if task.task_type != "classification" or task.training.method != "sft" or not task.training.lora:
        peft = "lora" if task.training.lora else "full"
        raise TaskError("training.not_built", task_type=task.task_type, method=task.training.method, peft=peft)


# --- training ------------------------------------------------------------------------------------------------------------------


def _train(
    version: Version, attempt: Attempt, ready: Prepared, baseline: BaselineScores, log: EventLog
) -> tuple[RunCallback, TokenCountingTrainer]:
    """The loop itself; the trainer counts seconds and tokens over all attempts."""
    task, training = ready.task, ready.task.training
    assert training.lora is not None, "refused before"
    ready.backend.add_lora(ready.loaded, training.lora, seed=training.seed)
    encoded = [ready.encoder.encode(row) for row in ready.rows["train"]]
    classes = [_class_of(task, row) for row in ready.rows["train"]]
    dataset = sft.training_set(encoded, classes, training)
    schedule, per_epoch, total = _schedule(len(dataset), training, attempt)
    average = WeightAverage(ready.loaded.model, horizon_for(per_epoch))
    if attempt.from_step:
        average.restore(version.checkpoints_folder / str(attempt.from_step))
    callback = RunCallback(
        log,
        schedule,
        lambda: _validate(version, ready, callback, log),
        early_stopping=training.early_stopping,
        checkpoints_folder=version.checkpoints_folder,
        stop_path=version.stop_path,
        threads=ready.threads,
        average=average,
        progress=progress_from(attempt.view.steps, attempt.view.evals),
        plan=_plan(task, baseline, schedule),
    )
    log.require_in_place()  # the trainer makes its folder
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
    callback.watch(trainer, ready.answerer)
    counted = {f"{part}_rows": len(ready.rows[part]) for part in ("valid", "test")}
    planned = {"total_steps": schedule.total, "evaluate_every": schedule.evaluate_every, **counted}
    log.append("phase", name="training", **planned, baseline=_scores(baseline))
    for notice in first_notices(attempt, ready, encoded, classes):
        log.append("notice", step=attempt.from_step, **notice.fields())
    _run(trainer, callback, attempt, version)
    if callback.end_reason == "completed" and attempt.max_steps and total == attempt.max_steps:
        callback.end_reason = "max_steps"
    return callback, trainer


def _run(trainer: TokenCountingTrainer, callback: RunCallback, attempt: Attempt, version: Version) -> None:
    """TRL's loop, from the checkpoint where there is one; nothing where the earlier attempt had ended already."""
    resume_from = str(version.checkpoints_folder / str(attempt.from_step)) if attempt.from_step else None
    if not (attempt.from_step and callback.ended_before(attempt.from_step)):
        trainer.train(resume_from_checkpoint=resume_from)


def _schedule(dataset_rows: int, training: Training, attempt: Attempt) -> tuple[Schedule, int, int]:
    """When to evaluate; the steps of an epoch and of the whole run."""
    per_epoch = sft.steps_per_epoch(dataset_rows, training.batch_size)
    total = math.ceil(per_epoch * training.epochs)
    total = min(total, attempt.max_steps) if attempt.max_steps else total
    return Schedule.of(total, per_epoch, training.evaluations_per_epoch), per_epoch, total


def _plan(task: TaskFile, baseline: BaselineScores, schedule: Schedule) -> Plan:
    score = _scores(baseline).get(task.success_criteria.primary_metric)
    return Plan(task.training.learning_rate, score, schedule.regular_evaluations)


def _scores(baseline: BaselineScores) -> dict[str, float]:
    return {"macro_f1": baseline.macro_f1, "accuracy": baseline.accuracy}


def _class_of(task: TaskFile, row: Row) -> str:
    """The row's class for balancing: its first target's label."""
    return next(iter(labels_of(task, row).values()))


def _validate(version: Version, ready: Prepared, callback: RunCallback, log: EventLog) -> Evaluation:
    """Scores every validation row, decodes a few freely, and hands the model back to training."""
    task, rows = ready.task, ready.rows["valid"]
    predictions = ready.answerer.predict(rows, with_loss=True, on_batch=lambda done, total: between_batches(ready, log))
    target, labels = next(iter(task.targets.items()))
    actual = [labels_of(task, row)[target] for row in rows]
    scores = classification_report(actual, [prediction.labels[target] for prediction in predictions], labels)
    samples = decode_sample(ready.answerer, rows[:SAMPLES_DECODED])
    ready.backend.for_training(ready.loaded)
    loss = round(sum(prediction.loss or 0.0 for prediction in predictions) / len(predictions), 6)  # as a resume will read it
    metric = task.success_criteria.primary_metric
    value = round(scores.metric(metric), 6)
    about_classes = scores_in_event(version, last_step(callback), scores)
    fields = {"split": "valid", "loss": loss, "metric": metric, "value": value, **about_classes}
    shown = [
        {"id": sample.row.id, "actual": sample.row.output, "predicted": sample.predicted, "raw": sample.raw}
        for sample in samples[:SAMPLES_SHOWN]
    ]
    return Evaluation(fields, value, loss, shown, invalid_rate(samples))


# --- after the loop ------------------------------------------------------------------------------------------------------------


def last_step(callback: RunCallback) -> int:
    return int(callback.progress.steps[-1]["step"]) if callback.progress.steps else 0


def _last_checkpoint(version: Version) -> str | None:
    step = checkpoints.latest(version.checkpoints_folder)
    return f"checkpoints/{step}" if step is not None else None


def _take_best(version: Version, callback: RunCallback) -> None:
    """Puts the best step's averaged weights into the model."""
    folder = version.checkpoints_folder / str(callback.progress.best_step)
    if checkpoints.is_complete(folder):
        callback.average.take(folder)
    else:  # removed by hand: the latest average is what there is
        callback.average.take()
