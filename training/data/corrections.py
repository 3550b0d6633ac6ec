"""`corrections.jsonl` in the task's folder: labels put right, and rows left out of training, whenever `data/` is made.

Owns the file and its effect on the three parts. Raw files stay as they came; ids and parts stay, for both are settled before a row is
corrected. Which rows are corrected is `training.corrected_data`'s.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from coach.atomic_write import write_atomically
from coach.errors import WorkspaceError
from coach.reviews import RowKey
from training.data.rows import Row, row_of
from training.data.split import PARTS, Part, label_of

CORRECTIONS_FILE = "corrections.jsonl"
Parts = dict[Part, list[Row]]


@dataclass(frozen=True)
class NewLabel:
    given: str
    label: str


@dataclass(frozen=True)
class Earlier:
    """What parts may still carry, or lack, of corrections that are no longer in force; `version`: the data's name under them."""

    version: str
    labels: Collection[tuple[RowKey, NewLabel]] = ()
    left_out: Mapping[str, Row] = field(default_factory=dict)


@dataclass(frozen=True)
class Corrections:
    """`labels` by row and target; `left_out`: whole rows that are kept here instead of in the training part.

    `earlier` stands while `data/` is being made with these, and from then on where that was interrupted.
    """

    labels: Mapping[RowKey, NewLabel] = field(default_factory=dict)
    left_out: Mapping[str, Row] = field(default_factory=dict)
    earlier: Earlier | None = None

    def __len__(self) -> int:
        return len(self.labels) + len(self.left_out)

    def after(self, before: Corrections, version: str) -> Corrections:
        """These, about to take the place of `before`: nothing that `before` alone knows is lost while parts carry either."""
        old = before.earlier or Earlier(version)
        labels = [pair for pair in (*before.labels.items(), *old.labels) if self.labels.get(pair[0]) != pair[1]]
        rows = {name: row for name, row in {**old.left_out, **before.left_out}.items() if name not in self.left_out}
        return replace(self, earlier=Earlier(version, list(dict.fromkeys(labels)), rows))


def corrections_path(task_folder: Path) -> Path:
    return task_folder / CORRECTIONS_FILE


