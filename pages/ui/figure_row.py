"""Three numbers side by side, each with its note: the first thing under the coach's sentence."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from coach.figures import Figure
from pages.ui import prose
from pages.ui.frame import Page


def figure_row(page: Page, shown: Sequence[Figure]) -> None:
    for cell, figure in zip(st.columns(len(shown)), shown):
        label, note = prose.plain(figure.label.say(page.language)), figure.note.say(page.language)
        cell.metric(label, figure.value, delta=note, delta_color="off", delta_arrow="off", border=True)
