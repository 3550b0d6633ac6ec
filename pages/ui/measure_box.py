"""On the confirm page: how time and memory were reckoned, and the button that measures them on this machine."""

from __future__ import annotations

import streamlit as st

from coach.task_schema import TaskFile
from pages.ui import cached_plan, prose
from pages.ui.frame import guarded
from pages.ui.page import TaskPage
from training.before_start import BeforeStart
from training.runners.measuring import Measuring, begin_measuring, measuring

LOOK_EVERY_S = 1.0
ICON = ":material/timer:"


def measure_box(page: TaskPage, file: TaskFile | None, before: BeforeStart | None, *, unsaved: bool) -> None:
    """Nothing where nothing is trained or there are no rows, and no button once a training of this task has shown what it takes."""
    found = cached_plan.estimate(page.task, file) if file else None
    if file is None or before is None or before.data == "missing" or found is None or found.memory_gb is None:
        return
    standing = measuring(page.task)
    if standing.state == "measuring":
        st.fragment(_watch, run_every=LOOK_EVERY_S)(page)
        return
    how = found.measured.how if found.measured else "related"
    if how != "run" and before.closed is None:
        _button(page, standing, unsaved=unsaved, again=how != "related")


def _watch(page: TaskPage) -> None:
    """One line while it is measured; then the page is drawn anew, with the new numbers."""
    if measuring(page.task).state != "measuring":
        st.rerun()
    st.markdown(f":material/hourglass_empty: {prose.plain(page.say('confirm.measure.measuring'))}")


def _button(page: TaskPage, standing: Measuring, *, unsaved: bool, again: bool) -> None:
    closed = page.say("confirm.measure.unsaved") if unsaved else None
    if standing.state == "busy":
        closed = page.say("confirm.measure.busy")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            page.say("confirm.measure.again" if again else "confirm.measure.button"),
            key=page.key("measure"), type="tertiary", icon=ICON, disabled=closed is not None,
        )  # fmt: skip
        prose.muted(closed or page.say("confirm.measure.why_again" if again else "confirm.measure.why"))
    if standing.state == "failed":
        prose.muted(page.say("confirm.measure.failed", said=" ".join(standing.said)))
    if pressed:
        with guarded(page.language):
            begin_measuring(page.task, page.language)
            st.rerun()
