"""Of all a run's notices, the one to say first: what the shown evaluation brought, a warning before good news.

Pure. What was chosen for the machine, and news of its load (one line, however often it changed), lead nowhere. The judgements
themselves are notices.py's, their sentences the catalogue's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.events import Event
from training.run_view import RunView

THREADS, RESUMED, FEWER_ROWS, MACHINE = "N03", "N04", "N06", "N07"  # true, but never the main thing beside a judgement


@dataclass(frozen=True)
class Said:
    """`lead` comes first, None where nothing was noticed; `others` the rest of what holds now; `earlier` all else, newest first."""

    lead: Event | None
    others: tuple[Event, ...] = ()
    earlier: tuple[Event, ...] = ()


def said_of(view: RunView, evaluation: Event | None, *, alive: bool) -> Said:
    """What was noticed from the shown `evaluation` (None: before the first) up to the next. Each evaluation says anew what still holds.

    Of a run that has ended only warnings are left: that it was still improving is no news then.
    """
    since = int(evaluation["step"]) if evaluation else 0
    later = [int(event["step"]) for event in view.evals if int(event["step"]) > since]
    until = later[0] if later else None
    now: list[Event] = []
    before: list[Event] = []
    for notice in judgements(view.notices):
        step = int(notice.get("step", 0))
        holds = step >= since and (until is None or step < until) and (alive or notice.get("level") == "warning")
        (now if holds else before).append(notice)
    ranked = sorted(now, key=_rank)
    chosen = [notice for notice in view.notices if notice.get("code") == MACHINE]
    earlier = sorted([*chosen, *before, *_of_the_threads(view.notices)], key=lambda notice: int(notice.get("step", 0)))
    return Said(ranked[0] if ranked else None, tuple(ranked[1:]), tuple(reversed(earlier)))


def judgements(notices: Sequence[Event]) -> list[Event]:
    """Notices that say something of the run itself, not of its machine."""
    return [notice for notice in notices if notice.get("code") not in (THREADS, MACHINE)]


def _of_the_threads(notices: Sequence[Event]) -> list[Event]:
    """The latest change of threads; of several, one notice with how many there were."""
    changes = [notice for notice in notices if notice.get("code") == THREADS]
    if len(changes) < 2:
        return changes
    last = changes[-1]
    data = {"changes": len(changes), "after": (last.get("data") or {}).get("after")}
    return [{**last, "message_key": "notice.threads_changes", "data": data}]


def _rank(notice: Event) -> int:
    if notice.get("level") == "warning":
        return 0
    return 2 if notice.get("code") in (RESUMED, FEWER_ROWS) else 1
