"""The menu beside every page: the road of the task with what is done, the ways off it, the language."""

from __future__ import annotations

import streamlit as st

from coach.errors import CoachError
from coach.stages import STAGES, Stage
from coach.text import LANGUAGE_NAMES, LANGUAGES, text
from coach.workspace import Task
from pages.ui import prose, session
from pages.ui.page import Page, home_link, page_link, to_knowledge

ICONS = {
    "done": ":material/check_circle:",
    "here": ":material/radio_button_checked:",
    "ahead": ":material/radio_button_unchecked:",
}
LOCKED_ICON = ":material/lock:"


def menu(page: Page, task: Task | None, here: Stage | None, version: str | None = None) -> None:
    """The road in the sidebar: done, here, ahead; a step that is not open says what is missing."""
    with st.sidebar:
        st.markdown(f":material/school: **{page.say('frame.brand')}**")
        if task is None:
            prose.muted(page.say("frame.no_task"))
        else:
            prose.muted(_task_line(page, task, version))
            for stage in STAGES:
                _menu_entry(page, task, stage, here, version)
        st.divider()
        home_link(page)
        to_knowledge(page, task, version)
        _language_control(page)


def _task_line(page: Page, task: Task, version: str | None) -> str:
    names = [known.name for known in task.versions()]
    shown = version if version in names else _planned(task, names) or (names[-1] if names else page.say("frame.no_version"))
    return f"{task.title} · {shown}"


def _planned(task: Task, names: list[str]) -> str | None:
    """The version task.yaml names, where there are versions and it is a later one that is not frozen yet."""
    try:
        named = task.file.version if names and task.has_file else None
    except CoachError:  # the pages that read it say what is wrong
        return None
    return named if named and named not in names else None


def _menu_entry(page: Page, task: Task, stage: Stage, here: Stage | None, version: str | None) -> None:
    state = "here" if stage is here else "done" if stage.is_done(task) else "ahead"
    label = text(stage.title_key, page.language)
    if stage.is_open(task):
        page_link(f"pages/{stage.page}", label, session.query(page.language, task.name, version), ICONS[state],
                   help=page.say(f"frame.stage_{state}"))  # fmt: skip
    else:
        page_link(f"pages/{stage.page}", label, session.query(page.language, task.name, version), LOCKED_ICON,
                   help=page.say(f"frame.locked.{stage.id}"))  # fmt: skip


def _language_control(page: Page) -> None:
    session.offer_language(page.language)
    st.segmented_control(
        page.say("frame.language"),
        LANGUAGES,
        format_func=LANGUAGE_NAMES.__getitem__,
        key=session.LANGUAGE_KEY,
        required=True,
        on_change=session.language_chosen,
    )
