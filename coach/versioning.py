"""Names of versions and of models, in the three strategies: what comes next, what fits, which is later.

Semantic `v1`, `v2`, `v2.1` (parameters only), `v3-exp` (a trial on the way to v3); date `2025-01-07`; hybrid `v2-20250107`.
A second trial of one version is `v3-exp.2`, a second version of one day `2025-01-07.2`. Refuses to know folders.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from datetime import date
from typing import Literal

from coach.task_schema import VersionStrategy

Change = Literal["major", "minor", "exp"]
_SEMANTIC = re.compile(r"v([1-9][0-9]{0,5})(?:\.([1-9][0-9]{0,5})|(-exp)(?:\.([2-9]|[1-9][0-9]{1,5}))?)?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:\.([2-9]|[1-9][0-9]{1,3}))?")
_HYBRID = re.compile(r"v([1-9][0-9]{0,5})-([0-9]{4})([0-9]{2})([0-9]{2})")
NAMING_FIELDS = ("task", "n", "date", "version")
_FINAL = 1_000_000  # a released version comes after every trial of it
Key = tuple[int, int, int, int, str]


def next_version(
    existing: Iterable[str], strategy: VersionStrategy, today: date, change: Change = "major", parent: str | None = None
) -> str:
    """The name of the version to make now; never one of `existing`, whatever strategy those are named by.

    `change` matters to semantic names alone: minor counts on from `parent`, or else from the latest major version.
    """
    taken = set(existing)
    if strategy == "date":
        return _first_free(taken, today.isoformat())
    numbers = [key[1] for key in map(version_key, taken) if key[0] == 0]
    if strategy == "hybrid":
        return f"v{max(numbers, default=0) + 1}-{today:%Y%m%d}"
    released = [key[1] for name, key in ((name, version_key(name)) for name in taken) if key[0] == 0 and "-exp" not in name]
    major = max(released, default=0)
    if change == "exp":
        return _first_free(taken, f"v{major + 1}-exp")
    if change == "major" or not released:
        return f"v{major + 1}"
    base = version_key(parent)[1] if parent and version_key(parent)[0] == 0 else major
    minors = [version_key(name)[2] - _FINAL for name in taken if "-exp" not in name and version_key(name)[:2] == (0, base)]
    return f"v{base}.{max([0, *minors]) + 1}"


def is_version_name(name: str, strategy: VersionStrategy | None = None) -> bool:
    """Whether `name` is one that `strategy`, or any strategy where none is given, can make."""
    kinds = {"semantic": _SEMANTIC.fullmatch(name), "date": _parsed_date(name), "hybrid": _parsed_hybrid(name)}
    return bool(kinds[strategy] if strategy else any(kinds.values()))


def version_key(name: str) -> Key:
    """What sorts versions by their order of coming: `v2 < v2.1 < v3-exp < v3`, dates by day, unknown names last."""
    if found := _SEMANTIC.fullmatch(name):
        place = int(found[4] or 1) if found[3] else _FINAL + int(found[2] or 0)
        return (0, int(found[1]), place, 0, name)
    if parsed := _parsed_hybrid(name):
        return (0, parsed[0], _FINAL, parsed[1].toordinal(), name)
    if day := _parsed_date(name):
        return (1, day[0].toordinal(), day[1], 0, name)
    return (2, 0, 0, 0, name)


def model_name(task_name: str, version: str, naming: str) -> str:
    """The model's name after a pattern: `{task}-v{n}` makes `news-v2.1`, `{task}-{date}` makes `news-2025-01-07`.

    A pattern for the other strategy still gives a name of its own to each version. Raises KeyError or ValueError for a pattern
    that `naming_problem` objects to.
    """
    bare = version.removeprefix("v")
    hybrid = _parsed_hybrid(version)
    numbered = "{n}" in naming or "{version}" in naming
    day = hybrid[1].isoformat() if hybrid and numbered else version
    return naming.replace("v{n}", "{version}").format(task=task_name, n=bare, version=version, date=day)


def naming_problem(naming: str) -> str | None:
    """The code of what is wrong with a naming pattern, or None. It needs {task} and one of {n}, {date}, {version}."""
    try:
        parts = list(string.Formatter().parse(naming))
    except ValueError:
        return "naming_broken"
    fields = [name for _, name, _, _ in parts if name is not None]
    if any(name not in NAMING_FIELDS for name in fields) or any(spec or conversion for _, _, spec, conversion in parts):
        return "naming_broken"
    if "task" not in fields:
        return "naming_without_task"
    if len(set(fields)) < 2:
        return "naming_without_version"
    return None if all(re.fullmatch(r"[A-Za-z0-9._-]*", literal) for literal, _, _, _ in parts) else "naming_characters"


def _first_free(taken: set[str], name: str) -> str:
    number = 2
    candidate = name
    while candidate in taken:
        candidate, number = f"{name}.{number}", number + 1
    return candidate


def _parsed_date(name: str) -> tuple[date, int] | None:
    found = _DATE.fullmatch(name)
    day = found and _calendar_day(found[1], found[2], found[3])
    return (day, int(found[4] or 1)) if found and day else None


def _parsed_hybrid(name: str) -> tuple[int, date] | None:
    found = _HYBRID.fullmatch(name)
    day = found and _calendar_day(found[2], found[3], found[4])
    return (int(found[1]), day) if found and day else None


def _calendar_day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
