"""The scores of a run as they come: curves, the table of classes, the confusion matrix, and a few answers in full.

Draws what it is handed; which evaluation that is, live_run.py has chosen.
"""

from __future__ import annotations

import time
from typing import Any

import pandas as pd
import streamlit as st

from coach.metric_words import metric_label
from pages.ui import cached, prose
from pages.ui.charts import MOST_NUMBERED, Chart, confusion_matrix, loss_curve, metric_curve
from pages.ui.class_table import class_table
from pages.ui.frame import guarded
from pages.ui.page import TaskPage
from pages.ui.run_header import Run
from training.data.rows import Output, Row
from training.events import Event
from training.run_numbers import ClassScores, baselines
from training.run_status import RunStatus

LOSS_EVERY_S = 1.5
CURVE_PX, MANY_LABELS_PX = 156, 430  # so that table and matrix stand above 940 px


def scores(page: TaskPage, run: Run, status: RunStatus, evaluation: Event | None, found: ClassScores | None) -> None:
    """Curves over the classes' table at the left, the matrix over the answers at the right."""
    left, right = st.columns([11, 9], gap="medium")
    with left:
        _curves(page, run, status)
        _classes(page, evaluation, found)
    with right:
        _matrix(page, evaluation, found)
        _samples(page, run, status, evaluation)


def _draw(page: TaskPage, name: str, chart: Chart) -> None:
    st.vega_lite_chart(chart.data, chart.spec, key=page.key(name), alt=chart.alt, theme=None)


def _curves(page: TaskPage, run: Run, status: RunStatus) -> None:
    """The metric changes with each evaluation; the loss, with each step, is drawn only while somebody looks at it."""
    view, criteria = status.view, run.config.success_criteria
    metric = criteria.primary_metric
    names = [metric_label(metric, page.language), page.say("train.tab.loss")]
    first, second = st.tabs(names, key=page.key("curves"), on_change="rerun")
    with first:
        lines = baselines(view, criteria)
        look = {"total_steps": view.total_steps, **_look(page)}
        _draw(page, "metric", metric_curve(view.evals, metric=metric, target=criteria.threshold, baselines=lines, **look))
    if second.open:
        with second:
            st.fragment(_loss, run_every=LOSS_EVERY_S if status.alive else None)(page, run)


def _loss(page: TaskPage, run: Run) -> None:
    with guarded(page.language):
        view = cached.reader(run.version).read(time.time()).view
        _draw(page, "loss", loss_curve(view.steps, view.evals, total_steps=view.total_steps, **_look(page)))


def _look(page: TaskPage) -> dict[str, Any]:
    return {"language": page.language, "dark": page.dark, "height": CURVE_PX}


def _classes(page: TaskPage, evaluation: Event | None, found: ClassScores | None) -> None:
    if evaluation is None or found is None:
        prose.muted(page.say("train.no_classes" if evaluation else "train.wait_classes"))
        return
    prose.strong(page.say("train.classes", step=evaluation["step"]))
    class_table(page, found.labels, found.per_class, key="classes")


def _matrix(page: TaskPage, evaluation: Event | None, found: ClassScores | None) -> None:
    if evaluation is None or found is None:
        prose.muted(page.say("train.no_classes" if evaluation else "train.wait_matrix"))
        return
    prose.strong(page.say("train.matrix", step=evaluation["step"]))
    height = None if len(found.labels) <= MOST_NUMBERED else MANY_LABELS_PX
    look = {"language": page.language, "dark": page.dark, "height": height}
    _draw(page, "matrix", confusion_matrix(found.labels, found.counts, **look))


def _samples(page: TaskPage, run: Run, status: RunStatus, evaluation: Event | None) -> None:
    """The rows decoded freely at the shown look, the text beside the answer."""
    step = evaluation["step"] if evaluation else None
    samples = [sample for sample in status.view.samples if sample["step"] == step]
    if not samples:
        return
    texts = cached.rows_by_id(run.version, "valid", tuple(str(sample["id"]) for sample in samples))
    rows = [
        {
            "actual": _answer(page, sample.get("actual")),
            "predicted": _answer(page, sample.get("predicted")),
            "input": _input(texts.get(str(sample["id"]))) or str(sample["id"]),
            "raw": str(sample.get("raw", "")),
        }
        for sample in samples
    ]
    with st.expander(page.say("train.samples", step=step), key=page.key("samples")):
        prose.muted(page.say("train.samples_note"))
        config = {name: st.column_config.TextColumn(page.say(f"train.column.{name}")) for name in rows[0]}
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=config, key=page.key("samples_table"))


def _input(row: Row | None) -> str:
    if row is None:
        return ""
    if len(row.input) == 1:
        return next(iter(row.input.values()))
    return "\n".join(f"{name}: {value}" for name, value in row.input.items())


def _answer(page: TaskPage, output: Output | None) -> str:
    if output is None:
        return page.say("train.outside")
    return " / ".join(str(value) for value in output.values()) if isinstance(output, dict) else str(output)
