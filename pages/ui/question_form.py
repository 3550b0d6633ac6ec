"""One question as a widget, its answer saved to the task's folder as it is given.

Owns what a browser knows of one field: what it saw, input that could not be taken, somebody else's answer that came in between.
How an answer is read, checked and saved is `coach/answer_edits.py`'s; which questions there are is the page's to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from coach.answer_edits import OPEN, Held, assumed_for, fault_of, held, meant_share, read_answer, save_answer
from coach.answers import Answers
from coach.errors import CoachError
from coach.interview import NEEDED_STEP, Answer, Question
from coach.problems import Problem
from coach.text import text
from pages.ui import prose, session
from pages.ui.page import TaskPage
from training.file_findings import Found

TITLE_KEY = "title"  # asked in the same way; there is nothing to be unsure of
TALL = frozenset({"business.problem", "business.dissatisfaction", "task.input", "task.example.input", "task.labels"})
TALL_PX = 84
ROW = (5, 6)  # question to widget
FEW_OPTIONS = 4
_NOTHING = object()


@dataclass(frozen=True)
class _Field:
    """`seen`: what the person has before their eyes; `refused`: why their input was not taken; `theirs`, `mine`: two answers to one."""

    seen: Held
    refused: Problem | None = None
    theirs: Held | None = None
    mine: Held | None = None


def draw_question(
    page: TaskPage, question: Question, answers: Answers, found: Mapping[str, Found], *, alone: bool = False
) -> None:
    """The question with why, an example and "not sure"; `found`: what the data file says; `alone`: one at a time, larger."""
    field = _reconciled(page, question, answers)
    with st.container(border=True, key=page.key(f"{question.key}.card")):
        left, right = (st.container(), st.container()) if alone else st.columns(ROW, gap="medium")
        with left, st.container(gap="xxsmall"):
            (prose.heading if alone else prose.strong)(question.ask[page.language])
            _standing(page, question, answers, found, is_refused=field.refused is not None)
            prose.muted(page.say("discover.why", why=question.why[page.language], example=question.example[page.language]))
        with right, st.container(gap="xsmall"):
            _widget(page, question)
            _remark(page, question, field)
            _from_file(page, question, answers, found.get(question.key))
            _buttons(page, question, answers)


def shown_answer(page: TaskPage, question: Question, value: Answer) -> str:
    """An answer as a person reads it; data in it is not escaped."""
    if value is None or value == "":
        return page.say("discover.nothing")
    if isinstance(value, bool):
        return page.say(f"discover.{'yes' if value else 'no'}")
    if isinstance(value, list):
        return page.say("discover.comma").join(value)
    if question.options and value in question.options:
        return question.options[str(value)][page.language]
    return f"{value:,}" if isinstance(value, int) else str(value)


def shown_finding(page: TaskPage, question: Question, one: Found) -> str:
    """What the file says, as a person reads it: usable rows come with how many there are in all."""
    said = shown_answer(page, question, one.value)
    others = [shown_answer(page, question, other) for other in one.also if isinstance(other, int) and other != one.value]
    return page.say("discover.usable", usable=said, total=others[0]) if others else said


def take_answer(page: TaskPage, question: Question, new: Held) -> None:
    """Saves an answer that comes from a button; what the person had before their eyes counts as seen."""
    field = session.recall(_state(page, question), _Field)
    _save(page, question, field or _Field(held(page.task.answers(), question.key)), new)


def _state(page: TaskPage, question: Question) -> str:
    return page.key(f"{question.key}.field")


def _reconciled(page: TaskPage, question: Question, answers: Answers) -> _Field:
    """What the browser knows, brought up to what the folder holds; a widget nobody is in the middle of shows the folder's answer."""
    key, disk = page.key(question.key), held(answers, question.key)
    field = session.recall(_state(page, question), _Field)
    if field is None or session.widget_value(key, _NOTHING) is _NOTHING:
        field = _show(page, question, disk)
    elif field.theirs is not None:
        field = _show(page, question, disk) if disk == field.mine else replace(field, seen=disk, theirs=disk)
    elif field.refused is None and disk != field.seen:
        field = _show(page, question, disk)
    session.keep(_state(page, question), field)
    return field


