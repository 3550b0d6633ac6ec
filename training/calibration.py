"""A few real steps of a task's own training on this machine: how long they take beside what is reckoned, and the memory they need.

The same loader, trainer, rows and settings as a training has; nothing is written into the task. What is found is kept for every later
estimate (measurements.py). To be run in a process of its own: its peak of memory is what is measured.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.errors import DataError, TaskError
from coach.estimate import Estimate, reckoned
from coach.hardware import Hardware
from coach.measured import Measured, factor
from coach.processor_cost import Part, Seconds
from coach.task_schema import TaskFile
from coach.work import DECODED_AT_EVALUATION, SCORED_TOKENS_AT_ONCE, Work
from coach.workspace import Task
from training.attempt import Rows, refuse_unfit
from training.backends import heavy_imports
from training.data.render import labels_of
from training.data.rows import Row, read_rows
from training.device_lock import device_held_to_measure
from training.measurements import keep, measurement
from training.model_shape import known_model
from training.run_estimate import estimate_work, peft_of, work_of

if TYPE_CHECKING:
    from training.data.tokens import EncodedRow
    from training.preparing import Prepared

WARM_UP, FEWEST, MOST = 2, 3, 12
"""Optimiser steps: first ones are slow (memory is asked for, kernels are chosen); then until TRAINED_S is over, no fewer, no more."""
TRAINED_S = 15.0
ENDLESS = 1e6  # epochs, where steps alone count
SCORED_BATCHES = 2  # the first begins with the longest rows, as an evaluation does


@dataclass(frozen=True)
class Calibration:
    """`estimate` after measuring; `kept` is False where the cache could not be written, and the next estimate knows nothing of it."""

    estimate: Estimate
    steps: int
    seconds: float
    kept: bool


@dataclass
class Taken:
    """Seconds of some steps or of some rows answered, and how many there were; lengths in tokens, prompt and answer together."""

    seconds: float = 0.0
    steps: int = 0
    rows: int = 0
    tokens: int = 0
    answer_tokens: int = 0

    def of(self, work: Work) -> Work:
        """`work` as this piece of it."""
        lengths = {"row_tokens": self.tokens / max(1, self.rows), "answer_tokens": self.answer_tokens / max(1, self.rows)}
        return replace(work, epochs=ENDLESS, valid_rows=self.rows, test_rows=0, max_steps=max(1, self.steps), **lengths)


def calibrate(task: Task, machine: Hardware, on_phase: Callable[[str], None] = lambda phase: None) -> Calibration:
    """Measures the training that the saved task.yaml asks for, on the rows in `data/`. `on_phase` hears `loading`, `training`, `answering`.

    Raises TaskError where nothing is trained, ModelError for a model nothing is known of, DataError for rows that are missing or do not
    fit, WorkspaceError while something trains on this device.
    """
    file = task.file
    _refuse_what_cannot_be_measured(file)
    model = known_model(file.training.base_model, task.folder)
    with device_held_to_measure():
        rows = _rows(task)
        work = work_of(file, task.data_folder)
        assert work is not None, "there are training rows"
        started = time.perf_counter()
        on_phase("loading")
        with heavy_imports():
            from training.finishing import peak_memory_bytes
            from training.preparing import prepare_at
        ready = prepare_at(task.folder, file, rows)
        loading_s = time.perf_counter() - started
        on_phase("training")
        trained, encoded = _train(ready)
        on_phase("answering")
        scored = _answer(ready)
    expected, memory_gb = reckoned(model, peft_of(file.training), machine, work)
    exact = _counted(work, ready, encoded)
    factors = _factors(lambda some: reckoned(model, peft_of(file.training), machine, some)[0], work, exact, trained, scored)
    factors["loading"] = factor(loading_s, expected["loading"])
    memory = factor(peak_memory_bytes() / 2**30, memory_gb)
    kept = keep(measurement(file.training, machine, work, how="steps", factors=factors, memory=memory))
    found = estimate_work(file.training, model, machine, work, Measured("now", factors, memory))
    return Calibration(found, trained.steps, time.perf_counter() - started, kept)


def _refuse_what_cannot_be_measured(file: TaskFile) -> None:
    if file.task_type != "classification" or file.training.method != "sft" or not file.training.lora:
        raise TaskError("training.measure_nothing", method=file.training.method)


def _rows(task: Task) -> Rows:
    rows: Rows = {split: read_rows(task.data_folder / f"{split}.jsonl") for split in ("train", "valid", "test")}
    for split, found in rows.items():
        if not found:
            raise DataError(f"data.no_{split}_part")
        for row in found:
            refuse_unfit(task.file, split, row)
    return rows


# --- what is measured ----------------------------------------------------------------------------------------------------------


def _train(ready: Prepared) -> tuple[Taken, Sequence[EncodedRow]]:
    """Some optimiser steps of the trainer itself, from its own order of rows: the longest rows come first and set the peak of memory."""
    from training.methods import sft
    from training.weight_average import WeightAverage, horizon_for

    training = ready.task.training
    assert training.lora is not None, "refused before"
    ready.backend.add_lora(ready.loaded, training.lora, seed=training.seed)
    encoded = [ready.encoder.encode(row) for row in ready.rows["train"]]
    classes = [next(iter(labels_of(ready.task, row).values())) for row in ready.rows["train"]]
    dataset = sft.training_set(encoded, classes, training)
    taken = Taken()
    average = WeightAverage(ready.loaded.model, horizon_for(sft.steps_per_epoch(len(dataset), training.batch_size)))
    with tempfile.TemporaryDirectory(prefix="llm-coach-measured-") as place:
        trainer = sft.build_trainer(
            ready.backend.trainer(),
            model=ready.loaded.model,
            tokenizer=ready.loaded.tokenizer,
            rows=dataset,
            training=training,
            device=ready.device,
            output=Path(place),
            max_steps=WARM_UP + MOST,
            callbacks=[_stopwatch(taken, average)],
        )
        lengths = _Lengths(trainer.data_collator)
        trainer.data_collator = lengths
        trainer.train()
    lengths.count(taken, training.batch_size)
    return taken, encoded


class _Lengths:
    """The trainer's collator, with what each batch held written down in the order they are trained on."""

    def __init__(self, collator: Any) -> None:
        self._collator = collator
        self._rows: list[tuple[int, int]] = []

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        self._rows += [(len(row["input_ids"]), sum(label >= 0 for label in row["labels"])) for row in rows]
        return self._collator(rows)

    def count(self, taken: Taken, batch_size: int) -> None:
        """The rows of the steps after the warm-up."""
        seen = self._rows[WARM_UP * batch_size :][: taken.steps * batch_size]
        taken.rows = len(seen)
        taken.tokens, taken.answer_tokens = (sum(lengths) for lengths in zip(*seen, strict=True))


