"""Answers that do not go together, one after the other, each until it has been read: once a task, again when the answers change.

What the topic before one's eyes is about goes first; how many more there are is said beside.
"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from coach.answers import Answers
from coach.contradictions import Contradiction, contradictions
from coach.errors import WorkspaceError
from coach.text import text
from coach.understood import keep_understood, understood
from pages.ui import prose, session
from pages.ui.page import TaskPage


def contradiction_notes(page: TaskPage, answers: Answers) -> None:
    read = understood(page.task)
    unread = [
        found for found in contradictions(answers) if found.signature not in (read.get(found.name), _seen_here(page, found))
    ]
    if unread:
        at_hand = session.recall(page.key("topic"), str)
        _note(page, min(unread, key=lambda found: found.topic != at_hand), others=len(unread) - 1)


def _note(page: TaskPage, found: Contradiction, *, others: int) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        more = page.say("discover.contradiction.more", count=others) if others else ""
        st.markdown(f":material/forum: {prose.plain(found.said.say(page.language) + more)}")
        topic = prose.plain(text(f"interview.topic.{found.topic}", page.language))
        st.button(page.say("discover.contradiction.change", topic=topic), key=page.key(f"contradiction.{found.name}.change"),
                  on_click=session.put_widget_value, args=(page.key("topic"), found.topic))  # fmt: skip
        st.button(page.say("discover.contradiction.read"), key=page.key(f"contradiction.{found.name}.read"),
                  on_click=_read, args=(page, found))  # fmt: skip


def _seen_here(page: TaskPage, found: Contradiction) -> str | None:
    return session.recall(_state(page, found), str)


def _read(page: TaskPage, found: Contradiction) -> None:
    """This browser says it no more, whatever becomes of the file."""
    session.keep(_state(page, found), found.signature)
    with suppress(WorkspaceError):  # locked or a full disk: it is said once more at the next visit
        keep_understood(page.task, found)


def _state(page: TaskPage, found: Contradiction) -> str:
    return page.key(f"contradiction.{found.name}")
