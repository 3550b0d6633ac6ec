"""The form for the next version: from which one, what changes in one sentence, and the settings that are changed most.

Owns the form. What the draft of task.yaml says is `coach.next_version_draft`'s; everything else is edited on the confirm page.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

import streamlit as st

from coach.course import SMALL_GAIN, SPENT_AFTER, smallest_told, tuned_before
from coach.diagnosis import Diagnosis
from coach.errors import CoachError
from coach.forecast import gain_sentence
from coach.gain import gain_of, sharpened
from coach.history import Entry
from coach.next_version_draft import (
    MOST_LETTERS,
    Settings,
    changes_of,
    draft_next_version,
    expectation_of,
    experiment_of,
    next_name,
    refuse_a_copy,
    settings_of,
    tuned,
    waiting_draft,
)
from coach.reference_data import model_or_unknown, models
from coach.sentence import Sentence, sentence
from coach.task_check import BUILT_METHODS
from coach.task_schema import TaskFile
from coach.text_kind import kind_of_task
from coach.version_folder import Version
from coach.versioning import Change as ChangeKind
from pages.ui import cached, prose, session
from pages.ui.experiment_words import change_words, method_words
from pages.ui.frame import show_error
from pages.ui.page import TaskPage, go_to
from pages.ui.yaml_editor import forget_unedited

KINDS: tuple[ChangeKind, ...] = ("major", "minor", "exp")
BALANCES = ("none", "oversample", "class_weights")
MOST_PROPOSALS = 3
HANDLED = ("imbalance_treated",)  # nothing to fix there


def next_version_form(page: TaskPage, entries: Sequence[Entry], focus: Entry, diagnosis: Diagnosis | None, now: datetime) -> None:
    """`diagnosis` is of `focus`, None where it is not finished."""
    left, right = st.columns(2)
    with left:
        parent = _parent(page, entries, focus)
    config = parent.config
    with right:
        name = next_name(page.task, parent, _kind(page, config), now)
    session.begin_with({_setting_key(page, parent, field): value for field, value in asdict(settings_of(config)).items()})
    if diagnosis is not None and parent.name == focus.name:
        _proposals(page, parent, config, diagnosis, is_new=tuned_before(entries, focus) is None)
    seen = session.widget_value(page.key("next.seen"), page.task.fingerprint())
    session.put_widget_value(page.key("next.seen"), page.task.fingerprint())
    with st.form(page.key("next"), enter_to_submit=False):
        statement = st.text_area(
            page.say("iterate.next.statement"),
            key=page.key("next.statement"),
            placeholder=page.say("iterate.next.statement_example"),
            max_chars=MOST_LETTERS,
            height=80,
            persist_state="session",
        )
        settings = _settings(page, parent, config)
        as_it_is = st.checkbox(page.say("iterate.next.as_it_is"), key=page.key("next.as_it_is"))
        _waiting(page)
        label = prose.plain(page.say("iterate.next.create", version=name))
        pressed = st.form_submit_button(label, key=page.key("next.create"), type="primary", icon=":material/add:")
    if pressed:
        _create(page, parent, name, statement or "", settings, seen, now, as_it_is=as_it_is)


def _parent(page: TaskPage, entries: Sequence[Entry], focus: Entry) -> Version:
    key = page.key("next.parent")
    session.begin_with({key: focus.name})
    names = [entry.name for entry in reversed(entries)]
    chosen = st.selectbox(page.say("iterate.next.parent"), names, key=key, help=page.say("iterate.next.parent_help"))
    return page.task.version(chosen)


def _kind(page: TaskPage, config: TaskFile) -> ChangeKind:
    """Asked for semantic names alone; a date or a hybrid name does not tell the kind."""
    if config.versioning.strategy != "semantic":
        return "major"
    key = page.key("next.kind")
    session.begin_with({key: "major"})
    chosen: ChangeKind = st.segmented_control(
        page.say("iterate.next.kind"),
        KINDS,
        key=key,
        required=True,
        wrap=True,
        format_func=lambda kind: page.say(f"iterate.next.kinds.{kind}"),
        persist_state="session",
    )
    prose.muted(page.say("iterate.next.kind_said"))
    return chosen


def _proposals(page: TaskPage, parent: Version, config: TaskFile, diagnosis: Diagnosis, *, is_new: bool) -> None:
    """Experiments that change settings as buttons that fill the form; the rest is advice. Nothing is made before the form is sent.

    `is_new`: no version has fine-tuned a language model yet.
    """
    corrected = sentence("ui.iterate.next.expect_corrected")
    fills: list[tuple[str, dict[str, float | str], Sentence]] = [(said, {}, corrected) for said in _corrections(page, parent)]
    if is_new and (challenger := tuned(config)) and not diagnosis.verdict.at_the_top:
        gain = sharpened(gain_of(model_or_unknown(config.training.base_model), kind_of_task(config)), [])
        expected = sentence("ui.iterate.next.expect_tune", gain=gain_sentence(gain))
        fills.append((page.say("iterate.next.tune", model=config.training.base_model), challenger, expected))
    found = [(finding, experiment_of(finding, config)) for finding in diagnosis.findings if finding.name not in HANDLED]
    fills += [(finding.title.say(page.language), values, expectation_of(finding)) for finding, values in found if values]
    if fills:
        prose.muted(page.say("iterate.next.proposals"))
        with st.container(horizontal=True):
            for place, (title, values, _) in enumerate(fills[:MOST_PROPOSALS]):
                _proposal(page, parent, config, place, title, values)
        _expectations(page, [(title, expected) for title, _, expected in fills[:MOST_PROPOSALS]], diagnosis.verdict.test_rows)
    advice = [finding.next_experiment.say(page.language) for finding, values in found if not values][:MOST_PROPOSALS]
    if advice:
        prose.muted(page.say("iterate.next.advice"))
        st.markdown("\n".join(f"- {prose.plain(said)}" for said in advice))


def _expectations(page: TaskPage, proposals: Sequence[tuple[str, Sentence]], test_rows: int | None) -> None:
    """What each should bring, and which difference the test rows could show at all."""
    lines = [page.say("iterate.next.expect", title=title, said=expected.say(page.language)) for title, expected in proposals]
    st.markdown("\n".join(f"- {prose.plain(said)}" for said in lines))
    if test_rows:
        told = smallest_told(test_rows)
        prose.muted(page.say("iterate.next.give_up", rows=test_rows, difference=told, small=SMALL_GAIN, count=SPENT_AFTER))


def _corrections(page: TaskPage, parent: Version) -> list[str]:
    """Where labels were put right since: the whole change of a version, if nothing else is touched. What is damaged, others say."""
    with suppress(CoachError):
        return cached.changed_in_data(page.task, parent, page.language)[:1]
    return []


def _proposal(page: TaskPage, parent: Version, config: TaskFile, place: int, title: str, values: dict[str, Any]) -> None:
    changes = "、".join(changes_of(config, values)) if page.language == "zh-TW" else ", ".join(changes_of(config, values))
    said = page.say("iterate.next.said", title=title, changes=changes) if changes else title
    does = change_words(page, values) if len(values) == 1 else ""  # what is done, before what it is for
    st.button(
        prose.plain(page.say("iterate.next.said", title=does, changes=title) if does else title),
        key=page.key(f"next.proposal.{parent.name}.{place}"),
        icon=":material/edit_note:",
        help=prose.plain(changes) or None,
        on_click=_fill,
        args=(page, parent, said, values),
    )


def _fill(page: TaskPage, parent: Version, statement: str, values: dict[str, Any]) -> None:
    session.put_widget_value(page.key("next.statement"), statement[:MOST_LETTERS])
    for name, value in {**asdict(settings_of(parent.config)), **values}.items():
        session.put_widget_value(_setting_key(page, parent, name), value)


def _settings(page: TaskPage, parent: Version, config: TaskFile) -> Settings:
    """The settings as they stand in the form; those the method has no use for keep the parent's values."""
    keys = {name: _setting_key(page, parent, name) for name in asdict(settings_of(config))}
    say = page.say
    top, below = st.columns(3), st.columns(3)
    methods = list(dict.fromkeys([*BUILT_METHODS, config.training.method]))
    method = top[0].selectbox(
        say("iterate.next.method"), methods, key=keys["method"], format_func=lambda name: method_words(page, name)
    )
    known = list(
        dict.fromkeys([config.training.base_model, session.widget_value(keys["base_model"]), *(row.id for row in models())])
    )
    base_model = top[1].selectbox(say("iterate.next.base_model"), known, key=keys["base_model"], accept_new_options=True)
    balance = top[2].selectbox(
        say("iterate.next.balance"), BALANCES, key=keys["balance"], format_func=lambda name: say(f"iterate.next.balances.{name}")
    )
    rate = below[0].number_input(
        say("iterate.next.learning_rate"), min_value=1e-7, max_value=0.1, step=5e-5, format="%g", key=keys["learning_rate"]
    )
    epochs = below[1].number_input(
        say("iterate.next.epochs"), min_value=0.1, max_value=1000.0, step=1.0, format="%g", key=keys["epochs"]
    )
    rank = below[2].number_input(
        say("iterate.next.lora_r"),
        min_value=1,
        max_value=1024,
        value=None,
        step=8,
        key=keys["lora_r"],
        help=say("iterate.next.lora_help"),
    )
    prose.muted(say("iterate.next.rest"))
    return Settings(method, base_model or "", rate, epochs, rank, balance)


