"""The data file of a task: attaching one, how its columns are read, what the check found, and what it answers.

Owns the drawing. Taking the file in is `training/attaching.py`'s, reading it `training/attached_file.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
import streamlit as st

from coach.answer_edits import Held, held
from coach.answers import Answers
from coach.errors import CoachError, WorkspaceError
from coach.interview import load_questions
from coach.text import text
from pages.ui import cached, charts, prose, session
from pages.ui.disagreeing_rows import disagreeing_rows
from pages.ui.frame import show_error
from pages.ui.page import TaskPage
from pages.ui.question_form import shown_answer, shown_finding, take_answer
from training.attached_file import Attachment, Inspection, attached
from training.attaching import Attached, attach_path, attach_upload, correct_columns, findings_of, follow_file
from training.column_choice import beside_columns, chosen_mapping, doubled_column, text_field
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
        _attach(page, lambda: attach_upload(page.task, upload, upload.name, now=_now(), examine=cached.inspection))
    elif asked and path:
        _attach(page, lambda: attach_path(page.task, path, now=_now(), examine=cached.inspection))


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
        _draw_columns(page, attachment, seen)
        _ask_whether_right(page, attachment, seen)
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


def _draw_columns(page: TaskPage, attachment: Attachment, seen: Inspection) -> None:
    """The choice of columns: text, further ones and label; a field each once a task.yaml says which fields there are."""
    prose.strong(page.say("discover.data.columns"))
    if not attachment.is_settled:
        prose.muted(page.say("discover.data.unsettled"))
        if st.button(page.say("discover.data.settle"), key=page.key("settle"), icon=":material/attach_file:"):
            _attach(page, lambda: attach_path(page.task, str(attachment.path), now=_now(), examine=cached.inspection))
        return
    if not attachment.is_sole:
        prose.muted(page.say("discover.data.by_hand"))
        return
    if page.task.has_file:
        fields = [*attachment.placeholders, *(name for name in attachment.outputs if name not in attachment.placeholders)]
        for name in fields:
            _choose(page, f"field.{name}", page.say("discover.data.field_column", field=name), seen, seen.mapping.get(name))
        return
    label = next((seen.mapping[name] for name in seen.outputs if name in seen.mapping), None)
    _choose(page, "text", page.say("discover.data.text_column"), seen, seen.mapping.get(text_field(seen)))
    _choose(page, "label", page.say("discover.data.label_column"), seen, label)
    others = [name for name in seen.columns if name not in (seen.mapping.get(text_field(seen)), label)]
    if others:
        session.put_widget_value(page.key("column.beside"), [name for name in beside_columns(seen) if name in others])
        st.multiselect(page.say("discover.data.beside_columns"), others, key=page.key("column.beside"),
                       placeholder=page.say("discover.data.choose"), on_change=_columns_chosen, args=(page, seen))  # fmt: skip


def _ask_whether_right(page: TaskPage, attachment: Attachment, seen: Inspection) -> None:
    """Beside the choice: that it is an unsure guess, and what is wrong with a label column that gives no rows."""
    labels = page.say("discover.comma").join(attachment.labels or ())
    if attachment.task_type == "classification" and seen.label_column is None:
        st.markdown(f":material/warning: {page.say('discover.data.no_label')}")
    elif attachment.labels and seen.report and seen.report.unknown_labels and not seen.report.rows_valid:
        said = page.say("discover.data.choose_label", column=seen.label_column, labels=labels)
        st.markdown(f":material/warning: {prose.plain(said)}")
    elif seen.is_doubtful and session.recall(page.key("columns.right"), dict) != seen.mapping:
        st.markdown(f":material/help: {page.say('discover.data.is_this_right')}")
        st.button(page.say("discover.data.it_is"), key=page.key("columns.it_is"), icon=":material/check:", type="tertiary",
                  on_click=session.keep, args=(page.key("columns.right"), dict(seen.mapping)))  # fmt: skip


def _choose(page: TaskPage, name: str, label: str, seen: Inspection, now: str | None) -> None:
    """One field's column; what stands in the folder is what the widget shows."""
    key = page.key(f"column.{name}")
    session.put_widget_value(key, now if now in seen.columns else None)
    st.selectbox(prose.plain(label), seen.columns, index=None, key=key,
                 placeholder=page.say("discover.data.choose"), on_change=_columns_chosen, args=(page, seen))  # fmt: skip


def _columns_chosen(page: TaskPage, seen: Inspection) -> None:
    """A callback: the choice goes to the folder, or is refused with a word."""
    try:
        now = attached(page.task)
        said = dict(now.mapping) if now else {}
        if page.task.has_file:
            fields = {*(now.placeholders if now else ()), *(now.outputs if now else ())}
            picked = {name: session.widget_value(page.key(f"column.field.{name}")) for name in fields}
            mapping = {**said, **{name: column for name, column in picked.items() if column}}
        else:
            picked_text, picked_label = (session.widget_value(page.key(f"column.{name}")) for name in ("text", "label"))
            beside = session.widget_value(page.key("column.beside")) or []
            mapping = chosen_mapping(seen, picked_text, beside, picked_label)
        if doubled := doubled_column(mapping):
            session.leave_message("warning", [page.say("discover.data.one_column_twice", column=doubled)])
        elif not correct_columns(page.task, mapping, seen=seen.mapping, now=_now(), examine=cached.inspection):
            session.leave_message("warning", [page.say("discover.data.columns_changed")])
    except CoachError as error:
        session.leave_message("error", error.lines(page.language))


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


def _now() -> datetime:
    return datetime.now().astimezone().replace(microsecond=0)
