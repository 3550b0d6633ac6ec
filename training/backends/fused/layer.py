"""A decoder layer with LoRA as one differentiable function: what transformers and peft compute, in fewer and larger operations.

On a processor half of a training step goes into hundreds of small operations around the matrix products: casts, norms, adapters, rotary
embedding, each of them again for the gradient. Here a layer's forward and backward pass are written out: projections that read the same
input are one product, adapters are added inside it, nothing is cast twice, key and value heads are not repeated, and only what the
gradient needs is kept. `torch.compile` was passed over (a compiler on the user's machine, half a minute before the first step), Liger
and Unsloth's kernels too (GPU only).

Knows the arithmetic of pre-norm layers (Llama, Qwen 2 and 3, Gemma 3), nothing of modules; `model.py` finds the layers it holds for.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable
from torch.nn import functional

from training.backends.fused.attention import Heads
from training.backends.fused.parts import FixedParts, Joined, linear, linear_backward, normed, normed_backward

Saved = tuple[Tensor | None, ...]
Adapters = tuple[list[Tensor], list[Tensor]]  # the gradients of each `down` and `up`


class FusedLayer(Function):
    """Hidden states [batch, sequence, width] through a whole layer.

    `mask` is added to the scores, [batch or 1, 1, sequence, sequence], or None; `cos` and `sin` [batch or 1, sequence, head_dim].
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
        scales: tuple[float, ...],
        *adapters: Tensor,
    ) -> Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            return _forward(ctx, hidden, fixed, mask, (cos, sin), scales, adapters)

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
    middle, first = _attention(hidden.reshape(-1, width), fixed, heads, mask, (cos, sin), *joined[:2])
    out, second = _mlp(middle, fixed, *joined[2:])
    ctx.fixed, ctx.joined, ctx.heads, ctx.first = fixed, joined, heads, len(first)
    ctx.save_for_backward(*first, *second)
    return out.view(hidden.shape)


def _attention(
    x: Tensor, fixed: FixedParts, heads: Heads, mask: Tensor | None, angles: tuple[Tensor, Tensor], to_qkv: Joined, to_out: Joined
) -> tuple[Tensor, Saved]:
    """The layer's first half, x [n, width] and what it adds; and what the gradient needs."""
    unit, rms_in = normed(x.float(), fixed.norm_in, fixed.eps)
    unit = unit.to(x.dtype)
    qkv, inner_qkv = linear(unit, fixed.qkv, to_qkv)
    if fixed.qkv_bias is not None:
        qkv += fixed.qkv_bias
    mixed, rms_qk, kept = heads.attend(qkv, mask, angles)
    answer, inner_out = linear(mixed, fixed.out, to_out)
    added, rms_answer = normed(answer.float(), fixed.norm_after_attention, fixed.eps)
    saved = (x, unit, rms_in, qkv, inner_qkv, rms_qk, *angles, *kept, mixed, inner_out, answer, rms_answer)
    return (x.float() + added).to(x.dtype), saved


def _mlp(x: Tensor, fixed: FixedParts, to_inner: Joined, to_outer: Joined) -> tuple[Tensor, Saved]:
    """The layer's second half."""
    unit, rms_in = normed(x.float(), fixed.norm_before_mlp, fixed.eps)
    unit = unit.to(x.dtype)
    gate_up, inner_gate = linear(unit, fixed.gate_up, to_inner)
    gate, up = gate_up.chunk(2, dim=-1)
    active = functional.gelu(gate, approximate="tanh") if fixed.gelu else functional.silu(gate)
    product = active * up
    answer, inner_down = linear(product, fixed.down, to_outer)
    added, rms_answer = normed(answer.float(), fixed.norm_after_mlp, fixed.eps)
    saved = (x, unit, rms_in, gate_up, inner_gate, active, product, inner_down, answer, rms_answer)
    return (x.float() + added).to(x.dtype), saved


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    saved = ctx.saved_tensors
    to_qkv, to_out, to_inner, to_outer = ctx.joined
    total = grad.reshape(saved[0].shape).float()  # the gradient of the residual stream, float32 throughout
    total, of_inner, of_outer = _mlp_backward(total, ctx.fixed, saved[ctx.first :], to_inner, to_outer)
    wanted = ctx.needs_input_grad[0]
    of_input, of_qkv, of_out = _attention_backward(total, ctx.fixed, ctx.heads, saved[: ctx.first], to_qkv, to_out, wanted)
    parts = (of_qkv, of_out, of_inner, of_outer)
    result = None if of_input is None else of_input.to(grad.dtype).view(grad.shape)
    return (result, *(None,) * 5, *(down for downs, _ in parts for down in downs), *(up for _, ups in parts for up in ups))


def _mlp_backward(
    total: Tensor, fixed: FixedParts, saved: tuple[Any, ...], to_inner: Joined, to_outer: Joined
) -> tuple[Tensor, Adapters, Adapters]:
    x, unit, rms_in, gate_up, inner_gate, active, product, inner_down, answer, rms_answer = saved
    step: Any = normed_backward(total, answer.float(), rms_answer, fixed.norm_after_mlp).to(x.dtype)
    step, of_outer = linear_backward(step, product, inner_down, fixed.down, to_outer)
    step = _gated_backward(step, gate_up, active, fixed.gelu)
    step, of_inner = linear_backward(step, unit, inner_gate, fixed.gate_up, to_inner)
    return total + normed_backward(step.float(), x.float(), rms_in, fixed.norm_before_mlp), of_inner, of_outer


def _attention_backward(
    total: Tensor, fixed: FixedParts, heads: Heads, saved: tuple[Any, ...], to_qkv: Joined, to_out: Joined, wanted: bool
) -> tuple[Tensor | None, Adapters, Adapters]:
    x, unit, rms_in, qkv, inner_qkv, rms_qk, cos, sin, *kept, mixed, inner_out, answer, rms_answer = saved
    step: Any = normed_backward(total, answer.float(), rms_answer, fixed.norm_after_attention).to(x.dtype)
    step, of_out = linear_backward(step, mixed, inner_out, fixed.out, to_out)
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
    if gelu:
        torch.ops.aten.gelu_backward.grad_input(grad * up, gate, approximate="tanh", grad_input=of_gate)
    else:
        torch.ops.aten.silu_backward.grad_input(grad * up, gate, grad_input=of_gate)
    return out
