"""The data file of a task: attaching one, what the check found, and what it answers.

Owns the drawing; how the columns are read is `file_columns.py`'s. Taking the file in is `training/attaching.py`'s, reading it
`training/attached_file.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from coach.answer_edits import Held, held
from coach.answers import Answers
from coach.errors import CoachError, WorkspaceError
from coach.interview import load_questions
from coach.text import text
from pages.ui import cached, charts, prose, session
from pages.ui.disagreeing_rows import disagreeing_rows
from pages.ui.file_columns import draw_columns
from pages.ui.frame import show_error
from pages.ui.page import TaskPage
from pages.ui.question_form import shown_answer, shown_finding, take_answer
from training.attached_file import Attachment, Inspection, attached
from training.attaching import Attached, attach_path, attach_upload, findings_of, follow_file
from training.clock import local_now
from training.file_findings import Findings, contradictions

UPLOAD_MB = 300
HALVES = (5, 6)
STATE_ICONS = {"agree": ":material/check:", "open": ":material/radio_button_unchecked:", "differ": ":material/compare_arrows:"}
BULLET = "\u2003• "  # what the report indents


@dataclass(frozen=True)
class SeenFile:
    """The task's file as this run of the page found it; `error` says why it could not be looked at."""

    attachment: Attachment | None = None
    inspection: Inspection | None = None
    findings: Findings = field(default_factory=dict)
    error: CoachError | None = None


def see_file(page: TaskPage) -> SeenFile:
    """The task's file and what it answers; a file or a source that cannot be read is kept as an error, the questions go on."""
    try:
        with suppress(WorkspaceError):  # somebody else is writing: the next run follows
            follow_file(page.task, examine=cached.inspection)
        found = attached(page.task)
        if found is None or not found.is_there:
            return SeenFile(found)
        with st.spinner(page.say("discover.data.looking")):
            inspection = cached.inspection(found)
        return SeenFile(found, inspection, findings_of(page.task, found, inspection))
    except CoachError as error:
        return SeenFile(error=error)


def draw_data_file(page: TaskPage, answers: Answers, seen: SeenFile) -> None:
    """Everything about the file; attaching stands open while there is none, and folded below once there is one."""
    for error in (session.recall(page.key("attach.error"), CoachError), seen.error):
        if error:
            show_error(error, page.language)
    if seen.attachment and seen.inspection:
        _draw_attachment(page, seen.attachment, seen.inspection, answers, seen.findings)
        with st.expander(page.say("discover.data.replace"), icon=":material/upload_file:"):
            _draw_attaching(page)
        return
    if seen.attachment:
        st.markdown(f":material/warning: {prose.plain(page.say('discover.data.gone', path=_said_path(page, seen.attachment)))}")
    with st.container(border=True):
        prose.strong(page.say("discover.data.attach"))
        _draw_attaching(page)


def _draw_attaching(page: TaskPage) -> None:
    prose.muted(page.say("discover.data.attach_why"))
    left, right = st.columns(HALVES, gap="medium")
    turn = session.recall(page.key("attach.turn"), int) or 0  # a new key lets go of the upload, which is held in memory
    upload = left.file_uploader(page.say("discover.data.upload"), key=page.key(f"upload.{turn}"), max_upload_size=UPLOAD_MB)
    with right:
        path = st.text_input(page.say("discover.data.path"), key=page.key("path"), autocomplete="off", persist_state="session")
        say = page.say("discover.data.take_path")
        asked = st.button(say, key=page.key("take_path"), icon=":material/input:", disabled=not path)
    if upload is not None:
        session.keep(page.key("attach.turn"), turn + 1)
        upload.seek(0)
        _attach(page, lambda: attach_upload(page.task, upload, upload.name, now=local_now(), examine=cached.inspection))
    elif asked and path:
        _take_path(page, path)


def _take_path(page: TaskPage, path: str) -> None:
    _attach(page, lambda: attach_path(page.task, path, now=local_now(), examine=cached.inspection))


def _attach(page: TaskPage, attach: Callable[[], Attached]) -> None:
    """Attaches, and draws the page anew: with what the file answered, or with why it could not be taken."""
    session.forget(page.key("attach.error"))
    try:
        with st.spinner(page.say("discover.data.reading")):
            done = attach()
    except CoachError as error:
        session.keep(page.key("attach.error"), error)
        st.rerun()
    keys = page.say("discover.comma").join(text(f"interview.short.{key}", page.language) for key in done.filled)
    said = [page.say("discover.data.attached" if keys else "discover.data.attached_only", name=done.path.name, keys=keys)]
    if done.kept:
        said.append(page.say("discover.data.kept", name=done.kept.name))
    session.leave_message("success", said)
    st.rerun()


def _draw_attachment(page: TaskPage, attachment: Attachment, seen: Inspection, answers: Answers, found: Findings) -> None:
    report = seen.report
    if report is None:
        prose.sentence(page.say("discover.data.no_text"))
    else:
        said = [page.say("discover.data.sentence", name=attachment.path.name, total=report.rows_total, valid=report.rows_valid)]
        if report.chars:
            said.append(page.say("discover.data.lengths", median=report.chars.median, p95=report.chars.p95))
        prose.sentence(page.say("discover.space").join(said))
    left, right = st.columns(HALVES, gap="medium")
    with left, st.container(border=True):
        draw_columns(page, attachment, seen, settle=lambda: _take_path(page, str(attachment.path)))
    with right, st.container(border=True):
        if report and report.class_distribution:
            prose.strong(page.say("discover.data.distribution"))
            _draw_distribution(page, report.class_distribution)
        _draw_answers(page, answers, found)
    if report:
        with st.expander(page.say("discover.data.audit"), expanded=True, icon=":material/fact_check:"):
            prose.sentence("\n".join(line.replace("    ", BULLET, 1) for line in report.lines(page.language)))
            disagreeing_rows(page, report)
    if seen.sample:
        prose.muted(page.say("discover.data.sample", count=len(seen.sample)))
        st.dataframe(pd.DataFrame(seen.sample, columns=list(seen.columns)), hide_index=True, key=page.key("sample"))


def _draw_distribution(page: TaskPage, counts: Mapping[str, int]) -> None:
    chart = charts.class_distribution(counts, language=page.language, dark=page.dark)
    st.vega_lite_chart(chart.data, chart.spec, key=page.key("distribution"), alt=chart.alt)


def _draw_answers(page: TaskPage, answers: Answers, found: Findings) -> None:
    """What the file answers, one a line, and where that is not what people say."""
    prose.strong(page.say("discover.data.answers"))
    differing = contradictions(answers, found)
    for question in (question for question in load_questions() if question.key in found):
        now = held(answers, question.key).value
        state = "agree" if question.key not in differing else "open" if now is None else "differ"
        icon = STATE_ICONS[state]
        name = text(f"interview.short.{question.key}", page.language)
        said = {"found": shown_finding(page, question, found[question.key]), "said": shown_answer(page, question, now)}
        st.markdown(f"{icon} {prose.plain(page.say(f'discover.data.answers_{state}', name=name, **said))}")
        if question.key in differing:
            st.button(page.say("discover.take_from_file"), key=page.key(f"{question.key}.take_here"), icon=":material/input:",
                      on_click=take_answer, args=(page, question, Held(found[question.key].value)))  # fmt: skip


def _said_path(page: TaskPage, attachment: Attachment) -> str:
    folder = page.task.folder
    return str(attachment.path.relative_to(folder)) if attachment.path.is_relative_to(folder) else str(attachment.path)
