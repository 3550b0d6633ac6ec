"""A judgement as pages draw it: the sentence, what follows from it in a smaller voice, and the statistics folded away under both."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from coach.sentence import Sentence
from pages.ui import prose
from pages.ui.page import TaskPage

# What a reader may leave folded: nothing that says what to do, that something got worse, or that nothing can be told.
STATISTICS = frozenset(
    {
        "verdict.compare.detectable",
        "verdict.compare.class_better",
        "verdict.validation_above",
        "verdict.validation_below",
    }
)


def judgement(page: TaskPage, said: Sequence[Sentence], *, by: str | None = None) -> None:
    """`said`: the judgement first; `by` names who is speaking."""
    first, *rest = said
    words = prose.plain(first.say(page.language))
    st.markdown(f"**{prose.plain(by)}** {words}" if by else words)
    beside = [one.say(page.language) for one in rest if one.key not in STATISTICS]
    folded = [one.say(page.language) for one in rest if one.key in STATISTICS]
    if beside:
        prose.muted("\n".join(beside))
    if folded:
        with st.expander(page.say("evaluate.how_sure"), icon=":material/functions:"):
            prose.muted("\n".join(folded))
