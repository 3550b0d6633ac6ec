"""Precision, recall, F1 and rows of each class, as a table: the training page's and the evaluation's alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui import prose
from pages.ui.page import TaskPage

ROW_PX, HEAD_PX, MOST_PX = 32, 36, 260  # with more classes the table scrolls inside, so that what stands below stays in sight
MOST_CLASSES = 200
WIDTHS = {"precision": 82, "recall": 64, "f1": 104}  # of their headers; F1 with a bar and its number
COLUMNS = ("class", "precision", "recall", "f1", "support")


def class_table(page: TaskPage, labels: Sequence[str], per_class: Mapping[str, Mapping[str, Any]], *, key: str) -> None:
    """`labels` in their order; beyond MOST_CLASSES only those with the lowest F1, and a line says so."""
    lowest = set(sorted(labels, key=lambda label: per_class[label].get("f1") or 0.0)[:MOST_CLASSES])
    rows = [{"class": label, **per_class[label]} for label in labels if label in lowest]
    names = {column: page.say(f"classes.{column}") for column in COLUMNS}
    number = {
        name: st.column_config.NumberColumn(names[name], format="%.2f", width=WIDTHS[name]) for name in ("precision", "recall")
    }
    st.dataframe(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        hide_index=True,
        row_height=ROW_PX,
        height=min(MOST_PX, ROW_PX * max(1, len(rows)) + HEAD_PX),
        key=page.key(key),
        column_config={
            "class": st.column_config.TextColumn(names["class"]),
            **number,
            "f1": st.column_config.ProgressColumn(names["f1"], format="%.2f", min_value=0.0, max_value=1.0, width=WIDTHS["f1"]),
            "support": st.column_config.NumberColumn(names["support"], format="%d", width=56),
        },
    )
    if len(rows) < len(labels):
        prose.muted(page.say("classes.lowest", shown=len(rows), count=len(labels)))