def read_corrections(task_folder: Path) -> Corrections:
    """Those in force; none where there is no file. Raises WorkspaceError where it is damaged."""
    path = corrections_path(task_folder)
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return Corrections()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError("reviews.corrections_damaged", path=str(path), line=1, reason=str(error)) from error
    found = _Found()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.take(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise WorkspaceError("reviews.corrections_damaged", path=str(path), line=number, reason=str(error)) from error
    return found.corrections()


@dataclass
class _Found:
    """What the lines read so far say."""

    labels: list[tuple[RowKey, NewLabel]] = field(default_factory=list)
    left_out: dict[str, Row] = field(default_factory=dict)
    version: str = ""
    earlier: _Found | None = None

    def take(self, document: Any) -> None:
        """Raises KeyError, TypeError, ValueError or AttributeError for what is no correction."""
        if "earlier" in document:
            self.earlier = self.earlier or _Found()
            self.earlier.take(document["earlier"])
        elif "version" in document:
            self.version = str(document["version"])
        elif "left_out" in document:
            row = row_of(document["left_out"])
            _refuse(row.output, str, dict)
            self.left_out[row.id] = row
        else:
            target, given, label = document["target"], document["given"], document["label"]
            _refuse(target, str, type(None))
            _refuse(given, str)
            _refuse(label, str)
            self.labels.append(((str(document["id"]), target), NewLabel(given, label)))

    def corrections(self) -> Corrections:
        old = self.earlier
        earlier = None if old is None else Earlier(old.version, old.labels, old.left_out)
        return Corrections(dict(self.labels), self.left_out, earlier)


def _refuse(value: Any, *but: type) -> None:
    if not isinstance(value, but):
        raise ValueError(json.dumps(value, ensure_ascii=False)[:200])


def is_half_made(task_folder: Path, made: Path) -> bool:
    """Whether making `data/` with the corrections was interrupted: they know earlier ones, and `made`, its version's file, is older."""
    path = corrections_path(task_folder)
    if not path.is_file() or read_corrections(task_folder).earlier is None:
        return False
    return not made.is_file() or made.stat().st_mtime_ns <= path.stat().st_mtime_ns


def write_corrections(task_folder: Path, corrections: Corrections) -> None:
    """Replaces the file; where there is nothing to keep there is none. Raises WorkspaceError."""
    path, old = corrections_path(task_folder), corrections.earlier
    if not len(corrections) and old is None:
        path.unlink(missing_ok=True)
        return
    lines = _lines(corrections.labels.items(), corrections.left_out)
    if old is not None:
        lines += [{"earlier": line} for line in ({"version": old.version}, *_lines(old.labels, old.left_out))]
    write_atomically(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def _lines(labels: Collection[tuple[RowKey, NewLabel]], left_out: Mapping[str, Row]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [{"id": row, "target": target, **asdict(new)} for (row, target), new in labels]
    return lines + [{"left_out": asdict(row)} for row in left_out.values()]


@dataclass(frozen=True)
class CorrectionsFile:
    """The file byte for byte, so that it can stand again as if nothing had been tried; `content` is None where there was none."""

    path: Path
    content: bytes | None
    changed_ns: int

    @classmethod
    def of(cls, task_folder: Path) -> CorrectionsFile:
        path = corrections_path(task_folder)
        return cls(path, path.read_bytes(), path.stat().st_mtime_ns) if path.is_file() else cls(path, None, 0)

    def put_back(self) -> None:
        """With the time it was changed at: `data/` is not older than it. Raises WorkspaceError."""
        if self.content is None:
            self.path.unlink(missing_ok=True)
            return
        write_atomically(self.path, self.content)
        os.utime(self.path, ns=(self.changed_ns, self.changed_ns))


def of_known_classes(corrections: Corrections, targets: Mapping[str | None, Collection[str]]) -> Corrections:
    """Those whose label is one of the task's by now. `targets`: the allowed labels by property, as `TaskFile.targets`."""
    return replace(
        corrections, labels={key: new for key, new in corrections.labels.items() if new.label in targets.get(key[1], ())}
    )


def corrected(parts: Mapping[Part, Sequence[Row]], corrections: Corrections) -> Parts:
    """The parts with the corrections in force. Only training gives rows up: the others are what versions are held against."""
    found = {part: [_labelled(row, _of(row, corrections)) for row in parts[part]] for part in PARTS}
    found["train"] = [row for row in found["train"] if row.id not in corrections.left_out]
    return found


def uncorrected(parts: Mapping[Part, Sequence[Row]], corrections: Corrections) -> Parts:
    """`corrected` taken back, for parts that cannot be made again from a source; rows that were left out come last."""
    old = corrections.earlier or Earlier("")
    givens: dict[RowKey, dict[str, str]] = {}
    for key, new in (*old.labels, *corrections.labels.items()):
        givens.setdefault(key, {})[new.label] = new.given
    found = {part: [_given(row, givens) for row in parts[part]] for part in PARTS}
    there = {row.id for part in PARTS for row in found[part]}
    found["train"] += [row for row in {**old.left_out, **corrections.left_out}.values() if row.id not in there]
    return found


def relabelled(before: Mapping[Part, Sequence[Row]], after: Mapping[Part, Sequence[Row]]) -> dict[Part, int]:
    """How many rows of each part of `after` carried another label in `before`, in whichever part they stood."""
    outputs = {row.id: row.output for rows in before.values() for row in rows}
    return {part: sum(outputs.get(row.id, row.output) != row.output for row in after[part]) for part in PARTS}


def count_changed(before: Mapping[Part, Sequence[Row]], after: Mapping[Part, Sequence[Row]]) -> int:
    """How many rows carry another label than before, or are gone."""
    there = {row.id for rows in after.values() for row in rows}
    gone = sum(row.id not in there for rows in before.values() for row in rows)
    return sum(relabelled(before, after).values()) + gone


def _of(row: Row, corrections: Corrections) -> dict[str | None, NewLabel]:
    return {target: corrections.labels[row.id, target] for target in _targets(row) if (row.id, target) in corrections.labels}


def _given(row: Row, givens: Mapping[RowKey, Mapping[str, str]]) -> Row:
    """`givens`: by row and target, the label that was given by the one it was corrected to."""
    carried = {target: label_of(row, target) for target in _targets(row) if (row.id, target) in givens}
    known = {target: (label, givens[row.id, target].get(label, label)) for target, label in carried.items()}
    return _labelled(row, {target: NewLabel(label, given) for target, (label, given) in known.items() if label != given})


def _targets(row: Row) -> Sequence[str | None]:
    return list(row.output) if isinstance(row.output, dict) else [None]


def _labelled(row: Row, new: Mapping[str | None, NewLabel]) -> Row:
    """A label that is no longer the one that was marked stays: somebody has settled it otherwise meanwhile."""
    for target, change in new.items():
        if label_of(row, target) != change.given:
            continue
        output = {**row.output, target: change.label} if isinstance(row.output, dict) and target is not None else change.label
        row = replace(row, output=output)
    return row
