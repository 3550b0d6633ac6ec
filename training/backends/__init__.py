"""The one place where heavy libraries are imported for training, in the right order: Unsloth first where it is used at all."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from training.backends.loaded import Backend

BackendName = Literal["plain", "unsloth"]
_SETTINGS = {
    "TOKENIZERS_PARALLELISM": "false",  # its threads and a fork do not go together
    "TRL_EXPERIMENTAL_SILENCE": "1",
    # oneDNN keeps what it prepared for each shape of a product it has met, 1024 of them and megabytes each; batches hardly ever repeat a
    # shape. 25 steps and four evaluations: 2.80 GB at the peak and rising, with 128 kept 2.41 GB and level, as fast (with 8 half as fast)
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
}


def choose_backend() -> BackendName:
    """Unsloth where a CUDA GPU and the package are there, and transformers has not been imported before it; else plain."""
    if "unsloth" in sys.modules:
        return "unsloth"
    if importlib.util.find_spec("unsloth") is None or "transformers" in sys.modules:
        return "plain"  # with transformers imported it is too late in this process: Unsloth patches it while it is imported
    import torch

    return "unsloth" if torch.cuda.is_available() else "plain"


def import_in_order() -> BackendName:
    """Chooses the backend and imports Unsloth now where it is the one; call it before anything that imports transformers, trl or peft."""
    for setting, value in _SETTINGS.items():
        os.environ.setdefault(setting, value)
    name = choose_backend()
    if name == "unsloth":
        import unsloth  # noqa: F401
    return name


@contextmanager
def heavy_imports() -> Iterator[BackendName]:
    """Around the first import of the heavy libraries, in the right order.

    What they leave in memory (half a million objects) is kept out of later collections, each of which would stop every thread of a
    server for a quarter of a second (streamlit.md 0.1). Once a process: freezing again would keep garbage of the pages for ever.
    """
    first = "trl" not in sys.modules
    yield import_in_order()
    if first:
        gc.collect()
        gc.freeze()


def open_backend(name: BackendName) -> Backend:
    """The backend of that name, its libraries imported now."""
    if name == "unsloth":
        from training.backends.fast_unsloth import UnslothBackend

        return UnslothBackend()
    from training.backends.plain import PlainBackend

    return PlainBackend()
