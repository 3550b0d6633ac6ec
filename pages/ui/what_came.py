"""One line under a finished run: what it was expected to take, and what it took."""

from __future__ import annotations

from coach.version_folder import Version
from pages.ui import prose
from pages.ui.page import TaskPage
from training.expectation import came
from training.run_view import RunView


def what_came(page: TaskPage, version: Version, view: RunView) -> None:
    """Nothing where the run is not finished, or began without an estimate."""
    found = came(view, version.results())
    if found is not None:
        prose.muted(found.say(page.language))
