"""The three numbers that decide while a model learns: its score beside the baseline, the distance to the target, the weakest class.

Draws them; which they are, `training/run_numbers.py` has found.
"""

from __future__ import annotations

import streamlit as st

from coach.metric_words import metric_name
from pages.ui import prose
from pages.ui.page import TaskPage
from pages.ui.run_header import Run
from training.run_numbers import RunNumbers, WeakestClass

SHORT_LABEL = 14  # characters of a class's name that fit a number's caption
SHOWN_AS_NOTHING = 0.005  # with two digits


def three_numbers(page: TaskPage, run: Run, found: RunNumbers | None) -> None:
    """`found` is None before the first evaluation; each card then says what it waits for."""
    with st.container(horizontal=True):  # where the window is narrow a card goes to the next row; none is cut
        _score(page, run, found)
        _distance(page, run, found)
        _weakest(page, found)


def _number(label: str, value: str, beside: str, help: str | None = None) -> None:
    """What stands beside a number is a comparison, not a change: no arrow, no colour. All four are Markdown to Streamlit."""
    label, value, beside = (prose.plain(said) for said in (label, value, beside))
    st.metric(label, value, beside, border=True, delta_color="off", delta_arrow="off", help=help and prose.plain(help))


def _score(page: TaskPage, run: Run, found: RunNumbers | None) -> None:
    metric = metric_name(run.config.success_criteria.primary_metric, page.language)
    label = page.say("train.number.metric", metric=metric)
    if found is None:
        _number(label, page.say("train.number.none"), page.say("train.number.wait"))
    elif found.baseline is None or found.gap is None:
        _number(label, f"{found.value:.3f}", page.say("train.number.no_baseline"))
    else:
        side = "same" if abs(found.gap) < SHOWN_AS_NOTHING else "above" if found.gap > 0 else "below"
        said = page.say(f"train.number.gap_{side}", gap=abs(found.gap), name=shortened(found.baseline[0]))
        _number(label, f"{found.value:.3f}", said)


def _distance(page: TaskPage, run: Run, found: RunNumbers | None) -> None:
    target = run.config.success_criteria.threshold
    if target is None:
        _number(page.say("train.number.no_target"), page.say("train.number.none"), page.say("train.number.no_target_todo"))
    elif found is None or found.distance is None:
        _number(page.say("train.number.short", target=target), page.say("train.number.none"), page.say("train.number.wait"))
    else:
        label = page.say("train.number.short" if found.distance < 0 else "train.number.above", target=target)
        _number(label, f"{abs(found.distance):.3f}", page.say("train.number.rows", rows=found.rows or "—"))


def _weakest(page: TaskPage, found: RunNumbers | None) -> None:
    if found is None or found.weakest is None:
        _number(page.say("train.number.weakest_none"), page.say("train.number.none"), page.say("train.number.wait"))
        return
    weakest = found.weakest
    if weakest.alike:
        _number(page.say("train.number.alike"), f"F1 {weakest.f1:.2f}", page.say("train.number.alike_note", count=weakest.alike))
        return
    label = page.say("train.number.weakest", label=shortened(weakest.label))
    numbers = {"label": weakest.label, "support": weakest.support, "recognised": weakest.recognised}
    _number(label, f"F1 {weakest.f1:.2f}", _mistaken(page, weakest), page.say("train.number.weakest_help", **numbers))


def _mistaken(page: TaskPage, weakest: WeakestClass) -> str:
    if weakest.taken_for is not None:
        return page.say("train.number.weakest_for", recall=weakest.recall, other=shortened(weakest.taken_for))
    key = "train.number.weakest_outside" if weakest.taken else "train.number.weakest_alone"
    return page.say(key, recall=weakest.recall)


def shortened(label: str) -> str:
    return label if len(label) <= SHORT_LABEL else label[: SHORT_LABEL - 1] + "…"
