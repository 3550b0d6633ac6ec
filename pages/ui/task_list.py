"""The list of all tasks on the home page: a line each, newest first, with a link to where it goes on. Reads nothing itself."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from coach.metric_words import metric_name
from coach.stages import STAGES
from coach.text import text
from pages.ui import cached, prose
from pages.ui.frame import guarded
from pages.ui.page import Page, link
from training.overview import OverviewState, TaskOverview

PER_PAGE = 8
REFRESH_S = 5.0
WIDTHS = (2.7, 2, 2, 1.3, 2.4)
ICONS: dict[OverviewState, str] = {
    "unstarted": ":material/edit_note:",
    "new": ":material/radio_button_unchecked:",
    "queued": ":material/hourglass_empty:",
    "running": ":material/play_circle:",
    "stalled": ":material/hourglass_top:",
    "silent": ":material/sensors_off:",
    "interrupted": ":material/link_off:",
    "finished": ":material/check_circle:",
    "stopped": ":material/pause_circle:",
    "failed": ":material/error:",
    "damaged": ":material/report:",
}


def task_list(page: Page) -> None:
    """The coach's sentence on the task changed last, then the lines; they follow a training while one runs or waits."""
    moves = any(line.moves for line in cached.overviews(page.root))
    st.fragment(_lines, run_every=REFRESH_S if moves else None)(page, moves)


def _lines(page: Page, moved: bool) -> None:
    with guarded(page.language):
        lines = cached.overviews(page.root)
        if moved and not any(line.moves for line in lines):
            st.rerun()  # nothing trains any more: the whole page once, and no timer after that
        if lines:
            prose.sentence(_coach(page, lines[0]))
        for line in _chosen(page, lines):
            _line(page, line)


def _chosen(page: Page, lines: list[TaskOverview]) -> list[TaskOverview]:
    """The lines of one page, with a search and page numbers where they do not fit one."""
    if len(lines) <= PER_PAGE:
        return lines
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input(
            page.say("home.search"), key="home.search", type="search", live=True, placeholder=page.say("home.search_hint"),
            icon=":material/search:", width=360, persist_state="session",
        )  # fmt: skip
        prose.muted(page.say("home.pages", n=len(lines)))
    found = [line for line in lines if (wanted or "").strip().lower() in f"{line.title} {line.name}".lower()]
    if not found:
        prose.sentence(page.say("home.nothing_found"))
    pages = max(1, -(-len(found) // PER_PAGE))
    shown = st.pagination(pages, key=f"home.page.{pages}") if pages > 1 else 1
    return found[(shown - 1) * PER_PAGE : shown * PER_PAGE]


def _line(page: Page, line: TaskOverview) -> None:
    with st.container(border=True, key=f"home-task-{line.name}"):
        title, state, score, changed, onward = st.columns(WIDTHS, vertical_alignment="center")
    with title.container(gap=None):
        prose.strong(line.title)
        prose.muted(line.name)
    with state.container(gap=None):
        st.markdown(f"{ICONS[line.state]} {prose.plain(page.say(f'home.state.{line.state}'))}")
        prose.muted(_version(page, line))
    with score.container(gap=None):
        prose.sentence(_score(page, line))
        prose.muted(page.say("home.no_target") if line.threshold is None else page.say("home.target", threshold=line.threshold))
    with changed:
        prose.muted(_changed(page, line.changed_at, time.time()))
    with onward:
        link(page, line.stage, line.task, version=line.version, icon=":material/arrow_forward:")


def _coach(page: Page, line: TaskOverview) -> str:
    if line.state == "damaged":
        return page.say("home.coach.damaged", title=line.title)
    if line.alive and line.step and line.total_steps:
        return page.say("home.coach.training", title=line.title, version=line.version, step=line.step, total=line.total_steps)
    if line.alive:
        return page.say("home.coach.preparing", title=line.title, version=line.version)
    if line.standing:
        return page.say("home.coach.queued", title=line.title, version=line.version, standing=line.standing.say(page.language))
    if line.split == "test" and line.value is not None and line.threshold is not None:
        return page.say("home.coach.scored", title=line.title, version=line.version, metric=metric_name(line.metric, page.language),
                        value=line.value, threshold=line.threshold)  # fmt: skip
    stage = next(stage for stage in STAGES if stage.id == line.stage)
    return page.say("home.coach.other", title=line.title, stage=text(stage.title_key, page.language))


def _version(page: Page, line: TaskOverview) -> str:
    if line.version is None:
        return page.say("frame.no_version")
    if line.alive and line.step and line.total_steps:
        return page.say("home.progress", version=line.version, step=line.step, total=line.total_steps)
    if line.standing:
        return page.say("home.place", version=line.version, standing=line.standing.say(page.language))
    return line.version


def _score(page: Page, line: TaskOverview) -> str:
    if line.value is None or line.split is None:
        return page.say("home.score.none")
    return page.say(f"home.score.{line.split}", metric=metric_name(line.metric, page.language), value=line.value)


def _changed(page: Page, changed_at: float, now: float) -> str:
    """How long ago, by the minute and the hour; from a day on the date where the reader is."""
    minutes = max(0, int(now - changed_at)) // 60
    if minutes < 1:
        return page.say("home.changed.now")
    if minutes < 60:
        return page.say("home.changed.minutes", n=minutes)
    if minutes < 24 * 60:
        return page.say("home.changed.hours", n=minutes // 60)
    try:
        zone = ZoneInfo(st.context.timezone) if st.context.timezone else None
    except (ZoneInfoNotFoundError, ValueError):
        zone = None
    return page.say("home.changed.date", when=datetime.fromtimestamp(changed_at, zone).strftime("%Y-%m-%d %H:%M"))
