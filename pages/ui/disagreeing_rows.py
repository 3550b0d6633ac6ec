"""The rows of a data file that say the same with different labels: to be read side by side, and taken away as a file to correct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.ui import prose
from pages.ui.answered_table import HEAD_PX, MOST_PX, ROW_PX
from pages.ui.page import TaskPage
from training.attached_file import SAMPLE_CHARACTERS
from training.spreadsheet import spreadsheet_csv

if TYPE_CHECKING:
    from training.data.audit_report import AuditReport


def disagreeing_rows(page: TaskPage, report: AuditReport) -> None:
    """Nothing where no rows disagree. Deciding is the person's, in the file itself: the raw file is never edited here."""
    rows = report.disagreeing
    if not rows:
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        prose.sentence(page.say("discover.data.disagreeing", shown=len(rows), count=len(report.problems["label_conflict"])))
    right.download_button(
        page.say("discover.data.disagreeing_download"),
        data=lambda: spreadsheet_csv(("row", "text", "label"), ((row.number, row.text, row.label) for row in rows)),
        file_name=f"{page.task.name}-disagreeing.csv",
        mime="text/csv",
        key=page.key("disagreeing.download"),
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )
    config = {
        "number": st.column_config.NumberColumn(page.say("discover.data.disagreeing_row"), format="%d", width=72),
        "text": st.column_config.TextColumn(page.say("discover.data.disagreeing_text"), width="large"),
        "label": st.column_config.TextColumn(page.say("discover.data.disagreeing_label"), width="small"),
    }
    data = pd.DataFrame([{"number": row.number, "text": row.text[:SAMPLE_CHARACTERS], "label": row.label} for row in rows])
    height = min(MOST_PX, HEAD_PX + ROW_PX * len(rows))
    st.dataframe(data, hide_index=True, column_config=config, height=height, key=page.key("disagreeing.rows"))
