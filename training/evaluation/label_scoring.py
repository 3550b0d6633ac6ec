"""Scores the allowed labels of a row with the prompt read once: exact, and normalised over the allowed labels only.

One forward pass over prompt and fixed answer prefix gives the first choice of all labels. Where labels share their first tokens, the
deeper choices continue from the cached prompts, the most promising of each row first and all rows of a batch together, until no
label left unscored could still be the best (`label_search`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.evaluation.at_once import AtOnce, Prompt
from training.evaluation.label_search import LabelSearch
from training.evaluation.label_trie import Branching
from training.evaluation.output_layer import Gathered, logits_of
from training.evaluation.prompt_batch import PromptBatch
from training.evaluation.prompt_reading import PromptReader

BATCH_TOKENS = 2048
"""Padded tokens in one scoring batch: enough to keep two cores or a small GPU busy, and a bound on memory, cached prompts included."""
LOSS_POSITIONS = 64
"""Positions whose loss is read at a time: logits over 262,144 tokens are a megabyte each in float32."""


@dataclass(frozen=True)
class LabelScores:
    """`log_probs` [rows, labels], NaN where a label's score was not needed; `best` [rows] the index of the likeliest label.

    The probabilities of all labels of a row sum to 1, those that are NaN included. `gold_loss` [rows] mean nats per answer token, or
    None.
    """

    log_probs: np.ndarray
    best: np.ndarray
    gold_loss: np.ndarray | None


def score_labels(
    model: torch.nn.Module,
    prompts: Sequence[Sequence[int]],
    choices: Sequence[Branching],
    *,
    gold: Sequence[Sequence[int]] | None = None,
    pad_id: int = 0,
    at_once: AtOnce | None = None,
    on_batch: Callable[[int, int], None] | None = None,
) -> LabelScores:
    """The likeliest label of every prompt, with its score and those of the labels met on the way to it.

    A dozen labels are always all scored, more where few choices lie behind the first (`label_search.ALWAYS_OPENED`). `prompts` are
    token ids up to where the label begins; `choices` the branching nodes of the labels (`label_trie`); `gold`, where given, the rest
    of the right answer, whose loss is read in the same pass. `at_once` bounds a batch (None: BATCH_TOKENS) and remembers what fitted;
    `on_batch(done, total)` is called after each batch. Raises TrainingError where a single row does not fit the memory.
    """
    log_probs: list[np.ndarray] = [np.empty(0)] * len(prompts)
    best = np.zeros(len(prompts), dtype=np.int64)
    gold_loss = np.zeros(len(prompts), dtype=np.float32) if gold is not None else None
    done = 0

    def search(indices: list[int], some: list[Prompt]) -> tuple[LabelSearch, np.ndarray | None]:
        answers = [gold[i] for i in indices] if gold is not None else None
        with torch.inference_mode():
            return _search(model, PromptBatch(some, answers, pad_id, next(model.parameters()).device), choices)

    for indices, (found, losses) in (at_once or AtOnce(BATCH_TOKENS)).each(prompts, search):
        best[indices] = found.best()
        for index, scores in zip(indices, found.log_probs, strict=True):
            log_probs[index] = scores
        if gold_loss is not None:
            gold_loss[indices] = losses
        done += len(indices)
        if on_batch is not None:
            on_batch(done, len(prompts))
    return LabelScores(np.array(log_probs), best, gold_loss)


def _search(model: torch.nn.Module, batch: PromptBatch, choices: Sequence[Branching]) -> tuple[LabelSearch, np.ndarray | None]:
    """The finished search of one batch, and the losses of its right answers."""
    reader = PromptReader(model, batch, goes_on=any(choice.path for choice in choices))
    search = LabelSearch(len(batch.prompts), choices)
    ends = batch.ends()
    where = ends | (batch.targets != -100)
    found = reader.read(where)
    losses = _gold_losses(found, batch.targets[where], torch.nonzero(where)[:, 0], batch) if batch.has_gold else None
    told = found.at(torch.nonzero(ends[where])[:, 0])
    del found  # a batch's logits at every answer token are far larger than anything that follows
    rows, wanted = search.wanted()
    while len(rows):
        if choices[wanted[0]].path:  # a path is empty at the first choice alone, which all rows want at once
            told = reader.read_on(rows, [choices[choice].path for choice in wanted])
        _tell(search, model, choices, rows, wanted, told)
        rows, wanted = search.wanted()
    return search, losses


def _tell(
    search: LabelSearch,
    model: torch.nn.Module,
    choices: Sequence[Branching],
    rows: NDArray[np.int64],
    wanted: NDArray[np.int64],
    told: Gathered,
) -> None:
    """Tells the search what the model said, `told` [rows], each row at its own wanted choice."""
    for choice in np.unique(wanted):
        here = np.flatnonzero(wanted == choice)
        log_probs = logits_of(
            model, told.at(torch.from_numpy(here).to(told.hidden.device)), choices[choice].children
        ).log_softmax(-1)
        search.tell(rows[here], int(choice), log_probs.cpu().numpy())


def _gold_losses(found: Gathered, targets: torch.Tensor, rows: torch.Tensor, batch: PromptBatch) -> np.ndarray:
    """Mean nats per answer token of each row, from what was found at the positions of `rows`; -100 in `targets` counts for nothing."""
    assert found.logits is not None
    nll = torch.cat(
        [
            torch.nn.functional.cross_entropy(logits.float(), wanted, reduction="none", ignore_index=-100)
            for logits, wanted in zip(found.logits.split(LOSS_POSITIONS), targets.split(LOSS_POSITIONS), strict=True)
        ]
    )
    total = torch.zeros(len(batch.prompts), device=nll.device).index_add_(0, rows, nll)
    return (total / (batch.targets != -100).sum(1).clamp(min=1)).cpu().numpy()
