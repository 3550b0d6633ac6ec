"""Three numbers side by side, each with its note: the first thing under the coach's sentence."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from coach.figures import Figure
from pages.ui import prose
from pages.ui.page import Page


def figure_row(page: Page, shown: Sequence[Figure]) -> None:
    for cell, figure in zip(st.columns(len(shown)), shown):
        with (
            cell,
            st.container(border=True, height="stretch", gap="xxsmall"),
        ):  # a metric's own note would be cut on a narrow screen
            label = figure.label.say(page.language)
            prose.sentence(label)
            st.metric(prose.plain(label), prose.plain(figure.value), label_visibility="collapsed")
            prose.muted(figure.note.say(page.language))
