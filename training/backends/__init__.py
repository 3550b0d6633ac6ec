"""The one place where heavy libraries are imported for training, in the right order: Unsloth first where it is used at all."""

from __future__ import annotations

import importlib.util
import sys
from typing import Literal

from training.backends.loaded import Backend

BackendName = Literal["plain", "unsloth"]


def choose_backend() -> BackendName:
    """Unsloth where a CUDA GPU and the package are there, and transformers has not been imported before it; else plain."""
    if importlib.util.find_spec("unsloth") is None:
        return "plain"
    import torch

    if not torch.cuda.is_available():
        return "plain"
    if "transformers" in sys.modules and "unsloth" not in sys.modules:
        return "plain"  # too late in this process: Unsloth patches transformers while it is imported
    return "unsloth"


def open_backend(name: BackendName) -> Backend:
    """The backend of that name, its libraries imported now."""
    if name == "unsloth":
        from training.backends.fast_unsloth import UnslothBackend

        return UnslothBackend()
    from training.backends.plain import PlainBackend

    return PlainBackend()
