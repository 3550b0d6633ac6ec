"""What came of a version's several runs: mean and spread in a sentence, each run's scores in a small table; nothing where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from coach.metric_words import metric_label
from coach.repeats import repeats_sentence
from coach.text import text
from pages.ui import prose
from pages.ui.page import TaskPage

ROW_PX, HEAD_PX = 32, 36
SCORES = ("macro_f1", "accuracy")


def repeat_runs(page: TaskPage, results: Mapping[str, Any]) -> None:
    """`results` is a finished version's results.json."""
    said = repeats_sentence(results)
    if said is None:
        return
    found = results["repeats"]
    runs, metric = found["runs"], str(found.get("metric"))
    prose.heading(text("repeats.title", page.language, runs=len(runs)))
    prose.sentence(said.say(page.language))
    names = {"name": text("repeats.column.run", page.language)} | {
        name: metric_label(name, page.language) for name in (metric, *SCORES)
    }
    shown = [
        {"name": run["name"].replace("-", " "), metric: run.get("primary_metric"), **{name: run.get(name) for name in SCORES}}
        for run in runs
    ]
    columns = {name: st.column_config.NumberColumn(label, format="%.3f") for name, label in names.items() if name != "name"}
    st.dataframe(
        pd.DataFrame(shown, columns=list(names)),
        hide_index=True,
        width="content",
        row_height=ROW_PX,
        height=ROW_PX * len(runs) + HEAD_PX,
        key=page.key("repeats"),
        column_config={"name": st.column_config.TextColumn(names["name"]), **columns},
    )
    kind = "seeds" if runs[0].get("fold") is None else "folds"
    prose.muted(text(f"repeats.about.{kind}", page.language, first=runs[0]["name"].replace("-", " ")))
