"""A new task by its title: the folder's name is proposed from it, and checked as it is typed."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from coach.new_task import LONGEST_NAME, LONGEST_TITLE, clean_title, free_name, name_fault, proposed_name, taken_names
from coach.workspace import create_task
from pages.ui import prose, session
from pages.ui.page import Page, go_to

TITLE, NAME = "home.new.title", "home.new.name"


def new_task_form(page: Page) -> None:
    """Title and name. The name proposed stands in the empty field and is never written into it: what somebody types there stays,
    however late the server's answer to their title comes."""
    with st.expander(prose.plain(page.say("home.new.heading")), icon=":material/add:", key="home-new"):
        left, right = st.columns(2)
        with left:
            typed = st.text_input(
                page.say("home.new.label"), key=TITLE, max_chars=LONGEST_TITLE, placeholder=page.say("home.new.hint"), live=True,
                persist_state="session",
            )  # fmt: skip
        title, taken = clean_title(typed or ""), taken_names(page.root)
        proposed = proposed_name(title, taken) if title else ""
        with right:
            named = st.text_input(
                page.say("home.new.name"), key=NAME, max_chars=LONGEST_NAME, help=page.say("home.new.name_help"), live=True,
                placeholder=proposed, persist_state="session",
            )  # fmt: skip
        name = named or proposed
        fault = _fault(page, title, name, taken)
        if fault and (title or name):
            prose.muted(fault)
        if st.button(
            page.say("home.new.create"), key="home.new.create", disabled=fault is not None, help=fault and prose.plain(fault)
        ):
            task = create_task(page.root, name, title=title)
            session.forget(TITLE, NAME)
            go_to(page, "discover", task)


def _fault(page: Page, title: str, name: str, taken: Collection[str]) -> str | None:
    """What is missing or wrong, as a sentence."""
    fault = "title" if not title else name_fault(name, taken)
    return page.say(f"home.new.fault.{fault}", name=name, free=free_name(name, taken)) if fault else None
