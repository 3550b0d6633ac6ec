"""Runs that take minutes each, kept as JSON by their names: taken up again where one stopped, and added to by two at once.

Owns the file. What a run is and what is kept of it is the bench's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from filelock import FileLock

from coach.atomic_write import write_atomically

Found = dict[str, Any]
SHOWN = ("macro_f1", "tuned", "baseline")  # of what was found, while it is being done


class Named(Protocol):
    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=Named)


@dataclass(frozen=True)
class KeptRuns:
    """`order`: the names in the order they are written in; others come last."""

    path: Path
    order: tuple[str, ...]

    def all(self) -> dict[str, Any]:
        return dict(json.loads(self.path.read_text(encoding="utf-8"))) if self.path.is_file() else {}

    def keep(self, name: str, found: Found) -> None:
        """Beside those that are kept; whoever else is at it meanwhile is not overwritten."""
        with FileLock(self.path.with_suffix(".lock")):
            everything = {**self.all(), name: found}
            places = {known: place for place, known in enumerate(self.order)}
            ordered = {key: everything[key] for key in sorted(everything, key=lambda key: places.get(key, len(places)))}
            write_atomically(self.path, json.dumps(ordered, ensure_ascii=False, indent=1) + "\n")

    def do_missing(
        self, runs: Iterable[R], one: Callable[[R], Found], *, named: Sequence[str] = (), most: int | None = None
    ) -> None:
        """`one` for each of the runs that is not kept, at most so many; `named`: these alone."""
        for run in [run for run in runs if run.name not in self.all() and (not named or run.name in named)][:most]:
            if run.name in self.all():  # somebody else's by now
                continue
            found = one(run)
            self.keep(run.name, found)
            print(run.name, {name: value for name, value in found.items() if name in SHOWN}, flush=True)
