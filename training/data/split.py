"""Rows into train, valid and test: stratified, the same each time, and never one text in two parts.

What it decides: of rows with the same text and answer one stays; rows with the same text and different answers all leave, since
nobody knows which is right; against a test or validation part that came with the data, train gives way. Knows no files.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coach.errors import DataError
from training.data.row_ids import input_key, output_key, raw_content, same_text
from training.data.rows import TEXT_FIELD, Row

Part = Literal["train", "valid", "test"]
PARTS: tuple[Part, ...] = ("train", "valid", "test")
DropReason = Literal["duplicate", "conflict", "in_test", "in_valid"]
MIN_ROWS = 6  # two classes, one row of each in each of the three parts


@dataclass(frozen=True)
class Dropped:
    """A row left out, why, and the id of the row it gave way to (or contradicts)."""

    row: Row
    reason: DropReason
    twin: str


@dataclass(frozen=True)
class Splits:
    """The three parts and what was left out of them."""

    train: list[Row]
    valid: list[Row]
    test: list[Row]
    dropped: list[Dropped]

    def part(self, name: Part) -> list[Row]:
        return {"train": self.train, "valid": self.valid, "test": self.test}[name]


def split_rows(
    rows: Sequence[Row],
    ratios: Mapping[Part, float],
    stratify_by: str | None,
    seed: int,
    group_by: str | Mapping[str, str] | None = None,
    test_rows: Sequence[Row] | None = None,
    valid_rows: Sequence[Row] | None = None,
    *,
    key: Sequence[str] | None = None,
    deduplicate: bool = True,
    shuffle: bool = True,
) -> Splits:
    """Rows in three parts by `ratios`; the parts' members depend on content and `seed`, not on the order of `rows`.

    `stratify_by` names an output property or placeholder; `group_by` a placeholder, or maps row ids to a group that must stay
    together; `key` names the placeholders that make two rows the same (default: all). Given test rows are kept as they are,
    repeats included; given valid rows give way to them, and train to both.

    Raises DataError: fewer than 6 rows, one class only, a class too small to stand in train and in test, no rows to validate or
    test on.
    """
    test, valid = list(test_rows or []), list(valid_rows or [])
    kept, dropped = drop_repeats(rows, key) if deduplicate else (list(rows), [])
    if test_rows is not None:
        valid, leaks = _without(valid, test, key, "in_test")
        kept, more = _without(kept, test, key, "in_test")
        dropped += leaks + more
    if valid_rows is not None:
        if deduplicate:
            valid, repeats = drop_repeats(valid, key)
            dropped += repeats
        kept, leaks = _without(kept, valid, key, "in_valid")
        dropped += leaks
    given: dict[Part, list[Row]] = {}
    if test_rows is not None:
        given["test"] = test
    if valid_rows is not None:
        given["valid"] = valid
    shares = _open_shares(ratios, given)
    groups = groups_of(kept, key, group_by)
    _refuse_hopeless(kept, groups, given, stratify_by)
    parts = _allocate(kept, groups, shares, stratify_by, seed) | given
    _refuse_holes(parts, given, stratify_by)
    order = seeded_order(seed)
    ordered = {name: sorted(parts[name], key=order) if shuffle and name not in given else list(parts[name]) for name in PARTS}
    return Splits(ordered["train"], ordered["valid"], ordered["test"], dropped)


def label_of(row: Row, field: str | None) -> str:
    """The value rows are stratified by: an output property, else a placeholder, else the whole text answer."""
    if isinstance(row.output, dict):
        return str(row.output[field]) if field in row.output else row.input.get(field or "", "")
    return row.input.get(field or "", row.output)


def key_of(row: Row, key: Sequence[str] | None) -> str:
    """What makes two rows the same: the normalised values of `key`, or of the whole input."""
    return input_key(row.input if key is None else {name: row.input.get(name, "") for name in key})


def drop_repeats(rows: Sequence[Row], key: Sequence[str] | None = None) -> tuple[list[Row], list[Dropped]]:
    """Rows without repeats and contradictions, in their order, and what was dropped.

    Of repeats the one that sorts first by content stays, so that re-ordering a file changes nothing.
    """
    same: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        same[key_of(row, key)].append(row)
    dropped: dict[int, Dropped] = {}
    for repeats in same.values():
        if len(repeats) == 1:
            continue
        stays = min(repeats, key=raw_content)
        contradicts = len({output_key(row.output) for row in repeats}) > 1
        for row in repeats:
            twin = (
                next(other for other in repeats if output_key(other.output) != output_key(row.output)) if contradicts else stays
            )
            if contradicts or row is not stays:
                dropped[id(row)] = Dropped(row, "conflict" if contradicts else "duplicate", twin.id)
    return [row for row in rows if id(row) not in dropped], list(dropped.values())


def _without(
    rows: list[Row], others: list[Row], key: Sequence[str] | None, reason: DropReason
) -> tuple[list[Row], list[Dropped]]:
    taken = {key_of(row, key): row.id for row in others}
    leaks = [Dropped(row, reason, taken[key_of(row, key)]) for row in rows if key_of(row, key) in taken]
    gone = {id(leak.row) for leak in leaks}
    return [row for row in rows if id(row) not in gone], leaks


def _open_shares(ratios: Mapping[Part, float], given: Mapping[Part, list[Row]]) -> dict[Part, float]:
    """The ratios of the parts still to be filled, to a sum of one. Raises DataError where one of them is to stay empty."""
    shares = {name: ratios.get(name, 0.0) for name in PARTS if name not in given}
    for name, share in shares.items():
        if share <= 0:
            raise DataError(f"data.no_{name}_part")
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def groups_of(rows: Sequence[Row], key: Sequence[str] | None, group_by: str | Mapping[str, str] | None) -> list[list[int]]:
    """Places of rows that must stay in one part: same text, or same group, or linked by a chain of both."""
    parent = list(range(len(rows)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first_with: dict[tuple[str, str], int] = {}
    for place, row in enumerate(rows):
        ties = [("text", key_of(row, key))]
        group = row.input.get(group_by) if isinstance(group_by, str) else group_by.get(row.id) if group_by else None
        if group:
            ties.append(("group", same_text(group)))
        if group_by and len(row.input) > 1 and TEXT_FIELD in row.input:  # whatever stands beside it
            ties.append((TEXT_FIELD, same_text(row.input[TEXT_FIELD])))
        for tie in ties:
            parent[root(place)] = root(first_with.setdefault(tie, place))
    members: dict[int, list[int]] = defaultdict(list)
    for place in range(len(rows)):
        members[root(place)].append(place)
    return list(members.values())


def _refuse_hopeless(rows: list[Row], groups: list[list[int]], given: Mapping[Part, list[Row]], stratify_by: str | None) -> None:
    everything = [*rows, *(row for part in given.values() for row in part)]
    if len(everything) < MIN_ROWS or not rows:
        raise DataError("data.too_few_rows", count=len(rows), wanted=MIN_ROWS)
    if stratify_by is None:
        return
    labels = {label_of(row, stratify_by) for row in rows}
    if len(labels) == 1:
        raise DataError("data.one_class", label=labels.pop(), count=len(rows))
    if "test" in given:
        return
    standing: Counter[str] = Counter()
    for group in groups:
        standing.update({label_of(rows[place], stratify_by) for place in group})
    sizes = Counter(label_of(row, stratify_by) for row in rows)
    small = [label for label in sorted(sizes) if standing[label] < 2]
    if not small:
        return
    cause = "class_too_small" if all(sizes[label] < 2 for label in small) else "class_in_one_group"
    raise DataError(f"data.{cause}", labels=", ".join(f"{label} ({sizes[label]})" for label in small))


def _quota(count: int, shares: Mapping[Part, float], spread: int, label: str) -> dict[Part, int]:
    """How many of a class's `count` rows each open part gets: by largest remainder, and at least one in test, train and then
    valid as far as its `spread` (number of groups) goes. Equal remainders fall by a hash, so that no part wins them all."""
    exact = {name: count * share for name, share in shares.items()}
    quota = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(
        shares, key=lambda name: (quota[name] - exact[name], hashlib.sha256(f"{label}:{name}".encode()).digest())
    )
    for name in by_remainder[: count - sum(quota.values())]:
        quota[name] += 1
    for name in [name for name in ("train", "test", "valid") if name in shares][:spread]:
        if quota[name] == 0:
            quota[max(quota, key=lambda other: quota[other])] -= 1
            quota[name] = 1
    return quota


def _allocate(
    rows: Sequence[Row], groups: list[list[int]], shares: Mapping[Part, float], stratify_by: str | None, seed: int
) -> dict[Part, list[Row]]:
    """Groups to parts: large groups first, each to the open part that most lacks its labels."""
    label_at = [label_of(row, stratify_by) if stratify_by else "" for row in rows]
    spread = Counter(label for group in groups for label in {label_at[place] for place in group})
    open_rows = {label: _quota(count, shares, spread[label], label) for label, count in Counter(label_at).items()}
    order = seeded_order(seed)
    parts: dict[Part, list[Row]] = {name: [] for name in PARTS}
    ranked = sorted((len(group) * -1, min(order(rows[place]) for place in group), group) for group in groups)
    for _, _, group in ranked:
        inside = Counter(label_at[place] for place in group)
        lacking = {name: sum(count * open_rows[label][name] for label, count in inside.items()) for name in shares}
        chosen = max(shares, key=lambda name: lacking[name])
        parts[chosen] += [rows[place] for place in group]
        for label, count in inside.items():
            open_rows[label][chosen] -= count
    return parts


def _refuse_holes(parts: Mapping[Part, list[Row]], given: Mapping[Part, list[Row]], stratify_by: str | None) -> None:
    for name in PARTS:
        if not parts[name]:
            raise DataError(f"data.no_{name}_part")
    if stratify_by is None or "test" in given:
        return
    everywhere = {label_of(row, stratify_by) for part in parts.values() for row in part}
    for name in ("train", "test"):
        missing = sorted(everywhere - {label_of(row, stratify_by) for row in parts[name]})
        if missing:
            raise DataError("data.class_in_one_group", labels=", ".join(missing))


def seeded_order(seed: int) -> Callable[[Row], bytes]:
    """A sort key that shuffles: a hash of seed and content, so that a row's place does not depend on its neighbours."""
    return lambda row: hashlib.sha256(f"{seed}:{input_key(row.input)}:{row.id}".encode("utf-8", errors="surrogatepass")).digest()
