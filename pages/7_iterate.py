"""Stage 7, from version to version: the history, two side by side, whether to go on, and the next version."""

import streamlit as st

from coach.course import course_of, days_left
from coach.diagnosis import Diagnosis
from coach.errors import CoachError
from coach.figures import iteration_figures
from coach.forecast import Forecast
from coach.history import Entry, held_against, latest_finished
from coach.looks import looked_often
from coach.next_step import next_step
from pages.ui import cached, cached_plan, prose
from pages.ui.figure_row import figure_row
from pages.ui.frame import open_page
from pages.ui.next_version_form import next_version_form
from pages.ui.page import TaskPage, link
from pages.ui.side_by_side import side_by_side
from pages.ui.system_in_use import system_in_use
from pages.ui.version_table import version_table
from training.clock import local_now
from training.evidence import Examined


def focus_of(page: TaskPage, entries: list[Entry]) -> Entry:
    """The version the page speaks of: the finished one the address names, else the latest finished, else the latest."""
    if page.version_asked:
        page.task.version(page.version_asked)
    named = next((entry for entry in entries if entry.name == page.version_asked and entry.finished), None)
    return named or latest_finished(entries) or entries[-1]


def judgement(page: TaskPage, entries: list[Entry], focus: Entry, found: Examined, diagnosis: Diagnosis) -> None:
    """Go on or stop in one sentence, and the three numbers behind it."""
    before = held_against(entries, focus)
    version = page.task.version(focus.name)
    change = cached.compared(page.task.version(before.name), version) if before else None
    course = course_of(entries, focus, forecast_of(page), days_left(page.task, local_now()))
    said = next_step(focus.name, diagnosis, change, found.config.training.method, course).say(page.language)
    st.markdown(f"**{page.say('evaluate.coach')}** {prose.plain(said)}")
    figure_row(page, iteration_figures(focus.name, diagnosis.verdict, change))
    for more in course.sentences():
        prose.muted(more.say(page.language))
    if luck := looked_often(entries, focus):
        prose.muted(luck.say(page.language))


def forecast_of(page: TaskPage) -> Forecast | None:
    """What the next version may score; None where the attached file can no longer be read."""
    try:
        with st.spinner(page.say("recommend.looking"), show_time=True):
            return cached_plan.forecast(page.task)
    except CoachError:
        return None


def nothing_finished(page: TaskPage, focus: Entry) -> None:
    prose.sentence(page.say("iterate.nothing_finished", version=focus.name))
    link(page, "train", page.task, version=focus.name, icon=":material/arrow_forward:")


with open_page("iterate") as page:
    prose.title(page.say("iterate.title"))
    history = cached.history(page.task.versions())
    focus = focus_of(page, history)
    examined = cached.examined(page.task.version(focus.name)) if focus.finished else None
    with st.spinner(page.say("evaluate.looking")):
        diagnosis = cached.diagnosed(page.task.version(focus.name), examined) if examined else None
    if examined is None or diagnosis is None:
        nothing_finished(page, focus)
    else:
        judgement(page, history, focus, examined, diagnosis)
    prose.heading(page.say("iterate.history"))
    version_table(page, history, focus if focus.finished else None)
    if focus.finished:
        prose.heading(page.say("iterate.compare.title"))
        if sum(entry.finished for entry in history) > 1:
            side_by_side(page, history, focus)
        else:
            prose.sentence(page.say("iterate.compare.only_one"))
        system_in_use(page, focus)
    prose.heading(page.say("iterate.next.title"))
    next_version_form(page, history, focus, diagnosis, local_now())
