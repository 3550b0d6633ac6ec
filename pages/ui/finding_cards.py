"""Findings as short cards: what it may be, what was seen, what to try. The words are the diagnosis's."""

from __future__ import annotations

import streamlit as st

from coach.diagnosis import Diagnosis
from coach.finding import Finding
from pages.ui import prose
from pages.ui.page import Page

ICONS = {"warning": ":material/priority_high:", "info": ":material/info:"}
CARDS_IN_A_ROW = 2


def finding_cards(page: Page, diagnosis: Diagnosis) -> None:
    """Every finding, in the order in which to act on them, then the one rule for acting."""
    for start in range(0, len(diagnosis.findings), CARDS_IN_A_ROW):
        cells = st.columns(CARDS_IN_A_ROW)
        for cell, finding in zip(cells, diagnosis.findings[start : start + CARDS_IN_A_ROW]):
            with cell:
                _card(page, finding)
    prose.muted(diagnosis.closing().say(page.language))


def _card(page: Page, finding: Finding) -> None:
    with st.container(border=True, height="stretch"):
        st.markdown(f"{ICONS[finding.level]} **{prose.plain(finding.title.say(page.language))}**")
        prose.sentence(finding.evidence.say(page.language))
        prose.muted(page.say("evaluate.finding.next", said=finding.next_experiment.say(page.language)))
