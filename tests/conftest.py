"""Fixtures several tests share: a tiny model of true shape, a small task whose rows it can learn, a fixed clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["COACH_DEVICE"] = f"tests-{os.getpid()}"  # nobody's training makes a test wait, nor the other way round
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing in the tests may depend on a hub

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def _the_tests_own_device():
    yield
    from training.starter_model import cache_root

    for folder in ("devices", "measured"):
        for path in (cache_root() / folder).glob(f"*.{os.environ['COACH_DEVICE']}.*"):
            path.unlink(missing_ok=True)


@pytest.fixture
def now():
    return lambda: NOW


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A Llama of two layers with random weights and a byte-level tokenizer, saved as transformers saves models."""
    from tests.tiny_model import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def starter() -> Path:
    """The converted starter model; converted now (half a minute) where this machine has not done so yet."""
    from training.starter_model import ensure_starter_model

    return ensure_starter_model()
