"""Attention of a fused layer: query heads of one key head are rows of one product, so that no key is repeated."""

from __future__ import annotations

import torch
from torch import Tensor

from training.backends.fused.parts import FixedParts, normed, normed_backward, rotated


class Heads:
    """Attention of one batch: projections in, mixed values out. Query heads of one key head are rows of one product."""

    def __init__(self, fixed: FixedParts, batch: int, sequence: int) -> None:
        self.fixed = fixed
        self.batch, self.sequence = batch, sequence
        self.asked = fixed.heads + fixed.kv_heads  # heads with an angle: queries and keys

    def attend(
        self, qkv: Tensor, mask: Tensor | None, angles: tuple[Tensor, ...]
    ) -> tuple[Tensor, Tensor | None, tuple[Tensor, ...]]:
        """qkv [batch · sequence, …]: the mixed values [batch · sequence, heads · head_dim], and what the gradient needs."""
        fixed = self.fixed
        unit, rms = normed(self._queries_and_keys(qkv).float(), fixed.norm_qk, fixed.eps)
        turned = rotated(unit, angles[0], angles[1], 1).to(qkv.dtype)
        q = self._to_products(turned[:, : fixed.heads])
        k = self._to_products(turned[:, fixed.heads :])
        v = self._to_products(qkv[:, self.asked * fixed.head_dim :].view(-1, fixed.kv_heads, fixed.head_dim))
        scores = torch.bmm(q, k.transpose(1, 2)).mul_(fixed.score_scale)
        if mask is not None:
            self._by_rows(scores).add_(mask.unsqueeze(3).to(scores.dtype))
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(qkv.dtype)
        return self._from_products(torch.bmm(weights, v)), rms, (q, k, v, weights)

    def attend_backward(
        self,
        grad: Tensor,
        qkv: Tensor,
        rms: Tensor | None,
        angles: tuple[Tensor, Tensor],
        q: Tensor,
        k: Tensor,
        v: Tensor,
        weights: Tensor,
    ) -> Tensor:
        """The gradient of qkv, in its own shape."""
        fixed = self.fixed
        grad = self._to_products(grad.view(-1, fixed.heads, fixed.head_dim))
        of_v = torch.bmm(weights.transpose(1, 2), grad)
        of_weights = torch.bmm(grad, v.transpose(1, 2))
        of_scores = torch.ops.aten._softmax_backward_data(of_weights.float(), weights.float(), -1, torch.float32)
        of_scores = of_scores.mul_(fixed.score_scale).to(grad.dtype)
        of_q, of_k = torch.bmm(of_scores, k), torch.bmm(of_scores.transpose(1, 2), q)
        turned = torch.empty(self.batch * self.sequence, self.asked, fixed.head_dim, device=grad.device)
        turned[:, : fixed.heads] = self._from_products(of_q).view(-1, fixed.heads, fixed.head_dim)
        turned[:, fixed.heads :] = self._from_products(of_k).view(-1, fixed.kv_heads, fixed.head_dim)
        back = rotated(turned, angles[0], angles[1], -1)
        out = torch.empty_like(qkv)
        self._queries_and_keys(out).copy_(normed_backward(back, self._queries_and_keys(qkv).float(), rms, fixed.norm_qk))
        out[:, self.asked * fixed.head_dim :] = self._from_products(of_v)
        return out

    def _queries_and_keys(self, qkv: Tensor) -> Tensor:
        """A view [batch · sequence, heads + kv_heads, head_dim]."""
        return qkv[:, : self.asked * self.fixed.head_dim].unflatten(1, (self.asked, self.fixed.head_dim))

    def _to_products(self, x: Tensor) -> Tensor:
        """[batch · sequence, n · kv_heads, head_dim] to [batch · kv_heads, sequence · n, head_dim]."""
        per_head = x.shape[1] // self.fixed.kv_heads
        x = x.reshape(self.batch, self.sequence, self.fixed.kv_heads, per_head, self.fixed.head_dim)
        return x.transpose(1, 2).reshape(self.batch * self.fixed.kv_heads, self.sequence * per_head, self.fixed.head_dim)

    def _from_products(self, x: Tensor) -> Tensor:
        """The way back, to [batch · sequence, kv_heads · n · head_dim]."""
        x = x.view(self.batch, self.fixed.kv_heads, self.sequence, -1)
        return x.transpose(1, 2).reshape(self.batch * self.sequence, -1)

    def _by_rows(self, scores: Tensor) -> Tensor:
        """A view [batch, kv_heads, sequence, heads of a key head, sequence] of the scores."""
        return scores.view(self.batch, self.fixed.kv_heads, self.sequence, -1, self.sequence)
