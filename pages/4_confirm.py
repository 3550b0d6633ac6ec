"""Stage 4, confirm: the complete task.yaml, checked as one types, with what it will take; then the start."""

from __future__ import annotations

import time

import streamlit as st

from coach.errors import CoachError
from coach.remarks import task_remarks
from coach.situation import Look
from coach.task_file import task_to_yaml
from coach.version_remarks import version_remarks
from coach.workspace import TASK_FILE, Version
from coach.yaml_document import text_of
from pages.ui import cached, cached_plan, prose, yaml_editor
from pages.ui.confirm_facts import data_section, three_numbers, what_will_happen, where_it_runs
from pages.ui.frame import guarded, open_page, show_error
from pages.ui.goal_drift import goal_drift
from pages.ui.measure_box import measure_box
from pages.ui.page import TaskPage, link
from pages.ui.sheet import in_conflict
from pages.ui.start_box import OpenFile, start_box
from training.before_start import before_start, data_state, rows_by_class
from training.clock import local_now
from training.data_remarks import data_remarks
from training.run_status import RunStatus

EDITOR_HEIGHT_PX, BESIDE_WIDTH_PX = 400, 340


def draw(page: TaskPage) -> None:
    top, below = st.container(), st.container()  # what stands on top may come and go; the editor below keeps its place
    key, task = page.key("yaml"), page.task
    with top:
        prose.title(task.title)
        opened = open_file(page)
        if opened is None:
            return
        sheet = yaml_editor.open_sheet(page, key, opened.text, opened.seen, name=TASK_FILE, is_file=opened.content is not None)
        file, remarks = task_remarks(sheet.text, TASK_FILE, page.language, folder=task.folder, hardware=cached.machine())
        look = look_of(page)
        before = before_start(task, file, look, status_of=status_of, today=local_now().date()) if file else None
        if file and before:
            remarks += version_remarks(task, file, cached.machine(), page.language)
            counts = {} if before.version else rows_by_class(task, look)  # a frozen version keeps the rows it has
            remarks += data_remarks(file, counts, page.language, is_built=before.data == "ready")
        prose.sentence(what_will_happen(page, file, before, remarks, saved=opened.content is not None))
        three_numbers(page, file, before, remarks)
        measure_box(page, file, before, unsaved=sheet.edited or opened.content is None)
        with st.container():
            if in_conflict(sheet, opened.seen):
                yaml_editor.conflict(page, key, sheet, opened.text, opened.seen, name=TASK_FILE)
            elif opened.content is not None:
                goal_drift(page, key, file)
        start_box(page, key, sheet, opened, file, before, remarks)
    beside = below.container(horizontal=True, gap="medium")  # side by side, one below the other where there is little room
    with beside.container():
        yaml_editor.yaml_editor(page, key, sheet, remarks, label=page.say("confirm.yaml"), height=EDITOR_HEIGHT_PX)
    with beside.container(width=BESIDE_WIDTH_PX):
        prose.strong(page.say("confirm.remarks", count=len(remarks)))
        if not remarks:
            st.markdown(f":material/check: {prose.plain(page.say('confirm.no_remarks'))}")
        yaml_editor.remark_list(page, remarks)
        data_section(page, data_state(task, look))
        where_it_runs(page, key, file, sheet)


def look_of(page: TaskPage) -> Look | None:
    """A look at the attached file; one that cannot be used is said, and counts as none."""
    with guarded(page.language):
        return cached.look(page.task)
    return None


def status_of(version: Version) -> RunStatus:
    return cached.reader(version).read(time.time())


def open_file(page: TaskPage) -> OpenFile | None:
    """task.yaml as it is saved, else the draft of the answers; None, with the reason drawn, where there can be no draft yet."""
    content = page.task.file_bytes()
    if content is not None:
        return OpenFile(text_of(content, TASK_FILE), page.task.fingerprint(), content, None)
    try:
        drafted = cached_plan.drafted(page.task)
    except CoachError as error:
        prose.sentence(page.say("confirm.said.no_draft"))
        show_error(error, page.language)
        link(page, "discover", page.task, icon=":material/arrow_back:")
        return None
    return OpenFile(task_to_yaml(drafted.task, page.language), None, None, drafted)


with open_page("confirm") as page:
    draw(page)
