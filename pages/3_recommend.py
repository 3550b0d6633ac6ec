"""Stage 3, the plan: a sentence and three numbers, a card for each choice with its reason, other ways, and choosing otherwise."""

from __future__ import annotations

import streamlit as st

from coach.advised import Advised, advise
from coach.errors import CoachError
from coach.interview import load_questions
from coach.plan_cards import figures
from coach.situation import Look
from coach.task_knowledge import facts_of_data
from pages.ui import cached, cached_plan, prose, session
from pages.ui.beside_the_plan import alternatives, cautions, changes, decision_tree, first_caution
from pages.ui.choice_controls import write_choice
from pages.ui.figure_row import figure_row
from pages.ui.forecast_box import forecast_box, more_rows
from pages.ui.frame import guarded, open_page, show_error
from pages.ui.goal_drift import goal_drift_note
from pages.ui.measured_so_far import measured_so_far
from pages.ui.page import TaskPage, go_to, link
from pages.ui.plan_cards import plan_cards
from pages.ui.plan_estimate import as_on_confirm
from pages.ui.yaml_editor import forget_unedited
from training.attached_file import attached
from training.clock import local_now
from training.plan_to_task import adopt, draft_for, left_to_answer


def look_of(page: TaskPage) -> Look | None:
    """A look at the attached file; one that is gone or cannot be read is told, and the advice goes by the answers."""
    try:
        with st.spinner(page.say("recommend.looking"), show_time=True):
            look = cached.look(page.task)
        if look is None and (named := attached(page.task)):
            key = "file_gone_data" if facts_of_data(page.task) else "file_gone"
            st.info(prose.plain(page.say(f"recommend.{key}", name=named.path.name)), icon=":material/link_off:")
        return look
    except CoachError as error:
        show_error(error, page.language)
        return None


def open_questions(page: TaskPage, advised: Advised) -> None:
    if not advised.open_questions:
        return
    telling = [question.ask[page.language] for question in cached_plan.telling_questions(advised)]
    said = page.say("recommend.open_questions", questions=" ".join(telling))
    if not telling:
        said = page.say("recommend.open_minor", count=len(advised.open_questions))
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/help: {prose.plain(said)}")
        link(page, "discover", page.task, label=page.say("recommend.answer_them"), icon=":material/arrow_back:")


def take(page: TaskPage, advised: Advised, look: Look | None) -> None:
    """The button that writes task.yaml; closed, it says what is missing."""
    left = left_to_answer(advised.answers, look.labels if look else ())
    asked = {question.key: question.ask[page.language] for question in load_questions()}
    reason = page.say("recommend.take.closed", question=asked[left[0]]) if left else None
    own = len(advised.otherwise)
    label = page.say("recommend.take.with_changes", count=own) if own else page.say("recommend.take.button")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(label, key=page.key("take"), type="primary", disabled=bool(left), help=reason and prose.plain(reason))
        prose.muted(reason or page.say("recommend.take.what"))
    if pressed:
        with guarded(page.language):
            now = local_now()
            adopt(page.task, draft_for(page.task, advised, look, now), now=now)
            forget_unedited(f"{page.task.name}.confirm.yaml")
            session.leave_message("success", [page.say("recommend.take.taken")])
            go_to(page, "confirm", page.task)


def all_back(page: TaskPage, advised: Advised) -> None:
    for choice, value in advised.ways_back.items():
        write_choice(page, advised, choice, value)


def taken(page: TaskPage, advised: Advised) -> None:
    """There is a task.yaml: where it differs from the advice, and that frozen versions stay."""
    own = advised.otherwise
    names = "、" if page.language == "zh-TW" else ", "
    said = page.say("recommend.taken.same")
    if own:
        listed = names.join(page.say(f"recommend.choice.{choice}") for choice in own)
        said = page.say("recommend.taken.differs", count=len(own), names=listed)
    if advised.frozen:
        said += " " + page.say("recommend.taken.frozen", versions=names.join(advised.frozen))
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/description: {prose.plain(said)}")
        if len(own) > 1:
            st.button(page.say("recommend.taken.all_back"), key=page.key("all_back"), icon=":material/undo:", on_click=all_back,
                      args=(page, advised))  # fmt: skip
        link(page, "confirm", page.task, icon=":material/arrow_forward:")


with open_page("recommend") as page:
    look = look_of(page)
    advised = as_on_confirm(page, advise(page.task, look.facts if look else None, cached.machine()))
    prose.title(page.say("recommend.title"))
    headline = advised.plan.headline.say(page.language)
    prose.sentence(page.say("recommend.own_plan", said=headline) if advised.otherwise else headline)
    measured_so_far(page)
    figure_row(page, figures(advised, page.language))
    more_rows(page, advised)
    first_caution(page, advised)
    if advised.otherwise:
        prose.muted(page.say("recommend.basis.chosen"))
    (taken(page, advised) if advised.has_file else take(page, advised, look))
    goal_drift_note(page)
    open_questions(page, advised)
    forecast_box(page, advised)
    choices, beside = st.columns([3, 2], gap="medium")
    with choices:
        plan_cards(page, advised)
    with beside:
        for part in (decision_tree, cautions, changes, alternatives):
            part(page, advised)
