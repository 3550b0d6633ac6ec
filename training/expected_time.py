"""How long a version's next attempt will take, by the estimate of its task: what those behind it in line are told to wait.

Reads the version's rows once, when it takes its place; standing.py adds up what stands in the tickets.
"""

from __future__ import annotations

from coach.errors import CoachError
from coach.hardware import this_machine
from coach.reference_data import model_row
from coach.version_folder import Version
from training.run_estimate import estimate_task, work_of
from training.run_view import RunView


def expected_s(version: Version, view: RunView, max_steps: int | None) -> float | None:
    """Seconds the version's next attempt will take, by the estimate of its task; None where nothing is known.

    What an earlier attempt has trained counts as done, and `max_steps` as all there is.
    """
    try:
        task = version.config
        found = estimate_task(task, version.data_folder, this_machine())
        if found.minutes is None:
            return None
        share = 1.0 - view.step / view.total_steps if view.total_steps else 1.0
        if max_steps is not None and (model := model_row(task.training.base_model)) is not None:
            work = work_of(task, version.data_folder, model)
            share = min(share, max_steps * work.batch_size / (work.train_rows * work.epochs)) if work else share
    except CoachError:
        return None
    return round(max(0.0, found.minutes * 60 * share), 1)
