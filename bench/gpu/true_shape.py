"""Models of true shape with random weights, and a small byte-level tokenizer: speed and memory do not ask what the weights are.

The shape comes from coach/catalog/models.yaml; nothing is fetched. A folder made here loads as any local model does.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from coach.reference_data import Shape, model_row

MODELS = ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B")
TINY = "tiny"
_TINY_SHAPE = Shape(hidden=64, layers=2, q=64, kv=32, ffn=128, vocab=512, tied=True)
_HEAD_WIDTH, _TINY_HEAD_WIDTH = 128, 16  # Qwen3's own in every size
CONTEXT_TOKENS = 40960
PAD, BEGIN, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def shape_of(model_id: str) -> Shape:
    """Raises LookupError for a model whose shape the catalogue does not know."""
    row = None if model_id == TINY else model_row(model_id)
    shape = _TINY_SHAPE if model_id == TINY else row and row.shape
    if shape is None:
        raise LookupError(f"coach/catalog/models.yaml has no shape of {model_id}")
    return shape


def config_of(model_id: str) -> Any:
    """The transformers configuration of a Qwen3 of that shape."""
    from transformers import Qwen3Config

    shape = shape_of(model_id)
    head = _TINY_HEAD_WIDTH if model_id == TINY else _HEAD_WIDTH
    return Qwen3Config(
        vocab_size=shape.vocab,
        hidden_size=shape.hidden,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.q // head,
        num_key_value_heads=shape.kv // head,
        head_dim=head,
        tie_word_embeddings=shape.tied,
        max_position_embeddings=CONTEXT_TOKENS,
        bos_token_id=None,
        eos_token_id=_vocabulary().index(END),
        pad_token_id=_vocabulary().index(PAD),
    )


def build(model_id: str, folder: Path) -> Path:
    """Writes the model into `folder`, bf16 safetensors, unless it is there already. On the GPU where there is one."""
    import torch
    from transformers import AutoModelForCausalLM

    if (folder / "config.json").is_file():
        return folder
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(config_of(model_id), dtype=torch.bfloat16)
    model.save_pretrained(unfinished)
    tokenizer().save_pretrained(unfinished)
    unfinished.rename(folder)
    return folder


def tokenizer() -> Any:
    """One token a byte, three marks, a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = {piece: place for place, piece in enumerate(_vocabulary())}
    whole = Tokenizer(models.BPE(vocab=pieces, merges=[]))
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    whole.add_special_tokens([PAD, BEGIN, END])
    made = PreTrainedTokenizerFast(tokenizer_object=whole, eos_token=END, pad_token=PAD, additional_special_tokens=[BEGIN])
    made.chat_template = CHAT_TEMPLATE
    return made


def _vocabulary() -> list[str]:
    from tokenizers import pre_tokenizers

    return [PAD, BEGIN, END, *sorted(pre_tokenizers.ByteLevel.alphabet())]
