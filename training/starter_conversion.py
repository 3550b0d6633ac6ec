"""The starter model's own conversion: from an open GGUF file to the tokenizer, weights and configuration transformers loads.

Knows Gemma 3 as this one GGUF stores it, and nothing of caches. Reading and dequantising are the `gguf` package's; transformers' own GGUF
loader was passed over: it takes three times as long, reports no progress, and its tokenizer for this file is wrong (starter_model.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gguf import GGUFReader
    from tokenizers import Tokenizer

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stage is `assemble` or `convert`."""

# --- tokenizer -----------------------------------------------------------------------------------------------------------------

_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4  # GGUF token types


def build_tokenizer(reader: GGUFReader) -> Tokenizer:
    """A byte-pair tokenizer from the GGUF's SentencePiece pieces: a merge for each way to halve a piece, best score first."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

    pieces = [bytes(part).decode("utf-8") for part in _array(reader, "tokenizer.ggml.tokens")]
    kinds = [int(part[0]) for part in _array(reader, "tokenizer.ggml.token_type")]
    scores = [float(part[0]) for part in _array(reader, "tokenizer.ggml.scores")]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    merges = [
        (-scores[index], vocabulary[left], vocabulary[right])
        for index, piece in enumerate(pieces)
        if kinds[index] == _NORMAL
        for left, right in _halves(piece)
        if left in vocabulary and right in vocabulary
    ]
    merges.sort()
    tokenizer = Tokenizer(
        models.BPE(
            vocab=vocabulary,
            merges=[(pieces[left], pieces[right]) for _, left, right in merges],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = [
        AddedToken(piece, special=True, normalized=False) for piece, kind in zip(pieces, kinds, strict=True) if kind == _CONTROL
    ]
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens(
        [AddedToken(piece, normalized=False) for piece, kind in zip(pieces, kinds, strict=True) if kind == _USER_DEFINED]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", 2)]
    )
    return tokenizer


def _halves(piece: str) -> Iterator[tuple[str, str]]:
    return ((piece[:cut], piece[cut:]) for cut in range(1, len(piece)))


def _array(reader: GGUFReader, name: str) -> list[Any]:
    field = reader.fields[name]
    return [field.parts[index] for index in field.data]


def save_tokenizer(tokenizer: Tokenizer, target: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json.

    The configuration names the added tokens too: where it does not, transformers reads all 33 MB of tokenizer.json as JSON just to find
    them, a second at each start.
    """
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        padding_side="right",
    )
    fast.save_pretrained(target)
    path = target / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["added_tokens_decoder"] = {str(index): token.__getstate__() for index, token in fast.added_tokens_decoder.items()}
    path.write_text(json.dumps(config, ensure_ascii=False, indent=1), encoding="utf-8")


# --- weights -------------------------------------------------------------------------------------------------------------------

_BLOCK_NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def _weight_name(gguf_name: str) -> str:
    """`blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`."""
    if gguf_name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if gguf_name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, _ = gguf_name.split(".")
    return f"model.layers.{layer}.{_BLOCK_NAMES[part]}.weight"


def save_weights(reader: GGUFReader, target: Path, progress: Progress) -> None:
    import torch
    from gguf.quants import dequantize
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    for done, tensor in enumerate(reader.tensors):
        progress("convert", done, len(reader.tensors))
        values = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
        if "norm" in tensor.name:
            values = values - 1.0  # llama.cpp stores Gemma's norms as 1 + weight
        tensors[_weight_name(tensor.name)] = values.to(torch.bfloat16).contiguous()
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    progress("convert", len(reader.tensors), len(reader.tensors))


def save_config(reader: GGUFReader, target: Path) -> None:
    from transformers import Gemma3TextConfig

    def number(name: str) -> Any:
        return reader.fields[f"gemma3.{name}"].contents()

    config = Gemma3TextConfig(
        vocab_size=len(reader.fields["tokenizer.ggml.tokens"].data),
        hidden_size=number("embedding_length"),
        intermediate_size=number("feed_forward_length"),
        num_hidden_layers=number("block_count"),
        num_attention_heads=number("attention.head_count"),
        num_key_value_heads=number("attention.head_count_kv"),
        head_dim=number("attention.key_length"),
        query_pre_attn_scalar=number("attention.key_length"),
        rms_norm_eps=1e-6,
        max_position_embeddings=number("context_length"),
        sliding_window=number("attention.sliding_window"),
        tie_word_embeddings=True,
        bos_token_id=2,
        eos_token_id=1,
        pad_token_id=0,
        dtype="bfloat16",
    )
    config.architectures = ["Gemma3ForCausalLM"]
    config.save_pretrained(target)
