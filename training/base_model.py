"""From `training.base_model` in task.yaml to a folder of weights on this machine: the starter, a local folder, or the hub.

Owns the questions before a download (does it exist, is it gated, how large, is there room) and says each answer in words. Never loads
code from a model's folder, never takes pickled weights. A token is read from the environment by huggingface_hub and never stored.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.errors import ModelError
from training import starter_model

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

WANTED_FILES = ["*.safetensors", "*.json", "*.model", "*.jinja", "*.txt"]
DISK_MARGIN = 1.1
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total): `assemble` and `convert` count pieces, `download` bytes."""


@dataclass(frozen=True)
class HubModel:
    """What the hub says of a model before anything is fetched."""

    model_id: str
    revision: str
    size_bytes: int
    licence: str | None


def resolve_base_model(source: str, *, progress: Progress | None = None, near: Path | None = None) -> Path:
    """The folder of the base model; fetched or converted first where it has to be.

    `near` is the folder a relative local path starts from. Raises ModelError for every reason it cannot be had.
    """
    if source == starter_model.MODEL_ID:
        return starter_model.ensure_starter_model(progress)
    local = _local_folder(source, near)
    if local is not None:
        return _checked_folder(local)
    if source.startswith((".", "/", "~")) or source.count("/") != 1:
        raise ModelError("model.no_such_folder", source=source)
    return download(look_up(source), progress)


def _local_folder(source: str, near: Path | None) -> Path | None:
    try:
        candidates = (Path(source).expanduser(), (near or Path()) / source)
        return next((candidate for candidate in candidates if candidate.is_dir()), None)
    except (OSError, RuntimeError, ValueError):  # a name too long, a user that is not known, a NUL byte: no folder of ours
        return None


def _checked_folder(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise ModelError("model.not_a_model", path=str(folder), missing="config.json")
    if not any(folder.glob("*.safetensors")):
        raise ModelError("model.no_safetensors", path=str(folder))
    return folder


# --- the hub -------------------------------------------------------------------------------------------------------------------


def look_up(model_id: str, api: Any = None) -> HubModel:
    """What the hub knows of `model_id`: size, licence, revision. Raises ModelError: unknown, gated, unreachable."""
    from huggingface_hub import HfApi

    info = _asked(model_id, lambda: (api or HfApi()).model_info(model_id, files_metadata=True))
    return HubModel(model_id, info.sha or "main", _size(info), _licence(info))


def _size(info: ModelInfo) -> int:
    from fnmatch import fnmatch

    files = info.siblings or []
    return sum(file.size or 0 for file in files if any(fnmatch(file.rfilename, pattern) for pattern in WANTED_FILES))


def _licence(info: ModelInfo) -> str | None:
    return next((tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")), None)


def _asked(model_id: str, question: Callable[[], Any]) -> Any:
    """Asks the hub and turns each of its refusals into a sentence."""
    from httpx import HTTPError
    from huggingface_hub import errors

    try:
        return question()
    except errors.GatedRepoError as error:
        raise ModelError("model.gated", source=model_id) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError("model.unknown", source=model_id) from error
    except errors.HFValidationError as error:
        raise ModelError("model.bad_id", source=model_id) from error
    except (
        errors.HfHubHTTPError,
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        HTTPError,
        ConnectionError,
    ) as error:
        raise ModelError("model.unreachable", source=model_id, problem=type(error).__name__) from error


def download(model: HubModel, progress: Progress | None = None, *, cache: Path | None = None) -> Path:
    """Fetches the model's safetensors, configuration and tokenizer into the hub's own cache; what is there already is kept.

    Raises ModelError when the disk cannot hold it, the cache cannot be written, or the connection breaks (what has come so far is kept
    and taken up next time).
    """
    from huggingface_hub import constants

    folder = cache or Path(constants.HF_HUB_CACHE)
    try:
        return _checked_folder(_fetch(model, progress, folder))
    except OSError as error:
        if error.errno not in _NO_RIGHT:
            raise
        raise ModelError("model.cache_unwritable", path=str(folder)) from error


def _fetch(model: HubModel, progress: Progress | None, folder: Path) -> Path:
    from huggingface_hub import snapshot_download

    folder.mkdir(parents=True, exist_ok=True)
    needed = int(model.size_bytes * DISK_MARGIN)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError("model.disk_full", path=str(folder), free_mb=free // 2**20, needed_mb=needed // 2**20)
    found = _asked(
        model.model_id,
        lambda: snapshot_download(
            model.model_id,
            revision=model.revision,
            cache_dir=str(folder),
            allow_patterns=WANTED_FILES,
            tqdm_class=_progress_bar(progress),
        ),
    )
    return Path(found)


def _progress_bar(progress: Progress | None) -> type[Any]:
    """A tqdm class that reports bytes to `progress` and draws nothing."""
    from tqdm.auto import tqdm

    class Reporting(tqdm):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": False, "file": _Nowhere()})

        def update(self, n: float | None = 1) -> bool | None:
            drawn = super().update(n)
            if progress is not None and self.unit == "B" and self.total:
                progress("download", int(self.n), int(self.total))
            return drawn

    return Reporting


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""
