"""Stage 2, the goal: said back in plain words, as a card and as YAML, changed either way, confirmed into task_summary.yaml."""

from __future__ import annotations

import streamlit as st

from coach.goal import Goal, confirm_goal, goal_of, goal_remarks, updated_goal
from coach.goal_card import ANSWER_KEYS, Card, card_of
from coach.remarks import Remark, stops
from coach.workspace import SUMMARY_FILE
from pages.ui import prose, session, yaml_editor
from pages.ui.frame import guarded, open_page
from pages.ui.goal_card import goal_card, said_back, three_numbers
from pages.ui.goal_drift import goal_drift_note
from pages.ui.page import TaskPage, link
from pages.ui.sheet import Sheet, in_conflict, rewritten, saved_as

EDITOR_HEIGHT_PX, CARD_WIDTH_PX = 560, 450


def draw(page: TaskPage) -> None:
    top, below = st.container(), st.container()  # what stands on top may come and go; the editor below keeps its place
    goal, key = goal_of(page.task, page.language), page.key("yaml")
    with top:
        prose.title(page.task.title)
        sheet = yaml_editor.open_sheet(page, key, goal.text, goal.seen, name=SUMMARY_FILE, is_file=goal.confirmed)
        remarks, card = goal_remarks(sheet.text, page.task, page.language), card_of(sheet.text)
        if card:
            prose.sentence(said_back(page, card, confirmed=goal.confirmed and not sheet.edited))
            three_numbers(page, card)
        with st.container():
            if in_conflict(sheet, goal.seen):
                yaml_editor.conflict(page, key, sheet, goal.text, goal.seen, name=SUMMARY_FILE)
            elif goal.outdated:
                say_outdated(page, key, sheet, goal)
            elif goal.confirmed and not sheet.edited:
                goal_drift_note(page)
        actions(page, key, sheet, goal, remarks)
    beside = below.container(horizontal=True, gap="medium")  # side by side, one below the other where there is little room
    with beside.container(width=CARD_WIDTH_PX):
        draw_card(page, key, card, goal)
    with beside.container():
        yaml_editor.yaml_editor(page, key, sheet, remarks, label=page.say("goal.yaml"), height=EDITOR_HEIGHT_PX)
        yaml_editor.remark_list(page, remarks)


def draw_card(page: TaskPage, key: str, card: Card | None, goal: Goal) -> None:
    if card is None:
        st.info(page.say("goal.card_closed"), icon=":material/lock:")
        return
    prose.strong(page.say("goal.card"))
    goal_card(page, key, card, goal.assumed)
    if goal.assumed:
        prose.muted(page.say("goal.assumed_note"))


def actions(page: TaskPage, key: str, sheet: Sheet, goal: Goal, remarks: list[Remark]) -> None:
    """Confirm, download, discard; a closed button says why."""
    reason = closed_because(page, sheet, goal, remarks)
    label = "confirm" if not goal.confirmed else "confirm_changes" if sheet.edited else "confirmed_button"
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            page.say(f"goal.{label}"),
            key=page.key("confirm"),
            type="primary",
            disabled=bool(reason),
            help=prose.plain(reason) if reason else None,
        )
        download(page, sheet, goal)
        if sheet.edited:
            if not in_conflict(sheet, goal.seen):
                yaml_editor.discard_button(page, key, sheet, goal.text, goal.seen)
            st.badge(page.say("editor.edited"), icon=":material/edit:", color="orange")
        elif goal.confirmed:
            link(page, "recommend", page.task, icon=":material/arrow_forward:")
    if reason and sheet.edited:
        prose.muted(reason)
    if pressed:
        with guarded(page.language):
            confirm_goal(page.task, sheet.text, expected=sheet.seen or "")
            now = goal_of(page.task, page.language)
            yaml_editor.hold_sheet(key, saved_as(sheet, now.text, now.seen))
            session.leave_message("success", [page.say("goal.done")])
            st.rerun()


def closed_because(page: TaskPage, sheet: Sheet, goal: Goal, remarks: list[Remark]) -> str | None:
    if in_conflict(sheet, goal.seen):
        return page.say("goal.closed.conflict")
    if faults := stops(remarks):
        return page.say("goal.closed.errors", count=len(faults))
    return page.say("goal.closed.nothing") if goal.confirmed and not sheet.edited else None


def download(page: TaskPage, sheet: Sheet, goal: Goal) -> None:
    """The confirmed file byte for byte; before there is one, the draft as it is shown."""
    label = "download_draft" if not goal.confirmed else "download_saved" if sheet.edited else "download"
    content = goal.content if goal.content is not None else sheet.text.encode()
    st.download_button(
        page.say(f"goal.{label}"), content, SUMMARY_FILE, "application/yaml", key=page.key("download"), on_click="ignore"
    )


def say_outdated(page: TaskPage, key: str, sheet: Sheet, goal: Goal) -> None:
    fields = {key: page.say(f"goal.field.{field}") for field, key in ANSWER_KEYS.items()}
    changes = ", ".join(f"{fields.get(key, key)}: {value}" for key, value in goal.outdated.items())
    st.info(prose.plain(page.say("goal.outdated", changes=changes)), icon=":material/info:")
    if not sheet.edited:
        updated = rewritten(sheet, updated_goal(page.task, page.language))
        st.button(page.say("goal.update"), key=page.key("update"), on_click=yaml_editor.hold_sheet, args=(key, updated))


with open_page("goal") as page:
    draw(page)
