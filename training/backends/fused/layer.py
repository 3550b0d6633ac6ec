"""A decoder layer with LoRA as one differentiable function: what transformers and peft compute, in fewer and larger operations.

On a processor half of a training step goes into hundreds of small operations around the matrix products: casts, norms, adapters, rotary
embedding, each of them again for the gradient. Here a layer's forward and backward pass are written out: projections that read the same
input are one product, adapters are added inside it, nothing is cast twice, key and value heads are not repeated, and only what the
gradient needs is kept. `torch.compile` was passed over (a compiler on the user's machine, half a minute before the first step), Liger
and Unsloth's kernels too (GPU only).

Knows the arithmetic of pre-norm layers (Llama, Qwen 2 and 3, Gemma 3), nothing of modules; `model.py` finds the layers it holds for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from training.backends.fused.attention import Heads
from training.backends.fused.parts import (
    FixedParts,
    Joined,
    activated,
    activated_backward,
    linear,
    linear_backward,
    normed,
    normed_backward,
    with_normed,
)

Saved = tuple[Tensor | None, ...]
Adapters = tuple[list[Tensor], list[Tensor]]  # the gradients of each `down` and `up`


class FusedLayer(Function):
    """Hidden states [batch, sequence, width] through a whole layer.

    `mask` is added to the scores, [batch or 1, 1, sequence, sequence], or None; `cos` and `sin` [batch or 1, sequence, head_dim].
    `wanted` [m]: the rows of [batch · sequence] whose answer somebody reads, or None for all; the others' is zero.
    `scales` and the adapters are in the order q, k, v, o, gate, up, down: first every `down` [rank, in], then every `up` [out, rank].
    """

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        hidden: Tensor,
        fixed: FixedParts,
        mask: Tensor | None,
        cos: Tensor,
        sin: Tensor,
        wanted: Tensor | None,
        scales: tuple[float, ...],
        *adapters: Tensor,
    ) -> Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            return _forward(ctx, hidden, fixed, mask, (cos, sin), wanted, scales, adapters)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        with torch.autocast(grad.device.type, enabled=False):
            return _backward(ctx, grad)


def _forward(
    ctx: Any,
    hidden: Tensor,
    fixed: FixedParts,
    mask: Tensor | None,
    angles: tuple[Tensor, Tensor],
    wanted: Tensor | None,
    scales: tuple[float, ...],
    adapters: tuple[Tensor, ...],
) -> Tensor:
    batch, sequence, width = hidden.shape
    downs, ups = adapters[:7], adapters[7:]
    joined = [
        Joined.of(downs[part], ups[part], scales[part], hidden.dtype)
        for part in (slice(3), slice(3, 4), slice(4, 6), slice(6, 7))
    ]
    cos, sin = (angle.float().expand(batch, -1, -1).reshape(batch * sequence, 1, -1) for angle in angles)
    heads = Heads(fixed, batch, sequence)
    total, first = _attention(hidden.reshape(-1, width), fixed, heads, mask, (cos, sin), wanted, *joined[:2])
    total, second = _mlp(total, fixed, hidden.dtype, *joined[2:])
    ctx.fixed, ctx.joined, ctx.heads, ctx.first, ctx.shape = fixed, joined, heads, len(first), hidden.shape
    ctx.save_for_backward(wanted, *first, *second)
    out = total.to(hidden.dtype)
    return (out if wanted is None else _put_back(out, wanted, batch * sequence)).view(hidden.shape)


def _attention(
    x: Tensor,
    fixed: FixedParts,
    heads: Heads,
    mask: Tensor | None,
    angles: tuple[Tensor, Tensor],
    wanted: Tensor | None,
    to_qkv: Joined,
    to_out: Joined,
) -> tuple[Tensor, Saved]:
    """The layer's first half, x [n, width] and what it adds, in float32, at the `wanted` rows; and what the gradient needs."""
    residual = x.float()
    unit, rms_in = normed(residual, fixed.norm_in, fixed.eps)
    unit = unit.to(x.dtype)
    qkv, inner_qkv = linear(unit, fixed.qkv, to_qkv)
    if fixed.qkv_bias is not None:
        qkv += fixed.qkv_bias
    mixed, rms_qk, kept = heads.attend(qkv, mask, angles)
    if wanted is not None:
        residual, mixed = residual[wanted], mixed[wanted]
    answer, inner_out = linear(mixed, fixed.out, to_out)
    total, rms_answer = with_normed(residual, answer.float(), fixed.norm_after_attention, fixed.eps)
    saved = (x, unit, rms_in, qkv, inner_qkv, rms_qk, *angles, *kept, mixed, inner_out, answer, rms_answer)
    return total, saved


