"""Which version's run a page shows, what that version is, and its buttons: start, stop, resume, leave the line.

Asks training/starting.py to do what a button says. What happens in the run is live_run.py's to show.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from coach.errors import CoachError
from coach.recommendation.hyperparameters import short_rate
from coach.reference_data import method_row
from coach.task_schema import TaskFile
from coach.version_folder import Version
from pages.ui import cached, prose, session
from pages.ui.page import TaskPage, link
from pages.ui.what_came import what_came
from training import checkpoints
from training.clock import local_now
from training.run_status import RunStatus
from training.starting import resume_training, start_training, stop_training

STOP_ICON, CANCEL_ICON, RESUME_ICON, START_ICON, NEXT_ICON = (
    ":material/stop_circle:",
    ":material/cancel:",
    ":material/play_circle:",
    ":material/play_arrow:",
    ":material/arrow_forward:",
)


@dataclass(frozen=True)
class Run:
    """A version as the page found it. `kept` is the step of its latest checkpoint; `stopping`: a stop was asked for."""

    version: Version
    config: TaskFile
    status: RunStatus
    stopping: bool
    kept: int | None


def chosen_run(page: TaskPage) -> Run | None:
    """The version the address names, else the one that trains or waits to, else the latest; None where there is none.

    Raises WorkspaceError for a name there is no version of.
    """
    if page.version_asked:
        return _run(page.task.version(page.version_asked))
    runs = [_run(version) for version in reversed(page.task.versions())]
    alive = [run for run in runs if run.status.alive] or [run for run in runs if run.status.expected]
    return next(iter(alive or runs), None)


def _run(version: Version) -> Run:
    status = cached.reader(version).read(time.time())
    kept = checkpoints.latest(version.checkpoints_folder)
    return Run(version, version.config, status, status.alive and version.stop_path.exists(), kept)


def header(page: TaskPage, run: Run) -> None:
    """The version's name at the left, what can be done with it at the right, its recipe below."""
    elsewhere = _named_elsewhere(page, run)
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        prose.title(page.say("train.title", version=run.version.name))
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        _selector(page, run)
        _buttons(page, run, may_start=elsewhere is None)
    prose.muted(_about(page, run))
    if run.status.state == "finished":
        what_came(page, run.version, run.status.view)
    if elsewhere is not None:
        prose.sentence(page.say("train.start.elsewhere", other=elsewhere, version=run.version.name))


def _named_elsewhere(page: TaskPage, run: Run) -> str | None:
    """The version task.yaml names where this one would have to be started and is not the one named; a start takes task.yaml's."""
    if run.status.expected or run.status.state == "finished" or run.kept is not None:
        return None
    try:
        named = page.task.file.version
    except CoachError:
        named = "—"
    return None if named == run.version.name else named


def _about(page: TaskPage, run: Run) -> str:
    training, splits = run.config.training, (run.version.snapshot() or {}).get("splits", {})
    rows = {name: splits.get(name, {}).get("rows", 0) for name in ("train", "valid")}
    named = {"model": training.base_model, **rows}
    if training.lora and training.method not in ("prompt", "baseline"):
        return page.say("train.about.lora", r=training.lora.r, rate=short_rate(training.learning_rate), **named)
    method = method_row(training.method).title[page.language]
    return page.say("train.about.no_model" if training.method == "baseline" else "train.about.plain", method=method, **named)


def _selector(page: TaskPage, run: Run) -> None:
    names = [version.name for version in page.task.versions()]
    if len(names) < 2:
        return
    key = page.key("version")
    session.put_widget_value(key, run.version.name)
    st.selectbox(
        page.say("train.version"),
        names[::-1],
        key=key,
        width=130,
        label_visibility="collapsed",
        on_change=_show_chosen,
        args=(key,),
    )


def _show_chosen(key: str) -> None:
    session.show_version(session.widget_value(key))


def _buttons(page: TaskPage, run: Run, *, may_start: bool) -> None:
    if run.status.alive:
        _stop_button(page, run)
    elif run.status.state == "queued":
        if st.button(page.say("train.cancel"), key=page.key("cancel"), icon=CANCEL_ICON):
            stop_training(run.version)
            st.rerun()
    elif run.status.state == "finished":
        link(page, "evaluate", page.task, version=run.version.name, icon=NEXT_ICON)
    elif run.kept is not None:
        repeat = run.status.repeat
        label = page.say("train.resume.button", step=run.kept)
        if repeat:
            label = page.say("train.resume.repeat", number=repeat.number, runs=repeat.runs, which=repeat.which)
        if st.button(label, key=page.key("resume"), icon=RESUME_ICON, type="primary"):
            resume_training(run.version)
            st.rerun()
    elif not may_start:
        link(page, "confirm", page.task, icon=NEXT_ICON)
    elif st.button(page.say("train.start.button"), key=page.key("start"), icon=START_ICON, type="primary"):
        start_training(page.task, local_now)
        st.rerun()


def _stop_button(page: TaskPage, run: Run) -> None:
    """Two clicks, the second under a sentence that says what is kept."""
    name = run.version.name
    if run.stopping:
        st.button(
            page.say("train.stop.asked"),
            key=page.key("stopping"),
            icon=STOP_ICON,
            disabled=True,
            help=prose.plain(page.say("train.stop.kept", version=name)),
        )
        return
    with st.popover(page.say("train.stop.button"), icon=STOP_ICON, key=page.key("stop_popover")):
        if run.status.view.phase == "evaluating" and run.status.view.runs == 1:
            prose.sentence(page.say("train.stop.too_late"))
            return
        prose.sentence(page.say("train.stop.kept_repeats" if run.status.repeat else "train.stop.kept", version=name))
        if st.button(prose.plain(page.say("train.stop.confirm", version=name)), key=page.key("stop"), icon=STOP_ICON):
            stop_training(run.version)
            st.rerun()
