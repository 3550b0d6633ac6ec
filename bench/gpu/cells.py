"""Which cells are measured, what each cannot be measured for, and what the estimate said of it beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.gpu.contenders import BUILT, CONTENDERS, METHODS
from bench.gpu.true_shape import MODELS, TINY
from coach.estimate import memory_gb
from coach.plan import Peft
from coach.reference_data import model_row

TOKENS = (128, 512, 2048)
MICRO_BATCHES = (1, 8)
NOT_BUILT = "not built"
_PEFT: dict[str, Peft] = {"lora": "lora", "qlora": "qlora", "full": "none"}


@dataclass(frozen=True)
class Cell:
    """One training to be timed by each contender."""

    model: str
    method: str
    tokens: int
    micro: int

    def fields(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Grid:
    """What a check covers. `steps` optimiser steps a cell, the first `warm_up` of them not counted."""

    models: Sequence[str] = MODELS
    methods: Sequence[str] = METHODS
    tokens: Sequence[int] = TOKENS
    micro_batches: Sequence[int] = MICRO_BATCHES
    contenders: Sequence[str] = CONTENDERS
    steps: int = 25
    warm_up: int = 5

    def cells(self) -> Iterator[Cell]:
        for model in self.models:
            for method in self.methods:
                for tokens in self.tokens:
                    yield from (Cell(model, method, tokens, micro) for micro in self.micro_batches)

    def asked(self, cell: Cell) -> list[str]:
        """The contenders that have this method at all."""
        return [name for name in self.contenders if cell.method in BUILT[name]]


REHEARSAL = Grid(
    models=(TINY,), tokens=(48,), micro_batches=(2,), contenders=("ours", "trl"), methods=("lora", "full"), steps=4, warm_up=1
)


def predicted_gb(cell: Cell) -> float | None:
    """The peak the coach would have told beforehand, None where the catalogue does not know the model."""
    row = model_row(cell.model) if cell.model != TINY else None
    return round(memory_gb(row, _PEFT[cell.method], cell.micro, cell.tokens), 2) if row else None
