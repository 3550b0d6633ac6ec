"""The plan's time and memory as the Confirm page will show them, so that one task has one estimate. Draws nothing."""

from __future__ import annotations

from dataclasses import replace

from coach.advised import Advised
from coach.errors import CoachError
from pages.ui import cached_plan
from pages.ui.page import TaskPage


def as_on_confirm(page: TaskPage, advised: Advised) -> Advised:
    """With the time and memory that Confirm will show, which counts the rows themselves, where the version to come trains."""
    try:
        file = page.task.file if advised.has_file else cached_plan.drafted(page.task).task
        found = cached_plan.estimate(page.task, file) if file.training.method not in ("baseline", "prompt") else None
    except CoachError:
        found = None
    return replace(advised, estimate=found) if found and found.minutes_range else advised
