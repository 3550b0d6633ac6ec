"""The history of a task as a table and a small chart: score, interval, where each version came from, its main change."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from coach.history import Entry
from coach.lineage import change_words
from coach.metric_words import metric_name
from coach.verdict import Verdict
from pages.ui import prose
from pages.ui.charts import VersionScore, version_scores
from pages.ui.page import TaskPage

MOST_VERSIONS = 200
SHOWN_CHANGES = 3  # what its maker said, then the settings that differ; the rest stands side by side below
WIDTHS = {"score": 142, "target": 118, "change": "medium"}
SHORT_NAME_PX, LETTER_PX, EDGES_PX = 64, 7, 24
ROW_PX, HEAD_PX, MOST_PX = 35, 38, 318


def version_table(page: TaskPage, entries: Sequence[Entry], focus: Entry | None) -> None:
    """`entries` oldest first; the table shows the latest on top. `focus` gives the chart its metric and target."""
    left, right = st.columns([5, 3], gap="medium") if focus else (st.container(), None)
    with left:
        _table(page, entries)
    if right and focus and focus.verdict:
        with right:
            _chart(page, entries, focus.verdict)


def name_width(names: Sequence[str]) -> int:
    """Pixels of a column that holds, or is headed by, versions' names; a date with a number has twelve letters."""
    return max(SHORT_NAME_PX, EDGES_PX + LETTER_PX * max(map(len, names), default=0))


def _table(page: TaskPage, entries: Sequence[Entry]) -> None:
    shown = list(reversed(entries))[:MOST_VERSIONS]
    names = name_width([entry.name for entry in shown])
    widths = {"version": names, **WIDTHS, "parent": names}
    config = {
        name: st.column_config.TextColumn(page.say(f"iterate.column.{name}"), width=width) for name, width in widths.items()
    }
    height = min(MOST_PX, HEAD_PX + ROW_PX * len(shown))
    data = pd.DataFrame([_row(page, entry) for entry in shown])
    st.dataframe(data, hide_index=True, column_config=config, height=height, key=page.key("versions"))


def _row(page: TaskPage, entry: Entry) -> dict[str, str]:
    change = " · ".join(change_words(change, page.language) for change in entry.changes[:SHOWN_CHANGES])
    if len(entry.changes) > SHOWN_CHANGES:
        change = page.say("iterate.further_changes", change=change, count=len(entry.changes) - SHOWN_CHANGES)
    verdict = entry.verdict
    return {
        "version": entry.name,
        "score": page.say(f"iterate.state.{entry.state}") if verdict is None else _score(page, verdict),
        "target": "" if verdict is None or verdict.word is None else page.say(f"iterate.word.{_word(verdict)}"),
        "parent": entry.parent or "",
        "change": change,
    }


def _word(verdict: Verdict) -> str:
    """As the coach's sentence has it: a target that the interval reaches below is met, but not for certain."""
    return "met_uncertain" if verdict.word == "met" and not verdict.certain else str(verdict.word)


def _score(page: TaskPage, verdict: Verdict) -> str:
    if verdict.low is None or verdict.high is None:
        return f"{verdict.value:.3f}"
    return page.say("iterate.score", value=verdict.value, low=verdict.low, high=verdict.high)


def _chart(page: TaskPage, entries: Sequence[Entry], focus: Verdict) -> None:
    """Versions judged by the same metric; others would not stand on one scale."""
    judged = [(entry.name, entry.verdict) for entry in entries if entry.verdict and entry.verdict.metric == focus.metric]
    scores = [VersionScore(name, verdict.value, verdict.low, verdict.high) for name, verdict in judged]
    baselines = {
        found.label if isinstance(found.label, str) else found.label.say(page.language): found.score for found in focus.baselines
    }
    chart = version_scores(
        scores,
        metric=focus.metric,
        target=focus.threshold,
        language=page.language,
        dark=page.dark,
        baselines=baselines,
        height=200,
    )
    prose.muted(page.say("iterate.chart", metric=metric_name(focus.metric, page.language)))
    st.vega_lite_chart(chart.data, chart.spec, key=page.key("scores"), theme=None, alt=chart.alt)
