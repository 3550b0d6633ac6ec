"""A goal that task.yaml does not say: told where the goal and the plan are, taken over on the Confirm page."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from coach.config_changes import shown_value
from coach.errors import CoachError
from coach.goal_in_task import GoalChange, goal_changes, values_of
from coach.metric_words import metric_name
from coach.task_schema import TaskFile
from coach.yaml_document import YamlValue
from pages.ui import prose
from pages.ui.page import TaskPage, link
from pages.ui.yaml_editor import put_values


def goal_drift_note(page: TaskPage) -> None:
    """What differs, and the way to where it is taken over; a damaged task.yaml is for the Confirm page to tell."""
    with suppress(CoachError):
        said = _said(page, page.task.file) if page.task.has_file else None
        if said:
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/flag: {prose.plain(said)}")
                link(page, "confirm", page.task, icon=":material/arrow_forward:")


def goal_drift(page: TaskPage, key: str, file: TaskFile | None) -> None:
    """The same with the button that puts the goal into the text of the sheet kept under `key`."""
    said = _said(page, file) if file else None
    if said and file:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/flag: {prose.plain(said)}")
            st.button(page.say("confirm.goal.take"), key=page.key("goal.take"), on_click=_take, args=(page, key, file))


def _said(page: TaskPage, file: TaskFile) -> str | None:
    changes = goal_changes(file, page.task.answers())
    if not changes:
        return None
    between = "、" if page.language == "zh-TW" else ", "
    return page.say("confirm.goal.differs", changes=between.join(_one(page, change) for change in changes))


def _one(page: TaskPage, change: GoalChange) -> str:
    values = {"written": _shown(page, change.field, change.written), "answered": _shown(page, change.field, change.answered)}
    return page.say(f"confirm.goal.{change.field}", **values)


def _shown(page: TaskPage, field: str, value: YamlValue) -> str:
    return metric_name(value, page.language) if field == "primary_metric" else shown_value(value)


def _take(page: TaskPage, key: str, file: TaskFile) -> None:
    """A callback; the goal is the one that stands there at the click."""
    put_values(page, key, values_of(goal_changes(file, page.task.answers()), file))