def _mlp(residual: Tensor, fixed: FixedParts, dtype: torch.dtype, to_inner: Joined, to_outer: Joined) -> tuple[Tensor, Saved]:
    """The layer's second half, float32 to float32.

    What gate and up give is worked out again for the gradient: kept, it would be a third of all that is.
    """
    x = residual.to(dtype)
    unit, rms_in = normed(residual, fixed.norm_before_mlp, fixed.eps)
    unit = unit.to(dtype)
    gate_up, inner_gate = linear(unit, fixed.gate_up, to_inner)
    gate, up = gate_up.chunk(2, dim=-1)
    answer, inner_down = linear(activated(gate, fixed.gelu).mul_(up), fixed.down, to_outer)
    total, rms_answer = with_normed(residual, answer.float(), fixed.norm_after_mlp, fixed.eps)
    return total, (x, unit, rms_in, gate_up, inner_gate, inner_down, answer, rms_answer)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    wanted_rows, *saved = ctx.saved_tensors
    to_qkv, to_out, to_inner, to_outer = ctx.joined
    total = grad.reshape(-1, grad.shape[-1])
    total = (total if wanted_rows is None else total[wanted_rows]).float()  # of the residual stream, float32 throughout
    total, of_inner, of_outer = _mlp_backward(total, ctx.fixed, saved[ctx.first :], to_inner, to_outer)
    wanted = ctx.needs_input_grad[0]
    of_input, of_qkv, of_out = _attention_backward(
        total, ctx.fixed, ctx.heads, saved[: ctx.first], wanted_rows, to_qkv, to_out, wanted
    )
    parts = (of_qkv, of_out, of_inner, of_outer)
    result = None if of_input is None else of_input.to(grad.dtype).view(grad.shape)
    return (result, *(None,) * 6, *(down for downs, _ in parts for down in downs), *(up for _, ups in parts for up in ups))


def _mlp_backward(
    total: Tensor, fixed: FixedParts, saved: Sequence[Any], to_inner: Joined, to_outer: Joined
) -> tuple[Tensor, Adapters, Adapters]:
    x, unit, rms_in, gate_up, inner_gate, inner_down, answer, rms_answer = saved
    gate, up = gate_up.chunk(2, dim=-1)
    active = activated(gate, fixed.gelu)
    step: Any = normed_backward(total, answer.float(), rms_answer, fixed.norm_after_mlp).to(x.dtype)
    step, of_outer = linear_backward(step, active * up, inner_down, fixed.down, to_outer)
    step = _gated_backward(step, gate_up, active, fixed.gelu)
    step, of_inner = linear_backward(step, unit, inner_gate, fixed.gate_up, to_inner)
    return total + normed_backward(step.float(), x.float(), rms_in, fixed.norm_before_mlp), of_inner, of_outer


def _attention_backward(
    total: Tensor,
    fixed: FixedParts,
    heads: Heads,
    saved: Sequence[Any],
    wanted_rows: Tensor | None,
    to_qkv: Joined,
    to_out: Joined,
    wanted: bool,
) -> tuple[Tensor | None, Adapters, Adapters]:
    x, unit, rms_in, qkv, inner_qkv, rms_qk, cos, sin, *kept, mixed, inner_out, answer, rms_answer = saved
    step: Any = normed_backward(total, answer.float(), rms_answer, fixed.norm_after_attention).to(x.dtype)
    step, of_out = linear_backward(step, mixed, inner_out, fixed.out, to_out)
    if wanted_rows is not None:
        total, step = _put_back(total, wanted_rows, len(x)), _put_back(step, wanted_rows, len(x))
    step = heads.attend_backward(step, qkv, rms_qk, (cos, sin), *kept)
    step, of_qkv = linear_backward(step, unit, inner_qkv, fixed.qkv, to_qkv, wants_input=wanted)
    of_input = total + normed_backward(step.float(), x.float(), rms_in, fixed.norm_in) if wanted else None
    return of_input, of_qkv, of_out


def _gated_backward(grad: Tensor, gate_up: Tensor, active: Tensor, gelu: bool) -> Tensor:
    """From the gradient of act(gate) · up [n, inner] to that of gate and up side by side [n, 2 · inner]."""
    gate, up = gate_up.chunk(2, dim=-1)
    out = torch.empty_like(gate_up)
    of_gate, of_up = out.chunk(2, dim=-1)
    torch.mul(grad, active, out=of_up)
    activated_backward(grad * up, gate, gelu, of_gate)
    return out


def _put_back(rows: Tensor, places: Tensor, count: int) -> Tensor:
    """`rows` [m, width] at their places among `count` rows of zeros."""
    return rows.new_zeros(count, rows.shape[1]).index_copy_(0, places, rows)
