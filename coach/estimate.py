"""How much memory and time a training takes, before it starts: a formula for a GPU, a measured speed for a processor.

Every figure is an estimate with a range. Formula and check: evidence.md 5.2 and 5.3; processor: design.md 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coach.hardware import Hardware
from coach.plan import Peft
from coach.reference_data import ModelRow, model_row
from coach.sentence import Sentence, sentence
from coach.text import Language

MEMORY_FACTOR, MEMORY_BASE_GB, MEMORY_RANGE = 1.25, 1.0, 0.2  # evidence.md 5.2: 1.05 to 1.40 over 15 cells, so ±20 %
MICRO_BATCHES = (8, 4, 2, 1)  # evidence.md 5.3: 8, not 1; smaller ones where memory is short
OVERHEAD_S = 0.15  # evidence.md 5.3: floor of one micro-step with 24 to 32 layers
UTILISATION = {"small": 0.15, "large": 0.35, "qlora": 0.20}  # evidence.md 5.3: 1.8B .14, 7B .41, 7B QLoRA .20, at 512 tokens
LARGE_FROM_B = 3.0
LOAD_MINUTES_GPU, LOAD_MINUTES_CPU = 1.5, 0.5  # evidence.md 5.3: load 0.5 to 2 minutes; the starter model loads in seconds
TIME_RANGE = (0.6, 2.0)  # judgement, from the spread of the anchors in evidence.md 5.3
EVALUATIONS_PER_EPOCH = 2  # task.yaml's default
SCORING_SHARE = 1 / 3  # a forward pass against forward and backward
UNKNOWN_PARAMS_B = 4.0
UNKNOWN_BYTES_A_TOKEN = 1.8e6  # Qwen3-4B: 36 layers × 2 × 2560 + 12 × 2560 + 8 × 9728 + 151936 × 10
SAFE_SHARE = 0.95  # of a card's memory: the desktop and the driver take some
CPU_CORES_MEASURED, CPU_SCALING = 2, 0.8  # speed grows with cores ** .8: judgement, memory is shared
STARTER_ID = "starter/gemma-3-270m"
PROCESSOR_MEMORY_FACTOR, PROCESSOR_MEMORY_BASE_GB = 1.25, 2.0  # judgement: activations and adapter; Python with its libraries


@dataclass(frozen=True)
class Work:
    """What is to be computed: training rows (oversampled ones counted), validation and test rows, tokens of a row."""

    train_rows: float
    valid_rows: float
    test_rows: float
    epochs: float
    batch_size: int
    row_tokens: int
    long_row_tokens: int
    rank: int = 16

    @property
    def training_tokens(self) -> float:
        return self.train_rows * self.epochs * self.row_tokens

    @property
    def scoring_tokens(self) -> float:
        """Tokens read by evaluations during the run and by the final test."""
        return (self.valid_rows * self.epochs * EVALUATIONS_PER_EPOCH + self.test_rows) * self.row_tokens


@dataclass(frozen=True)
class Estimate:
    """`vram_gb` is None without a GPU, `minutes` None where the amount of data is not known; `basis` says how it was reckoned."""

    vram_gb: float | None
    minutes: float | None
    basis: Sentence
    vram_range: tuple[float, float] | None = None
    minutes_range: tuple[float, float] | None = None
    micro_batch: int | None = None
    ram_gb: float | None = None  # main memory, where the model is trained on the processor

    def as_json(self, language: Language) -> dict[str, Any]:
        return {"vram_gb": self.vram_gb, "minutes": self.minutes, "basis": self.basis.say(language)}


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


def estimate_training(model: ModelRow, peft: Peft, machine: Hardware, work: Work | None) -> Estimate:
    """Memory and minutes of one training, evaluations and loading included, a first download not. `work` None: rows not known."""
    if not machine.has_cuda:
        return _on_processor(model, machine, work)
    tokens = work.long_row_tokens if work else 512
    rank = work.rank if work else 16
    micro = fitting_micro_batch(model, peft, machine.vram_gb or 0.0, tokens, rank) or 1
    micro = min(micro, work.batch_size) if work else micro
    vram = memory_gb(model, peft, micro, tokens, rank)
    minutes = _gpu_minutes(model, peft, machine, work, micro) if work else None
    basis = sentence("estimate.gpu", gpu=machine.gpu_name or sentence("estimate.some_gpu"), micro_batch=micro, tokens=tokens)
    return Estimate(
        vram_gb=round(vram, 1),
        minutes=_rounded(minutes),
        basis=basis,
        vram_range=(round(vram * (1 - MEMORY_RANGE), 1), round(vram * (1 + MEMORY_RANGE), 1)),
        minutes_range=_minutes_range(minutes),
        micro_batch=micro,
    )


def estimate_baseline() -> Estimate:
    """The cheap baseline: no GPU, well under a minute up to some ten thousand rows."""
    return Estimate(None, 1.0, sentence("estimate.baseline"), minutes_range=(0.1, 1.0))


def estimate_prompt() -> Estimate:
    """Prompting trains nothing; its time is that of answering the test rows, which depends on the model asked."""
    return Estimate(None, None, sentence("estimate.prompt"))


def processor_tokens_per_s(model: ModelRow, cores: int) -> float:
    """Training speed on a processor: as measured for the starter model, for others by their size against it."""
    known = model.cpu_tokens_per_s
    if known is None:
        starter = model_row(STARTER_ID)
        assert starter is not None and starter.cpu_tokens_per_s and starter.params_b
        known = starter.cpu_tokens_per_s * starter.params_b / (model.params_b or UNKNOWN_PARAMS_B)
    return float(known * (max(1, cores) / CPU_CORES_MEASURED) ** CPU_SCALING)


def main_memory_gb(model: ModelRow) -> float:
    """Main memory of a training on the processor in GB: the weights in 16 bits, a quarter on top, and the program itself."""
    return 2 * (model.params_b or UNKNOWN_PARAMS_B) * 1e9 / 2**30 * PROCESSOR_MEMORY_FACTOR + PROCESSOR_MEMORY_BASE_GB


def _on_processor(model: ModelRow, machine: Hardware, work: Work | None) -> Estimate:
    speed = processor_tokens_per_s(model, machine.cores)
    minutes = None
    if work:
        minutes = (work.training_tokens + work.scoring_tokens * SCORING_SHARE) / speed / 60 + LOAD_MINUTES_CPU
    basis = sentence("estimate.cpu", cores=machine.cores, speed=round(speed))
    ram_gb = round(main_memory_gb(model), 1)
    return Estimate(None, _rounded(minutes), basis, minutes_range=_minutes_range(minutes), ram_gb=ram_gb)


def _gpu_minutes(model: ModelRow, peft: Peft, machine: Hardware, work: Work, micro_batch: int) -> float:
    """max(overhead × micro-steps, FLOP ÷ speed) (evidence.md 5.3): 6 FLOP a parameter and token with LoRA."""
    parameters = (model.params_b or UNKNOWN_PARAMS_B) * 1e9
    size = "qlora" if peft == "qlora" else "large" if parameters >= LARGE_FROM_B * 1e9 else "small"
    speed = (machine.peak_tflops or 60.0) * 1e12 * UTILISATION[size]
    per_token = 8 if peft == "none" else 6
    micro_steps = work.train_rows * work.epochs / micro_batch
    training_s = max(OVERHEAD_S * micro_steps, per_token * parameters * work.training_tokens / speed)
    scoring_s = 2 * parameters * work.scoring_tokens / speed
    return (training_s + scoring_s) / 60 + LOAD_MINUTES_GPU


def _rounded(minutes: float | None) -> float | None:
    if minutes is None:
        return None
    return round(minutes, 1) if minutes < 10 else float(round(minutes))


def _minutes_range(minutes: float | None) -> tuple[float, float] | None:
    if minutes is None:
        return None
    low, high = (_rounded(minutes * factor) for factor in TIME_RANGE)
    assert low is not None and high is not None
    return low, high
