"""Between TRL's loop and the event log: every step, evaluation, checkpoint and notice becomes an event; stop and early stop are asked.

Owns when to evaluate, what is best, and when to stop. It trains nothing and draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from coach.errors import TrainingError
from coach.task_schema import EarlyStopping
from coach.work import Schedule
from training import checkpoints
from training.device import Threads
from training.evaluation.answering import Answerer
from training.event_log import EventLog
from training.events import Event
from training.methods.completion_loss import TokenCountingTrainer
from training.notices import Level, Notice, Plan, diverged, fewer_answered, notices_after_eval
from training.weight_average import WeightAverage

EndReason = Literal["completed", "early_stopping", "max_steps", "stopped", "diverged"]


@dataclass(frozen=True)
class Evaluation:
    """One look at the validation rows: the event's fields, its metric, and the share of decoded answers outside the format."""

    fields: dict[str, Any]
    value: float
    loss: float
    samples: list[dict[str, Any]]
    invalid_rate: float | None


@dataclass
class Progress:
    """What has to survive an interruption; rebuilt from the log on resume."""

    best_step: int | None = None
    best_value: float = -math.inf
    best_loss: float = math.inf
    tokens: int = 0
    elapsed_s: float = 0.0
    steps: list[Event] = field(default_factory=list)
    evals: list[Event] = field(default_factory=list)


