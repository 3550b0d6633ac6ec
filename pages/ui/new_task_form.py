"""A new task by its title: the folder's name is proposed from it, and checked as it is typed."""

from __future__ import annotations

import streamlit as st

from coach.new_task import LONGEST_NAME, LONGEST_TITLE, clean_title, free_name, name_fault, proposed_name, taken_names
from coach.workspace import create_task
from pages.ui import prose, session
from pages.ui.page import Page, go_to

TITLE, NAME, BY_HAND = "home.new.title", "home.new.name", "home.new.name_by_hand"


def new_task_form(page: Page) -> None:
    """Title and name; the name follows the title until somebody writes their own."""
    with st.expander(prose.plain(page.say("home.new.heading")), icon=":material/add:", key="home-new"):
        left, right = st.columns(2)
        with left:
            typed = st.text_input(
                page.say("home.new.label"), key=TITLE, max_chars=LONGEST_TITLE, placeholder=page.say("home.new.hint"), live=True,
                on_change=_propose, args=(page,), persist_state="session",
            )  # fmt: skip
        with right:
            name = st.text_input(
                page.say("home.new.name"), key=NAME, max_chars=LONGEST_NAME, help=page.say("home.new.name_help"), live=True,
                on_change=_by_hand, persist_state="session",
            )  # fmt: skip
        title = clean_title(typed or "")
        fault = _fault(page, title, name or "")
        if fault and (title or name):
            prose.muted(fault)
        if st.button(
            page.say("home.new.create"), key="home.new.create", disabled=fault is not None, help=fault and prose.plain(fault)
        ):
            task = create_task(page.root, name or "", title=title)
            session.forget(TITLE, NAME, BY_HAND)
            go_to(page, "discover", task)


def _fault(page: Page, title: str, name: str) -> str | None:
    """What is missing or wrong, as a sentence."""
    taken = taken_names(page.root)
    fault = "title" if not title else name_fault(name, taken)
    return page.say(f"home.new.fault.{fault}", name=name, free=free_name(name, taken)) if fault else None


def _propose(page: Page) -> None:
    if not session.widget_value(BY_HAND):
        title = clean_title(session.widget_value(TITLE) or "")
        session.put_widget_value(NAME, proposed_name(title, taken_names(page.root)) if title else "")


def _by_hand() -> None:
    """From now on the name is the person's own; one they have emptied is proposed again."""
    session.put_widget_value(BY_HAND, bool(session.widget_value(NAME)))
