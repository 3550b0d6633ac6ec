"""Scores by class, the confusion matrix, and the rows behind its cells: a click on a cell, or two lists, opens them.

Owns keeping the matrix and the lists in step. The rows themselves are `answered_table.py`'s.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from coach.history import target_results
from coach.version_folder import Version
from pages.ui import cached, prose, session
from pages.ui.answered_table import answered_table
from pages.ui.charts import CELL, OUTSIDE, confusion_matrix
from pages.ui.class_table import class_table
from pages.ui.frame import guarded
from pages.ui.page import TaskPage
from training.answered_rows import Choice, chosen
from training.evidence import Examined

ALL, WRONG = "\ue000all", "\ue000wrong"  # private-use characters, so that no label can be the same
MOST_IN_MATRIX = 60  # labels: beyond it a cell is smaller than a finger, and the browser draws tens of thousands


@st.fragment
def row_browser(page: TaskPage, version: Version, found: Examined) -> None:
    """The part of the page between the three numbers and the findings; a click runs this part alone."""
    with guarded(page.language):
        target = _target(page, version, list(found.config.targets))
        scores = target_results(found.results, found.config, target)
        labels = found.config.targets.get(target, [])
        here = f"{version.name}.{target or ''}"
        left, right = st.columns(2, gap="medium")
        with left:
            prose.strong(page.say("evaluate.classes"))
            per_class = scores.get("per_class") or {}
            class_table(page, list(per_class), per_class, key=f"{here}.classes")
        with right:
            _matrix(page, scores.get("confusion_matrix") or {}, here)
        prose.heading(page.say("evaluate.rows.title"))
        rows = cached.answered_rows(version, target)
        if not rows:
            prose.sentence(page.say("evaluate.rows.none_kept", version=version.name))
            return
        shown = chosen(rows, _choice(page, here, labels, any(row.predicted is None for row in rows)))
        answered_table(page, version, found, target, shown, here)


def _target(page: TaskPage, version: Version, targets: Sequence[str | None]) -> str | None:
    """The one thing that is classified, or the one chosen where an answer has several slots."""
    if len(targets) < 2:
        return next(iter(targets), None)
    key = page.key(f"{version.name}.target")
    return st.segmented_control(
        page.say("evaluate.target"), targets, key=key, default=targets[0], required=True, format_func=prose.plain
    )


# --- the matrix and the lists --------------------------------------------------------------------------------------------------


def _matrix(page: TaskPage, matrix: Mapping[str, Any], here: str) -> None:
    """A click puts its cell into the lists; a choice in the lists draws the matrix anew with that cell marked."""
    prose.strong(page.say("evaluate.matrix"))
    if not matrix.get("labels"):
        prose.sentence(page.say("evaluate.no_matrix"))
        return
    if len(matrix["labels"]) > MOST_IN_MATRIX:
        prose.sentence(page.say("evaluate.large_matrix", count=len(matrix["labels"])))
        return
    turn, marked = session.widget_value(page.key(f"{here}.turn"), (0, None))
    chart = confusion_matrix(matrix["labels"], matrix["counts"], language=page.language, dark=page.dark, selectable=True)
    spec = with_marked_cell(chart.spec, marked)
    key = page.key(f"{here}.matrix.{turn}")
    event = st.vega_lite_chart(chart.data, spec, key=key, theme=None, alt=chart.alt, on_select="rerun", selection_mode=CELL)
    prose.muted(page.say("evaluate.matrix_hint"))
    _take_click(page, here, key, (event["selection"].get(CELL) or [None])[0])


def with_marked_cell(spec: dict[str, Any], cell: tuple[str, str] | None) -> dict[str, Any]:
    """The chart with `cell` (actual, predicted) selected from the start."""
    if cell is None:
        return spec
    marked = copy.deepcopy(spec)
    for layer in marked["layer"]:
        for param in layer.get("params", []):
            if param["name"] == CELL:
                param["value"] = [{"actual": cell[0], "predicted": cell[1]}]
    return marked


def _take_click(page: TaskPage, here: str, chart_key: str, cell: Mapping[str, str] | None) -> None:
    """Puts a new selection into the lists; one that was taken before stays as it is, so that the lists may go on from it."""
    seen_key = page.key(f"{here}.seen")
    clicked = (cell["actual"], cell["predicted"]) if cell else None
    if session.widget_value(seen_key) == (chart_key, clicked):
        return
    had_one = (session.widget_value(seen_key) or (None, None))[1] is not None
    session.put_widget_value(seen_key, (chart_key, clicked))
    if clicked or had_one:
        actual, predicted = clicked or (ALL, WRONG)
        session.put_widget_value(page.key(f"{here}.actual"), actual)
        session.put_widget_value(page.key(f"{here}.predicted"), predicted)


def _choice(page: TaskPage, here: str, labels: Sequence[str], has_outside: bool) -> Choice:
    keys = {field: page.key(f"{here}.{field}") for field in ("actual", "predicted", "search", "order")}
    session.begin_with({keys["actual"]: ALL, keys["predicted"]: WRONG, keys["order"]: "most_sure"})
    cells = st.columns([3, 3, 4, 3], vertical_alignment="bottom")
    moved = {"on_change": _list_changed, "args": (page, here)}
    said = {
        ALL: page.say("evaluate.rows.any"),
        WRONG: page.say("evaluate.rows.wrong"),
        OUTSIDE: page.say("evaluate.rows.outside"),
    }
    actual = cells[0].selectbox(
        page.say("evaluate.rows.actual"),
        [ALL, *labels],
        key=keys["actual"],
        format_func=lambda label: said.get(label, label),
        **moved,
    )
    answers = [WRONG, *labels, *([OUTSIDE] if has_outside else [])]
    predicted = cells[1].selectbox(
        page.say("evaluate.rows.predicted"),
        answers,
        key=keys["predicted"],
        format_func=lambda label: said.get(label, label),
        **moved,
    )
    search = cells[2].text_input(page.say("evaluate.rows.search"), key=keys["search"], max_chars=200, icon=":material/search:")
    order = cells[3].selectbox(
        page.say("evaluate.rows.order"),
        ["most_sure", "least_sure"],
        key=keys["order"],
        format_func=lambda name: page.say(f"evaluate.rows.{name}"),
    )
    return Choice(
        actual=None if actual == ALL else actual,
        predicted=None if predicted in (WRONG, OUTSIDE) else predicted,
        outside=predicted == OUTSIDE,
        search=search or "",
        order=order,
    )


def _list_changed(page: TaskPage, here: str) -> None:
    """A chart's selection cannot be set from here: a new chart, with the cell marked from its start, takes its place."""
    turn, _ = session.widget_value(page.key(f"{here}.turn"), (0, None))
    pair = (session.widget_value(page.key(f"{here}.actual")), session.widget_value(page.key(f"{here}.predicted")))
    session.put_widget_value(page.key(f"{here}.turn"), (turn + 1, None if ALL in pair or WRONG in pair else pair))
    session.forget(page.key(f"{here}.seen"))
