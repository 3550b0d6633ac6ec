"""Stage 1: the interview. What is known and what is needed still, then the questions by topic and the data file."""

import streamlit as st

from coach.answers import Answers
from coach.interview import TOPICS, Question, Topic
from coach.interview_progress import Count, Progress, asked_questions, interview_figures, progress_of, spoken
from coach.text import LANGUAGES, text
from coach.topic_summary import topic_summary
from pages.ui import prose, session
from pages.ui.contradiction_notes import contradiction_notes
from pages.ui.data_file import draw_data_file, see_file
from pages.ui.figure_row import figure_row
from pages.ui.frame import open_page
from pages.ui.one_question import draw_one_question
from pages.ui.page import TaskPage, link
from pages.ui.question_form import TITLE_KEY, draw_question
from training.file_findings import ROWS_KEY, Findings, with_rows_counted

FILE = "file"  # stands beside the topics, before them: it answers several
MANNERS = ("form", "single")


def coach_says(page: TaskPage, answers: Answers, progress: Progress) -> None:
    said = [found.say(page.language) for found in spoken(answers, progress)]
    prose.sentence(page.say("discover.space").join(said))
    if page.task.has_file:
        prose.muted(page.say("discover.confirmed"))
    if not progress.needed:
        link(page, "goal", page.task, icon=":material/arrow_forward:")


def choose_topic(page: TaskPage, answers: Answers, progress: Progress) -> str:
    """The topic shown: the one chosen or in the URL, else the first with something needed; each says how far it is."""
    asked = session.shown_topic()
    first = asked if asked in (FILE, *TOPICS) else progress.needed[0].topic if progress.needed else TOPICS[0]
    session.begin_with({page.key("topic"): first})

    def shown(topic: str) -> str:
        if topic not in progress.topics:
            return f":material/attach_file: {page.say('discover.file')}"
        count = progress.topics[topic]
        if topic == "task":  # the title stands there too
            count = Count(count.answered + (answers.title is not None), count.asked + 1)
        name = text(f"interview.topic.{topic}", page.language)
        if count.is_complete:
            return f":material/check: {prose.plain(name)}"
        said = prose.plain(page.say("discover.topic_count", topic=name, answered=count.answered, asked=count.asked))
        is_needed = any(question.topic == topic for question in progress.needed)
        return f":material/flag: {said}" if is_needed else said

    topic = st.segmented_control(page.say("discover.topic"), [FILE, *TOPICS], format_func=shown, key=page.key("topic"),
                                 required=True, label_visibility="collapsed", persist_state="session")  # fmt: skip
    session.show_topic(topic)
    return topic


def choose_manner(page: TaskPage) -> str:
    session.begin_with({page.key("manner"): MANNERS[0]})
    return st.segmented_control(page.say("discover.manner"), MANNERS, key=page.key("manner"), required=True,
                                format_func=lambda manner: page.say(f"discover.manner_{manner}"),
                                label_visibility="collapsed", persist_state="session")  # fmt: skip


def draw_questions(page: TaskPage, topic: Topic, answers: Answers, found: Findings) -> None:
    """In the manner chosen; then what was heard of the topic, said back."""
    draw = draw_one_question if choose_manner(page) == "single" else draw_form
    draw(page, topic, answers, found)
    if said := topic_summary(answers, topic):
        prose.muted(page.say("discover.space").join(one.say(page.language) for one in said))


def draw_form(page: TaskPage, topic: Topic, answers: Answers, found: Findings) -> None:
    if topic == "resources" and not found:
        st.button(page.say("discover.data.offer"), key=page.key("offer_file"), icon=":material/attach_file:",
                  on_click=session.put_widget_value, args=(page.key("topic"), FILE))  # fmt: skip
    for question in [*([title_question()] if topic == "task" else []), *asked_questions(answers, topic)]:
        draw_question(page, question, answers, found)
    if topic == "task":
        prose.muted(page.say("discover.fixed_name"))
        st.code(page.task.name, language=None)
    place = TOPICS.index(topic) + 1
    if place < len(TOPICS):
        name = prose.plain(page.say("discover.next_topic", topic=text(f"interview.topic.{TOPICS[place]}", page.language)))
        st.button(name, key=page.key("next_topic"), icon=":material/arrow_forward:",
                  on_click=session.put_widget_value, args=(page.key("topic"), TOPICS[place]))  # fmt: skip


def title_question() -> Question:
    """The task's title, which is no question of the interview but is changed in the same way."""
    parts = ("ask", "why", "example")
    said = {part: {language: text(f"ui.discover.title.{part}", language) for language in LANGUAGES} for part in parts}
    return Question.model_validate({"key": TITLE_KEY, "topic": "task", "step": 3, "kind": "text", "default": None, **said})


with open_page("discover") as page:
    seen = see_file(page)
    answers = page.task.answers()
    found = seen.findings
    counted = with_rows_counted(answers, found)
    progress = progress_of(answers)
    prose.title(page.task.title)
    coach_says(page, counted, progress)
    rows, said = found.get(ROWS_KEY), answers.resources.labelled_rows
    said = said if rows and not rows.agrees_with(said) else None
    figure_row(page, interview_figures(counted, progress, is_counted=ROWS_KEY in found, said=said))
    contradiction_notes(page, counted)
    topic = choose_topic(page, answers, progress)
    if topic == FILE:
        draw_data_file(page, answers, seen)
    else:
        draw_questions(page, topic, answers, found)
