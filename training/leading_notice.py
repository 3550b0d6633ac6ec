"""Of all a run's notices, the one to say first: what the shown evaluation brought, a warning before good news.

Pure. The judgements themselves are notices.py's, their sentences the catalogue's.
"""

from __future__ import annotations

from dataclasses import dataclass

from training.events import Event
from training.run_view import RunView

ABOUT_THE_MACHINE = frozenset({"N03", "N04"})  # threads, resumed: true, but never the main thing beside a judgement


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
    now, before = [], []
    for notice in view.notices:
        step = int(notice.get("step", 0))
        holds = step >= since and (until is None or step < until) and (alive or notice.get("level") == "warning")
        (now if holds else before).append(notice)
    ranked = sorted(now, key=_rank)
    return Said(ranked[0] if ranked else None, tuple(ranked[1:]), tuple(reversed(before)))


def _rank(notice: Event) -> int:
    if notice.get("level") == "warning":
        return 0
    return 2 if notice.get("code") in ABOUT_THE_MACHINE else 1
