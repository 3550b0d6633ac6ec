"""How long a version's next attempt will take, by the estimate of its task: what those behind it in line are told to wait.

Reads the version's rows once, when it takes its place; standing.py adds up what stands in the tickets.
"""

from __future__ import annotations

from coach.errors import CoachError
from coach.hardware import this_machine
from coach.repeats import task_folder
from coach.version_folder import Version
from training.run_estimate import estimate_task
from training.run_view import RunView


def expected_s(version: Version, view: RunView, max_steps: int | None) -> float | None:
    """Seconds the version's next attempt will take, by the estimate of its task; None where nothing is known.

    What an earlier attempt has trained counts as done, and `max_steps` as all there is.
    """
    try:
        found = estimate_task(version.config, version.data_folder, this_machine(), near=task_folder(version), max_steps=max_steps)
    except CoachError:
        return None
    if found.minutes is None:
        return None
    seconds = sum(found.seconds.values()) if found.seconds else found.minutes * 60
    done = view.step / view.total_steps if view.total_steps else 0.0
    return round(max(0.0, seconds * (1.0 - done)), 1)