class RunCallback(TrainerCallback):
    """The events of one attempt. `end_reason` says why the loop ended once it has."""

    def __init__(
        self,
        log: EventLog,
        schedule: Schedule,
        evaluate: Callable[[], Evaluation],
        *,
        early_stopping: EarlyStopping | None,
        checkpoints_folder: Path,
        stop_path: Path,
        threads: Threads,
        average: WeightAverage,
        progress: Progress,
        plan: Plan,
    ) -> None:
        self.log_events = log
        self.schedule = schedule
        self.evaluate = evaluate
        self.early_stopping = early_stopping
        self.checkpoints_folder = checkpoints_folder
        self.stop_path = stop_path
        self.threads = threads
        self.average = average
        self.progress = progress
        self.plan = plan
        self.trainer: TokenCountingTrainer | None = None
        self.end_reason: EndReason = "completed"

    def watch(self, trainer: TokenCountingTrainer, answerer: Answerer) -> None:
        """The trainer whose tokens and seconds are counted; they go on from an earlier attempt's. Both say when memory runs short."""
        self.trainer = trainer
        trainer.tokens_seen, trainer.step_s = self.progress.tokens, self.progress.elapsed_s
        trainer.in_parts.on_fewer = lambda before, now: self._notice(
            "N06", "warning", "notice.fewer_rows", trainer.state.global_step + 1, before=before, rows=now
        )
        answerer.on_fewer = lambda before, now: self._tell(fewer_answered(before, now), self.step)

    @property
    def step(self) -> int:
        """The last step whose loss is known, of this attempt or an earlier one."""
        return int(self.progress.steps[-1]["step"]) if self.progress.steps else 0

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:  # type: ignore[override]
        self.average.update()

    def on_log(  # type: ignore[override]
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """After each optimiser step, once its loss is known; the order of events is the order of what happened."""
        if not logs or "loss" not in logs:
            return
        step = state.global_step
        self._write_step(step, state, logs)
        if notice := diverged(self.progress.steps):
            self._end_diverged(step, notice, control)
            return
        self.threads.adjust()
        if changed := self.threads.news():
            key = "notice.threads_fewer" if changed[1] < changed[0] else "notice.threads_more"
            self._notice("N03", "info", key, step, before=changed[0], after=changed[1])
        if self.schedule.is_due(step):
            self._evaluate(step, control)
        if self.stop_path.exists() and not control.should_training_stop and step < self.schedule.total:
            self.end_reason = "stopped"
            control.should_save = control.should_training_stop = True
        if control.should_save:
            self.log_events.require_in_place()  # transformers would make the folder of a deleted version again

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:  # type: ignore[override]
        step = state.global_step
        self.average.save(checkpoints.written(self.checkpoints_folder, step))
        self.log_events.flush()  # a resume counts the events up to its checkpoint
        folder = checkpoints.accept(self.checkpoints_folder, step)
        value = next((event["value"] for event in reversed(self.progress.evals) if event["step"] == step), None)
        path = folder.relative_to(self.checkpoints_folder.parent).as_posix()
        self.log_events.append("checkpoint", step=step, path=path, metric_value=value)
        checkpoints.prune(self.checkpoints_folder, {step, self.progress.best_step or step})

    def _end_diverged(self, step: int, notice: Notice, control: TrainerControl) -> None:
        """Nothing of these weights is kept: the best step is what the run ends with. Raises TrainingError where there is none yet."""
        if self.progress.best_step is None:
            raise TrainingError("training.diverged", step=step)
        self._tell(notice, step)
        self._notice("N08", "info", "notice.back_to_best", step, best=self.progress.best_step)
        self.end_reason = "diverged"
        control.should_save, control.should_training_stop = False, True

    def _write_step(self, step: int, state: TrainerState, logs: dict[str, float]) -> None:
        assert self.trainer is not None, "watch() comes before train()"
        event = self.log_events.append(
            "step",
            step=step,
            total=self.schedule.total,
            epoch=round(state.epoch or 0.0, 4),
            loss=float(logs["loss"]),
            learning_rate=float(logs.get("learning_rate", 0.0)),
            grad_norm=float(logs["grad_norm"]) if "grad_norm" in logs else None,
            tokens=self.trainer.tokens_seen,
            elapsed_s=round(self.trainer.step_s, 3),
        )
        self.progress.steps.append(event)

    def _evaluate(self, step: int, control: TrainerControl) -> None:
        with self.average.lent():
            found = self.evaluate()
        better = step != self.schedule.early_look and self._is_better(found)
        if better:
            self.progress.best_step, self.progress.best_value, self.progress.best_loss = step, found.value, found.loss
        event = self.log_events.append("eval", step=step, **found.fields, best=better)
        self.progress.evals.append(event)
        for sample in found.samples:
            self.log_events.append("sample", step=step, **sample)
        if step != self.schedule.early_look:
            self._judge(step, found.invalid_rate)
        control.should_save = True
        if self._out_of_patience() and step < self.schedule.total:
            self.end_reason = "early_stopping"
            control.should_training_stop = True

    def _judge(self, step: int, invalid_rate: float | None) -> None:
        """What the evaluations show, the early look left out."""
        evals = self._regular_evals()
        for notice in notices_after_eval(self.progress.steps, evals, invalid_rate=invalid_rate, plan=self.plan):
            self._tell(notice, step)

    def _is_better(self, found: Evaluation) -> bool:
        """Any gain is better, and of equal scores the lower validation loss."""
        gain = found.value - self.progress.best_value
        return gain > 0 or (gain == 0 and found.loss < self.progress.best_loss)

    def ended_before(self, from_step: int) -> bool:
        """Whether an earlier attempt had trained to its end, and was only interrupted after that."""
        if self._out_of_patience():
            self.end_reason = "early_stopping"
        return self._out_of_patience() or from_step >= self.schedule.total

    def _out_of_patience(self) -> bool:
        if self.early_stopping is None:
            return False
        return without_gain(self._regular_evals(), self.early_stopping.min_delta) >= self.early_stopping.patience

    def _regular_evals(self) -> list[Event]:
        return [event for event in self.progress.evals if event["step"] != self.schedule.early_look]

    def _notice(self, code: str, level: Level, key: str, step: int, **data: Any) -> None:
        self._tell(Notice(code, level, key, data), step)

    def _tell(self, notice: Notice, step: int) -> None:
        self.log_events.append("notice", step=step, **notice.fields())


def without_gain(evals: Sequence[Event], min_delta: float) -> int:
    """How many evaluations in a row, up to the last, have gained no more than `min_delta` over the best before them."""
    best, count = -math.inf, 0
    for event in evals:
        value = -math.inf if event["value"] is None else float(event["value"])  # was not finite
        count = 0 if value > best + min_delta else count + 1
        best = max(best, value)
    return count


def progress_from(steps: tuple[Event, ...], evals: tuple[Event, ...]) -> Progress:
    """The progress an earlier attempt had reached, from the events its readers still count."""
    progress = Progress(steps=list(steps), evals=list(evals))
    if steps:
        progress.tokens, progress.elapsed_s = int(steps[-1].get("tokens", 0)), float(steps[-1].get("elapsed_s") or 0.0)
    for event in evals:
        if event["value"] is not None and event.get("best"):
            loss = math.inf if event.get("loss") is None else event["loss"]
            progress.best_step, progress.best_value, progress.best_loss = event["step"], event["value"], loss
    return progress
