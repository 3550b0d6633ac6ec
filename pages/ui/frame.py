"""The frame of every page: its settings, the menu with the road, the task's header, and calm pages where there is nothing to show.

`open_page(stage)` is the first line of each page, so that a page opened by its own address has the same frame (streamlit.md 0.2).
Knows no page's content.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import streamlit as st

from coach.errors import CoachError
from coach.stages import STAGES, Stage, StageId, next_stage
from coach.text import Language, text
from coach.workspace import Task, find_task, workspace_root
from pages.ui import prose, session
from pages.ui.menu import menu
from pages.ui.page import Page, TaskPage, home_link, link
from training.waiting_line import QUEUE, for_servers

FAVICON = Path(__file__).with_name("icon.svg")  # a Material symbol here would be fetched from fonts.gstatic.com


@contextmanager
def open_home() -> Iterator[Page]:
    """The home page's frame; errors of ours inside are drawn, not raised."""
    address, page = _begin()
    _set_page(page.say("frame.brand"))
    menu(page, None, None)
    _messages()
    with guarded(address.language):
        yield page


@contextmanager
def open_beside(title_key: str) -> Iterator[Page]:
    """The frame of a page beside the road; the task the address names, where there is one, keeps its menu."""
    address, page = _begin()
    _set_page(f"{page.say(title_key)} · {page.say('frame.brand')}")
    try:
        task = find_task(page.root, address.task) if address.task else None
    except CoachError:  # such a page needs no task
        task = None
    menu(page, task, None, address.version)
    _messages()
    with guarded(address.language):
        yield page


@contextmanager
def open_page(stage_id: StageId) -> Iterator[TaskPage]:
    """The frame of a stage's page around its task; a calm page instead where there is no task or the stage is not open yet."""
    address, page = _begin()
    stage = next(stage for stage in STAGES if stage.id == stage_id)
    _set_page(f"{text(stage.title_key, page.language)} · {page.say('frame.brand')}")
    task = _task(page, stage, address)
    menu(page, task, stage, address.version)
    first = st.container()  # there whether or not it says anything: what follows keeps its place, and the browser its cursor
    with first:
        _messages()
    with guarded(address.language):
        if not stage.is_open(task):
            _not_open_yet(page, task, stage)
        with first:
            _warn_if_early(page, task, stage)
        yield TaskPage(page.language, page.dark, page.root, stage, task, address.version)


@contextmanager
def guarded(language: Language) -> Iterator[None]:
    """Draws an error of ours as its three beats. Fragments need it too: they are run again without the page around them."""
    try:
        yield
    except CoachError as error:
        show_error(error, language)


def show_error(error: CoachError, language: Language) -> None:
    """What was found, what was expected, what to do now."""
    found, expected, todo = error.lines(language)
    with st.container(border=True):
        st.markdown(f":material/error: {prose.plain(found)}")
        prose.sentence(text("ui.frame.expected", language, said=expected))
        prose.sentence(text("ui.frame.todo", language, said=todo))


def _begin() -> tuple[session.Address, Page]:
    address = session.read_address()
    page = Page(address.language, st.context.theme.type == "dark", workspace_root(os.environ))
    if for_servers(page.root / QUEUE):  # left in line by a server that is gone: the first page anybody opens takes them on
        from training.runners.in_process import take_on_waiting

        take_on_waiting(page.root / QUEUE)
    return address, page


def _set_page(title: str) -> None:
    st.set_page_config(page_title=title, page_icon=str(FAVICON), layout="wide", initial_sidebar_state="auto")


def _task(page: Page, stage: Stage, address: session.Address) -> Task:
    """The task the address names, or the page ends with a sentence and the way home."""
    if not address.task:
        _without_task(page, stage, address.refused)
    try:
        return find_task(page.root, address.task)
    except CoachError as error:
        menu(page, None, stage)
        show_error(error, page.language)
        home_link(page)
        _end()


def _without_task(page: Page, stage: Stage, refused: str | None) -> NoReturn:
    menu(page, None, stage)
    prose.heading(page.say("frame.bad_name_title") if refused else page.say("frame.choose_task"))
    if refused:
        st.text(refused)
    prose.sentence(page.say("frame.choose_task_todo"))
    home_link(page)
    _end()


def _end() -> NoReturn:
    """Nothing more of this page is drawn."""
    st.stop()


def _not_open_yet(page: Page, task: Task, stage: Stage) -> NoReturn:
    ahead = next_stage(task)
    prose.heading(page.say("frame.locked_title", stage=text(stage.title_key, page.language)))
    prose.sentence(page.say(f"frame.locked.{stage.id}"))
    link(page, ahead.id, task)
    _end()


def _warn_if_early(page: Page, task: Task, stage: Stage) -> None:
    """Stages before this one that are not done: worth a word, no barrier."""
    earlier = STAGES[: STAGES.index(stage)]
    open_one = next((before for before in earlier if not before.is_done(task)), None)
    if open_one and not stage.is_done(task):
        st.info(prose.plain(page.say("frame.early", stage=text(open_one.title_key, page.language))), icon=":material/info:")


def _messages() -> None:
    for kind, lines in session.take_messages():
        getattr(st, kind)(prose.plain("\n".join(lines)))