def _waiting(page: TaskPage) -> None:
    """Says whose place the draft takes, where task.yaml stands for a version that was never started."""
    try:
        waiting = waiting_draft(page.task)
    except CoachError:
        prose.muted(page.say("iterate.next.replaces_damaged"))
        return
    if waiting is not None:
        prose.muted(page.say("iterate.next.replaces", version=waiting.version))


def _create(
    page: TaskPage,
    parent: Version,
    name: str,
    statement: str,
    settings: Settings,
    seen: str | None,
    now: datetime,
    *,
    as_it_is: bool,
) -> None:
    try:
        draft = draft_next_version(parent, name, statement, settings, now)
        if not as_it_is:
            refuse_a_copy(page.task, parent, draft)
        page.task.save_file(draft, expected=seen)
    except CoachError as error:
        show_error(error, page.language)
        return
    session.forget(page.key("next.statement"), page.key("next.parent"), page.key("next.seen"), page.key("next.as_it_is"))
    forget_unedited(f"{page.task.name}.confirm.yaml")  # the message below says what is new
    session.forget(*(_setting_key(page, parent, field) for field in asdict(settings)))
    session.leave_message("success", [page.say("iterate.next.created", version=name, parent=parent.name)])
    go_to(page, "confirm", page.task)


def _setting_key(page: TaskPage, parent: Version, name: str) -> str:
    """Each parent has a form of its own, so that another parent's values come with it."""
    return page.key(f"next.{parent.name}.{name}")
