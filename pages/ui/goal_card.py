"""The goal's card: the coach's sentence about it, the three numbers that decide, and a field for everything a summary says.

A changed field goes into the YAML text of the sheet, and the fields show what that text says: one truth, two ways to write it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import streamlit as st

from coach.figures import NOTHING, Figure
from coach.goal_card import ANSWER_KEYS, Card, CardField, with_field
from coach.interview import option_name, question_of
from coach.metric_words import metric_label, metric_name, metric_words
from coach.sentence import sentence
from coach.task_check import FITTING_METRICS
from coach.task_schema import METRICS, DeployTarget, TaskType, VersionStrategy
from pages.ui import session
from pages.ui.figure_row import figure_row
from pages.ui.page import TaskPage
from pages.ui.sheet import rewritten
from pages.ui.yaml_editor import held_sheet, hold_sheet


def said_back(page: TaskPage, card: Card, *, confirmed: bool) -> str:
    """The goal as the coach has understood it, in a few sentences; what is not said yet is named, not passed over."""
    goal = next(iter((card.goal or "").strip().split("\n")), "").rstrip("。.，,；;")
    parts = [page.say("goal.said.what" if goal else "goal.said.what_only", type=_type(page, card.type), goal=goal)]
    if card.primary_metric is None or card.threshold is None:
        parts.append(page.say("goal.said.no_target"))
    else:
        numbers = {"metric": metric_name(card.primary_metric, page.language), "threshold": card.threshold}
        parts.append(page.say("goal.said.target", **numbers))
        if card.baseline_score is not None:
            distance = "above" if card.threshold > card.baseline_score else "below"
            name = card.baseline_name or page.say("goal.some_baseline")
            gap = abs(card.threshold - card.baseline_score)
            parts.append(page.say(f"goal.said.baseline_{distance}", name=name, score=card.baseline_score, gap=gap))
    parts.append(page.say("goal.said.confirmed" if confirmed else "goal.said.right"))
    return "".join(parts) if page.language == "zh-TW" else " ".join(parts)


def three_numbers(page: TaskPage, card: Card) -> None:
    """Target, baseline, and the deadline (or the rows where no deadline is said)."""
    said, metric = card.recognised, metric_words(card.primary_metric or "macro_f1")
    weeks, rows = said.get("business.deadline_weeks"), said.get("resources.labelled_rows")
    known_rows = sentence("ui.goal.number.rows_known", rows=rows) if rows is not None else sentence("ui.goal.number.rows_open")
    target = Figure(sentence("ui.goal.number.target", metric=metric), _score(card.threshold), sentence("ui.goal.number.on_test"))
    name = sentence("ui.goal.number.baseline_is", name=card.baseline_name) if card.baseline_name else None
    baseline = Figure(
        sentence("ui.goal.number.baseline"), _score(card.baseline_score), name or sentence("ui.goal.number.no_baseline")
    )
    if weeks is None and rows is not None:
        last = Figure(sentence("ui.goal.number.rows"), f"{rows:,}", sentence("ui.goal.number.for_training"))
    else:
        value = NOTHING if weeks is None else page.say("goal.number.weeks", weeks=weeks)
        last = Figure(sentence("ui.goal.number.deadline"), value, known_rows)
    figure_row(page, [target, baseline, last])


def goal_card(page: TaskPage, key: str, card: Card, assumed: frozenset[str]) -> None:
    """A widget for each field of the summary in the sheet kept under `key`; fields holding the coach's default are marked so."""
    draw = _Fields(page, key, card, assumed)
    with st.container(border=True):
        st.text_input(
            page.say("goal.field.name"), page.task.name, key=page.key("card.name"), disabled=True, help=page.say("goal.help.name")
        )
        one, two = st.columns(2)
        with one:
            draw.choice("type", get_args(TaskType))
        with two:
            draw.domain()
        draw.field("goal", st.text_area, height=110)
        draw.field("constraints", st.text_area, height=130, help=page.say("goal.help.constraints"))
        one, two = st.columns(2)
        with one:
            draw.choice("primary_metric", _metrics(card))
        with two:
            draw.field("threshold", st.number_input, min_value=0.0, max_value=1.0, step=0.01, format="%g")
        one, two = st.columns(2)  # a row of their own: the score stands beside what it is the score of
        with one:
            draw.field("baseline_name", st.text_input, placeholder=page.say("goal.placeholder.baseline"))
        with two:
            draw.field("baseline_score", st.number_input, min_value=0.0, max_value=1.0, step=0.01, format="%g")
        one, two, three = st.columns(3)
        with one:
            draw.choice("strategy", get_args(VersionStrategy))
        with two:
            draw.choice("deploy_target", get_args(DeployTarget))
        with three:
            draw.field("retention", st.number_input, min_value=1, step=1)


class _Fields:
    """Draws widgets of one card. What a widget holds is put there from the text each time, so that the text stays the truth."""

    def __init__(self, page: TaskPage, key: str, card: Card, assumed: frozenset[str]) -> None:
        self._page, self._key, self._card, self._assumed = page, key, card, assumed

    def field(self, field: CardField, widget: Callable[..., Any], **options: Any) -> None:
        widget_key = self._page.key(f"card.{field}")
        value = getattr(self._card, field)
        session.put_widget_value(widget_key, "" if value is None and widget in (st.text_input, st.text_area) else value)
        widget(self._label(field), key=widget_key, on_change=_take, args=(self._key, field, widget_key), **options)

    def choice(self, field: CardField, values: tuple[str, ...]) -> None:
        first = None if getattr(self._card, field) is None else 0  # 0: what is chosen can be changed, not emptied
        self.field(field, st.selectbox, options=values, index=first, format_func=lambda value: _option(self._page, field, value),
                   placeholder=self._page.say("goal.placeholder.choose"))  # fmt: skip

    def domain(self) -> None:
        """The fields the interview proposes, or one's own words."""
        proposed, now = question_of("task.domain").options or {}, self._card.domain
        options = [*proposed, *([now] if now and now not in proposed else [])]
        self.field("domain", st.selectbox, options=options, index=None, accept_new_options=True,
                   format_func=lambda value: option_name("task.domain", value, self._page.language),
                   placeholder=self._page.say("discover.choose_or_type"))  # fmt: skip

    def _label(self, field: CardField) -> str:
        said = self._page.say(f"goal.field.{field}")
        is_assumed = ANSWER_KEYS.get(field) in self._assumed
        return f"{said} {self._page.say('goal.assumed')}" if is_assumed else said


def _take(key: str, field: CardField, widget_key: str) -> None:
    sheet = held_sheet(key)
    if sheet:
        hold_sheet(key, rewritten(sheet, with_field(sheet.text, field, session.widget_value(widget_key))))


def _option(page: TaskPage, field: str, value: str) -> str:
    return metric_label(value, page.language) if field == "primary_metric" else page.say(f"goal.option.{field}.{value}")


def _metrics(card: Card) -> tuple[str, ...]:
    fitting = FITTING_METRICS[card.type] if card.type else METRICS
    return fitting if card.primary_metric in (None, *fitting) else (*fitting, str(card.primary_metric))


def _type(page: TaskPage, name: str | None) -> str:
    return page.say(f"goal.type.{name or 'unknown'}")


def _score(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"
