"""Scores every allowed label of a row with the prompt read once: exact, and normalised over the allowed labels only.

One forward pass over prompt and fixed answer prefix gives the first choice of all labels; where labels share their first tokens, the
deeper choices continue from the cached prompt. Logits are computed only at the positions that are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from training.evaluation.label_trie import Branching

BATCH_TOKENS = 2048
"""Padded tokens in one scoring batch: enough to keep two cores or a small GPU busy, and a bound on memory."""


@dataclass(frozen=True)
class LabelScores:
    """`log_probs` [rows, labels], each row a distribution over the labels; `gold_loss` [rows] mean nats per answer token, or None."""

    log_probs: np.ndarray
    gold_loss: np.ndarray | None


@dataclass(frozen=True)
class Gathered:
    """At n positions: `logits` [n, vocabulary] as the model gives them, `hidden` [n, width] as its output layer was given."""

    logits: torch.Tensor
    hidden: torch.Tensor


def gather_at(model: torch.nn.Module, where: torch.Tensor, inputs: dict[str, Any]) -> Gathered:
    """What the model says at the n true positions of `where` [batch, sequence]; the output layer sees no other position.

    The positions are gathered into one contiguous matrix before the output layer: a sliced `[8, 3, 640]` bf16 tensor takes it 5 s on
    a CPU, the contiguous `[24, 640]` 0.03 s (design.md section 9). Soft caps and scales behind the layer stay the model's own.
    """
    seen: list[torch.Tensor] = []

    def gather(module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        seen.append(args[0][where])
        return (seen[0].unsqueeze(0),)

    hook = model.get_output_embeddings().register_forward_pre_hook(gather)  # type: ignore[operator]
    try:
        logits = model(**inputs).logits
    finally:
        hook.remove()
    gathered = logits.shape[0] == 1 and logits.shape[1] == int(where.sum())
    return Gathered(logits[0] if gathered else logits[where], seen[0])


@contextmanager
def contiguous_head(model: torch.nn.Module) -> Iterator[None]:
    """While decoding, hands the output layer a contiguous tensor: the last position's slice costs seconds a token in bf16 on a CPU."""
    head = model.get_output_embeddings()  # type: ignore[operator]
    hook = head.register_forward_pre_hook(lambda module, args: (args[0].contiguous(),))
    try:
        yield
    finally:
        hook.remove()


def logits_at(model: torch.nn.Module, where: torch.Tensor, inputs: dict[str, Any]) -> torch.Tensor:
    """The logits [n, vocabulary] of `gather_at`."""
    return gather_at(model, where, inputs).logits


def score_labels(
    model: torch.nn.Module,
    prompts: Sequence[Sequence[int]],
    choices: Sequence[Branching],
    *,
    gold: Sequence[Sequence[int]] | None = None,
    pad_id: int = 0,
    batch_tokens: int = BATCH_TOKENS,
    on_batch: Callable[[int, int], None] | None = None,
) -> LabelScores:
    """Scores all labels for every prompt.

    `prompts` are token ids up to where the label begins; `choices` the branching nodes of the labels (`label_trie`); `gold`, where
    given, the rest of the right answer, whose loss is read in the same pass. `on_batch(done, total)` is called after each batch.
    """
    labels = len(choices[0].choice_of) if choices else 1
    log_probs = np.zeros((len(prompts), labels), dtype=np.float32)
    gold_loss = np.zeros(len(prompts), dtype=np.float32) if gold is not None else None
    done = 0
    for indices in _batches([len(prompt) for prompt in prompts], batch_tokens):
        batch = _Batch(
            [prompts[i] for i in indices], [gold[i] for i in indices] if gold is not None else None, pad_id, _device(model)
        )
        with torch.inference_mode():
            scores, losses = _score_batch(model, batch, choices)
        log_probs[indices] = scores
        if gold_loss is not None:
            gold_loss[indices] = losses
        done += len(indices)
        if on_batch is not None:
            on_batch(done, len(prompts))
    return LabelScores(log_probs, gold_loss)


def _device(model: torch.nn.Module) -> torch.device:
    return next(model.parameters()).device


def _batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Rows of like length together, longest first (so that memory shows its peak at once), at most `batch_tokens` padded tokens."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = max(1, batch_tokens // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


class _Batch:
    """Prompts padded on the left, so that all end at the same column; right answers after them, padded on the right."""

    def __init__(self, prompts: list[Sequence[int]], gold: list[Sequence[int]] | None, pad_id: int, device: torch.device) -> None:
        self.width = max(len(prompt) for prompt in prompts)
        answers = gold or [() for _ in prompts]
        # the last answer token is predicted, never read
        self.tail = max((len(answer) - 1 for answer in answers), default=0) if gold else 0
        rows = len(prompts)
        self.ids = torch.full((rows, self.width + self.tail), pad_id, dtype=torch.long)
        self.mask = torch.zeros((rows, self.width + self.tail), dtype=torch.long)
        self.targets = torch.full((rows, self.width + self.tail), -100, dtype=torch.long)
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            read = [*prompt, *answer[:-1]]
            start = self.width - len(prompt)
            self.ids[row, start : start + len(read)] = torch.tensor(read)
            self.mask[row, start : start + len(read)] = 1
            if answer:
                self.targets[row, self.width - 1 : self.width - 1 + len(answer)] = torch.tensor(list(answer))
        self.positions = (self.mask.cumsum(1) - 1).clamp(min=0)
        self.has_gold = gold is not None
        for name in ("ids", "mask", "targets", "positions"):
            setattr(self, name, getattr(self, name).to(device))


