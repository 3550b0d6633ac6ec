"""A micro-batch computed in parts once it has not fitted: half the rows at once, twice as often, the same gradient.

Only for a loss that is divided by the answer tokens of the whole accumulated batch: then the parts' gradients add up to the whole one's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from coach.errors import TrainingError
from training.memory import free_memory, is_out_of_memory, longest_that_fits

Batch = dict[str, Any]


class InParts:
    """`on_fewer(before, now)` is told when the rows computed at once become fewer."""

    def __init__(self) -> None:
        self.rows_at_once: int | None = None  # None: as many as there are
        self.on_fewer: Callable[[int, int], None] = lambda before, now: None

    def step(self, model: torch.nn.Module, batch: Batch, compute: Callable[[Batch], torch.Tensor]) -> torch.Tensor:
        """The batch's loss, its gradient added to the model's; `compute` gives both for a part.

        When memory runs out the rows at once are halved and the batch is computed again from its beginning. Raises TrainingError where a
        single row does not fit.
        """
        before = [(parameter, parameter.grad) for parameter in model.parameters() if parameter.requires_grad]
        if any(grad is not None for _, grad in before):  # an accumulated batch: what its first micro-batches have added is kept
            before = [(parameter, None if grad is None else grad.clone()) for parameter, grad in before]
        while True:
            try:
                return torch.stack([compute(part) for part in _parts(batch, self.rows_at_once)]).sum()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            for parameter, grad in before:
                parameter.grad = None if grad is None else grad.clone()
            free_memory()
            now = min(self.rows_at_once or len(batch["input_ids"]), len(batch["input_ids"]))
            if now == 1:
                raise _too_long(batch, compute)
            self.rows_at_once = (now + 1) // 2
            self.on_fewer(now, self.rows_at_once)


def _too_long(batch: Batch, compute: Callable[[Batch], torch.Tensor]) -> TrainingError:
    """What to say where a single row does not fit: how much of its end does."""
    longest = int(batch["attention_mask"].sum(1).argmax())
    row = _parts({name: value[longest : longest + 1] for name, value in batch.items()}, 1)[0]
    width = _width(row)
    fitted = longest_that_fits(
        width, lambda length: compute({name: value[:, -length:] if value.dim() == 2 else value for name, value in row.items()})
    )
    if fitted is None:
        return TrainingError("training.out_of_memory")
    return TrainingError("training.row_too_long", tokens=width, fitted=fitted)


def _width(batch: Batch) -> int:
    return int(batch["attention_mask"].sum(1).max())


def _parts(batch: Batch, rows: int | None) -> list[Batch]:
    """The batch in parts of at most `rows` rows, each without the padding it does not need."""
    if rows is None:
        return [batch]
    parts = [
        {name: value[first : first + rows] for name, value in batch.items()} for first in range(0, len(batch["input_ids"]), rows)
    ]
    return [{name: value[:, : _width(part)] if value.dim() == 2 else value for name, value in part.items()} for part in parts]
