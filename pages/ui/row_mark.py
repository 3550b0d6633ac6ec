"""A person's judgement on one row: label wrong, ambiguous, or the model wrong. Owns the controls; the marks are `coach.reviews`'s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from coach.errors import CoachError
from coach.reviews import MARKS, Review, mark_row, read_reviews, unmark_row
from pages.ui import prose, session
from pages.ui.frame import show_error
from pages.ui.page import Page, TaskPage
from training.clock import local_now


@dataclass(frozen=True)
class Markable:
    """A row as it is marked. `given`: the label it carries; `proposed`: another one somebody or something gave it."""

    id: str
    target: str | None
    given: str
    proposed: str | None


def mark_words(page: Page, review: Review | None) -> str:
    """The mark in the reader's language; nothing where there is none."""
    if review is None:
        return ""
    return page.say("review.mark.to", label=review.label) if review.label else page.say(f"review.mark.kinds.{review.mark}")


def mark_controls(page: TaskPage, row: Markable, labels: Sequence[str], where: str) -> None:
    """The mark that stands, and how to change it; saving runs the whole page, so that every table shows it.

    `where` tells two places apart that show the same row. Raises WorkspaceError where the marks cannot be read.
    """
    key = page.key(f"{where}.mark.{row.id}.{row.target or ''}")
    place = (row.id, row.target)
    stands = read_reviews(page.task.folder).get(place)
    seen = session.widget_value(f"{key}.seen", stands)
    session.put_widget_value(f"{key}.seen", stands)
    others = [label for label in labels if label != row.given]
    _begin(key, row, stands, others, anew=seen != stands)
    state = page.say("review.mark.stands", mark=mark_words(page, stands)) if stands else page.say("review.mark.none")
    prose.muted(page.say("review.mark.given", label=row.given) + state)
    mark = st.segmented_control(
        page.say("review.mark.label"),
        MARKS,
        key=f"{key}.kind",
        format_func=lambda kind: page.say(f"review.mark.kinds.{kind}"),
        wrap=True,
    )
    label = None
    if mark == "label_wrong":
        choose = page.say("review.mark.choose")
        label = st.selectbox(page.say("review.mark.new_label"), others, key=f"{key}.label", placeholder=choose)
    name = "take_back" if mark is None and stands else "save"
    if not st.button(page.say(f"review.mark.{name}"), key=f"{key}.save", icon=":material/check:", disabled=not (mark or stands)):
        return
    try:
        if mark is None:
            unmark_row(page.task, place, seen=seen)
        else:
            mark_row(page.task, place, mark, label, given=row.given, labels=labels, seen=seen, now=local_now())
    except CoachError as error:
        show_error(error, page.language)
        return
    session.forget(f"{key}.seen")
    st.rerun()


def _begin(key: str, row: Markable, stands: Review | None, others: Sequence[str], *, anew: bool) -> None:
    """The controls begin with the mark that stands; `anew` where it was changed in another place and nothing is being saved here."""
    proposed = stands.label if stands and stands.label in others else row.proposed
    held = {f"{key}.kind": stands.mark if stands else None, f"{key}.label": proposed if proposed in others else None}
    session.begin_with(held)
    if anew and not session.widget_value(f"{key}.save", False):
        for name, value in held.items():
            session.put_widget_value(name, value)
