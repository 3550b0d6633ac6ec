"""A disk that tells what is done to it, and fails on purpose: every change a program makes under one folder is an operation.

Before each one `before(index, operation)` is asked; what that raises (a full disk, say) is what the program meets, and half of what it was
about to write is there by then. Our own writes go through Python and are all seen; of the libraries' the safetensors and `torch.save`.
Needs /proc, which names the file behind a descriptor.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

Kind = Literal["open", "append", "save", "flush", "rename", "remove", "mkdir"]


@dataclass(frozen=True)
class Operation:
    """`open` is for writing; `append` a line of the log, `save` a file written by a library. `target` of a rename, `data` of a line."""

    kind: Kind
    path: Path
    target: Path | None = None
    data: bytes = b""


Before = Callable[[int, Operation], None]


class WatchedDisk:
    """What has been done under `root` so far."""

    def __init__(self, root: Path, before: Before | None) -> None:
        self.root = root.resolve()
        self.operations: list[Operation] = []
        self._before = before

    def holds(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and Path(path).absolute().is_relative_to(self.root)

    def meet(self, kind: Kind, path: Any, *, target: Any = None, data: bytes = b"") -> None:
        operation = Operation(kind, Path(path).absolute(), target and Path(target).absolute(), data)
        if self._before is not None:
            self._before(len(self.operations), operation)
        self.operations.append(operation)


@contextmanager
def watched_disk(root: Path, before: Before | None = None) -> Iterator[WatchedDisk]:
    """Sees everything this process changes under `root` while it is open."""
    disk = WatchedDisk(root, before)
    with pytest.MonkeyPatch.context() as patch:
        _watch_opening(disk, patch)
        _watch_names(disk, patch)
        _watch_libraries(disk, patch)
        yield disk


def no_room(path: Path) -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _watch_opening(disk: WatchedDisk, patch: pytest.MonkeyPatch) -> None:
    real = builtins.open

    class Log(io.FileIO):
        def write(self, data: Any) -> int:
            line = bytes(data)
            try:
                disk.meet("append", self.name, data=line)
            except BaseException:
                super().write(line[: len(line) // 2])
                raise
            return super().write(line)

    def watched(file: Any, mode: str = "r", buffering: int = -1, *arguments: Any, **named: Any) -> Any:
        if not disk.holds(file) or not set(mode) & set("wax+"):
            return real(file, mode, buffering, *arguments, **named)
        disk.meet("open", file)
        return Log(file, mode.replace("b", "")) if buffering == 0 else real(file, mode, buffering, *arguments, **named)

    patch.setattr(builtins, "open", watched)
    patch.setattr(io, "open", watched)


def _watch_names(disk: WatchedDisk, patch: pytest.MonkeyPatch) -> None:
    def two_names(real: Callable[..., None]) -> Callable[..., None]:
        def watched(source: Any, target: Any, **named: Any) -> None:
            if disk.holds(source):
                disk.meet("rename", source, target=target)
            real(source, target, **named)

        return watched

    def one_name(real: Callable[..., None], kind: Kind) -> Callable[..., None]:
        def watched(path: Any, *arguments: Any, **named: Any) -> None:
            folder = named.get("dir_fd")
            whole = path if folder is None else _path_of(folder) / path
            if disk.holds(whole) and os.path.lexists(whole) == (kind == "remove"):
                disk.meet(kind, whole)
            real(path, *arguments, **named)

        return watched

    def flush(descriptor: int) -> None:
        if disk.holds(_path_of(descriptor)):
            disk.meet("flush", _path_of(descriptor))
        real_flush(descriptor)

    real_flush = os.fsync
    patch.setattr(os, "fsync", flush)
    for name in ("rename", "replace"):
        patch.setattr(os, name, two_names(getattr(os, name)))
    for name in ("unlink", "remove", "rmdir"):
        patch.setattr(os, name, one_name(getattr(os, name), "remove"))
    patch.setattr(os, "mkdir", one_name(os.mkdir, "mkdir"))


def _watch_libraries(disk: WatchedDisk, patch: pytest.MonkeyPatch) -> None:
    import safetensors.torch
    import torch

    def saving(real: Callable[..., None], path_at: int) -> Callable[..., None]:
        def watched(*arguments: Any, **named: Any) -> None:
            path = arguments[path_at]
            if not disk.holds(path):
                return real(*arguments, **named)
            try:
                disk.meet("save", path)
            except BaseException:
                Path(path).write_bytes(b"half a file")
                raise
            return real(*arguments, **named)

        return watched

    patch.setattr(safetensors.torch, "serialize_file", saving(safetensors.torch.serialize_file, 1))
    patch.setattr(torch, "save", saving(torch.save, 1))


def _path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()
