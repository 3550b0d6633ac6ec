"""What a finished run leaves: predictions.jsonl, results.json, model_info.json, lineage.yaml (contract: the example task).

Owns the shape of those documents and their writing. Computes no score: metrics, intervals and verdicts come in as they are.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from coach.lineage import lineage_document
from coach.statistics import bootstrap_interval, wilson_interval
from coach.task_schema import TaskFile
from coach.text import language_of, text
from coach.version_folder import Version
from coach.workspace import write_atomically, write_json
from training.baseline import BaselineScores
from training.data.render import labels_of
from training.data.rows import Output, Row
from training.evaluation.metrics import ClassificationScores, classification_report

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "scikit-learn", "unsloth")
BOOTSTRAP_RESAMPLES = 10_000
LABELS_IN_EVENT = 50  # a larger matrix would not fit a line of the log (design.md section 5)


@dataclass(frozen=True)
class Answered:
    """One row of the test split and what the model made of it; `raw` only where the answer was also decoded freely."""

    row: Row
    labels: Mapping[str | None, str]
    output: Output
    scores: Mapping[str | None, Mapping[str, float]]
    raw: str | None = None


@dataclass(frozen=True)
class Cost:
    train_s: float
    eval_ms_per_row: float
    peak_memory_bytes: int
    tokens_per_s: float


@dataclass(frozen=True)
class Outcome:
    """Everything results.json says beyond the test answers themselves."""

    best_step: int | None
    best_value: float | None
    end_reason: str
    invalid_rate: float
    decoded_rows: int
    cost: Cost
    environment: Mapping[str, Any]
    max_steps: int | None


def score_targets(task: TaskFile, answered: Sequence[Answered]) -> dict[str | None, ClassificationScores]:
    """Scores of each target over the answered rows."""
    return {
        target: classification_report(
            [labels_of(task, item.row)[target] for item in answered], [item.labels[target] for item in answered], labels
        )
        for target, labels in task.targets.items()
    }


def scores_in_event(version: Version, step: int, scores: ClassificationScores) -> dict[str, Any]:
    """What an `eval` event says of classes; above LABELS_IN_EVENT labels it goes to evals/<step>.json, named in the event."""
    fields = scores.to_event()
    if len(scores.labels) <= LABELS_IN_EVENT:
        return fields
    path = version.evals_folder / f"{step}.json"
    path.parent.mkdir(exist_ok=True)
    write_json(path, fields)
    return {"rows": fields["rows"], "path": path.relative_to(version.folder).as_posix()}


def write_predictions(version: Version, task: TaskFile, answered: Sequence[Answered], split: str = "test") -> None:
    lines = []
    for item in answered:
        document = {
            "id": item.row.id,
            "split": split,
            "actual": item.row.output,
            "predicted": item.output,
            "scores": _scores(task, item),
            "raw": item.raw,
        }
        lines.append(json.dumps(document, ensure_ascii=False) + "\n")
    write_atomically(version.predictions_path, "".join(lines))


def _scores(task: TaskFile, item: Answered) -> Mapping[str, Any]:
    """`{"正面": 0.8, …}` for a text answer, `{"sentiment": {"正面": 0.8, …}}` for a JSON one."""
    if task.output_format.type == "text":
        return item.scores[None]
    return {str(target): scores for target, scores in item.scores.items()}


def results_document(
    task: TaskFile,
    answered: Sequence[Answered],
    rows: Mapping[str, int],
    baseline: BaselineScores | None,
    outcome: Outcome,
) -> dict[str, Any]:
    """results.json: the first target's scores at the top; further targets under `targets`."""
    by_target = score_targets(task, answered)
    first, scores = next(iter(by_target.items()))
    metric = task.success_criteria.primary_metric
    value = scores.metric(metric)
    threshold = task.success_criteria.threshold
    document: dict[str, Any] = {
        "task_type": task.task_type,
        "split": "test",
        "rows": dict(rows),
        "primary_metric": {"name": metric, "value": round(value, 4)},
        "target": {"threshold": threshold, "met": None if threshold is None else value >= threshold},
        "confidence_interval": _interval(task, answered, first, metric),
        **scores.to_results(),
        "invalid_rate": round(outcome.invalid_rate, 4),
        "decoded_rows": outcome.decoded_rows,
        "baseline": _baselines(task, baseline),
        "best_checkpoint": {
            "step": outcome.best_step,
            "valid": {metric: None if outcome.best_value is None else round(outcome.best_value, 4)},
        },
        "end_reason": outcome.end_reason,
        "cost": vars(outcome.cost),
        "environment": dict(outcome.environment),
    }
    if len(by_target) > 1:
        document["targets"] = {str(target): found.to_results() for target, found in by_target.items()}
    if outcome.max_steps is not None:
        document["max_steps"] = outcome.max_steps
    return document


