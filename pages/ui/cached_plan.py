"""What is cached of a task's plan: forecast, draft, estimate, and what would change the advice. The rest, and the rule, is cached.py."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st

from coach.errors import CoachError
from coach.file_stamps import file_stamps
from coach.version_folder import SPLITS
from coach.workspace import ANSWERS_FILE, Task
from pages.ui.cached import MINUTE_S, look, machine, or_raise

if TYPE_CHECKING:
    from coach.advised import Advised
    from coach.answers import Answers
    from coach.estimate import Estimate
    from coach.first_advice import FirstAdvice
    from coach.forecast import Forecast
    from coach.hardware import Hardware
    from coach.interview import Question
    from coach.task_schema import TaskFile
    from coach.what_if import Change
    from training.first_folder import Drafted


@st.cache_resource(max_entries=32, ttl=60 * MINUTE_S, show_spinner=False)
def _forecast(key: str, _task: Task) -> Forecast | CoachError:
    from coach.advised import advise

    try:
        found = look(_task)
        return advise(_task, found.facts if found else None, machine()).forecast
    except CoachError as error:
        return error


def forecast(task: Task) -> Forecast:
    """What the task's next version may score. Raises DataError, DocumentError."""
    from coach.seen_gains import gains_beside
    from training.attached_file import attached

    stamps = file_stamps(task.folder / ANSWERS_FILE, task.file_path)
    seen = gains_beside(task, task.answers().success.primary_metric or "macro_f1")
    return or_raise(_forecast(repr((str(task.folder), stamps, seen, attached(task), machine())), task))


@st.cache_resource(max_entries=16, ttl=60 * MINUTE_S, show_spinner=False)
def _drafted(key: str, _task: Task, _machine: Hardware) -> Drafted | CoachError:
    from coach.advised import advise
    from training.plan_to_task import draft_for

    try:
        found = look(_task)
        now = datetime.fromtimestamp((_task.folder / ANSWERS_FILE).stat().st_mtime).astimezone().replace(microsecond=0)
        return draft_for(_task, advise(_task, found.facts if found else None, _machine), found, now)
    except CoachError as error:
        return error


def drafted(task: Task) -> Drafted:
    """The task.yaml a task without one would get; its times are those of the answers. Raises UserError, DataError, DocumentError."""
    from coach.overrides import overrides_path
    from training.attached_file import attached

    stamps = file_stamps(task.folder / ANSWERS_FILE, overrides_path(task))
    return or_raise(_drafted(repr((str(task.folder), stamps, attached(task), machine())), task, machine()))


@st.cache_resource(max_entries=64, ttl=60 * MINUTE_S, show_spinner=False)
def _estimate(key: str, _file: TaskFile, _task: Task) -> Estimate | None:
    from training.before_start import data_state, expected_estimate, saved_estimate

    found = look(_task) if data_state(_task, None) != "ready" else None
    return expected_estimate(_task, _file, found, machine()) if found else saved_estimate(_file, _task, machine())


def estimate(task: Task, file: TaskFile) -> Estimate | None:
    """Time and memory of the training that `file`, saved or not, asks for; None where nothing can be said."""
    from training.attached_file import attached
    from training.measurements import measurements_path

    parts = [*(task.data_folder / f"{part}.jsonl" for part in SPLITS), measurements_path()]
    said = file.model_copy(update={"title": None, "version": "", "updated": None, "change": None})
    return _estimate(repr((str(task.folder), file_stamps(*parts), attached(task), machine(), said)), file, task)


@st.cache_resource(max_entries=128, show_spinner=False)
def _changes(asked: str, _known: Advised) -> list[Change]:
    from coach.what_if import what_would_change

    return what_would_change(_known.answers, _known.facts, _known.hardware, _known.plan)


def changes(known: Advised) -> list[Change]:
    """What would change the advice; some dozens of plans are tried for it."""
    return _changes(repr((known.answers, known.facts, known.hardware, known.plan.rules_version)), known)


@st.cache_resource(max_entries=32, show_spinner=False)
def _first_advice(asked: str, _answers: Answers, methods: tuple[str, ...]) -> FirstAdvice:
    from coach.first_advice import first_advice

    return first_advice(_answers, machine(), methods)


def first_advice(answers: Answers, methods: tuple[str, ...]) -> FirstAdvice:
    """What can be advised from few answers; some dozens of plans are tried for it."""
    return _first_advice(repr((answers, machine())), answers, methods)


@st.cache_resource(max_entries=128, show_spinner=False)
def _telling(asked: str, _known: Advised) -> list[Question]:
    from coach.telling_questions import most_telling

    return most_telling(_known.answers, _known.facts, _known.hardware)


def telling_questions(known: Advised) -> list[Question]:
    """The open questions whose answers would change the plan most."""
    return _telling(repr((known.answers, known.facts, known.hardware)), known)
