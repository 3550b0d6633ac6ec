"""Method `prompt`: the base model as it is, no weights changed, judged like any other version.

The allowed labels are scored, so the answer always keeps the format; it shows what fine-tuning would have to add.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from coach.version_folder import Version
from training.attempt import Attempt, Ending, frozen_rows, stopped_before_training
from training.baseline import train_baseline
from training.event_log import EventLog
from training.finishing import Course, evaluate_on_test, write_verdict
from training.notices import fewer_answered
from training.preparing import prepare


def run_prompt(version: Version, attempt: Attempt, log: EventLog, now: Callable[[], datetime]) -> Ending:
    """Asks the base model about the test rows; ends `finished`."""
    task, rows = version.config, frozen_rows(version)
    log.append("phase", name="baseline")
    baseline = train_baseline(rows["train"], rows["test"], task, seed=task.training.seed)
    if ending := stopped_before_training(version, attempt):
        return ending
    log.append("phase", name="loading")
    ready = prepare(version, task, rows, log)
    if ending := stopped_before_training(version, attempt):
        return ending
    log.append("phase", name="evaluating")
    ready.answerer.on_fewer = lambda before, now: log.append("notice", step=0, **fewer_answered(before, now).fields())
    course = Course(best_step=None, best_value=None, end_reason="completed", train_s=0.0, tokens=0, max_steps=None)
    results = evaluate_on_test(version, ready, course, baseline, log)
    log.require_in_place()
    write_verdict(version, task, results, now(), adapter=False)
    return Ending("finished", {"best_step": None, "reason": "completed", "results": "results.json"})
