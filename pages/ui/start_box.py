"""The buttons of the confirm page: start, save, download, discard. A closed button says why; starting saves first."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from coach.remarks import Remark, stops
from coach.task_schema import TaskFile
from coach.text import text
from coach.workspace import TASK_FILE
from pages.ui import prose, session, yaml_editor
from pages.ui.confirm_facts import next_version_button
from pages.ui.frame import guarded
from pages.ui.page import TaskPage, go_to, link
from pages.ui.sheet import Sheet, in_conflict, saved_as
from training.before_start import HAD_ITS_START, BeforeStart
from training.clock import local_now
from training.first_folder import Drafted
from training.standing import outlook
from training.starter_model import MODEL_ID, is_ready
from training.starting import start_training
from training.task_saving import save_task_text
from training.waiting_line import QUEUE


@dataclass(frozen=True)
class OpenFile:
    """task.yaml as it is saved: its bytes and fingerprint, None where there is none; then `drafted` is what it would be."""

    text: str
    seen: str | None
    content: bytes | None
    drafted: Drafted | None


def start_box(page: TaskPage, key: str, sheet: Sheet, opened: OpenFile, file: TaskFile | None, before: BeforeStart | None,
              remarks: list[Remark]) -> None:  # fmt: skip
    """Draws the row and does what was pressed."""
    reason = _closed(page, sheet, opened, before, remarks)
    unsaved = sheet.edited or opened.content is None
    ahead = None if reason else outlook(page.task.folder.resolve().parent / QUEUE, time.time())
    with st.container(horizontal=True, vertical_alignment="center"):
        started = _start_or_go(page, key, file, before, reason, unsaved=unsaved, waits=ahead is not None)
        saved = False
        if unsaved:
            closed = page.say("confirm.closed.conflict") if in_conflict(sheet, opened.seen) else None
            saved = st.button(page.say("confirm.save"), key=page.key("save"), disabled=bool(closed), help=_help(closed))
        _download(page, sheet, opened)
        if sheet.edited:
            if not in_conflict(sheet, opened.seen):
                yaml_editor.discard_button(page, key, sheet, opened.text, opened.seen)
            st.badge(page.say("editor.edited"), icon=":material/edit:", color="orange")
    _say_before_start(page, file, before, reason, unsaved=unsaved)
    if ahead is not None:
        prose.muted(page.say("confirm.waits", standing=ahead.say(page.language)))
    with guarded(page.language):
        if started or saved:
            save(page, key, sheet, opened)
        if started:
            with st.spinner(page.say("confirm.starting")):
                version = start_training(page.task, local_now)
            go_to(page, "train", page.task, version.name)
        if saved:
            session.leave_message("success", [page.say("confirm.saved")])
            st.rerun()


def _say_before_start(
    page: TaskPage, file: TaskFile | None, before: BeforeStart | None, reason: str | None, *, unsaved: bool
) -> None:
    """Under the buttons: why start is closed, that a frozen version ignores the text, the starter model's licence before its first use."""
    has_run = before is not None and before.closed in HAD_ITS_START
    if reason and (unsaved or not has_run):  # else the coach's sentence has said so
        prose.muted(reason)
    if reason or file is None or before is None:
        return
    if before.version_state == "frozen":
        prose.muted(page.say("confirm.frozen", version=file.version, following=before.following))
    if file and file.training.base_model == MODEL_ID and file.training.method != "baseline" and not is_ready():
        st.info(text("cli.training.licence", page.language), icon=":material/gavel:")


def save(page: TaskPage, key: str, sheet: Sheet, opened: OpenFile) -> None:
    """Saves what the editor holds, where it differs from the file. Raises WorkspaceError where somebody has written in between."""
    if opened.content is not None and not sheet.edited:
        return
    written = save_task_text(page.task, sheet.text, expected=sheet.seen, drafted=opened.drafted, now=local_now())
    yaml_editor.hold_sheet(key, saved_as(sheet, written, page.task.fingerprint()))


def _start_or_go(page: TaskPage, key: str, file: TaskFile | None, before: BeforeStart | None, reason: str | None, *,
                 unsaved: bool, waits: bool) -> bool:  # fmt: skip
    """The start button, or where the version has had its start already, the way to it."""
    closed = before.closed if before and file and not unsaved else None
    if closed in HAD_ITS_START and file and before:
        stage = "evaluate" if closed == "finished" else "train"
        label = page.say(f"confirm.go.{closed}", version=file.version)
        link(page, stage, page.task, label=label, version=file.version, icon=":material/arrow_forward:")
        if closed == "finished":
            next_version_button(page, key, before.following)
            link(page, "iterate", page.task, label=page.say("confirm.go.iterate"), icon=":material/compare_arrows:")
        return False
    begins = "queue" if waits else "start"
    label = page.say(f"confirm.save_and_{begins}" if unsaved else f"confirm.{begins}", version=file.version if file else "")
    return st.button(prose.plain(label.strip()), key=page.key("start"), type="primary", disabled=bool(reason), help=_help(reason),
                     icon=":material/play_arrow:")  # fmt: skip


def _help(reason: str | None) -> str | None:
    return prose.plain(reason) if reason else None


def _closed(page: TaskPage, sheet: Sheet, opened: OpenFile, before: BeforeStart | None, remarks: list[Remark]) -> str | None:
    if in_conflict(sheet, opened.seen):
        return page.say("confirm.closed.conflict")
    faults = stops(remarks)
    if faults or before is None:
        grade = faults[0].grade if faults else "error"
        return page.say(f"confirm.closed.{grade}", count=len(faults))
    if before.closed:
        return page.say(
            f"confirm.closed.{before.closed}", version=before.version.name if before.version else "", following=before.following
        )
    return None


def _download(page: TaskPage, sheet: Sheet, opened: OpenFile) -> None:
    """The saved file byte for byte; before there is one, the draft as the editor shows it."""
    label = "download_draft" if opened.content is None else "download_saved" if sheet.edited else "download"
    content = sheet.text.encode() if opened.content is None else opened.content
    st.download_button(
        page.say(f"confirm.{label}"), content, TASK_FILE, "application/yaml", key=page.key("download"), on_click="ignore"
    )
