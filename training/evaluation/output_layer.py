"""What a model says at chosen positions: its output layer is shown those and no others.

The output layer is a matrix of the whole vocabulary (262,144 × 640 in the starter model), so where it is applied decides the cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Gathered:
    """At n positions: `hidden` [n, width] as the output layer was given it, and the model's `logits` [n, vocabulary] where asked."""

    hidden: torch.Tensor
    logits: torch.Tensor | None

    def at(self, places: torch.Tensor) -> Gathered:
        """The same at some of the n positions, copied out, so that the others' logits can go."""
        return Gathered(self.hidden[places], None if self.logits is None else self.logits[places])


def gather_at(model: torch.nn.Module, where: torch.Tensor, inputs: dict[str, Any], *, logits: bool = True) -> Gathered:
    """What the model says at the n true positions of `where` [batch, sequence].

    The positions are gathered into one contiguous matrix before the output layer: a sliced `[8, 3, 640]` bf16 tensor takes it 5 s on
    a CPU, the contiguous `[24, 640]` 0.03 s (design.md section 9). Soft caps and scales behind the layer stay the model's own.
    Without `logits` it is shown no position at all.
    """
    seen: list[torch.Tensor] = []

    def gather(module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        seen.append(args[0][where])
        return ((seen[0] if logits else seen[0][:0]).unsqueeze(0),)

    hook = model.get_output_embeddings().register_forward_pre_hook(gather)  # type: ignore[operator]
    try:
        said = model(**inputs).logits
    finally:
        hook.remove()
    if not logits:
        return Gathered(seen[0], None)
    gathered = said.shape[0] == 1 and said.shape[1] == int(where.sum())
    return Gathered(seen[0], said[0] if gathered else said[where])


@contextmanager
def contiguous_head(model: torch.nn.Module) -> Iterator[None]:
    """While decoding, hands the output layer a contiguous tensor: the last position's slice costs seconds a token in bf16 on a CPU."""
    head = model.get_output_embeddings()  # type: ignore[operator]
    hook = head.register_forward_pre_hook(lambda module, args: (args[0].contiguous(),))
    try:
        yield
    finally:
        hook.remove()


_SCALED_HEADS = ("final_logit_softcapping", "logits_scaling", "logit_scale", "lm_head_multiplier")


def needs_own_logits(model: torch.nn.Module) -> bool:
    """Whether a few tokens' logits can only be had from the model: it caps or scales them, or its output layer is no plain matrix."""
    config = model.config.get_text_config()  # type: ignore[union-attr, operator]
    head = model.get_output_embeddings()  # type: ignore[operator]
    scaled = any(getattr(config, name, None) not in (None, 1, 1.0) for name in _SCALED_HEADS)
    return scaled or not isinstance(head, torch.nn.Linear) or not head.weight.is_floating_point()


def logits_of(model: torch.nn.Module, at: Gathered, tokens: Sequence[int]) -> torch.Tensor:
    """Float32 logits [n, tokens] of a few tokens.

    Their own rows of the output layer are multiplied in float32: bf16 logits near 20 are 0.125 apart, which decides close labels by
    rounding. Where a model `needs_own_logits`, those are taken.
    """
    if needs_own_logits(model):
        assert at.logits is not None
        return at.logits[:, list(tokens)].float()
    head = model.get_output_embeddings()  # type: ignore[operator]
    with torch.autocast(at.hidden.device.type, enabled=False):
        logits = at.hidden.float() @ head.weight[list(tokens)].float().T
        return logits if head.bias is None else logits + head.bias[list(tokens)].float()
