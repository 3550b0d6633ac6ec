"""A goal that has changed since task.yaml was written: said where the goal and the plan are, taken over on the Confirm page."""

from __future__ import annotations

import streamlit as st

from coach.figures import NOTHING
from coach.goal_in_task import goal_changes
from coach.metric_words import metric_name
from coach.task_schema import TaskFile
from pages.ui import prose
from pages.ui.page import TaskPage, link
from pages.ui.yaml_editor import put_values


def goal_drift_note(page: TaskPage) -> None:
    """What task.yaml still aims at, and the way to where it takes the goal over."""
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
            st.button(page.say("confirm.goal.take"), key=page.key("goal.take"), on_click=put_values,
                      args=(key, goal_changes(file, page.task.answers())))  # fmt: skip


def _said(page: TaskPage, file: TaskFile) -> str | None:
    answers, criteria = page.task.answers(), file.success_criteria
    changes = goal_changes(file, answers)
    if not changes:
        return None
    now = {path[-1]: value for path, value in changes.items()}
    metric, threshold = now.get("primary_metric", criteria.primary_metric), now.get("threshold", criteria.threshold)
    score = now.get("score", criteria.baseline.score if criteria.baseline else None)
    said = {"goal": _aim(page, metric, threshold), "task": _aim(page, criteria.primary_metric, criteria.threshold)}
    if said["goal"] == said["task"]:
        former = criteria.baseline.score if criteria.baseline else None
        return page.say("confirm.goal.baseline", score=score, former=NOTHING if former is None else f"{former:.2f}")
    return page.say("confirm.goal.differs", **said)


def _aim(page: TaskPage, metric: str, threshold: float | None) -> str:
    return f"{metric_name(metric, page.language)} {NOTHING if threshold is None else f'{threshold:.2f}'}"
