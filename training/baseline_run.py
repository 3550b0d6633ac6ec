"""Method `baseline`: TF-IDF and logistic regression as a version of its own, judged like any other.

For data too few for a language model. Nothing is stored that would have to be unpickled: asking such a version fits it again from its
frozen rows, which takes seconds and gives the same model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from coach.verdict import verdict_word
from coach.version_folder import Version
from training.attempt import Attempt, Ending, Rows, frozen_rows
from training.baseline import FittedBaseline, fit_baseline, train_baseline
from training.data.render import output_of
from training.data.rows import Row
from training.event_log import EventLog
from training.results import (
    Answered,
    Cost,
    Outcome,
    package_versions,
    results_document,
    scores_in_event,
    write_lineage,
    write_predictions,
)


def run_baseline(version: Version, attempt: Attempt, log: EventLog, now: Callable[[], datetime]) -> Ending:
    """Fits and judges the baseline; ends `finished`."""
    task, rows = version.config, frozen_rows(version)
    log.append("phase", name="baseline")
    started = time.perf_counter()
    fitted = fit_baseline(rows["train"], task, seed=task.training.seed)
    fit_s = time.perf_counter() - started
    valid = train_baseline(rows["train"], rows["valid"], task, seed=task.training.seed, like=fitted.choice)
    metric = task.success_criteria.primary_metric
    value = round(valid.scores.metric(metric), 6)
    fields = scores_in_event(version, 0, valid.scores)
    log.append("eval", step=0, split="valid", loss=None, metric=metric, value=value, best=True, **fields)
    log.append("phase", name="evaluating")
    results = _judge(version, rows, fitted, fit_s, value, log)
    log.require_in_place()
    write_lineage(version, task, results, verdict_word(results), now(), adapter=False)
    return Ending("finished", {"best_step": None, "reason": "completed", "results": "results.json"})


def _judge(
    version: Version, rows: Rows, fitted: FittedBaseline, fit_s: float, valid_value: float, log: EventLog
) -> dict[str, Any]:
    task = version.config
    started = time.perf_counter()
    answered = answer(version, fitted, rows["test"])
    ms_per_row = (time.perf_counter() - started) * 1000 / len(rows["test"])
    log.require_in_place()
    write_predictions(version, task, answered)
    outcome = Outcome(
        best_step=None,
        best_value=valid_value,
        end_reason="completed",
        invalid_rate=0.0,
        decoded_rows=0,
        cost=Cost(round(fit_s, 1), round(ms_per_row, 3), 0, 0.0),
        environment={"device": "cpu", "backend": "scikit-learn", "packages": package_versions()},
        max_steps=None,
    )
    results = results_document(task, answered, {split: len(part) for split, part in rows.items()}, None, outcome)
    version.write_results(results)
    return results


def answer(version: Version, fitted: FittedBaseline, rows: Sequence[Row]) -> list[Answered]:
    """An answer for each row, with the label probabilities of the logistic regression."""
    target = next(iter(version.config.targets))
    found = []
    for row, scores in zip(rows, fitted.probabilities(rows), strict=True):
        label = max(scores, key=lambda name: scores[name])
        labels: Mapping[str | None, str] = {target: label}
        found.append(Answered(row, labels, output_of(version.config, labels), {target: scores}))
    return found
