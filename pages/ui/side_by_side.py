"""Two versions side by side: a judgement with its uncertainty, scores by class, and what was changed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from coach.comparison import Comparison, ScoreChange
from coach.config_changes import ConfigChange, shown_value
from coach.history import Entry, held_against
from coach.metric_words import metric_label
from pages.ui import cached, prose, session
from pages.ui.frame import guarded
from pages.ui.judgement import judgement
from pages.ui.page import TaskPage
from pages.ui.version_table import name_width

ROW_PX, HEAD_PX, MOST_PX = 35, 38, 318


@st.fragment
def side_by_side(page: TaskPage, entries: Sequence[Entry], focus: Entry) -> None:
    """`focus` against the version it came from, until others are chosen. Needs two finished versions."""
    with guarded(page.language):
        first, second = _pair(page, entries, focus)
        if first == second:
            prose.sentence(page.say("iterate.compare.same"))
            return
        found = cached.compared(page.task.version(first), page.task.version(second))
        if found is None:
            prose.sentence(page.say("iterate.compare.unfinished"))
            return
        judgement(page, found.sentences())
        left, right = st.columns(2, gap="medium")
        with left:
            score_table(page, found, page.key("compare.scores"))
        with right:
            _settings(page, found)


def _pair(page: TaskPage, entries: Sequence[Entry], focus: Entry) -> tuple[str, str]:
    finished = [entry.name for entry in reversed(entries) if entry.finished]
    before = held_against(entries, focus)
    keys = {side: page.key(f"{focus.name}.{side}") for side in ("first", "second")}
    other = before.name if before else next(name for name in finished if name != focus.name)
    session.begin_with({keys["first"]: other, keys["second"]: focus.name})
    cells = st.columns([1, 1, 2])
    first = cells[0].selectbox(page.say("iterate.compare.first"), finished, key=keys["first"])
    second = cells[1].selectbox(page.say("iterate.compare.second"), finished, key=keys["second"])
    return first, second


def score_table(page: TaskPage, found: Comparison, key: str) -> None:
    """The score and each class, before and after, with how certain the difference is."""
    prose.strong(page.say("iterate.compare.scores"))
    overall = {"what": metric_label(found.metric, page.language), **_change(page, found.overall)}
    classes = [
        {"what": page.say("iterate.compare.class", label=change.name), **_change(page, change)} for change in found.per_class
    ]
    number = {"format": "%.3f", "width": name_width([found.first, found.second])}
    config = {
        "what": st.column_config.TextColumn(page.say("iterate.compare.what")),
        "before": st.column_config.NumberColumn(found.first, **number),
        "after": st.column_config.NumberColumn(found.second, **number),
        "difference": st.column_config.NumberColumn(page.say("iterate.compare.difference"), format="%+.3f", width="small"),
        "sure": st.column_config.TextColumn(page.say("iterate.compare.sure")),
    }
    _table([overall, *classes], config, key)


def _change(page: TaskPage, change: ScoreChange) -> dict[str, object]:
    sure = page.say(f"iterate.sure.{_sure(change)}")
    return {"before": change.before, "after": change.after, "difference": change.difference, "sure": sure}


def _sure(change: ScoreChange) -> str:
    if change.interval is None:
        return "few_rows"
    if not change.significant:
        return "same" if change.interval.low == change.interval.high == 0 else "cannot_tell"
    return "better" if change.interval.low > 0 else "worse"


def _settings(page: TaskPage, found: Comparison) -> None:
    prose.strong(page.say("iterate.compare.settings"))
    if not found.config:
        prose.muted(page.say("iterate.compare.same_settings"))
        return
    config = {
        "setting": st.column_config.TextColumn(page.say("iterate.compare.setting")),
        "before": st.column_config.TextColumn(found.first),
        "after": st.column_config.TextColumn(found.second),
    }
    _table([_setting(change) for change in found.config], config, page.key("compare.settings"))


def _setting(change: ConfigChange) -> dict[str, str]:
    return {"setting": change.path, "before": shown_value(change.before), "after": shown_value(change.after)}


def _table(rows: Sequence[dict[str, object]] | Sequence[dict[str, str]], config: dict[str, object], key: str) -> None:
    height = min(MOST_PX, HEAD_PX + ROW_PX * len(rows))
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=config, height=height, key=key, placeholder="—")
