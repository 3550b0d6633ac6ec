"""How much memory and time a training takes, before it starts: a formula for a GPU, fitted costs for a processor.

Every figure is an estimate with a range. Formula and check: evidence.md 5.2 and 5.3; processor: `processor_cost.py`. What a machine has
measured of its own narrows both.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from coach.hardware import Hardware
from coach.measured import Measured
from coach.plan import Peft
from coach.processor_cost import (
    COSTS,
    MEMORY_COSTS,
    SLOWER_IN_FLOAT32,
    Seconds,
    answering_bytes,
    processor_memory_gb,
    processor_seconds,
    size_of,
)
from coach.reference_data import ModelRow
from coach.sentence import Sentence, sentence
from coach.text import Language
from coach.work import SCORED_TOKENS_AT_ONCE, Work

MEMORY_FACTOR, MEMORY_BASE_GB, MEMORY_RANGE = 1.25, 1.0, 0.2  # evidence.md 5.2: 1.05 to 1.40 over 15 cells, so ±20 %
MICRO_BATCHES = (8, 4, 2, 1)  # evidence.md 5.3: 8, not 1; smaller ones where memory is short
OVERHEAD_S = 0.15  # evidence.md 5.3: floor of one micro-step with 24 to 32 layers
UTILISATION = {"small": 0.15, "large": 0.35, "qlora": 0.20}  # evidence.md 5.3: 1.8B .14, 7B .41, 7B QLoRA .20, at 512 tokens
LARGE_FROM_B = 3.0
SCORING_SHARE = 1 / 3  # a forward pass against forward and backward
LOADING_S_GPU = 90.0  # evidence.md 5.3: load 0.5 to 2 minutes
TIME_RANGE = (0.6, 2.0)  # judgement, from the spread of the anchors in evidence.md 5.3
UNKNOWN_PARAMS_B = 4.0
UNKNOWN_BYTES_A_TOKEN = 1.8e6  # Qwen3-4B: 36 layers × 2 × 2560 + 12 × 2560 + 8 × 9728 + 151936 × 10
UNKNOWN_LONG_ROW_TOKENS, UNKNOWN_RANK = 512, 16  # evidence.md 5.2 computes its table at 512
SAFE_SHARE = 0.95  # of a card's memory: the desktop and the driver take some
STARTER_ID = "starter/gemma-3-270m"
PROCESSOR_MEMORY_FACTOR, PROCESSOR_MEMORY_BASE_GB = 1.25, 2.0  # judgement: activations and adapter; Python with its libraries

RECKONED_BY = f"{zlib.crc32(repr((COSTS, SLOWER_IN_FLOAT32, MEMORY_COSTS, MEMORY_FACTOR, OVERHEAD_S, UTILISATION)).encode()):08x}"
"""Names the costs that estimates are made of: what was measured beside others says nothing of these."""


@dataclass(frozen=True)
class Estimate:
    """`vram_gb` is None without a GPU, `minutes` None where the amount of data is not known; `basis` says how it was reckoned.

    `seconds` by part and `memory_gb` (of the GPU where there is one, else main memory) are the same figures before rounding.
    """

    vram_gb: float | None
    minutes: float | None
    basis: Sentence
    vram_range: tuple[float, float] | None = None
    minutes_range: tuple[float, float] | None = None
    micro_batch: int | None = None
    ram_gb: float | None = None  # main memory, where the model is trained on the processor
    ram_range: tuple[float, float] | None = None
    seconds: Seconds | None = None
    memory_gb: float | None = None
    measured: Measured | None = None

    def as_json(self, language: Language) -> dict[str, Any]:
        return {"vram_gb": self.vram_gb, "minutes": self.minutes, "basis": self.basis.say(language)}

    @property
    def memory_range(self) -> tuple[float, float] | None:
        """In GB, of the GPU where there is one, else main memory."""
        return self.vram_range or self.ram_range


def memory_gb(model: ModelRow, peft: Peft, micro_batch: int, tokens: int, rank: int = 16) -> float:
    """Peak GPU memory of a training step in GB, ±20 % (evidence.md 5.2).

    1.25 × (weights + 16 bytes a trainable parameter + activations with gradient checkpointing + logits) + 1. Full fine-tuning: 18
    bytes a parameter as measured (evidence.md 5.1), without the factor, in place of weights and adapter.
    """
    parameters = (model.params_b or UNKNOWN_PARAMS_B) * 1e9
    passing = _passing_bytes(model, micro_batch * tokens)
    if peft == "none":
        return (18 * parameters + MEMORY_FACTOR * passing) / 2**30 + MEMORY_BASE_GB
    embeddings = model.shape.embedding_parameters if model.shape else 0.1 * parameters
    weights = 0.56 * (parameters - embeddings) + 2 * embeddings if peft == "qlora" else 2 * parameters
    adapter = 16 * model.shape.lora_parameters(rank) if model.shape else 0.1 * weights
    return MEMORY_FACTOR * (weights + adapter + passing) / 2**30 + MEMORY_BASE_GB


def _passing_bytes(model: ModelRow, tokens: int) -> float:
    """Activations and logits of `tokens` at once. A model whose shape is not known counts as much as a 4B one."""
    shape = model.shape
    if shape is None:
        return UNKNOWN_BYTES_A_TOKEN * tokens
    activations = shape.layers * tokens * 2 * shape.hidden + tokens * (12 * shape.hidden + 8 * shape.ffn)
    return activations + tokens * shape.vocab * 10


def fitting_micro_batch(model: ModelRow, peft: Peft, vram_gb: float, tokens: int, rank: int = 16) -> int | None:
    """The largest micro-batch whose estimate fits `vram_gb`, or None where not even one row does."""
    return next((size for size in MICRO_BATCHES if memory_gb(model, peft, size, tokens, rank) <= SAFE_SHARE * vram_gb), None)


def estimate_training(
    model: ModelRow, peft: Peft, machine: Hardware, work: Work | None, measured: Measured | None = None, *, runs: int = 1
) -> Estimate:
    """Memory and minutes of one training, evaluations and loading included, a first download not. `work` None: rows not known.

    `measured` is how trainings on this very machine went beside what is reckoned here; `runs`, how often it is done, one after the other.
    """
    micro = _micro_batch(model, peft, machine, work) if machine.has_cuda else work.micro_batch if work else None
    memory = _memory(model, peft, machine, work, micro or 1)
    seconds = _seconds(model, peft, machine, work, micro or 1) if work else None
    if measured is not None:
        memory *= measured.memory
        seconds = measured.corrected(seconds) if seconds else None
    if seconds is not None:
        seconds = {part: value * runs for part, value in seconds.items()}
    minutes = sum(seconds.values()) / 60 if seconds else None
    spread = measured.memory_spread if measured else MEMORY_RANGE
    span = (round(memory * (1 - spread), 1), round(memory * (1 + spread), 1))
    return Estimate(
        vram_gb=round(memory, 1) if machine.has_cuda else None,
        minutes=_rounded(minutes),
        basis=_basis(machine, work, micro, measured),
        vram_range=span if machine.has_cuda else None,
        minutes_range=_minutes_range(minutes, measured.time_range if measured else TIME_RANGE),
        micro_batch=micro,
        ram_gb=None if machine.has_cuda else round(memory, 1),
        ram_range=None if machine.has_cuda else span,
        seconds=seconds,
        memory_gb=memory,
        measured=measured,
    )


def reckoned(model: ModelRow, peft: Peft, machine: Hardware, work: Work) -> tuple[Seconds, float]:
    """Seconds by part and memory in GB as they are before anything is measured: what a measurement is held against."""
    found = estimate_training(model, peft, machine, work)
    assert found.seconds is not None and found.memory_gb is not None
    return found.seconds, found.memory_gb


def estimate_baseline() -> Estimate:
    """The cheap baseline: no GPU, well under a minute up to some ten thousand rows."""
    return Estimate(None, 1.0, sentence("estimate.baseline"), minutes_range=(0.1, 1.0))


def estimate_prompt() -> Estimate:
    """Prompting trains nothing; its time is that of answering the test rows, which depends on the model asked."""
    return Estimate(None, None, sentence("estimate.prompt"))


def main_memory_gb(model: ModelRow, *, bf16: bool = True) -> float:
    """Main memory of a training on the processor in GB: the weights in 16 bits (32 without `bf16`), a quarter on top, and the program."""
    weights_gb = (2 if bf16 else 4) * (model.params_b or UNKNOWN_PARAMS_B) * 1e9 / 2**30
    return weights_gb * PROCESSOR_MEMORY_FACTOR + PROCESSOR_MEMORY_BASE_GB


def _micro_batch(model: ModelRow, peft: Peft, machine: Hardware, work: Work | None) -> int:
    """The rows at once that fit the card: as many as training takes, or half as many until they do."""
    tokens, rank = (work.long_row_tokens, work.rank) if work else (UNKNOWN_LONG_ROW_TOKENS, UNKNOWN_RANK)
    micro = fitting_micro_batch(model, peft, machine.vram_gb or 0.0, tokens, rank) or 1
    return min(micro, work.micro_batch) if work else micro


def _memory(model: ModelRow, peft: Peft, machine: Hardware, work: Work | None, micro_batch: int) -> float:
    """GB at its highest: of a training step on the longest rows, or of scoring the validation rows, whichever takes more."""
    if not machine.has_cuda:
        return processor_memory_gb(work, model, bf16=machine.cpu_bf16) if work else main_memory_gb(model, bf16=machine.cpu_bf16)
    if work is None:
        return memory_gb(model, peft, micro_batch, UNKNOWN_LONG_ROW_TOKENS, UNKNOWN_RANK)
    training = memory_gb(model, peft, micro_batch, work.long_row_tokens, work.rank)
    held = memory_gb(model, peft, 0, 0, work.rank)
    return max(training, held + MEMORY_FACTOR * answering_bytes(work, size_of(model)) / 2**30)


def _seconds(model: ModelRow, peft: Peft, machine: Hardware, work: Work, micro_batch: int) -> Seconds:
    found = processor_seconds(work, model, machine.cores, bf16=machine.cpu_bf16)
    if not machine.has_cuda:
        return found
    training, answering = _gpu_seconds(model, peft, machine, work, micro_batch)
    return {**found, "loading": LOADING_S_GPU, "training": training, "answering": answering}


def _gpu_seconds(model: ModelRow, peft: Peft, machine: Hardware, work: Work, micro_batch: int) -> tuple[float, float]:
    """Training: max(overhead × micro-steps, FLOP ÷ speed) (evidence.md 5.3: 6 FLOP a parameter and token with LoRA); and answering."""
    parameters = (model.params_b or UNKNOWN_PARAMS_B) * 1e9
    size = "qlora" if peft == "qlora" else "large" if parameters >= LARGE_FROM_B * 1e9 else "small"
    speed = (machine.peak_tflops or 60.0) * 1e12 * UTILISATION[size]
    per_token = 8 if peft == "none" else 6
    micro_steps = work.trained_rows / micro_batch
    scored = work.scored_rows * work.row_tokens
    passes = scored / SCORED_TOKENS_AT_ONCE * (1 + work.opened_choices) + work.decoded_places
    return (
        max(OVERHEAD_S * micro_steps, per_token * parameters * work.trained_tokens / speed),
        max(OVERHEAD_S * SCORING_SHARE * passes, 2 * parameters * scored / speed),
    )


def _basis(machine: Hardware, work: Work | None, micro_batch: int | None, measured: Measured | None) -> Sentence:
    if measured is not None:
        low, high = measured.time_range
        return sentence(f"estimate.measured.{measured.how}", low=low, high=high)
    if machine.has_cuda:
        tokens = work.long_row_tokens if work else UNKNOWN_LONG_ROW_TOKENS
        return sentence(
            "estimate.gpu", gpu=machine.gpu_name or sentence("estimate.some_gpu"), micro_batch=micro_batch, tokens=tokens
        )
    return sentence("estimate.cpu", cores=machine.cores)


def _rounded(minutes: float | None) -> float | None:
    if minutes is None:
        return None
    return round(minutes, 1) if minutes < 10 else float(round(minutes))


def _minutes_range(minutes: float | None, span: tuple[float, float]) -> tuple[float, float] | None:
    if minutes is None:
        return None
    low, high = (_rounded(minutes * factor) for factor in span)
    assert low is not None and high is not None
    return low, high
