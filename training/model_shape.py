"""A base model's dimensions for an estimate: from the catalogue, or from the config.json of a model folder on this machine."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from coach.errors import ModelError
from coach.reference_data import ModelRow, Shape, model_row


def known_model(source: str, near: Path) -> ModelRow:
    """`near` is the folder a relative path starts from. Raises ModelError for a model whose size nobody has told us."""
    found = model_row(source)
    if found is not None:
        return found
    try:
        folder = next(path for path in (Path(source).expanduser(), near / source) if (path / "config.json").is_file())
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return _row(source, _shape(config.get("text_config", config)))
    except (OSError, RuntimeError, StopIteration, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("model.not_in_catalogue", source=source) from error


def _shape(config: dict[str, Any]) -> Shape:
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    head_dim = int(config.get("head_dim") or hidden // heads)
    return Shape(
        hidden=hidden,
        layers=int(config["num_hidden_layers"]),
        q=heads * head_dim,
        kv=int(config.get("num_key_value_heads") or heads) * head_dim,
        ffn=int(config["intermediate_size"]),
        vocab=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", False)),
    )


def _row(source: str, shape: Shape) -> ModelRow:
    """Of what a catalogue says, the dimensions alone."""
    layer = 2 * shape.hidden * (shape.q + shape.kv) + 3 * shape.hidden * shape.ffn
    return ModelRow(
        id=source,
        params_b=(shape.layers * layer + shape.embedding_parameters) / 1e9,
        shape=shape,
        licence="",
        gated=False,
        languages=[],
        roles=[],
        fp16_safe=False,
        thinking="never",
        four_bit_id=None,
        source="",
        date=date.min,
    )
