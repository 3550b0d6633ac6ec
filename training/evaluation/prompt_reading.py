"""Reads prompts once and goes on from there: what the model says after a prompt, and after a few tokens more of some of the rows.

Memory: keys and values of one batch of prompts, whose tokens the caller bounds, and never of more rows than are still asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.evaluation.output_layer import Gathered, gather_at, needs_own_logits
from training.evaluation.prompt_batch import PromptBatch

_KEPT_LAYERS = {"full_attention", "sliding_attention", "chunked_attention"}


class PromptReader:
    """One batch of prompts. `read` first; then `read_on` as often as needed, each time with rows of the time before."""

    def __init__(self, model: torch.nn.Module, batch: PromptBatch, *, goes_on: bool) -> None:
        self._model = model
        self._batch = batch
        self._own_logits = needs_own_logits(model)
        self._cache: Any = _new_cache() if goes_on and _keeps_prompts(model) else None
        self._rows = np.arange(len(batch.prompts))
        self._prompt_mask = batch.mask[:, : batch.width]

    def read(self, where: torch.Tensor) -> Gathered:
        """What the model says at `where` [rows, sequence] of prompts and right answers."""
        inputs = {**self._batch.inputs(), **self._cached()}
        found = gather_at(self._model, where, inputs, logits=self._own_logits or self._batch.has_gold)
        if self._cache is not None and self._cache.get_seq_length() != self._batch.ids.shape[1]:
            self._cache = None  # Unsloth 2026.10 keeps keys and values of its own and leaves the given cache empty
        return found

    def read_on(self, rows: NDArray[np.int64], paths: Sequence[Sequence[int]]) -> Gathered:
        """What the model says in each of `rows` (ascending) after its path of tokens behind the prompt, [rows]."""
        if self._cache is None:
            return self._read_again(rows, paths)
        self._keep(rows)
        device = self._batch.ids.device
        lengths = torch.tensor([len(path) for path in paths])
        column = torch.arange(int(lengths.max()))
        ids = torch.tensor([[*path, *[self._batch.pad_id] * (len(column) - len(path))] for path in paths], device=device)
        known = (column < lengths[:, None]).long().to(device)
        inputs = {
            "input_ids": ids,
            "attention_mask": torch.cat([self._prompt_mask, known], dim=1),
            "position_ids": self._prompt_mask.sum(1, keepdim=True) + column.to(device),
            **self._cached(),
        }
        where = (column == lengths[:, None] - 1).to(device)
        return gather_at(self._model, where, inputs, logits=self._own_logits)

    def _cached(self) -> dict[str, Any]:
        return {"use_cache": False} if self._cache is None else {"use_cache": True, "past_key_values": self._cache}

    def _keep(self, rows: NDArray[np.int64]) -> None:
        """Leaves the cache as the prompts of `rows` alone."""
        beyond = self._cache.get_seq_length() - self._batch.width
        if beyond:
            self._cache.crop(-beyond)
        if len(rows) < len(self._rows):
            kept = torch.from_numpy(np.searchsorted(self._rows, rows)).to(self._batch.ids.device)
            self._cache.batch_select_indices(kept)
            self._prompt_mask = self._prompt_mask[kept]
            self._rows = rows

    def _read_again(self, rows: NDArray[np.int64], paths: Sequence[Sequence[int]]) -> Gathered:
        longer = [[*self._batch.prompts[row], *path] for row, path in zip(rows, paths, strict=True)]
        batch = PromptBatch(longer, None, self._batch.pad_id, self._batch.ids.device)
        return gather_at(self._model, batch.ends(), {**batch.inputs(), "use_cache": False}, logits=self._own_logits)


def _keeps_prompts(model: torch.nn.Module) -> bool:
    """Whether what the model keeps of a prompt can be cut back to it; the state of linear attention or a convolution cannot."""
    config = model.config.get_text_config()  # type: ignore[union-attr, operator]
    return set(getattr(config, "layer_types", None) or ()) <= _KEPT_LAYERS


def _new_cache() -> Any:
    from transformers import DynamicCache

    return DynamicCache()  # without a config every layer keeps the whole prompt, so that it can be cropped back to it
