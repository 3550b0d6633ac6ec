"""Rows whose label may be wrong, folded away until somebody wants them; and what marks on rows make of the data.

The ranking is `training.label_suspects`'s, corrected data are `training.corrected_data`'s. Seconds, so nothing is ranked unopened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from coach.errors import CoachError
from coach.reviews import MARKS, Reviews, read_reviews
from coach.text import text
from coach.version_folder import Version
from pages.ui import cached, prose, session
from pages.ui.answered_table import HEAD_PX, MOST_PX, ROW_PX, input_cells, input_columns, inputs_in_full
from pages.ui.frame import guarded, show_error
from pages.ui.knowledge_link import knowledge_link
from pages.ui.page import TaskPage
from pages.ui.row_mark import Markable, mark_controls, mark_words
from training.clock import local_now
from training.corrected_data import Pending, correct_data
from training.data.corrections import read_corrections
from training.evidence import Examined
from training.label_suspects import Suspect, Suspects, suspects_to_csv

MARK_PX = 150
MOST_ROWS = 200  # in the table; nobody reads more at one sitting


@st.fragment
def label_review(page: TaskPage, version: Version, found: Examined) -> None:
    """The folded list, and below it what the task's marks would do, once there are any."""
    target = next(iter(found.config.targets), None)
    key = page.key(f"{version.name}.suspects")
    box = st.expander(page.say("review.title"), key=key, on_change="rerun", icon=":material/rule:")
    if box.open:
        with box, guarded(page.language):
            _suspects(page, version, found, target)
    with guarded(page.language):
        reviews = read_reviews(page.task.folder)
        if reviews or read_corrections(page.task.folder).earlier is not None:
            _corrections(page, version, reviews)


# --- the list ------------------------------------------------------------------------------------------------------------------


def _suspects(page: TaskPage, version: Version, found: Examined, target: str | None) -> None:
    with st.spinner(page.say("review.ranking")):
        suspects = cached.suspects(version, target)
    prose.sentence(page.say("review.about", rows=suspects.rows, agreement=suspects.agreement))
    st.caption(prose.plain(page.say("review.parts")) + knowledge_link(page, "label-noise"))
    if suspects.passed_over:
        labels = [f"{label} ({count})" for label, count in suspects.passed_over.items()]
        prose.muted(page.say("review.passed_over", labels=("、" if page.language == "zh-TW" else ", ").join(labels)))
    if not suspects.shown:
        prose.sentence(page.say("review.none"))
        return
    reviews = read_reviews(page.task.folder)
    rows = suspects.shown[:MOST_ROWS]
    _head(page, version, found, suspects, target, reviews)
    picked = _table(page, version, found.config.placeholders, rows, target, reviews)
    if picked is not None:
        with st.container(border=True):
            inputs_in_full(page, picked.inputs, found.config.placeholders)
            prose.muted(picked.id)
            row = Markable(picked.id, target, picked.given, picked.proposed)
            mark_controls(page, row, found.config.targets[target], f"{version.name}.suspect")


def _head(page: TaskPage, version: Version, found: Examined, suspects: Suspects, target: str | None, reviews: Reviews) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    count = len(suspects.shown)
    with left:
        prose.muted(page.say("review.count" if count <= MOST_ROWS else "review.count_most", count=count, shown=MOST_ROWS))
    right.download_button(
        page.say("review.download"),
        data=lambda: suspects_to_csv(suspects.shown, target, found.config.placeholders, reviews),
        file_name=f"{page.task.name}-{version.name}-labels.csv",
        mime="text/csv",
        key=page.key(f"{version.name}.suspects.download"),
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )


def _table(
    page: TaskPage, version: Version, names: Sequence[str], rows: Sequence[Suspect], target: str | None, reviews: Reviews
) -> Suspect | None:
    """The rows, and the one that is picked."""
    data = pd.DataFrame(
        [
            {
                **input_cells(row.inputs, names),
                "part": text(f"audit.build.part.{row.part}", page.language),
                "given": row.given,
                "proposed": row.proposed,
                "probability": row.probability,
                "mark": mark_words(page, reviews.get((row.id, target))),
            }
            for row in rows
        ]
    )
    config = input_columns(page, names)
    for name in ("part", "given", "proposed", "mark"):
        width = MARK_PX if name == "mark" else "small"  # a mark is a short sentence
        config[name] = st.column_config.TextColumn(page.say(f"review.column.{name}"), width=width)
    config["probability"] = st.column_config.NumberColumn(page.say("review.column.probability"), format="%.2f", width=96)
    event = st.dataframe(
        data,
        hide_index=True,
        column_config=config,
        height=min(MOST_PX, HEAD_PX + ROW_PX * len(rows)),
        key=page.key(f"{version.name}.suspects.rows"),
        on_select="rerun",
        selection_mode="single-row",
    )
    picked = event["selection"]["rows"]
    return rows[picked[0]] if picked and picked[0] < len(rows) else None


# --- what comes of the marks ---------------------------------------------------------------------------------------------------


def _corrections(page: TaskPage, version: Version, reviews: Reviews) -> None:
    marks = Counter(review.mark for review in reviews.values())
    prose.muted(page.say("review.marked", count=len(reviews), **{mark: marks[mark] for mark in MARKS}))
    leave_out = _leave_out(page) if marks["ambiguous"] else False
    found = cached.pending(page.task, leave_out)
    if found.missing:
        prose.muted(text("audit.corrected.missing", page.language, count=found.missing))
    if not (found.count or found.unfinished):
        if marks["label_wrong"] > found.missing:
            prose.muted(page.say("review.in_place"))
        return
    if found.labels["test"]:
        st.info(prose.plain(page.say("review.test_too", count=found.labels["test"], version=version.name)))
    if st.button(prose.plain(_make_words(page, found)), key=page.key("review.make"), icon=":material/add_notes:"):
        _make(page, leave_out)
    prose.muted(page.say("review.make_said"))


def _leave_out(page: TaskPage) -> bool:
    """Asked for; begins with what the data are made with now."""
    key = page.key("review.leave_out")
    session.begin_with({key: bool(read_corrections(page.task.folder).left_out)})
    return st.checkbox(page.say("review.leave_out"), key=key)


def _make_words(page: TaskPage, found: Pending) -> str:
    if found.unfinished:
        return page.say("review.finish")
    key = "review.make_left_out" if found.left_out else "review.make"
    return page.say(key, labels=sum(found.labels.values()), left_out=found.left_out)


def _make(page: TaskPage, leave_out: bool) -> None:
    try:
        made = correct_data(page.task, local_now(), leave_out_ambiguous=leave_out)
    except CoachError as error:
        show_error(error, page.language)
        return
    session.leave_message("success", made.lines(page.language))
    st.rerun()