def _show(page: TaskPage, question: Question, disk: Held) -> _Field:
    session.put_widget_value(page.key(question.key), _as_input(page, question, disk.value))
    field = _Field(disk)
    session.keep(_state(page, question), field)
    return field


def _as_input(page: TaskPage, question: Question, value: Answer) -> str | bool | None:
    """A value as its widget holds it."""
    if question.options or question.kind == "bool":
        return value if isinstance(value, str | bool) else None
    if isinstance(value, list):
        return ("\n" if any(set(label) & set("、,，;；") for label in value) else page.say("discover.comma")).join(value)
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def _changed(page: TaskPage, question: Question) -> None:
    """A widget's callback: the answer is saved before the page is drawn again; one that cannot be taken stays in the widget."""
    field = session.recall(_state(page, question), _Field) or _Field(OPEN)
    value = read_answer(question, session.widget_value(page.key(question.key)))
    fault = fault_of(question.key, value)
    if fault:
        session.keep(_state(page, question), replace(field, refused=fault))
    else:
        _save(page, question, replace(field, refused=None), Held(value))


def _save(page: TaskPage, question: Question, field: _Field, new: Held) -> None:
    try:
        theirs = save_answer(page.task, question.key, new, seen=field.seen)
    except CoachError as error:
        session.leave_message("error", error.lines(page.language))
        return
    if theirs is None:
        _show(page, question, new)
    else:
        session.keep(_state(page, question), _Field(field.seen, theirs=theirs, mine=new))


def _keep_theirs(page: TaskPage, question: Question, theirs: Held) -> None:
    _show(page, question, theirs)


def _widget(page: TaskPage, question: Question) -> None:
    key, label = page.key(question.key), question.ask[page.language]  # collapsed: only read out, where an escape would be heard
    common = {"key": key, "label_visibility": "collapsed", "persist_state": "session",
              "on_change": _changed, "args": (page, question)}  # fmt: skip
    if question.kind == "bool":
        st.radio(label, [True, False], index=None, horizontal=True,
                 format_func=lambda value: page.say(f"discover.{'yes' if value else 'no'}"), **common)  # fmt: skip
    elif question.options:
        now = session.widget_value(key)
        options = [*question.options, *([now] if now is not None and now not in question.options else [])]
        if question.kind == "choice":
            st.radio(label, options, index=None, horizontal=len(options) <= FEW_OPTIONS and _is_short(page, question),
                     format_func=lambda value: prose.plain(shown_answer(page, question, value)), **common)  # fmt: skip
        else:
            st.selectbox(label, options, index=None, accept_new_options=True, placeholder=page.say("discover.choose_or_type"),
                         format_func=lambda value: shown_answer(page, question, value), **common)  # fmt: skip
    elif question.key in TALL:
        st.text_area(label, height=TALL_PX, **common)
    else:
        st.text_input(label, autocomplete="off", **common)


def _is_short(page: TaskPage, question: Question) -> bool:
    """Whether the options fit on a line of the widget's column; a Chinese character is as wide as two Latin ones."""
    said = "".join(option[page.language] for option in (question.options or {}).values())
    return sum(2 if sign > "\u2e7f" else 1 for sign in said) <= 44


