"""What a page is drawn with, and the ways from one page to another: the reader's language, the task, links that keep both.

Knows the list of stages and addresses, no page's content.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from coach.stages import STAGES, Stage, StageId
from coach.text import Language, text
from coach.workspace import Task
from pages.ui import prose, session

HOME, KNOWLEDGE = "app.py", "pages/8_knowledge.py"
HOME_ICON, KNOWLEDGE_ICON = ":material/home:", ":material/menu_book:"


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


def link(
    page: Page, stage_id: StageId, task: Task, *, label: str | None = None, version: str | None = None, icon: str | None = None
) -> None:
    """A link to a stage of a task, coloured so that it is seen to be one; it keeps the language."""
    stage = next(stage for stage in STAGES if stage.id == stage_id)
    said = label or page.say("frame.go_to_stage", stage=text(stage.title_key, page.language))
    page_link(f"pages/{stage.page}", said, session.query(page.language, task.name, version), icon=icon, coloured=True)


def home_link(page: Page) -> None:
    page_link(HOME, page.say("frame.home"), session.query(page.language), icon=HOME_ICON)


def go_to(page: Page, stage_id: StageId, task: Task, version: str | None = None) -> NoReturn:
    """Turns to a stage of a task at once; the run of the present page ends here."""
    stage = next(stage for stage in STAGES if stage.id == stage_id)
    st.switch_page(f"pages/{stage.page}", query_params=session.query(page.language, task.name, version))


def to_knowledge(page: Page, task: Task | None, version: str | None) -> None:
    """The way to the knowledge base, which keeps the task's menu."""
    query = session.query(page.language, task.name if task else None, version)
    page_link(KNOWLEDGE, page.say("frame.knowledge"), query, icon=KNOWLEDGE_ICON)


def page_link(
    path: str, label: str, query: dict[str, str], icon: str | None = None, help: str | None = None, coloured: bool = False
) -> None:
    said = prose.plain(label)
    try:
        st.page_link(path, label=f":primary[**{said}**]" if coloured else said, icon=icon, query_params=query, help=help)
    except StreamlitPageNotFoundError:  # AppTest opens a page file alone, without the app around it
        prose.sentence(label)
