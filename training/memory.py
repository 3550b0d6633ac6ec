"""Memory that runs out: telling it from every other error, freeing what is held between tries, and finding how long a row fits.

Light until something has to be freed: the worker asks it too.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

SHORTEST_TRIED = 4  # tokens
_SAID = ("not enough memory", "out of memory", "alloc_failed")  # torch on a processor, CUDA, its libraries' own buffers


def is_out_of_memory(error: BaseException) -> bool:
    """Python's own, torch's for a GPU (`OutOfMemoryError`), and the RuntimeErrors of its allocators and of CUDA's libraries."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _SAID)


def free_memory() -> None:
    """Gives back what nobody holds any more; to be called outside the `except` block, whose error holds the tensors of the try."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def longest_that_fits(tokens: int, attempt: Callable[[int], object]) -> int | None:
    """Of a half, a quarter, an eighth … of `tokens` the first for which `attempt(length)` has the memory, None where none has."""
    length = tokens
    while (length := length // 2) >= SHORTEST_TRIED:
        free_memory()
        try:
            attempt(length)
            return length
        except Exception as error:
            if not is_out_of_memory(error):
                return None
    return None
