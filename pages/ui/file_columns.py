"""How the columns of a task's file are read, and choosing otherwise: text, what stands beside it, label, and which rows stay together.

Owns the drawing. Writing a choice down is `training/attaching.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from coach.errors import CoachError
from pages.ui import cached, prose, session
from pages.ui.page import TaskPage
from training.attached_file import Attachment, Inspection, attached
from training.attaching import correct_columns, keep_together
from training.clock import local_now
from training.column_choice import beside_columns, chosen_mapping, doubled_column, text_field
from training.data.source_fit import TEXT_FIELD, chosen_group


def draw_columns(page: TaskPage, attachment: Attachment, seen: Inspection, *, settle: Callable[[], None]) -> None:
    """The choice of columns, and whether it is right; `settle` takes a file that stands in the answers alone as the task's."""
    _draw_choice(page, attachment, seen, settle)
    _ask_whether_right(page, attachment, seen)


def _draw_choice(page: TaskPage, attachment: Attachment, seen: Inspection, settle: Callable[[], None]) -> None:
    """Text, further columns and label; a field each once a task.yaml says which fields there are; then the one that groups rows."""
    prose.strong(page.say("discover.data.columns"))
    if not attachment.is_settled:
        prose.muted(page.say("discover.data.unsettled"))
        if st.button(page.say("discover.data.settle"), key=page.key("settle"), icon=":material/attach_file:"):
            settle()
        return
    if not attachment.is_sole:
        prose.muted(page.say("discover.data.by_hand"))
        return
    if page.task.has_file:
        fields = [*attachment.placeholders, *(name for name in attachment.outputs if name not in attachment.placeholders)]
        for name in fields:
            _choose(page, f"field.{name}", _field_words(page, attachment, name), seen, seen.mapping.get(name))
    else:
        _choose_text_and_label(page, seen)
    _choose_group(page, attachment, seen)


def _field_words(page: TaskPage, attachment: Attachment, name: str) -> str:
    """The text and a sole label are called as before there was a task.yaml; other fields by their names."""
    if name == TEXT_FIELD:
        return page.say("discover.data.text_column")
    if attachment.outputs == (name,):
        return page.say("discover.data.label_column")
    return page.say("discover.data.field_column", field=name)


def _choose_text_and_label(page: TaskPage, seen: Inspection) -> None:
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


def _choose_group(page: TaskPage, attachment: Attachment, seen: Inspection) -> None:
    """The column whose equal values stay in one part of the data: a template, a customer, an event."""
    now = chosen_group(attachment.group_by, seen.mapping)
    fields = {*seen.mapping, *seen.mapping.values()}  # a column that is called like a field would be taken for the field
    others = [name for name in seen.repeating if name not in fields]
    if now is not None and now not in seen.columns:
        st.markdown(f":material/warning: {prose.plain(page.say('discover.data.group_gone', column=now))}")
    if now is not None and now not in others:
        others.append(now)
    if not others:
        return
    key = page.key("column.group")
    session.put_widget_value(key, now)
    st.selectbox(page.say("discover.data.group_column"), others, index=None, key=key, help=page.say("discover.data.group_why"),
                 placeholder=page.say("discover.data.no_group"), on_change=_group_chosen, args=(page, attachment.group_by))  # fmt: skip


def _group_chosen(page: TaskPage, seen: str | None) -> None:
    """A callback: the choice goes to data_source.yaml, or is refused with a word."""
    try:
        if not keep_together(page.task, session.widget_value(page.key("column.group")), seen=seen, now=local_now()):
            session.leave_message("warning", [page.say("discover.data.columns_changed")])
    except CoachError as error:
        session.leave_message("error", error.lines(page.language))


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
        elif not correct_columns(page.task, mapping, seen=seen.mapping, now=local_now(), examine=cached.inspection):
            session.leave_message("warning", [page.say("discover.data.columns_changed")])
    except CoachError as error:
        session.leave_message("error", error.lines(page.language))
