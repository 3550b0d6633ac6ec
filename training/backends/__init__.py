"""The one place where heavy libraries are imported for training, in the right order: Unsloth first where it is used at all."""

from __future__ import annotations

import importlib.util
import sys
from typing import Literal

from training.backends.loaded import Backend

BackendName = Literal["plain", "unsloth"]


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
    name = choose_backend()
    if name == "unsloth":
        import unsloth  # noqa: F401
    return name


def open_backend(name: BackendName) -> Backend:
    """The backend of that name, its libraries imported now."""
    if name == "unsloth":
        from training.backends.fast_unsloth import UnslothBackend

        return UnslothBackend()
    from training.backends.plain import PlainBackend

    return PlainBackend()
