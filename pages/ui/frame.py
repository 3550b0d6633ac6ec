"""The frame of every page: its settings, the menu with the road, the task's header, and calm pages where there is nothing to show.

`open_page(stage)` is the first line of each page, so that a page opened by its own address has the same frame (streamlit.md 0.2).
Knows no page's content.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from coach.errors import CoachError
from coach.stages import STAGES, Stage, StageId, next_stage
from coach.text import LANGUAGE_NAMES, LANGUAGES, Language, text
from coach.workspace import Task, find_task, workspace_root
from pages.ui import prose, session
from training.waiting_line import QUEUE, for_servers

HOME = "app.py"
FAVICON = Path(__file__).with_name("icon.svg")  # a Material symbol here would be fetched from fonts.gstatic.com
ICONS = {
    "done": ":material/check_circle:",
    "here": ":material/radio_button_checked:",
    "ahead": ":material/radio_button_unchecked:",
}
LOCKED_ICON, HOME_ICON = ":material/lock:", ":material/home:"


@dataclass(frozen=True)
class Page:
    """What every page needs to draw: the reader's language, the theme, and where tasks are kept."""

    language: Language
    dark: bool
    root: Path

    def say(self, key: str, /, **data: Any) -> str:
        """The text `ui.<key>` in the reader's language."""
        return text(f"ui.{key}", self.language, **data)


@dataclass(frozen=True)
class TaskPage(Page):
    """A page of one task. `version_asked` is the version the URL names, which may not exist."""

    stage: Stage
    task: Task
    version_asked: str | None

    def key(self, field: str) -> str:
        """A widget's key: the same widget on another task is another widget."""
        return f"{self.task.name}.{self.stage.id}.{field}"


@contextmanager
def open_home() -> Iterator[Page]:
    """The home page's frame; errors of ours inside are drawn, not raised."""
    address, page = _begin()
    _set_page(page.say("frame.brand"))
    _menu(page, None, None)
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
    _menu(page, task, stage, address.version)
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


def link(
    page: Page, stage_id: StageId, task: Task, *, label: str | None = None, version: str | None = None, icon: str | None = None
) -> None:
    """A link to a stage of a task; it keeps the language."""
    stage = next(stage for stage in STAGES if stage.id == stage_id)
    said = label or page.say("frame.go_to_stage", stage=text(stage.title_key, page.language))
    _page_link(f"pages/{stage.page}", said, session.query(page.language, task.name, version), icon=icon)


def home_link(page: Page) -> None:
    _page_link(HOME, page.say("frame.home"), session.query(page.language), icon=HOME_ICON)


def go_to(page: Page, stage_id: StageId, task: Task, version: str | None = None) -> NoReturn:
    """Turns to a stage of a task at once; the run of the present page ends here."""
    stage = next(stage for stage in STAGES if stage.id == stage_id)
    st.switch_page(f"pages/{stage.page}", query_params=session.query(page.language, task.name, version))


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
        _menu(page, None, stage)
        show_error(error, page.language)
        home_link(page)
        _end()


def _without_task(page: Page, stage: Stage, refused: str | None) -> NoReturn:
    _menu(page, None, stage)
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


def _menu(page: Page, task: Task | None, here: Stage | None, version: str | None = None) -> None:
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
        _page_link(f"pages/{stage.page}", label, session.query(page.language, task.name, version), ICONS[state],
                   help=page.say(f"frame.stage_{state}"))  # fmt: skip
    else:
        _page_link(f"pages/{stage.page}", label, session.query(page.language, task.name, version), LOCKED_ICON,
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


def _page_link(path: str, label: str, query: dict[str, str], icon: str | None = None, help: str | None = None) -> None:
    try:
        st.page_link(path, label=prose.plain(label), icon=icon, query_params=query, help=help)
    except StreamlitPageNotFoundError:  # AppTest opens a page file alone, without the app around it
        prose.sentence(label)
