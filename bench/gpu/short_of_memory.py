"""Memory made scarce on purpose: on a card by a limit on this process, in a rehearsal by an allocator that refuses above some rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

GB = 2**30
SHARE_LEFT = 0.5  # of what a whole batch takes beyond the weights
REFUSED = "[pretended] DefaultCPUAllocator: not enough memory"


def limit_card(gb: float) -> None:
    """This process gets no more than `gb` of the card from now on."""
    import torch

    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, gb * GB / total))


def pretend_limit(rows: int) -> None:
    """A training step of more than `rows` rows fails as one without memory does, after part of its gradient has been added."""
    from training.methods.completion_loss import CompletionLossTrainer

    real = CompletionLossTrainer.compute_loss

    def limited(self: Any, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        loss = real(self, model, inputs, *args, **kwargs)
        if len(inputs["input_ids"]) > rows:
            loss.backward()
            raise RuntimeError(REFUSED)
        return loss

    CompletionLossTrainer.compute_loss = limited  # type: ignore[method-assign]


def scored_short_of_memory(score: Callable[[Any], list[int]], model: Any, at_once: Any) -> dict[str, Any]:
    """`score` with memory for about half a batch: whether it survived with the same labels, and how many rows it then took at once."""
    import torch

    whole = score(type(at_once)(at_once.bound))
    told: list[tuple[int, int]] = []
    at_once.on_fewer = lambda before, now: told.append((before, now))
    undo = _limit_scoring_on_card(score, at_once.bound) if torch.cuda.is_available() else _pretend_for_scoring(model)
    try:
        found = score(at_once)
    finally:
        undo()
    return {"same_labels": found == whole, "fewer_rows": [{"before": before, "rows": now} for before, now in told]}


def _limit_scoring_on_card(score: Callable[[Any], list[int]], bound: int) -> Callable[[], None]:
    import torch

    from training.evaluation.at_once import AtOnce

    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    held = torch.cuda.memory_reserved()
    score(AtOnce(bound))
    peak = torch.cuda.max_memory_reserved()
    torch.cuda.empty_cache()
    limit_card((held + SHARE_LEFT * (peak - held)) / GB)
    return lambda: torch.cuda.set_per_process_memory_fraction(1.0)


def _pretend_for_scoring(model: Any) -> Callable[[], None]:
    real, seen = model.forward, []

    def limited(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        rows = len(kwargs["input_ids"])
        seen.append(rows)
        if rows > max(1, seen[0] // 2):
            raise RuntimeError(REFUSED)
        return found

    model.forward = limited

    def undo() -> None:
        model.forward = real

    return undo
