"""What a training says before its first step: what was chosen for this machine and why, and what of its rows will matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from training.attempt import Attempt
from training.data.tokens import EncodedRow
from training.leading_notice import MACHINE
from training.methods.sft import choose_batching
from training.notices import Notice
from training.preparing import Prepared

SKEW_NOTICED = 3.0  # largest class over smallest


def first_notices(attempt: Attempt, ready: Prepared, encoded: Sequence[EncodedRow], classes: Sequence[str]) -> list[Notice]:
    """`encoded` and `classes` are the training rows'. A resumed attempt says where it goes on and on what machine, nothing twice."""
    if attempt.from_step:
        return [Notice("N04", "info", "notice.resumed", {"step": attempt.from_step}), *_choices(ready)]
    limit = [Notice("N05", "info", "notice.max_steps", {"steps": attempt.max_steps})] if attempt.max_steps else []
    return [*_choices(ready), *limit, *_of_the_rows(ready, encoded, classes)]


def _choices(ready: Prepared) -> list[Notice]:
    """A line each: number format, threads, rows at once, and how the layers are computed."""
    batch_size = ready.task.training.batch_size
    said: list[tuple[str, dict[str, Any]]] = [(ready.device.dtype_reason, {})]
    if ready.device.type == "cpu":
        said.append(("notice.machine_threads", {"threads": ready.threads.now, "cores": ready.threads.cores}))
    said.append(("notice.machine_rows", {"batch": batch_size, "rows": choose_batching(batch_size).micro}))
    if ready.loaded.fused_layers:
        said.append(("notice.machine_fused", {"layers": ready.loaded.fused_layers}))
    return [Notice(MACHINE, "info", key, data) for key, data in said]


def _of_the_rows(ready: Prepared, encoded: Sequence[EncodedRow], classes: Sequence[str]) -> list[Notice]:
    found = []
    counts = Counter(classes)
    smallest, largest = min(counts.values()), max(counts.values())
    if largest >= SKEW_NOTICED * smallest:
        name = min(counts, key=lambda label: counts[label])
        found.append(Notice("D07", "info", "notice.imbalance", {"class": name, "rows": smallest, "largest": largest}))
    others = [row for part in ("valid", "test") for row in ready.rows[part]]  # type: ignore[literal-required]
    cut = sum(row.cut for row in encoded) + sum(ready.encoder.prompt_ids(row.input)[1] for row in others)
    if cut:
        found.append(Notice("D08", "warning", "notice.cut", {"rows": cut, "tokens": ready.encoder.max_tokens}))
    return found
