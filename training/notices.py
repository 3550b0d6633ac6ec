"""What the coach notices while a model trains: pure judgements over a run view, each a code with its numbers.

Codes are those of the diagnosis (D01 …); the sentence behind each is in the text catalogue under `notice.`. Thresholds: evidence.md 6.1
unless another source is named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from coach.diagnosis import LOSS_WORTH_A_WORD
from coach.task_comments import LORA_LR_LOW, LORA_LR_USUAL
from training.events import Event

FLAT_GAIN = 0.005  # metric points over three evaluations: less than the noise of a validation set of some hundred rows
VALIDATION_RISE = 0.02  # relative rise of the validation loss above its lowest value that counts as turning
NEVER_PREDICTED_AFTER = 2  # evaluations: the first one often predicts one class only
FORMAT_FAILURES = (
    0.25  # of the few answers decoded while training; from the second look on, since the first steps teach the format
)
SLOW_FALL = 0.05  # evidence.md 6.1: still falling by more than this share counts as learning
LOSS_WINDOW = 10  # steps averaged at each end

DIVERGED_AFTER = 3 * LOSS_WINDOW  # steps: before that the warm-up alone may lift the loss
DIVERGED_RISE = 0.2  # nats above the start: more than batches of small data differ by

Level = Literal["info", "warning"]


@dataclass(frozen=True)
class Plan:
    """What was settled before the first step. `learning_rate` is LoRA's; `baseline` the cheap one's score on the validation rows."""

    learning_rate: float | None = None
    baseline: float | None = None
    evaluations: int | None = None


@dataclass(frozen=True)
class Notice:
    """`message_key` names the sentence, `data` its numbers."""

    code: str
    level: Level
    message_key: str
    data: dict[str, Any]

    def fields(self) -> dict[str, Any]:
        return {"code": self.code, "level": self.level, "message_key": self.message_key, "data": self.data}


def fewer_answered(before: int, now: int) -> Notice:
    """Memory ran out while rows were answered; `now` of them at once from here on. The answers are the same, so it is no warning."""
    return Notice("N06", "info", "notice.fewer_answered", {"before": before, "rows": now})


def notices_after_eval(
    steps: Sequence[Event], evals: Sequence[Event], *, invalid_rate: float | None, plan: Plan = Plan()
) -> list[Notice]:
    """What the latest evaluation, together with the earlier ones, shows. `steps` and `evals` are events in order."""
    if not evals:
        return []
    found = [
        _turning(steps, evals),
        *_never_predicted(evals),
        _behind_baseline(evals, plan),
        _format(invalid_rate, len(evals), plan.learning_rate),
        _flat_loss(steps),
        _course(evals),
    ]
    return [notice for notice in found if notice is not None]


def diverged(steps: Sequence[Event]) -> Notice | None:
    """The latest loss is no number, or the latest ones lie above the first: the training leads nowhere."""
    losses = [event.get("loss") for event in steps]
    if losses and (losses[-1] is None or not math.isfinite(losses[-1])):
        return Notice("D09", "warning", "notice.not_a_number", {"step": steps[-1]["step"]})
    if len(losses) < DIVERGED_AFTER or None in losses:
        return None
    first, last = sum(losses[:LOSS_WINDOW]) / LOSS_WINDOW, sum(losses[-LOSS_WINDOW:]) / LOSS_WINDOW
    if last <= first + DIVERGED_RISE:
        return None
    return Notice("D09", "warning", "notice.above_start", {"first": round(first, 4), "last": round(last, 4)})


def _course(evals: Sequence[Event]) -> Notice | None:
    """Still improving, or flat: the last evaluations against the best before them."""
    if len(evals) < 2:
        return None
    values = [float(event["value"] or 0.0) for event in evals]
    gain = values[-1] - max(values[:-1])
    metric = evals[-1]["metric"]
    if gain > 0:
        return Notice("N01", "info", "notice.improving", {"metric": metric, "value": values[-1], "gain": round(gain, 4)})
    recent = values[-3:]
    if len(values) >= 4 and max(recent) - max(values[:-3]) < FLAT_GAIN:
        return Notice("N02", "info", "notice.flat", {"metric": metric, "value": max(values), "evaluations": 3})
    return None


def _turning(steps: Sequence[Event], evals: Sequence[Event]) -> Notice | None:
    """Validation loss above its lowest while training loss falls: the first sign of learning by heart."""
    losses = [event["loss"] for event in evals if event.get("loss") is not None]
    if len(losses) < 3:
        return None
    lowest = min(losses)
    since = [event for event in steps if event["step"] > evals[losses.index(lowest)]["step"]]
    if losses[-1] <= max(lowest * (1 + VALIDATION_RISE), LOSS_WORTH_A_WORD) or not _falls(since):
        return None
    return Notice("D01", "warning", "notice.turning", {"lowest": round(lowest, 4), "now": round(losses[-1], 4)})


def _falls(steps: Sequence[Event]) -> bool:
    losses = [event["loss"] for event in steps if event.get("loss") is not None]
    if len(losses) < 4:
        return False
    half = len(losses) // 2
    return sum(losses[half:]) / (len(losses) - half) < sum(losses[:half]) / half


def _never_predicted(evals: Sequence[Event]) -> list[Notice]:
    if len(evals) < NEVER_PREDICTED_AFTER:
        return []
    matrix = evals[-1].get("confusion_matrix")
    if not matrix:
        return []
    found = []
    for column, label in enumerate(matrix["labels"]):
        support = sum(matrix["counts"][column])
        if support and not any(row[column] for row in matrix["counts"]):
            found.append(Notice("D02", "warning", "notice.never_predicted", {"class": label, "rows": support}))
    return found


def _behind_baseline(evals: Sequence[Event], plan: Plan) -> Notice | None:
    """From the half of the evaluations on: the best so far is still below the cheap baseline on the same rows."""
    if plan.baseline is None or not plan.evaluations or 2 * len(evals) < plan.evaluations:
        return None
    best = max(float(event["value"] or 0.0) for event in evals)
    if best >= plan.baseline:
        return None
    data = {"metric": evals[-1]["metric"], "value": best, "score": plan.baseline}
    return Notice("D03", "warning", "notice.behind_baseline", data)


def _format(invalid_rate: float | None, looks: int, learning_rate: float | None) -> Notice | None:
    """Only a note: what is trained today chooses among its labels, so that answers outside the format cost no score."""
    if invalid_rate is None or looks < 2 or invalid_rate < FORMAT_FAILURES:
        return None
    data: dict[str, Any] = {"share": round(invalid_rate, 4)}
    if learning_rate is None or learning_rate > LORA_LR_LOW:
        return Notice("D04", "info", "notice.format", data)
    return Notice("D04", "info", "notice.format_low_rate", data | {"rate": f"{learning_rate:g}", "usual": LORA_LR_USUAL})


def _flat_loss(steps: Sequence[Event]) -> Notice | None:
    """Training loss that hardly falls: too low a learning rate, wrong targets, or a wrong format."""
    losses = [event["loss"] for event in steps if event.get("loss") is not None]
    if len(losses) < 4 * LOSS_WINDOW:
        return None
    first, last = sum(losses[:LOSS_WINDOW]) / LOSS_WINDOW, sum(losses[-LOSS_WINDOW:]) / LOSS_WINDOW
    if first <= 0 or (first - last) / first >= SLOW_FALL:
        return None
    return Notice("D05", "warning", "notice.flat_loss", {"first": round(first, 4), "last": round(last, 4)})
