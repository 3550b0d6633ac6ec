"""Which version a page is about: the one its address names, else the latest finished; a selector where there are several.

Owns the selector and keeps it, the address and the page in step.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from coach.history import Entry, latest_finished
from pages.ui import session
from pages.ui.page import TaskPage


def choose_version(page: TaskPage, entries: Sequence[Entry]) -> Entry:
    """The version's line in the history. Raises WorkspaceError where the address names a version that is not there."""
    chosen = _named(page, entries) or latest_finished(entries) or entries[-1]
    key = page.key("version")
    session.put_widget_value(key, chosen.name)
    if len(entries) > 1:
        states = {entry.name: entry.state for entry in entries}
        st.selectbox(
            page.say("evaluate.version"),
            [entry.name for entry in reversed(entries)],
            key=key,
            format_func=lambda name: page.say(f"evaluate.option.{states[name]}", version=name),
            on_change=_version_chosen,
            args=(key,),
            label_visibility="collapsed",
        )
    return chosen


def _named(page: TaskPage, entries: Sequence[Entry]) -> Entry | None:
    if page.version_asked is None:
        return None
    known = next((entry for entry in entries if entry.name == page.version_asked), None)
    if known is None:
        page.task.version(page.version_asked)
    return known


def _version_chosen(key: str) -> None:
    session.show_version(session.widget_value(key))
