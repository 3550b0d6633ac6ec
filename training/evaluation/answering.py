"""Asks a model for rows: the label of each target by scoring, and a few answers decoded freely to see whether it keeps the format.

Owns what a prediction is; metrics are `metrics.py`'s, files are `results.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from coach.task_schema import TaskFile
from training.backends.loaded import Backend, LoadedModel
from training.data.render import labels_of, parse_answer
from training.data.rows import Output, Row
from training.data.tokens import RowEncoder
from training.device import Device
from training.evaluation.at_once import AtOnce, Prompt
from training.evaluation.label_scoring import BATCH_TOKENS, score_labels
from training.evaluation.output_layer import contiguous_head

DECODE_BATCH_ROWS = 16
SPARE_ANSWER_TOKENS = 4  # room beyond the longest label, so that an answer that runs on is seen to run on

Labels = dict[str | None, str]
OnBatch = Callable[[int, int], None]


@dataclass(frozen=True)
class Prediction:
    """One answer: the label of each target, labels' probabilities, and the loss of the right answer (nats per token) if known.

    `scores` holds exact probabilities only. With many labels those whose score was not needed to find the best are not in it; what the
    others leave of 1 is theirs together.
    """

    labels: Labels
    scores: dict[str | None, dict[str, float]]
    loss: float | None = None


class Answerer:
    """A loaded model that answers rows of one task.

    Where memory runs out it answers fewer rows at once from then on; `on_fewer(before, now)` is told the first time. Every method that
    answers raises TrainingError where a single row does not fit.
    """

    def __init__(self, task: TaskFile, loaded: LoadedModel, backend: Backend, device: Device, encoder: RowEncoder) -> None:
        self.task = task
        self.loaded = loaded
        self.backend = backend
        self.device = device
        self.encoder = encoder
        self.on_fewer: Callable[[int, int], None] = lambda before, now: None
        self._scored_at_once = AtOnce(BATCH_TOKENS)
        self._decoded_at_once = AtOnce(DECODE_BATCH_ROWS, counts_one=True)
        self._scored_at_once.on_fewer = self._decoded_at_once.on_fewer = self._tell_once
        self._choices = {target: encoder.choices(target) for target in task.targets}

    def predict(self, rows: Sequence[Row], *, with_loss: bool = False, on_batch: OnBatch | None = None) -> list[Prediction]:
        """A prediction for each row, in order. `with_loss` also reads the loss of the rows' own answers, in the same pass."""
        return self.predict_inputs([row.input for row in rows], rows if with_loss else None, on_batch)

    def predict_inputs(
        self, inputs: Sequence[Mapping[str, str]], gold: Sequence[Row] | None = None, on_batch: OnBatch | None = None
    ) -> list[Prediction]:
        prompts = [self.encoder.prompt_ids(values)[0] for values in inputs]
        labels: list[Labels] = [{} for _ in inputs]
        scores: list[dict[str | None, dict[str, float]]] = [{} for _ in inputs]
        losses: np.ndarray | None = None
        with self._answering():
            for position, (target, names) in enumerate(self.task.targets.items()):
                leads = [
                    [*prompt, *self.encoder.lead_ids(target, chosen)] for prompt, chosen in zip(prompts, labels, strict=True)
                ]
                rest = self._rest(gold, target) if gold is not None and position == 0 else None
                found = score_labels(
                    self.loaded.model,
                    leads,
                    self._choices[target],
                    gold=rest,
                    pad_id=self.loaded.tokenizer.pad_token_id,
                    at_once=self._scored_at_once,
                    on_batch=on_batch,
                )
                losses = found.gold_loss if rest is not None else losses
                for row, (log_probs, best) in enumerate(zip(found.log_probs, found.best, strict=True)):
                    scored = [place for place, value in enumerate(log_probs) if place == best or not np.isnan(value)]
                    scores[row][target] = {names[place]: round(float(np.exp(log_probs[place])), 6) for place in scored}
                    labels[row][target] = names[best]
        return [
            Prediction(labels[row], scores[row], float(losses[row]) if losses is not None else None) for row in range(len(inputs))
        ]

    def _rest(self, gold: Sequence[Row], target: str | None) -> list[list[int]]:
        """The right answers from the first label on: what the scored prefix leaves to be read."""
        answers = []
        for row in gold:
            right = labels_of(self.task, row)
            answers.append(self.encoder.answer_ids(right)[len(self.encoder.lead_ids(target, right)) :])
        return answers

    def decode(self, inputs: Sequence[Mapping[str, str]]) -> list[str]:
        """Answers decoded greedily, with no label enforced; the text up to the ending token."""
        prompts = [self.encoder.prompt_ids(values)[0] for values in inputs]
        texts: list[str] = []
        with self._answering():
            for _, found in self._decoded_at_once.each(prompts, lambda indices, some: self._decode_batch(some)):
                texts += found
        return texts

    def _decode_batch(self, prompts: Sequence[Prompt]) -> list[str]:
        tokenizer, model = self.loaded.tokenizer, self.loaded.model
        width = max(len(prompt) for prompt in prompts)
        ids = torch.tensor(
            [[*[tokenizer.pad_token_id] * (width - len(prompt)), *prompt] for prompt in prompts], device=self.device.type
        )
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=self.device.type)
        ending = self.encoder.ending[0]
        with torch.inference_mode(), contiguous_head(model):
            answers = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=self.encoder.longest_answer + SPARE_ANSWER_TOKENS,
                do_sample=False,
                top_p=None,
                top_k=None,
                eos_token_id=list({ending, tokenizer.eos_token_id}),
                pad_token_id=tokenizer.pad_token_id,
            )
        texts = []
        for answer in answers[:, width:].tolist():
            kept = answer[: answer.index(ending)] if ending in answer else answer
            texts.append(tokenizer.decode(kept, skip_special_tokens=True).strip())
        return texts

    def _tell_once(self, before: int, now: int) -> None:
        self.on_fewer(before, now)
        self.on_fewer = lambda before, now: None

    def _answering(self) -> AbstractContextManager[object]:
        self.backend.for_answers(self.loaded)
        if self.device.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.device.dtype)


@dataclass(frozen=True)
class Sample:
    """A row's freely decoded answer; `predicted` is None where it stands outside the format."""

    row: Row
    raw: str
    predicted: Output | None


def decode_sample(answerer: Answerer, rows: Sequence[Row]) -> list[Sample]:
    """Decodes `rows` freely and reads what each answer says."""
    texts = answerer.decode([row.input for row in rows])
    return [Sample(row, raw, parse_answer(answerer.task, raw)) for row, raw in zip(rows, texts, strict=True)]


def invalid_rate(samples: Sequence[Sample]) -> float:
    """The share of decoded answers outside the format, 0 to 1."""
    return sum(sample.predicted is None for sample in samples) / len(samples) if samples else 0.0


def timed(work: Callable[[], list[Prediction]]) -> tuple[list[Prediction], float]:
    """The predictions and the milliseconds each took."""
    start = time.perf_counter()
    predictions = work()
    return predictions, (time.perf_counter() - start) * 1000 / max(1, len(predictions))