def _standing(page: TaskPage, question: Question, answers: Answers, found: Mapping[str, Found], *, is_refused: bool) -> None:
    """Where the question stands: needed, assumed, left aside, from the file; beside refused input, what is still saved."""
    now, one = held(answers, question.key), found.get(question.key)
    if is_refused and now.value is not None:
        said = prose.plain(page.say("discover.still_saved", value=shown_answer(page, question, now.value)))
        st.caption(f":material/history: {said}")
    elif now.assumed and now.value is None:
        st.caption(f":material/help: {page.say('discover.left_aside')}")
    elif now.assumed:
        said = prose.plain(shown_answer(page, question, now.value))
        st.caption(f":material/help: {prose.plain(text('interview.assumed', page.language))}{said}")
    elif now.value is None and question.step == NEEDED_STEP:
        st.caption(f":material/flag: {page.say('discover.needed')}")
    elif one and now.value is not None and one.agrees_with(now.value):
        st.caption(f":material/description: {page.say('discover.from_file')}")
    elif now.value is not None:
        st.caption(f":material/check: {page.say('discover.saved')}")


def _remark(page: TaskPage, question: Question, field: _Field) -> None:
    """Beside the field: why its input was not taken, or that somebody else has answered too."""
    if field.refused:
        st.markdown(f":material/error: {prose.plain(field.refused.said(page.language))}")
        if (meant := meant_share(question.key, field.refused)) is not None:
            prose.muted(page.say("discover.did_you_mean", value=meant, percent=meant * 100))
        prose.muted(page.say("discover.not_saved"))
    if field.theirs is None or field.mine is None:
        return
    with st.container(border=True):
        said = {
            "theirs": shown_answer(page, question, field.theirs.value),
            "mine": shown_answer(page, question, field.mine.value),
        }
        st.markdown(f":material/group: {prose.plain(page.say('discover.changed_by_other', **said))}")
        with st.container(horizontal=True):
            st.button(page.say("discover.keep_theirs"), key=page.key(f"{question.key}.theirs"), icon=":material/undo:",
                      on_click=_keep_theirs, args=(page, question, field.theirs))  # fmt: skip
            st.button(page.say("discover.write_mine"), key=page.key(f"{question.key}.mine"), icon=":material/edit:",
                      on_click=_save, args=(page, question, field, field.mine))  # fmt: skip


def _from_file(page: TaskPage, question: Question, answers: Answers, one: Found | None) -> None:
    """What the file says where the answer does not say the same, with a button that takes it over."""
    now = held(answers, question.key)
    for near in one.near if one and isinstance(now.value, list) else ():
        if near.label in now.value:
            said = page.say("discover.near_label", label=near.label, meant=near.meant, rows=", ".join(map(str, near.rows)))
            st.markdown(f":material/spellcheck: {prose.plain(said)}")
    if one is None or one.agrees_with(now.value):
        return
    said = {"found": shown_finding(page, question, one), "said": shown_answer(page, question, now.value)}
    key = "file_says" if now.value is None or now.assumed else "file_differs"
    st.markdown(f":material/description: {prose.plain(page.say(f'discover.{key}', **said))}")
    st.button(page.say("discover.take_from_file"), key=page.key(f"{question.key}.take"), icon=":material/input:",
              on_click=take_answer, args=(page, question, Held(one.value)))  # fmt: skip


def _buttons(page: TaskPage, question: Question, answers: Answers) -> None:
    now, default = held(answers, question.key), assumed_for(question, answers)
    with st.container(horizontal=True, gap="small"):
        if now.assumed and now.value is not None:
            _button(page, question, "confirm", ":material/check:", Held(now.value))
        if not now.assumed and question.key != TITLE_KEY:
            help_key = "not_sure_help" if default.value is not None else "not_sure_open_help"
            said = page.say(f"discover.{help_key}", default=shown_answer(page, question, default.value))
            _button(page, question, "not_sure", ":material/help:", default, prose.plain(said))
        if now != OPEN:
            _button(page, question, "clear", ":material/backspace:", OPEN)


def _button(page: TaskPage, question: Question, name: str, icon: str, new: Held, help: str | None = None) -> None:
    st.button(page.say(f"discover.{name}"), key=page.key(f"{question.key}.{name}"), type="tertiary", icon=icon, help=help,
              on_click=take_answer, args=(page, question, new))  # fmt: skip
