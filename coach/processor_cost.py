"""What a training costs on a processor: seconds of each of its parts, and main memory at its highest.

Both are amounts of work times what one of each costs. The amounts are counted from the task and the model's shape; the costs were fitted
to measured trainings of the starter model on two cores (`bench/fit_costs.py`). Other models are reckoned by their shape, other numbers
of cores by CORES_EXPONENT; what a machine has measured itself comes on top in `estimate.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from coach.reference_data import ModelRow
from coach.work import SCORED_TOKENS_AT_ONCE, Work

Part = Literal["loading", "baseline", "training", "answering", "writing"]
PARTS: tuple[Part, ...] = get_args(Part)
Seconds = dict[Part, float]

CORES_MEASURED, CORES_EXPONENT = 2, 0.8  # judgement: memory is shared, so speed grows slower than cores
SHORT_ROWS = 256  # tokens up to which layers are computed by our own arithmetic (training/backends/fused)
BASELINE_FITS, BASELINE_NARROWED_UP_TO_ROWS = 40, 2000  # training/baseline.py: folds × choices; columns narrowed to the rows
UNKNOWN_PARAMS_B = 4.0
GIGABYTE = 2.0**30
HEADS = 4.0  # whose scores of tokens × tokens are kept; few models have fewer

COSTS: dict[Part, dict[str, float]] = {
    "loading": {"libraries": 7.31, "weights_gb": 0.0},
    "baseline": {"begin": 0.42, "narrowed_rows": 0.0008, "narrowed_mega_products": 0.19, "fitted_mega_tokens": 0.917},
    "training": {"micro_batch_layers": 0.00898, "short_mega_tokens": 879.0, "long_mega_tokens": 1400.0, "answer_heads": 0.00113,
                 "steps": 0.0, "updated_mega_parameters": 0.00679},
    "answering": {"read_layers": 0.0221, "read_mega_tokens": 243.0, "gold_heads": 0.000257, "opened_mega_tokens": 1080.0,
                  "decoded_layers": 0.00406, "evaluations": 0.0},
    "writing": {"checkpoints": 0.0352, "saved_mega_parameters": 0.0623, "tested_rows": 0.00076, "end": 1.92},
}  # fmt: skip
"""Seconds for one of each amount in `amounts`, on CORES_MEASURED cores of a processor that multiplies bfloat16 (Intel Xeon with AMX)."""

SLOWER_IN_FLOAT32: dict[Part, float] = {"loading": 2.1, "baseline": 2.6, "training": 4.3, "answering": 4.3, "writing": 1.3}
"""The same beside it on a processor without those instructions, where a training computes in float32. Measured on one training, on an AMD
EPYC with AVX2: a dozen would say more (`bench/estimate_error.py`)."""


@dataclass(frozen=True)
class MemoryCosts:
    """`program_gb`: Python with torch and its family. `loading`: times the weights, while they are read and put into place.

    `kept`, `kept_long`: times the values a micro-batch keeps, by our own layers and by the model's. `answer_bytes`: for each answer
    token and word of the vocabulary in a step; `gold_bytes`: the same while validation rows are scored; `read`: times one layer's
    passing values.
    """

    program_gb: float = 1.3
    loading: float = 1.34
    adapter_bytes: float = 24.0  # weight, gradient, two of Adam, average, all float32, and a copy while the average is lent
    kept: float = 0.745
    kept_long: float = 1.36
    answer_bytes: float = 0.28
    read: float = 0.859
    gold_bytes: float = 1.29


MEMORY_COSTS = MemoryCosts()


@dataclass(frozen=True)
class Size:
    """A model's dimensions as costs go by them; one whose shape is not known counts as the starter's, stretched."""

    parameters: float
    body: float
    layers: float
    hidden: float
    q: float
    kv: float
    ffn: float
    vocab: float

    def trained(self, rank: int) -> float:
        """Numbers in an adapter of `rank` on all linear layers."""
        attention = 2 * (self.hidden + self.q) + 2 * (self.hidden + self.kv)
        return rank * self.layers * (attention + 3 * (self.hidden + self.ffn))


def size_of(model: ModelRow) -> Size:
    parameters = (model.params_b or UNKNOWN_PARAMS_B) * 1e9
    shape = model.shape
    if shape is None:
        hidden = 2560 * (parameters / 4e9) ** 0.5  # Qwen3-4B's proportions
        return Size(parameters, 0.9 * parameters, 36, hidden, 1.6 * hidden, 0.4 * hidden, 3.8 * hidden, 151_936)
    body = max(parameters - shape.embedding_parameters, 0.1 * parameters)
    return Size(parameters, body, shape.layers, shape.hidden, shape.q, shape.kv, shape.ffn, shape.vocab)


def amounts(work: Work, model: ModelRow) -> dict[Part, dict[str, float]]:
    """How much of everything in COSTS there is to do.

    Tokens are counted in millions and in times 100 million parameters below the output layer; `heads` are answer tokens times 100
    million parameters of the output layer; `layers` are layers gone through, whatever the number of tokens.
    """
    size = size_of(model)
    body, head, trained = size.body / 1e8, size.vocab * size.hidden / 1e8, size.trained(work.rank) / 1e6
    tokens = work.trained_tokens / 1e6 * body
    long = work.long_row_tokens > SHORT_ROWS
    scored_tokens = work.scored_rows * work.row_tokens
    gold = work.valid_rows * work.evaluations * work.answer_tokens
    decoded_tokens = work.decoded_rows * work.row_tokens
    return {
        "loading": {"libraries": 1.0, "weights_gb": 2 * size.parameters / GIGABYTE},
        "baseline": {"begin": 1.0, **_baseline_amounts(work)},
        "training": {
            "micro_batch_layers": work.trained_rows / work.micro_batch * size.layers,
            "short_mega_tokens": 0.0 if long else tokens,
            "long_mega_tokens": tokens if long else 0.0,
            "answer_heads": work.trained_rows * work.answer_tokens * head,
            "steps": float(work.steps),
            "updated_mega_parameters": work.steps * trained,
        },
        "answering": {
            "read_layers": size.layers * (scored_tokens / SCORED_TOKENS_AT_ONCE + work.evaluations + bool(work.test_rows)),
            "read_mega_tokens": (scored_tokens + decoded_tokens) / 1e6 * body,
            "gold_heads": gold * head,
            "opened_mega_tokens": work.scored_rows * work.opened_choices * 2 / 1e6 * body,
            "decoded_layers": work.decoded_places * size.layers,
            "evaluations": float(work.evaluations + bool(work.test_rows)),
        },
        "writing": {
            "checkpoints": float(work.evaluations),
            "saved_mega_parameters": work.evaluations * trained,
            "tested_rows": work.test_rows,
            "end": 1.0,
        },
    }


def _baseline_amounts(work: Work) -> dict[str, float]:
    """Few rows are a square matrix to the baseline, each label learnt on all of it; many are the tokens it is fitted to."""
    rows = float(work.train_rows)
    narrowed = rows <= BASELINE_NARROWED_UP_TO_ROWS
    tokens = BASELINE_FITS * rows * work.row_tokens / 1e6 * max(1, work.labels - 1) ** 0.5
    return {
        "narrowed_rows": rows if narrowed else 0.0,
        "narrowed_mega_products": rows**2 * work.labels / 1e6 if narrowed else 0.0,
        "fitted_mega_tokens": 0.0 if narrowed else tokens,
    }


def processor_seconds(work: Work, model: ModelRow, cores: int, *, bf16: bool = True) -> Seconds:
    """Seconds of each part on `cores` cores. Libraries, the baseline (one thread) and writing do not gain from more of them.

    `bf16`: whether the processor multiplies bfloat16.
    """
    faster = (max(1, cores) / CORES_MEASURED) ** CORES_EXPONENT
    found: Seconds = {}
    for part, counted in amounts(work, model).items():
        seconds = sum(COSTS[part][name] * amount for name, amount in counted.items()) * (1.0 if bf16 else SLOWER_IN_FLOAT32[part])
        found[part] = seconds / faster if part in ("training", "answering") else seconds
    return found


def processor_memory_gb(work: Work, model: ModelRow, costs: MemoryCosts = MEMORY_COSTS, *, bf16: bool = True) -> float:
    """Main memory at its highest: while loading, in a training step on the longest rows, or while validation rows are scored.

    `bf16`: whether the processor multiplies bfloat16; else weights and what a step keeps are float32, twice as wide.
    """
    size, width = size_of(model), 1 if bf16 else 2
    weights = width * 2 * size.parameters
    held = weights + costs.adapter_bytes * size.trained(work.rank)
    working = width * max(training_bytes(work, size, costs), answering_bytes(work, size, costs))
    return costs.program_gb + max(costs.loading * weights, held + working) / GIGABYTE


def training_bytes(work: Work, size: Size, costs: MemoryCosts = MEMORY_COSTS) -> float:
    """What one micro-batch of the longest rows keeps for its gradient, and the answers' logits."""
    rows, tokens = work.micro_batch, work.long_row_tokens
    is_short = tokens <= SHORT_ROWS
    scores = HEADS * tokens if is_short else 0.0
    values = 6 * size.hidden + 3 * size.q + 4 * size.kv + 4 * size.ffn + scores
    kept = 2 * values * size.layers * rows * tokens * (costs.kept if is_short else costs.kept_long)
    return kept + costs.answer_bytes * size.vocab * rows * work.answer_tokens


def answering_bytes(work: Work, size: Size, costs: MemoryCosts = MEMORY_COSTS) -> float:
    """What one batch of scored rows holds: a layer's passing values, cached keys and values, and the right answers' logits."""
    rows = min(max(work.valid_rows, work.test_rows, 1.0), max(1.0, SCORED_TOKENS_AT_ONCE / max(1.0, work.row_tokens)))
    tokens = rows * work.row_tokens
    passing = costs.read * tokens * 2 * (12 * size.hidden + 8 * size.ffn)
    cached = tokens * 4 * size.kv * size.layers if work.further_choices else 0.0
    return passing + cached + costs.gold_bytes * size.vocab * min(rows, work.valid_rows) * work.answer_tokens
