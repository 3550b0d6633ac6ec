"""The versions of one task as a history: score with its interval, where each came from, its main change, and whether it is finished.

Reads documents that are there. How a run stands in detail is the training side's; two versions side by side are `comparison.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from coach.errors import CoachError
from coach.last_attempt import results_are_of_the_last_attempt
from coach.task_schema import Method, TaskFile
from coach.verdict import Verdict, judge
from coach.version_folder import JsonObject, Version

EntryState = Literal["finished", "unfinished", "damaged"]


@dataclass(frozen=True)
class Entry:
    """One version. `verdict` is None where it is not finished; `main_change` is the first thing its lineage says was changed.

    `test_hash`: SHA-256 of the test rows it was frozen with. `method`: how it was trained.
    """

    name: str
    state: EntryState
    created: datetime | None = None
    parent: str | None = None
    main_change: str | None = None
    further_changes: int = 0
    changes: tuple[str, ...] = ()
    verdict: Verdict | None = None
    test_hash: str | None = None
    method: Method | None = None

    @property
    def finished(self) -> bool:
        return self.state == "finished"


def finished_results(version: Version) -> JsonObject | None:
    """results.json of a version whose last attempt finished; None while there are none, or only an earlier attempt's.

    Raises WorkspaceError where a file is not readable.
    """
    results = version.results()
    return results if results is not None and results_are_of_the_last_attempt(version.events_path) else None


def entry_of(version: Version) -> Entry:
    """The version's line in the history. A file that cannot be read makes it `damaged`; which fault, the page that opens it says."""
    try:
        results, lineage, snapshot = finished_results(version), version.lineage() or {}, version.snapshot() or {}
        verdict, method = judge(results) if results is not None else None, version.config.training.method
    except CoachError:
        return Entry(version.name, "damaged")
    changes = [str(change) for change in lineage.get("changes") or []]
    return Entry(
        name=version.name,
        state="unfinished" if verdict is None else "finished",
        created=_time(lineage.get("created")),
        parent=_name(lineage.get("parent")),
        main_change=changes[0] if changes else None,
        further_changes=max(0, len(changes) - 1),
        changes=tuple(changes),
        verdict=verdict,
        test_hash=_name((((snapshot.get("splits") or {}).get("test")) or {}).get("sha256")),
        method=method,
    )


def latest_finished(entries: Sequence[Entry]) -> Entry | None:
    """The latest finished one; `entries` oldest first."""
    return next((entry for entry in reversed(entries) if entry.finished), None)


def held_against(entries: Sequence[Entry], later: Entry) -> Entry | None:
    """The finished version `later` is to be compared with: its parent, else the finished one before it; None where there is none."""
    finished = [entry for entry in entries if entry.finished and entry.name != later.name]
    parent = next((entry for entry in finished if entry.name == later.parent), None)
    before = [entry for entry in finished if entries.index(entry) < entries.index(later)]
    return parent or (before[-1] if before else None)


def target_results(results: Mapping[str, Any], config: TaskFile, target: str | None) -> Mapping[str, Any]:
    """The scores of one target: at the top of results.json for the first, under `targets` for the others."""
    if target == next(iter(config.targets), None):
        return results
    found = (results.get("targets") or {}).get(str(target))
    return found if isinstance(found, Mapping) else {}


def _time(found: Any) -> datetime | None:
    if isinstance(found, datetime):
        return found
    try:
        return datetime.fromisoformat(found) if isinstance(found, str) else None
    except ValueError:
        return None


def _name(found: Any) -> str | None:
    return found if isinstance(found, str) else None
