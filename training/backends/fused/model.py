"""Finds the decoder layers of a model with LoRA that `layer.py` holds for, and lets them train through it.

A layer is taken only where its parts are known ones and where, on random numbers, its own answer and the fused one agree; every other
layer, every pass without a gradient and every pass with a cache stays transformers' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn

from training.backends.fused.layer import FusedLayer
from training.backends.fused.parts import FixedParts

LONGEST_TOKENS = 256
"""Scores of tokens × tokens a head are kept for the gradient; longer rows go through the model's own attention."""

AGREEMENT = 0.02
"""Of the difference to the layer's own answer, relative to its change of the input: a few roundings of bf16; another formula is far off."""

_PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def fuse_layers(model: Any) -> int:
    """Makes the decoder layers of a peft model train fused where that is sound; how many there are."""
    return sum(_fuse(layer, model.active_adapters) for layer in _layers(model))


def _layers(model: Any) -> list[nn.Module]:
    """The decoder layers of a peft model, where they are found where most have them."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else None
    layers = getattr(getattr(base, "model", None), "layers", None)
    return list(layers) if isinstance(layers, nn.ModuleList) else []


def _fuse(layer: nn.Module, active: list[str]) -> bool:
    projections = _projections(layer, active)
    fixed = projections and _fixed_parts(layer, [projection.base_layer for projection in projections])
    if not projections or fixed is None:
        return False
    fused = _Fused(layer, projections, fixed, active[0])
    if not fused.agrees():
        return False
    layer.forward = fused  # type: ignore[assignment]
    return True


@contextmanager
def read_only_at(model: Any, where: Tensor) -> Iterator[None]:
    """While it lasts, the last layer of a peft model, if it is fused, answers at the true positions of `where` [batch, sequence] alone.

    For a pass of which nothing else is read: the others' hidden states come out of that layer as zeros.
    """
    layers = _layers(model)
    last = layers[-1].forward if layers else None
    if not isinstance(last, _Fused):
        yield
        return
    last.wanted = where.flatten().nonzero().squeeze(1)
    try:
        yield
    finally:
        last.wanted = None


class _Fused:
    """The `forward` of one layer."""

    def __init__(self, layer: nn.Module, projections: list[Any], fixed: FixedParts, adapter: str) -> None:
        self.own = layer.forward
        self.attention = layer.self_attn
        self.fixed = fixed
        self.downs = [projection.lora_A[adapter].weight for projection in projections]
        self.ups = [projection.lora_B[adapter].weight for projection in projections]
        self.scales = tuple(float(projection.scaling[adapter]) for projection in projections)
        self.wanted: Tensor | None = None

    def __call__(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Any:
        mask, angles = kwargs.get("attention_mask"), kwargs.get("position_embeddings")
        plain = not args and kwargs.get("past_key_values") is None and not kwargs.get("output_attentions")
        added = self.attention.config._attn_implementation == "eager" and _is_added(
            mask
        )  # others leave causality to their kernel
        if not (plain and added and angles is not None and torch.is_grad_enabled()) or hidden_states.shape[1] > LONGEST_TOKENS:
            return self.own(hidden_states, *args, **kwargs)
        return self.fused(hidden_states, mask, angles)

    def fused(self, hidden: Tensor, mask: Any, angles: tuple[Tensor, Tensor]) -> Tensor:
        out: Tensor = FusedLayer.apply(hidden, self.fixed, mask, *angles, self.wanted, self.scales, *self.downs, *self.ups)
        return out

    def agrees(self) -> bool:
        """Whether both ways give the same on random numbers, adapters included."""
        given = [up.detach().clone() for up in self.ups]
        weight = self.fixed.out
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(0)
            with torch.no_grad():
                for up in self.ups:
                    up.normal_(std=0.02)
            hidden = torch.randn(2, 5, weight.shape[0], dtype=weight.dtype, device=weight.device)
            turn = torch.rand(1, 5, self.fixed.head_dim // 2, device=weight.device).repeat(1, 1, 2)
            blocked = torch.full((5, 5), -1e4, dtype=weight.dtype, device=weight.device).triu(1)
            asked = {
                "attention_mask": blocked.expand(2, 1, 5, 5),
                "position_embeddings": (turn.cos().to(weight.dtype), turn.sin().to(weight.dtype)),
            }
            try:
                with torch.autocast(weight.device.type, weight.dtype, enabled=weight.dtype == torch.bfloat16):
                    ours, own = self.fused(hidden, *asked.values()).detach(), self.own(hidden, **asked).detach()
            except (TypeError, RuntimeError, AttributeError):  # a layer with a call of its own: left as it is
                return False
            finally:
                with torch.no_grad():
                    for up, before in zip(self.ups, given, strict=True):
                        up.copy_(before)
        return bool((ours.float() - own.float()).norm() <= AGREEMENT * (own.float() - hidden.float()).norm())


def _is_added(mask: Any) -> bool:
    return isinstance(mask, Tensor) and mask.dim() == 4 and mask.shape[1] == 1 and mask.is_floating_point()


def _projections(layer: nn.Module, active: list[str]) -> list[Any] | None:
    """The seven projections, each a plain LoRA of one adapter without dropout; None where one is anything else."""
    found = [
        getattr(getattr(layer, part, None), name, None) for part, name in zip(("self_attn",) * 4 + ("mlp",) * 3, _PROJECTIONS)
    ]
    return found if len(active) == 1 and all(_is_plain(projection, active[0]) for projection in found) else None


def _is_plain(projection: Any, adapter: str) -> bool:
    return (
        type(projection) is LoraLinear
        and type(projection.base_layer) is nn.Linear
        and list(projection.lora_A) == [adapter]
        and not projection.lora_variant
        and not projection.merged
        and projection.lora_A[adapter].bias is None
        and projection.lora_B[adapter].bias is None
        and isinstance(projection.lora_dropout[adapter], nn.Identity)
        and not projection.base_layer.weight.requires_grad
    )


def _fixed_parts(layer: Any, linears: list[nn.Linear]) -> FixedParts | None:
    """What the layer computes with besides adapters; None where it has a part that is not known. Joins weights with one input."""
    attention, config = layer.self_attn, layer.self_attn.config
    biased = [linear.bias is not None for linear in linears]
    activation = getattr(config, "hidden_activation", None) or getattr(config, "hidden_act", None)
    unknown = (
        getattr(attention, "attn_logit_softcapping", None) is not None
        or getattr(config, "attention_dropout", 0.0)
        or any(biased[3:])
        or len(set(biased[:3])) > 1
        or activation not in ("gelu_pytorch_tanh", "silu")
        or not hasattr(attention, "scaling")
    )
    norms = None if unknown else _norms(layer)
    if norms is None:
        return None
    head_dim = attention.head_dim
    q, k, v, out, gate, up, down = linears
    return FixedParts(
        heads=q.out_features // head_dim,
        kv_heads=k.out_features // head_dim,
        head_dim=head_dim,
        score_scale=float(attention.scaling),
        gelu=activation == "gelu_pytorch_tanh",
        qkv=_joined([q, k, v]),
        qkv_bias=torch.cat([linear.bias.detach() for linear in (q, k, v)]) if biased[0] else None,
        out=out.weight.detach(),
        gate_up=_joined([gate, up]),
        down=down.weight.detach(),
        **norms(q.out_features // head_dim, k.out_features // head_dim),
    )


def _norms(layer: Any) -> Any:
    """The layer's norms as `FixedParts` names them, given the numbers of heads; None where one is of an unknown kind."""
    sandwiched = hasattr(layer, "pre_feedforward_layernorm")  # Gemma norms a block's answer too
    named = {
        "norm_in": layer.input_layernorm,
        "norm_before_mlp": layer.pre_feedforward_layernorm if sandwiched else layer.post_attention_layernorm,
        "norm_after_attention": layer.post_attention_layernorm if sandwiched else None,
        "norm_after_mlp": layer.post_feedforward_layernorm if sandwiched else None,
    }
    queries, keys = (getattr(layer.self_attn, name, None) for name in ("q_norm", "k_norm"))
    norms = [norm for norm in (*named.values(), queries, keys) if norm is not None]
    scales = {id(norm): _scale(norm) for norm in norms}
    epsilons = {_epsilon(norm) for norm in norms}
    if (queries is None) != (keys is None) or len(epsilons) != 1 or any(scale is None for scale in scales.values()):
        return None
    (epsilon,) = epsilons

    def given(heads: int, kv_heads: int) -> dict[str, Any]:
        of_heads = None
        if queries is not None:
            of_heads = torch.cat([scales[id(queries)].expand(heads, -1), scales[id(keys)].expand(kv_heads, -1)])
        found = {name: None if norm is None else scales[id(norm)] for name, norm in named.items()}
        return {**found, "norm_qk": of_heads, "eps": epsilon}

    return given


def _epsilon(norm: Any) -> float | None:
    return getattr(norm, "variance_epsilon", getattr(norm, "eps", None))


def _scale(norm: Any) -> Any:
    """What an RMS norm multiplies with, [width] in float32: its weight, or with Gemma one more; None where it is another norm."""
    weight, epsilon = getattr(norm, "weight", None), _epsilon(norm)
    if not isinstance(weight, Tensor) or weight.dim() != 1 or epsilon is None or weight.requires_grad:
        return None
    with torch.no_grad():
        x = torch.linspace(-1, 2, weight.numel(), device=weight.device).unsqueeze(0)
        unit = x * torch.rsqrt(x.square().mean() + epsilon)
        for scale in (weight.detach().float(), 1 + weight.detach().float()):
            if torch.allclose(norm(x).float(), unit * scale, rtol=0.02, atol=1e-3):
                return scale
    return None


def _joined(linears: list[nn.Linear]) -> Tensor:
    """The weights on top of one another, [sum of outs, in]; the layers' own become views of it, so that nothing is held twice."""
    whole = torch.cat([linear.weight.detach() for linear in linears])
    for linear, part in zip(linears, whole.split([linear.out_features for linear in linears]), strict=True):
        linear.weight.data = part
    return whole