def _interval(task: TaskFile, answered: Sequence[Answered], target: str | None, metric: str) -> dict[str, Any]:
    labels = task.targets[target]
    code = {label: index for index, label in enumerate(labels)}
    actual = [code[labels_of(task, item.row)[target]] for item in answered]
    predicted = [code[item.labels[target]] for item in answered]
    interval = bootstrap_interval(
        actual, predicted, metric, labels=len(labels), resamples=BOOTSTRAP_RESAMPLES, level=0.95, seed=task.training.seed
    )
    low, high, method = interval.low, interval.high, "bootstrap"
    if low == high:  # no error to resample: 17 right of 17 do not mean that the next is right for certain
        share = wilson_interval(sum(a == b for a, b in zip(actual, predicted, strict=True)), len(actual))
        low, high, method = min(low, share.low), max(high, share.high), "wilson"
    return {
        "metric": metric,
        "low": round(low, 4),
        "high": round(high, 4),
        "level": 0.95,
        "method": method,
        "resamples": BOOTSTRAP_RESAMPLES,
    }


def _baselines(task: TaskFile, baseline: BaselineScores | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if baseline is not None:
        found["tfidf"] = baseline.to_results()
    user = task.success_criteria.baseline
    if user is not None:
        found["user"] = {"name": user.name, task.success_criteria.primary_metric: user.score}
    return found


def model_info_document(
    task: TaskFile,
    *,
    base_sha256: str | None,
    trainable_parameters: int,
    size_bytes: int,
    licence: str | None,
    max_seq_tokens: int,
) -> dict[str, Any]:
    return {
        "base_model": task.training.base_model,
        "base_model_sha256": base_sha256,
        "method": task.training.method,
        "peft": "lora" if task.training.lora else "none",
        "trainable_parameters": trainable_parameters,
        "adapter_path": "model",
        "size_bytes": size_bytes,
        "licence": licence,
        "max_seq_tokens": max_seq_tokens,
        "formats": {"adapter": "model", "merged": None, "gguf": None},
    }


def write_lineage(
    version: Version, task: TaskFile, results: Mapping[str, Any], verdict: str | None, now: datetime, *, adapter: bool
) -> None:
    """Lineage as the run ends; what was written before (parent, changes, notes) stays."""
    earlier = version.lineage() or {}
    document = lineage_document(
        task,
        version.snapshot(),
        {key: value for key, value in results.items() if key not in ("decoded_rows", "max_steps")},
        version=version.name,
        created=_created(earlier, now),
        parent=earlier.get("parent"),
        changes=earlier.get("changes") or [text("lineage.first_version", language_of(task.language))],
        notes=earlier.get("notes") or "",
        verdict=verdict,
        decided_at=now,
        adapter_path=f"versions/{version.name}/model" if adapter else None,
    )
    version.write_lineage(document)


def _created(earlier: Mapping[str, Any], now: datetime) -> datetime:
    found = earlier.get("created")
    if isinstance(found, datetime):
        return found
    return datetime.fromisoformat(found) if isinstance(found, str) else now


def package_versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
