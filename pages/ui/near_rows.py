"""Answered rows, and under the one that is picked the training rows most like it: whether the training data taught the answer.

The index is made when a row is first picked (`training.nearest_rows`); the table is `answered_table.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from coach.version_folder import Version
from pages.ui import cached, prose
from pages.ui.answered_table import HEAD_PX, ROW_PX, answered_table, placeholder_name
from pages.ui.page import TaskPage
from training.answered_rows import AnsweredRow
from training.evidence import Examined

if TYPE_CHECKING:  # with scikit-learn behind it, which nobody waits for who only reads
    from training.nearest_rows import Near, TrainingIndex


def rows_and_near(
    page: TaskPage, version: Version, found: Examined, target: str | None, rows: Sequence[AnsweredRow], here: str
) -> None:
    """The rows as a table; of a picked one the three nearest training rows, and what their labels say where it is wrong."""
    picked = answered_table(page, version, found, target, rows, here)
    if picked is None or not picked.inputs:
        return
    with st.spinner(page.say("errors_seen.looking")):
        index = _index(version, target)
    near = index.nearest(picked.inputs) if index else []
    prose.strong(page.say("errors_seen.near"))
    if not near:
        prose.sentence(page.say("errors_seen.lesson.nothing_like"))
        return
    if not picked.right:
        from training.nearest_rows import lesson

        outside = page.say("evaluate.rows.outside")
        said = {"actual": picked.actual or outside, "predicted": picked.predicted or outside}
        prose.sentence(page.say(f"errors_seen.lesson.{lesson(near, picked.actual, picked.predicted)}", **said))
    _near_table(page, near, found.config.placeholders, page.key(f"{here}.near"))


def _index(version: Version, target: str | None) -> TrainingIndex | None:
    from training.nearest_rows import training_index

    files = (version.config_path, version.split_path("train"))
    return cached.worked_out("near", str(version.folder), target, work=lambda: training_index(version, target), files=files)


def _near_table(page: TaskPage, near: Sequence[Near], names: Sequence[str], key: str) -> None:
    inputs = [(f"input.{place}", name) for place, name in enumerate(names)]
    data = [
        {**{column: row.inputs.get(name, "") for column, name in inputs}, "label": row.label, "similarity": row.similarity}
        for row in near
    ]
    config = {
        column: st.column_config.TextColumn(placeholder_name(page, name), width="large" if len(inputs) == 1 else "medium")
        for column, name in inputs
    }
    config["label"] = st.column_config.TextColumn(page.say("errors_seen.label"), width="small")
    config["similarity"] = st.column_config.NumberColumn(page.say("errors_seen.similarity"), format="%.2f", width=96)
    height = HEAD_PX + ROW_PX * len(data)
    st.dataframe(pd.DataFrame(data), hide_index=True, column_config=config, height=height, key=key, placeholder="—")
