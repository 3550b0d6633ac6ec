"""The loss of answers without ever holding logits for their gradient: from hidden states and the output layer's weight to nats a token.

Gemma's output layer is wider than all layers below it together: in plain form its two products, the float32 copies of the logits and the
softmax's gradient take a fifth of a short row's step. Here the gradient of the hidden states is worked out beside the loss
(as Liger's fused loss does on a GPU), in the layout a processor multiplies fastest, and over the tokens that have any probability.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from training.evaluation.output_layer import gather_at

LEFT_OUT = 1e-8
"""Tokens to which no answer gives more than this are left out of the gradient: of 262,144 together at most 0.26 % of the mass, which is
one rounding of bf16; on the news sample 0.015 % at the beginning and less later. The loss itself counts every token."""

MOST_PICKED = 0.25
"""Of the vocabulary: above this the whole product costs less than picking its rows."""

PROBED_TOKENS = 4


class LabelLoss(Function):
    """Hidden states [n, width], weight [vocabulary, width], targets [n]: negative log-likelihood [n] in nats, float32."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:  # type: ignore[override]
        with torch.autocast(hidden.device.type, enabled=False):
            rows = torch.arange(len(targets), device=targets.device)
            # the weight first: as the second factor it would be rearranged, which costs more than the product
            logits = (weight @ hidden.t()).t().contiguous().float()
            of_target = logits[rows, targets]
            largest = logits.amax(1, keepdim=True)
            shares = logits.sub_(largest).exp_()
            total = shares.sum(1, keepdim=True)
            if ctx.needs_input_grad[0]:
                ctx.save_for_backward(_mean_row(shares.div_(total), weight) - weight[targets])
            ctx.dtype = hidden.dtype
            return (largest + total.log()).squeeze(1) - of_target

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (towards,) = ctx.saved_tensors
        return (grad.unsqueeze(1) * towards).to(ctx.dtype), None, None


def _mean_row(shares: Tensor, weight: Tensor) -> Tensor:
    """The mean of the weight's rows under each row of `shares` [n, vocabulary]: [n, width] in float32."""
    picked = (shares.amax(0) > LEFT_OUT).nonzero().squeeze(1)
    if len(picked) <= MOST_PICKED * len(weight):
        shares, weight = shares.index_select(1, picked), weight.index_select(0, picked)
    return (shares.to(weight.dtype) @ weight).float()


@torch.no_grad()
def has_plain_head(model: Any) -> bool:
    """Whether logits are the output layer's product and nothing else (no bias, soft cap or scale), and its weight is not trained."""
    head = model.get_output_embeddings()
    if type(head) is not nn.Linear or head.bias is not None or head.weight.requires_grad:
        return False
    ids = torch.arange(1, PROBED_TOKENS + 1, device=head.weight.device).unsqueeze(0)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "use_cache": False}
    with torch.autocast(head.weight.device.type, torch.bfloat16, enabled=head.weight.dtype == torch.bfloat16):
        logits = model(**inputs).logits[0].float()
        hidden = gather_at(model, torch.ones_like(ids, dtype=torch.bool), inputs, logits=False).hidden
        product = (hidden @ head.weight.t()).float()
    return bool((logits - product).norm() <= 0.02 * logits.norm())
