"""`lineage.yaml` of a version: where it came from, what it was made of, what came out, and what was decided.

Owns the document's shape (contract: companions.md section 1). Builds it from documents that are already there; computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from coach.task_schema import TaskFile
from coach.text import LANGUAGES, Language, text

HASH_CHARACTERS = 12
OWN_WORDS = ("lineage.first_version", "lineage.no_change")  # changes we write ourselves, in the task's language
_CLASS_SCORES = ("precision", "recall", "f1")


def change_words(written: str, language: Language) -> str:
    """A change as a reader of `language` sees it: ours in that language, a person's as they wrote it."""
    ours = next((key for key in OWN_WORDS if written in {text(key, known) for known in LANGUAGES}), None)
    return text(ours, language) if ours else written


def lineage_document(
    config: TaskFile,
    snapshot: Mapping[str, Any] | None,
    results: Mapping[str, Any] | None,
    *,
    version: str,
    created: datetime,
    parent: str | None = None,
    changes: Sequence[str] = (),
    notes: str = "",
    verdict: str | None = None,
    decided_at: datetime | None = None,
    adapter_path: str | None = None,
    merged_path: str | None = None,
    gguf_path: str | None = None,
    hf_repo: str | None = None,
) -> dict[str, Any]:
    """The whole document. Paths are relative to the task's folder (`versions/v1/model`); `verdict`: `met`, `close`, … or None."""
    return {
        "version": version,
        "created": created.isoformat(),
        "parent": parent,
        "data": _data(snapshot or {}),
        "config": _config(config),
        "results": _results(results or {}),
        "model": {"adapter_path": adapter_path, "merged_path": merged_path, "gguf_path": gguf_path, "hf_repo": hf_repo},
        "changes": list(changes),
        "notes": notes,
        "decision": {"verdict": verdict, "at": decided_at.isoformat()} if verdict and decided_at else None,
    }


def _data(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    splits = snapshot.get("splits", {})
    source_hash = snapshot.get("source_config_hash")
    return {
        "source_hash": source_hash[:HASH_CHARACTERS] if source_hash else None,
        **{f"{name}_count": splits.get(name, {}).get("rows", 0) for name in ("train", "valid", "test")},
        "class_distribution": dict(splits.get("train", {}).get("class_distribution", {})),
    }


def _config(config: TaskFile) -> dict[str, Any]:
    training = config.training
    alpha = training.lora and (int(training.lora.alpha) if float(training.lora.alpha).is_integer() else training.lora.alpha)
    return {
        "base_model": training.base_model,
        "method": training.method,
        "lora": {"r": training.lora.r, "alpha": alpha, "dropout": training.lora.dropout} if training.lora else None,
        "epochs": int(training.epochs) if float(training.epochs).is_integer() else training.epochs,
        "learning_rate": training.learning_rate,
        "batch_size": training.batch_size,
    }


def _results(results: Mapping[str, Any]) -> dict[str, Any]:
    """The overall scores `results.json` has at its top, then precision, recall and F1 of each class."""
    overall = {name: value for name, value in results.items() if _is_score(name, value)}
    per_class = results.get("per_class") or {}
    by_class = {label: {name: scores.get(name) for name in _CLASS_SCORES} for label, scores in per_class.items()}
    return {**overall, "per_class": by_class} if by_class else overall


def _is_score(name: str, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and name != "invalid_rate"
