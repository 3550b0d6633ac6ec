"""What a fused layer is made of: fixed weights, joined adapters, projections, norms and rotary embedding, each with its gradient.

Plain functions of tensors; nothing here knows autograd or modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class FixedParts:
    """What is not trained: weights [out, in] as the model has them, scales of its norms [width] in float32, None where it has no such norm.

    `qkv` and `gate_up` are the joined weights of layers with one input; `norm_qk` [heads + kv_heads, head_dim].
    """

    heads: int
    kv_heads: int
    head_dim: int
    score_scale: float
    eps: float
    gelu: bool  # the model's is the tanh form; else SiLU
    qkv: Tensor
    qkv_bias: Tensor | None
    out: Tensor
    gate_up: Tensor
    down: Tensor
    norm_in: Tensor
    norm_after_attention: Tensor | None
    norm_before_mlp: Tensor
    norm_after_mlp: Tensor | None
    norm_qk: Tensor | None


@dataclass(frozen=True)
class Joined:
    """Adapters of layers with one input, as one: `a` [ranks, in], `b` [outs, ranks] with a block for each, already scaled."""

    a: Tensor
    b: Tensor
    outs: tuple[int, ...]
    ranks: tuple[int, ...]
    scales: tuple[float, ...]

    @classmethod
    def of(cls, downs: Sequence[Tensor], ups: Sequence[Tensor], scales: Sequence[float], dtype: torch.dtype) -> Joined:
        outs, ranks = tuple(up.shape[0] for up in ups), tuple(up.shape[1] for up in ups)
        a = torch.cat([down.to(dtype) for down in downs]) if len(downs) > 1 else downs[0].to(dtype)
        if len(ups) == 1:
            return cls(a, (ups[0] * scales[0]).to(dtype), outs, ranks, tuple(scales))
        b = a.new_zeros(sum(outs), sum(ranks))
        row = column = 0
        for up, scale in zip(ups, scales, strict=True):
            torch.mul(up, scale, out=b[row : row + up.shape[0], column : column + up.shape[1]])
            row, column = row + up.shape[0], column + up.shape[1]
        return cls(a, b, outs, ranks, tuple(scales))

    def gradients(self, a: Tensor, b: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """The gradients of each `down` and `up` from those of the joined ones, in float32."""
        downs = [part.float() for part in a.split(self.ranks)]
        ups, row, column = list[Tensor](), 0, 0
        for out, rank, scale in zip(self.outs, self.ranks, self.scales, strict=True):
            ups.append(b[row : row + out, column : column + rank].float() * scale)
            row, column = row + out, column + rank
        return downs, ups


def linear(x: Tensor, weight: Tensor, adapter: Joined) -> tuple[Tensor, Tensor]:
    """x [n, in] through weight and adapter: the output [n, out] and the adapter's inner values [n, ranks]."""
    inner = x @ adapter.a.t()
    return functional.linear(x, weight).addmm_(inner, adapter.b.t()), inner


def linear_backward(
    grad: Tensor, x: Tensor, inner: Tensor, weight: Tensor, adapter: Joined, *, wants_input: bool = True
) -> tuple[Tensor | None, tuple[list[Tensor], list[Tensor]]]:
    """The gradients of the input, None where nobody wants it, and of each `down` and `up`."""
    grad_inner = grad @ adapter.b
    of_adapters = adapter.gradients(grad_inner.t() @ x, grad.t() @ inner)
    return (grad @ weight).addmm_(grad_inner, adapter.a) if wants_input else None, of_adapters


def _rms(x: Tensor, eps: float) -> Tensor:
    """One over the root mean square of the last axis, kept: x [..., width] in float32 gives [..., 1]."""
    return torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(eps).rsqrt_()


def normed(x: Tensor, scale: Tensor | None, eps: float) -> tuple[Tensor, Tensor | None]:
    """RMS norm of x in float32, and what its gradient needs; x itself where there is no norm."""
    if scale is None:
        return x, None
    rms = _rms(x, eps)
    return (x * rms).mul_(scale), rms


def with_normed(residual: Tensor, x: Tensor, scale: Tensor | None, eps: float) -> tuple[Tensor, Tensor | None]:
    """The residual and the RMS norm of x added up in float32, and what the norm's gradient needs."""
    if scale is None:
        return residual + x, None
    rms = _rms(x, eps)
    return torch.addcmul(residual, x * rms, scale), rms


def activated(gate: Tensor, gelu: bool) -> Tensor:
    """GELU or SiLU. In bf16 the exact GELU stands for its tanh form: it differs by at most 5e-4 and takes a third of the time."""
    return functional.gelu(gate, approximate=_form(gate)) if gelu else functional.silu(gate)


def activated_backward(grad: Tensor, gate: Tensor, gelu: bool, out: Tensor) -> None:
    """Writes the gradient of the gate into `out`."""
    if gelu:
        torch.ops.aten.gelu_backward.grad_input(grad, gate, approximate=_form(gate), grad_input=out)
    else:
        torch.ops.aten.silu_backward.grad_input(grad, gate, grad_input=out)


def _form(gate: Tensor) -> str:
    return "none" if gate.dtype == torch.bfloat16 else "tanh"


def normed_backward(grad: Tensor, x: Tensor, rms: Tensor | None, scale: Tensor | None) -> Tensor:
    """The gradient of x, all in float32."""
    if scale is None or rms is None:
        return grad
    unit, grad = x * rms, grad * scale
    along = torch.linalg.vecdot(grad, unit).div_(-x.shape[-1]).unsqueeze_(-1)
    return grad.addcmul_(unit, along).mul_(rms)


def rotated(x: Tensor, cos: Tensor, sin: Tensor, sign: int) -> Tensor:
    """Rotary embedding of x [..., head_dim] by `sign` times the angle, the halves paired as in transformers' `rotate_half`."""
    half = x.shape[-1] // 2
    out = x * cos
    out[..., :half].addcmul_(x[..., half:], sin[..., :half], value=-sign)
    out[..., half:].addcmul_(x[..., :half], sin[..., half:], value=sign)
    return out
