"""Answered test rows as a table, one of them in full, and a label's probabilities.

Texts are shown as text, never as Markdown. Which rows, the caller has chosen.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from coach.version_folder import Version
from pages.ui import prose
from pages.ui.page import TaskPage
from pages.ui.row_mark import Markable, mark_controls
from training.answered_rows import AnsweredRow, rows_to_csv
from training.evidence import Examined

DEFAULT_PLACEHOLDER = "text"
ROWS_A_PAGE, MOST_LABELS = 50, 200
ROW_PX, HEAD_PX, MOST_PX = 35, 38, 393  # of Streamlit's tables; beyond the last they scroll


def answered_table(
    page: TaskPage, version: Version, found: Examined, target: str | None, rows: Sequence[AnsweredRow], here: str
) -> AnsweredRow | None:
    """The rows as a table of at most 50, all of them as a file, and the one that is picked in full, to be marked; it is returned."""
    if not rows:
        prose.sentence(page.say("evaluate.rows.none"))
        return None
    names = found.config.placeholders
    which = zlib.crc32("\n".join(row.id for row in rows).encode())
    prose.muted(page.say("evaluate.rows.count", count=len(rows)))
    table = st.container()
    left, right = st.columns([3, 1], vertical_alignment="center")
    pages = -(-len(rows) // ROWS_A_PAGE)
    with left:
        place = st.pagination(pages, key=page.key(f"{here}.page.{which}")) if pages > 1 else 1
    right.download_button(
        page.say("evaluate.rows.download"),
        data=lambda: rows_to_csv(rows, names),
        file_name=f"{page.task.name}-{version.name}-rows.csv",
        mime="text/csv",
        key=page.key(f"{here}.download"),
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )
    part = rows[(place - 1) * ROWS_A_PAGE : place * ROWS_A_PAGE]
    with table:
        event = _row_table(page, part, names, page.key(f"{here}.rows.{which}.{place}"))
    picked = event["selection"]["rows"]
    if not picked or picked[0] >= len(part):
        return None
    row = part[picked[0]]
    with st.container(border=True):
        _one_row(page, row, names, page.key(f"{here}.row"))
        if row.actual is not None:
            mark_controls(page, Markable(row.id, target, row.actual, row.predicted), found.config.targets[target], here)
    return row


def _row_table(page: TaskPage, rows: Sequence[AnsweredRow], names: Sequence[str], key: str) -> Any:
    outside = page.say("evaluate.rows.outside")
    data = pd.DataFrame(
        [
            {
                **input_cells(row.inputs, names),
                "actual": row.actual,
                "predicted": row.predicted if row.predicted is not None else outside,
                "sure": row.sure,
                "score_of_actual": row.score_of_actual,
            }
            for row in rows
        ]
    )
    config = input_columns(page, names)
    for name in ("actual", "predicted"):
        config[name] = st.column_config.TextColumn(page.say(f"evaluate.rows.{name}"), width="small")
    for name in ("sure", "score_of_actual"):
        config[name] = st.column_config.NumberColumn(page.say(f"evaluate.rows.{name}"), format="%.2f", width=96)
    height = min(MOST_PX, HEAD_PX + ROW_PX * len(rows))
    return st.dataframe(
        data,
        hide_index=True,
        column_config=config,
        height=height,
        key=key,
        placeholder="—",
        on_select="rerun",
        selection_mode="single-row",
    )


def _one_row(page: TaskPage, row: AnsweredRow, names: Sequence[str], key: str) -> None:
    """The whole text, and what the model gave each label."""
    left, right = st.columns([3, 2])
    with left:
        inputs_in_full(page, row.inputs, names)
        if row.raw is not None:
            prose.muted(page.say("evaluate.rows.raw"))
            st.code(row.raw, language=None, wrap_lines=True)
    with right:
        label_scores(page, row.scores, key)
        prose.muted(row.id)


def input_cells(inputs: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """A row's texts as cells of a table; columns go by their place, since a placeholder may be called like another column."""
    return {f"input.{place}": inputs.get(name, "") for place, name in enumerate(names)}


def input_columns(page: TaskPage, names: Sequence[str]) -> dict[str, Any]:
    width = "large" if len(names) == 1 else "medium"
    return {
        f"input.{place}": st.column_config.TextColumn(placeholder_name(page, name), width=width)
        for place, name in enumerate(names)
    }


def inputs_in_full(page: TaskPage, inputs: Mapping[str, str], names: Sequence[str]) -> None:
    for name in names:
        prose.muted(placeholder_name(page, name))
        st.code(inputs.get(name, ""), language=None, wrap_lines=True)


def placeholder_name(page: TaskPage, name: str) -> str:
    """A placeholder as a person reads it: the default's name in their language, any other as it was written."""
    return page.say("evaluate.text") if name == DEFAULT_PLACEHOLDER else name


def label_scores(page: TaskPage, scores: Mapping[str, float], key: str) -> None:
    """Each label's probability, the highest first."""
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])[:MOST_LABELS]
    data = pd.DataFrame(ranked, columns=["label", "score"])
    config = {
        "label": st.column_config.TextColumn(page.say("classes.class")),
        "score": st.column_config.ProgressColumn(page.say("evaluate.probability"), format="%.2f", min_value=0.0, max_value=1.0),
    }
    height = min(MOST_PX, HEAD_PX + ROW_PX * max(1, len(ranked)))
    st.dataframe(data, hide_index=True, column_config=config, height=height, key=key)
