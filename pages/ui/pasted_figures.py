"""Scores from elsewhere: a report or a matrix is pasted, and the coach says what it sees. Reading them is `coach`'s."""

from __future__ import annotations

import streamlit as st

from coach.errors import UserError
from coach.pasted_report import MOST_LETTERS
from coach.task_schema import Metric
from pages.ui import prose
from pages.ui.page import Page

PASTED = "home.figures"


def pasted_figures(page: Page, metric: Metric | None, score: float | None) -> list[str]:
    """The box, and under it the judgement and the findings, or in three sentences why the text cannot be read. Returns the classes read.

    `score`: what was said before; where what is pasted comes to another one, that is told first.
    """
    pasted = st.text_area(
        page.say("home.figures.label"), key=PASTED, height=160, max_chars=MOST_LETTERS,
        placeholder=page.say("home.figures.hint"), persist_state="session",
    )  # fmt: skip
    st.button(page.say("home.figures.go"), key="home.figures.go", icon=":material/troubleshoot:")
    if not pasted or not pasted.strip():
        return []
    from coach.diagnosis import diagnose  # with numpy behind it, which the first page does not wait for
    from coach.finding import Evidence
    from coach.first_trouble import another_score
    from coach.pasted_scores import read_pasted
    from pages.ui.finding_cards import finding_cards

    try:
        scores = read_pasted(pasted, metric=metric)
        found = diagnose(Evidence(scores))
    except UserError as error:
        st.warning(prose.plain(" ".join(error.lines(page.language))))
        return []
    verdict = found.verdict
    if told := another_score(verdict, score):
        prose.sentence(told.say(page.language))
    for said in verdict.sentences():
        prose.sentence(said.say(page.language))
    finding_cards(page, found)
    return list(scores["per_class"])
