"""A version trained several times, with other seeds or on other folds: its own run first, then each repeat in a folder of its own.

All of it is one attempt of the version: one worker, one lock, one turn on the device, one stop file. What is finished is never trained
again; what was interrupted goes on from its own checkpoint. Owns that order and what is written at the end; a run itself is its method's.

Of a repeat its recipe, rows, events, answers and scores are kept, not its weights: the version answers with those of its own run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from coach.atomic_write import flush_folder, write_atomically
from coach.errors import CoachError, DocumentError, TrainingError, UserError, WorkspaceError
from coach.repeats import PlannedRun, Repeat, config_of, planned_runs, repeat_called, together
from coach.task_file import task_to_yaml
from coach.version_folder import SPLITS, Version, link_or_copy
from training import checkpoints
from training.attempt import Attempt, Ending
from training.data.folds import later_folds, write_fold
from training.data.rows import read_rows
from training.event_log import RESERVE, EventLog, Listener, read_events
from training.memory import free_memory
from training.run_view import RunView, fold
from training.single_run import carried_out, clear, in_words, open_log, remove_leftovers

TrainOne = Callable[[Version, Attempt, EventLog], Ending]


def own_run_is_over(version: Version) -> bool:
    """Whether the version's own run has been trained and judged since it was last started, so that only repeats are left."""
    over = False
    for event in read_events(version.events_path):
        over = event["type"] != "started" and (over or (event["type"] == "phase" and event.get("name") == "repeats"))
    with suppress(WorkspaceError):  # a damaged file is made again
        return over and version.results() is not None
    return False


def train_several(version: Version, attempt: Attempt, log: EventLog, listener: Listener | None, train: TrainOne) -> Ending:
    """Every run of the version that is not finished yet, and at the end `repeats` in its results.json.

    `log` is the version's and names each repeat as it begins; the repeats' own events go to their own logs, and to `listener` as well.
    Raises the error a repeat has failed with, which one said in front.
    """
    ending = _ending_said_by(version.results() or {}) if attempt.own_run_over else train(version, attempt, log)
    if ending.kind != "finished":
        return ending
    first, *further = planned_runs(version.config.training)
    for planned in further:
        free_memory()  # of the model before
        log.append("phase", name="repeats", repeat=planned.name, number=planned.number, runs=planned.runs)
        stopped = _train_repeat(version, planned, attempt, log, listener, train)
        if stopped is not None:
            return stopped
    log.require_in_place()
    own = version.results() or {}
    judged = [(planned, repeat_called(version, planned.name).results() or {}) for planned in further]
    version.write_results({**own, "repeats": together([(first, own), *judged])})
    return ending


def _ending_said_by(results: dict[str, Any]) -> Ending:
    fields = {"best_step": results["best_checkpoint"]["step"], "reason": results["end_reason"], "results": "results.json"}
    return Ending("finished", fields)


def _train_repeat(
    version: Version, planned: PlannedRun, attempt: Attempt, log: EventLog, listener: Listener | None, train: TrainOne
) -> Ending | None:
    """Trains one repeat to its end, unless it is there; returns how the version's attempt ends where it was stopped."""
    repeat = repeat_called(version, planned.name)
    try:
        if not _is_finished(repeat):
            if version.stop_path.exists():
                return _stopped(planned, Ending("stopped", {"step": 0, "reason": "asked", "checkpoint": None}))
            _freeze(version, planned, repeat)
            ending = _carry_out(repeat, attempt.max_steps, listener, train)
            if ending.kind != "finished":
                return _stopped(planned, ending)
        _tidy(repeat)
    except Exception as error:
        log.require_in_place()
        raise _named(planned, error) from error
    return None


def _carry_out(repeat: Repeat, max_steps: int | None, listener: Listener | None, train: TrainOne) -> Ending:
    remove_leftovers(repeat)
    step = checkpoints.latest_sound(repeat.checkpoints_folder)
    before = fold(RunView(), read_events(repeat.events_path))
    if step is None:
        clear(repeat)
    resumed = {"type": "resumed", "attempt": before.attempt + 1, "from_step": step}
    view = RunView() if step is None else fold(before, [resumed])
    attempt = Attempt(before.attempt + 1, step or 0, view, max_steps, keeps_model=False)
    log = open_log(repeat, listener)
    try:
        return carried_out(repeat, lambda: attempt, log, lambda begun: train(repeat, begun, log))
    finally:
        log.close()


def _stopped(planned: PlannedRun, ending: Ending) -> Ending:
    """The version's end, seen from its folder."""
    kept = ending.fields["checkpoint"]
    checkpoint = kept and f"repeats/{planned.name}/{kept}"
    return Ending("stopped", {**ending.fields, "checkpoint": checkpoint, "repeat": planned.name})


def _named(planned: PlannedRun, error: Exception) -> CoachError:
    """The error with the repeat in front of it; whether it was the user's mistake or ours does not change."""
    cause = in_words(
        error if not isinstance(error, DocumentError) else ValueError(str(error))
    )  # that one's list of faults is not plain
    kind = UserError if isinstance(error, UserError) else TrainingError
    data = {"which": planned.which, "number": planned.number, "runs": planned.runs}
    return kind("training.repeat_failed", **data, cause={"key": cause.key, "data": cause.data})


# --- a repeat's folder ---------------------------------------------------------------------------------------------------------


def _is_finished(repeat: Repeat) -> bool:
    terminal = fold(RunView(), read_events(repeat.events_path)).terminal
    with suppress(WorkspaceError):
        return terminal is not None and terminal["type"] == "finished" and repeat.results() is not None
    return False


def _freeze(version: Version, planned: PlannedRun, repeat: Repeat) -> None:
    """The repeat's rows and, once they are there, its recipe. Rows are the version's own, cut anew where folds are repeated."""
    if repeat.is_frozen:
        return
    shutil.rmtree(repeat.folder, ignore_errors=True)  # half of one, of a worker that was killed
    repeat.data_folder.mkdir(parents=True)
    for split in SPLITS:
        link_or_copy(version.split_path(split), repeat.split_path(split))
    if planned.fold is not None:
        train, valid = (read_rows(version.split_path(part)) for part in ("train", "valid"))
        write_fold(repeat, later_folds(train, valid, version.config)[planned.fold - 2])
    flush_folder(repeat.data_folder)
    write_atomically(repeat.config_path, task_to_yaml(config_of(version.config, planned)))


def _tidy(repeat: Repeat) -> None:
    """What only a resume would need; also of a worker that was killed between its last event and this."""
    shutil.rmtree(repeat.checkpoints_folder, ignore_errors=True)
    repeat.events_path.with_name(RESERVE).unlink(missing_ok=True)
