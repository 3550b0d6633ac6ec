"""How many rows are answered at once: as many as a bound allows, and half as many each time memory runs out.

Knows nothing of models: what is computed for a batch is handed in. The smaller bound stays for as long as the object lives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from coach.errors import TrainingError
from training.memory import free_memory, is_out_of_memory, longest_that_fits

T = TypeVar("T")
Prompt = Sequence[int]


class AtOnce:
    """Batches of at most `bound` padded tokens, or rows where each `counts_one`.

    `on_fewer(before, now)` is told the rows of a batch that did not fit and of what did in its place.
    """

    def __init__(self, bound: int, *, counts_one: bool = False) -> None:
        self.bound = bound
        self.counts_one = counts_one
        self.on_fewer: Callable[[int, int], None] = lambda before, now: None

    def each(self, prompts: Sequence[Prompt], compute: Callable[[list[int], list[Prompt]], T]) -> Iterator[tuple[list[int], T]]:
        """(indices, what `compute(indices, prompts)` made of them) for batch after batch.

        Tokens: prompts of like length together, longest first, so that memory shows its peak at once. Rows: in the order given.
        A batch without memory is computed again with half its rows. Raises TrainingError where a single row does not fit.
        """
        sizes = [1 if self.counts_one else max(1, len(prompt)) for prompt in prompts]
        waiting = sorted(range(len(prompts)), key=lambda index: -sizes[index])
        while waiting:
            size, refused = sizes[waiting[0]], 0
            while True:
                batch = waiting[: max(1, self.bound // size)]
                try:
                    found = compute(batch, [prompts[index] for index in batch])
                    break
                except Exception as error:
                    if not is_out_of_memory(error):
                        raise
                free_memory()
                if len(batch) == 1:
                    raise _does_not_fit(batch, prompts[batch[0]], compute)
                refused = refused or len(batch)
                self.bound = (len(batch) + 1) // 2 * size
            if refused:
                self.on_fewer(refused, len(batch))
            yield batch, found
            waiting = waiting[len(batch) :]


def _does_not_fit(batch: list[int], prompt: Prompt, compute: Callable[[list[int], list[Prompt]], T]) -> TrainingError:
    """What to say where a single row does not fit: how much of its end does."""
    fitted = longest_that_fits(len(prompt), lambda length: compute(batch, [prompt[-length:]]))
    if fitted is None:
        return TrainingError("training.no_memory_to_answer")
    return TrainingError("training.answered_row_too_long", tokens=len(prompt), fitted=fitted)