def _stopwatch(taken: Taken, average: Any) -> Any:
    """A callback that times the steps after the warm-up, as a run's callback sees them, and ends the training in time."""
    from transformers import TrainerCallback

    class Stopwatch(TrainerCallback):
        last = 0.0

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            average.update()
            now = time.perf_counter()
            if state.global_step > WARM_UP:
                taken.seconds, taken.steps = taken.seconds + now - self.last, taken.steps + 1
            self.last = now
            if taken.steps >= FEWEST and taken.seconds >= TRAINED_S:
                control.should_training_stop = True

    return Stopwatch()


def _answer(ready: Prepared) -> Taken:
    """Some validation rows as an evaluation answers them: scored with their loss, the first few decoded as well."""
    from training.evaluation.answering import decode_sample

    rows, encoded = _some_validation_rows(ready)
    started = time.perf_counter()
    ready.answerer.predict(rows, with_loss=True)
    decode_sample(ready.answerer, rows[:DECODED_AT_EVALUATION])
    seconds = time.perf_counter() - started
    tokens, answers = (sum(lengths) for lengths in zip(*((row.length, len(row.answer)) for row in encoded), strict=True))
    return Taken(seconds, 1, len(rows), tokens, answers)


def _some_validation_rows(ready: Prepared) -> tuple[list[Row], list[EncodedRow]]:
    """Enough for a few batches, of all lengths, the longest among them."""
    found = sorted(((ready.encoder.encode(row), row) for row in ready.rows["valid"]), key=lambda pair: -pair[0].length)
    tokens = sum(encoded.length for encoded, _ in found)
    every = max(1, round(tokens / (SCORED_BATCHES * SCORED_TOKENS_AT_ONCE)))
    return [row for _, row in found[::every]], [encoded for encoded, _ in found[::every]]


# --- beside what is reckoned ---------------------------------------------------------------------------------------------------


def _counted(work: Work, ready: Prepared, encoded: Sequence[EncodedRow]) -> Work:
    """`work` with lengths as the model's own tokenizer counts them."""
    choices = sum(bool(choice.path) for target in ready.task.targets for choice in ready.encoder.choices(target))
    return replace(
        work,
        row_tokens=sum(row.length for row in encoded) / len(encoded),
        answer_tokens=sum(len(row.answer) for row in encoded) / len(encoded),
        long_row_tokens=max(row.length for row in encoded),
        longest_answer=ready.encoder.longest_answer,
        further_choices=choices,
    )


def _factors(seconds_of: Callable[[Work], Seconds], work: Work, exact: Work, trained: Taken, scored: Taken) -> dict[Part, float]:
    """Measured over reckoned seconds of each piece, times exact over assumed lengths: together, of what an estimate will reckon."""
    assumed, counted = seconds_of(work), seconds_of(exact)
    pieces: tuple[tuple[Part, Taken], ...] = (("training", trained), ("answering", scored))
    return {
        part: factor(taken.seconds * counted[part], seconds_of(taken.of(exact))[part] * assumed[part]) for part, taken in pieces
    }
