"""Where a version stands that is trained several times: which repeat, and what that one's own log folds to.

The version's log names the repeat (`phase` with name `repeats`); what happens in it stands in `repeats/<name>/events.jsonl`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coach.repeats import Repeat, repeat_called
from coach.text import Language, text
from coach.version_folder import Version
from training.run_view import RunView


@dataclass(frozen=True)
class RepeatProgress:
    """The repeat a version's log has named last: the `number`th of `runs`, the version's own run being the first."""

    name: str
    number: int
    runs: int
    view: RunView

    @property
    def which(self) -> str:
        """`seed 43`, `fold 2`: as task.yaml calls it."""
        return self.name.replace("-", " ")

    def say(self, language: Language) -> str:
        """Which repeat and, once that is known, how far it is."""
        place = {"number": self.number, "runs": self.runs, "which": self.which}
        if self.view.total_steps is None:
            return text("repeats.place", language, **place)
        return text("repeats.step", language, **place, step=self.view.step, total=self.view.total_steps)

    def document(self) -> dict[str, Any]:
        """As `status --json` has it."""
        view = self.view
        place = {"name": self.name, "number": self.number, "runs": self.runs}
        return {**place, "phase": view.phase, "step": view.step, "total_steps": view.total_steps}


def repeat_in(version: Version, view: RunView, read: Callable[[Repeat], RunView]) -> RepeatProgress | None:
    """The repeat `version` is at, by its own log's `view`; None before the first and once all are done. `read` folds a repeat's log."""
    event = view.phase_event
    if view.phase != "repeats" or event is None or (view.terminal is not None and view.terminal["type"] == "finished"):
        return None
    try:
        repeat = repeat_called(version, str(event.get("repeat")))
        return RepeatProgress(repeat.name, int(event["number"]), int(event["runs"]), read(repeat))
    except (KeyError, ValueError):  # written by another release
        return None