def _score_batch(model: torch.nn.Module, batch: _Batch, choices: Sequence[Branching]) -> tuple[np.ndarray, np.ndarray]:
    deeper = [choice for choice in choices if choice.path]
    where = batch.targets != -100
    where[:, batch.width - 1] = True
    cache = _new_cache() if deeper else None
    inputs = {"input_ids": batch.ids, "attention_mask": batch.mask, "position_ids": batch.positions, "use_cache": bool(deeper)}
    if cache is not None:
        inputs["past_key_values"] = cache
    found = gather_at(model, where, inputs)
    at_root = _is_root(where, batch.width - 1)
    root = Gathered(found.logits[at_root], found.hidden[at_root])
    scores = torch.zeros((len(batch.ids), len(choices[0].choice_of) if choices else 1), device=batch.ids.device)
    for choice in choices:
        at_node = root if not choice.path else _continue(model, batch, cache, choice.path)
        scores += _within(model, at_node, choice)
    losses = _gold_losses(found.logits.float(), where, batch) if batch.has_gold else torch.zeros(len(batch.ids))
    return scores.cpu().numpy(), losses.cpu().numpy()


def _is_root(where: torch.Tensor, column: int) -> torch.Tensor:
    """Which of the gathered positions are the ones at `column`."""
    marked = torch.zeros_like(where)
    marked[:, column] = True
    return marked[where]


def _within(model: torch.nn.Module, at: Gathered, choice: Branching) -> torch.Tensor:
    """Log-probabilities [rows, labels] of the child each label takes at this node, 0 where a label does not pass."""
    allowed = _child_logits(model, at, choice.children).log_softmax(-1)
    takes = torch.tensor(choice.choice_of, device=allowed.device)
    return torch.where(takes >= 0, allowed[:, takes.clamp(min=0)], torch.zeros((), device=allowed.device))


_SCALED_HEADS = ("final_logit_softcapping", "logits_scaling", "logit_scale", "lm_head_multiplier")


def _child_logits(model: torch.nn.Module, at: Gathered, children: Sequence[int]) -> torch.Tensor:
    """Float32 logits [rows, children].

    The children's own rows of the output layer are multiplied in float32: bf16 logits near 20 are 0.125 apart, which decides close
    labels by rounding. Where a model caps or scales its logits, its own are taken.
    """
    config = model.config.get_text_config()  # type: ignore[union-attr, operator]
    head = model.get_output_embeddings()  # type: ignore[operator]
    scaled = any(getattr(config, name, None) not in (None, 1, 1.0) for name in _SCALED_HEADS)
    if scaled or not isinstance(head, torch.nn.Linear) or not head.weight.is_floating_point():
        return at.logits[:, list(children)].float()
    with torch.autocast(at.hidden.device.type, enabled=False):
        logits = at.hidden.float() @ head.weight[list(children)].float().T
        return logits if head.bias is None else logits + head.bias[list(children)].float()


def _gold_losses(logits: torch.Tensor, where: torch.Tensor, batch: _Batch) -> torch.Tensor:
    targets = batch.targets[where]
    nll = torch.nn.functional.cross_entropy(logits, targets, reduction="none", ignore_index=-100)
    rows = torch.nonzero(where)[:, 0]
    total = torch.zeros(len(batch.ids), device=logits.device).index_add_(0, rows, nll)
    return total / (batch.targets != -100).sum(1).clamp(min=1)


def _new_cache() -> Any:
    from transformers import DynamicCache

    return DynamicCache()  # without a config every layer keeps the whole prompt, so that it can be cropped back to it


def _continue(model: torch.nn.Module, batch: _Batch, cache: Any, path: Sequence[int]) -> Gathered:
    """What the model says for each row after `path` behind the cached prompts; leaves the cache as the prompts alone."""
    beyond = cache.get_seq_length() - batch.width
    if beyond:
        cache.crop(-beyond)
    rows = len(batch.ids)
    device = batch.ids.device
    ids = torch.tensor(list(path), device=device).expand(rows, -1)
    prompt_mask = batch.mask[:, : batch.width]
    start = prompt_mask.sum(1, keepdim=True)
    where = torch.zeros((rows, len(path)), dtype=torch.bool, device=device)
    where[:, -1] = True
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.cat([prompt_mask, torch.ones((rows, len(path)), dtype=torch.long, device=device)], dim=1),
        "position_ids": start + torch.arange(len(path), device=device),
        "past_key_values": cache,
        "use_cache": True,
    }
    return gather_at(model, where, inputs)
