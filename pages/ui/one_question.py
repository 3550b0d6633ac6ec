"""The interview one question at a time: the question, and the way to the one before and to the next open one."""

from __future__ import annotations

import streamlit as st

from coach.answers import Answers
from coach.interview import Question, Topic, is_answered
from coach.interview_progress import asked_questions
from coach.text import text
from pages.ui import prose, session
from pages.ui.page import TaskPage
from pages.ui.question_form import draw_question
from training.file_findings import Findings


def draw_one_question(page: TaskPage, topic: Topic, answers: Answers, found: Findings) -> None:
    """The question last turned to, or the first open one of the topic; going on, the needed ones come first."""
    order = sorted(asked_questions(answers), key=lambda question: question.step)
    here = [question for question in order if question.topic == topic]
    kept = session.recall(page.key("question"), str)
    first = next((question for question in here if not is_answered(question.key, answers)), here[0])
    question = next((question for question in here if question.key == kept), first)
    session.keep(page.key("question"), question.key)
    place = order.index(question)
    name = text(f"interview.topic.{topic}", page.language)
    prose.muted(page.say("discover.place", topic=name, number=place + 1))
    draw_question(page, question, answers, found, alone=True)
    ahead = next((other for other in [*order[place + 1 :], *order[:place]] if not is_answered(other.key, answers)), None)
    with st.container(horizontal=True):
        st.button(page.say("discover.back"), key=page.key("back"), icon=":material/arrow_back:", disabled=place == 0,
                  on_click=_turn_to, args=(page, order[place - 1]))  # fmt: skip
        st.button(page.say("discover.next"), key=page.key("next"), icon=":material/arrow_forward:", type="primary",
                  disabled=ahead is None, help=None if ahead else page.say("discover.no_more"),
                  on_click=_turn_to, args=(page, ahead or question))  # fmt: skip


def _turn_to(page: TaskPage, question: Question) -> None:
    """A callback: shows another question, and its topic with it."""
    session.keep(page.key("question"), question.key)
    session.put_widget_value(page.key("topic"), question.topic)
