"""Telling that memory ran out from every other error. Light: the worker asks it too."""

from __future__ import annotations


def is_out_of_memory(error: BaseException) -> bool:
    """Python's own, torch's for a GPU (`OutOfMemoryError`), and the RuntimeError of its allocator for a processor."""
    return (
        isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "not enough memory" in str(error).lower()
    )
