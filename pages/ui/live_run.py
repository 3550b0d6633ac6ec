"""The one part of a page that polls: where a run stands; and below it what the coach says of it.

Looks once a second while the run lives or waits in line, now and then while it could be started elsewhere, and not at all once it is
finished. The numbers are run_figures.py's, the scores below run_scores.py's, the buttons run_header.py's.
"""

from __future__ import annotations

import time
from contextlib import suppress

import streamlit as st

from coach.errors import WorkspaceError
from coach.history import finished_results
from coach.metric_words import metric_name
from coach.text import has_text, text
from coach.version_folder import Version
from pages.ui import cached, prose
from pages.ui.frame import guarded
from pages.ui.page import TaskPage
from pages.ui.repeat_runs import repeat_runs
from pages.ui.run_figures import three_numbers
from pages.ui.run_header import Run
from pages.ui.run_scores import scores
from training import checkpoints
from training.events import Event
from training.leading_notice import Said, said_of
from training.run_numbers import class_scores, run_numbers, shown_evaluation
from training.run_reader import time_left_s
from training.run_report import failure_lines, notice_sentence
from training.run_status import RunStatus
from training.standing import standing
from training.waiting_line import refusal

LOOK_EVERY_S = 1.0
WAIT_EVERY_S = 5.0  # while nothing runs but could: somebody may start it in another browser
SAID_AT_ONCE, EARLIER_SHOWN = 2, 50  # sentences; more would push the scores out of sight
News = tuple[str, int, int, int, int, bool, str]
ENDED_EARLY = {"early_stopping": "finished_early", "max_steps": "finished_limited"}
IN_REPEATS = ("running", "interrupted", "stopped", "failed")  # states that say another thing once the version's own run is over
WARNING_ICON, COACH_ICON, LINE_ICON = ":material/warning:", ":material/school:", ":material/hourglass_empty:"


def live_run(page: TaskPage, run: Run) -> None:
    """The line that moves with every step, then what changes with every look at the validation rows."""
    status = cached.reader(run.version).read(time.time())
    watch = st.fragment(_watch, run_every=_every_s(run.status))
    watch(page, run, _news(status))
    learns = status.alive and status.repeat is None  # once its repeats run, the version's own run shows the step it kept
    evaluation = shown_evaluation(status.view, alive=learns)
    about_classes = class_scores(run.version, evaluation) if evaluation else None
    found = run_numbers(evaluation, status.view, run.config.success_criteria, about_classes) if evaluation else None
    said = said_of(status.view, evaluation, alive=learns)
    learning = status.alive and bool(status.view.total_steps)
    if found or learning:
        three_numbers(page, run, found)
    rest = _coach(page, run.version, status, said)
    if status.state == "finished":
        with suppress(WorkspaceError):  # damaged: the Evaluate page says so
            repeat_runs(page, finished_results(run.version) or {})
    if found or learning or len(status.view.steps) > 1:
        scores(page, run, status, evaluation, about_classes)
    _folded(page, status, rest, said)


def _watch(page: TaskPage, run: Run, drawn: News) -> None:
    """Where the run stands. What stands below is drawn anew, with the whole page, only once there is news for it.

    With charts and tables drawn each second three viewers took 17.8 % of the training's speed; with this line 5.2 % (bench/pages.json).
    """
    with guarded(page.language):
        now = time.time()
        status = cached.reader(run.version).read(now)
        stopping = status.alive and run.version.stop_path.exists()
        is_other = (status.alive, stopping) != (run.status.alive, run.stopping) or not run.version.folder.is_dir()
        if is_other or _news(status) != drawn:
            st.rerun()
        _where(page, run, status, stopping, now)


def _news(status: RunStatus) -> News:
    """What the page below the line is made of, counted: it changes when one of these does."""
    view = status.view
    begun = bool(view.total_steps) and bool(view.steps)
    repeat = status.repeat.name if status.repeat else ""
    return status.state, view.attempt, len(view.evals), len(view.samples), len(view.notices), begun, repeat


def _every_s(status: RunStatus) -> float | None:
    """Seconds between two looks; a finished run needs none."""
    if status.expected:
        return LOOK_EVERY_S
    return None if status.state == "finished" else WAIT_EVERY_S


# --- where it stands -----------------------------------------------------------------------------------------------------------


def _where(page: TaskPage, run: Run, status: RunStatus, stopping: bool, now: float) -> None:
    """Phase, step of total and time left, over a bar; or the place in line."""
    if status.state == "new":
        return
    if status.state == "queued":
        _place(page, run.version, now)
        return
    view = status.current
    share = min(1.0, view.step / view.total_steps) if view.total_steps else 0.0
    runs, before = (status.repeat.runs, status.repeat.number - 1) if status.repeat else (view.runs, 0)
    share = min(1.0, (before + share) / max(1, runs))
    if status.state == "finished":  # early stopping ends before the last step that was planned
        share = 1.0
    if status.alive and view.phase_event and view.phase_event.get("total"):
        share = min(1.0, view.phase_event.get("done", 0) / view.phase_event["total"])
    st.progress(share, text=prose.plain(_line(page, status, stopping, now)))


def _place(page: TaskPage, version: Version, now: float) -> None:
    found = standing(version, now)
    if found is not None:
        st.markdown(f"{LINE_ICON} {prose.plain(page.say('train.line.queued', standing=found.say(page.language)))}")


def _line(page: TaskPage, status: RunStatus, stopping: bool, now: float) -> str:
    view, place = status.current, _step_of(page, status)
    if not status.alive:
        state = text(f"cli.training.state.{status.state}", page.language)
        return page.say("train.line.ended", state=state, place=place) if place else state
    left = _time_left(page, time_left_s(status.view, now, status.repeat))
    if view.phase == "training":
        where = page.say("train.line.working", place=place, left=left)
        return page.say("train.line.stopping" if stopping else "train.line.working_phase", where=where)
    if stopping:
        return page.say("train.line.stopping_early")
    phase = _phase(page, view.phase_event)
    if status.repeat:
        phase = page.say("train.line.in_repeat", repeat=status.repeat.say(page.language), phase=phase)
    return page.say("train.line.phase_left", phase=phase, left=left) if view.phase == "evaluating" else phase


def _step_of(page: TaskPage, status: RunStatus) -> str | None:
    """Which step of how many, of which repeat where there are several; None before that is known."""
    view = status.view
    if status.repeat:
        return status.repeat.say(page.language)
    if view.total_steps is None:
        return None
    step = {"step": view.step, "total": view.total_steps}
    if view.runs > 1 and status.state != "finished":
        return text("repeats.own", page.language, runs=view.runs, **step)
    return page.say("train.line.step" if status.alive else "train.line.step_after", **step)


def _phase(page: TaskPage, event: Event | None) -> str:
    """What a phase is called; a stage of it where the event names one."""
    key = (
        f"cli.training.stage.{event['stage']}"
        if event and "stage" in event
        else f"cli.training.phase.{(event or {}).get('name')}"
    )
    return text(key, page.language) if has_text(key) else page.say("train.line.beginning")


def _time_left(page: TaskPage, seconds: float | None) -> str:
    if seconds is None:
        return page.say("train.left.unknown")
    minutes, s = divmod(round(seconds), 60)
    if minutes >= 60:
        return page.say("train.left.hours", h=minutes // 60, m=minutes % 60)
    if minutes:
        return page.say("train.left.minutes", m=minutes, s=s)
    return page.say("train.left.seconds", s=s) if s else page.say("train.left.any_moment")


# --- what the coach says -------------------------------------------------------------------------------------------------------


def _coach(page: TaskPage, version: Version, status: RunStatus, said: Said) -> list[str]:
    """The state where it needs a word, then the notice that matters most; returns what is left for the fold."""
    current = [notice for notice in (said.lead, *said.others) if notice is not None]
    sentences = [(_notice(page, notice), notice.get("level") == "warning") for notice in current]
    about_state = _about_state(page, version, status)
    if about_state and (status.state != "running" or status.repeat or not sentences):
        sentences.insert(0, (about_state, status.state in ("stalled", "silent", "interrupted", "failed")))
    if status.state == "failed" and status.view.terminal:
        _failure(page, failure_lines(status.view.terminal, page.language))
    elif not status.expected and (refused := refusal(version, status.view.attempt)):
        prose.sentence(page.say("train.refused", version=version.name))
        _failure(page, refused.lines(page.language))
    for place, (sentence, warns) in enumerate(sentences[:SAID_AT_ONCE]):
        icon = WARNING_ICON if warns else COACH_ICON
        if place == 0:
            st.markdown(f"{icon} **{page.say('train.coach')}** {prose.plain(sentence)}")
        else:
            st.caption(f"{icon} {prose.plain(sentence)}")
    return [sentence for sentence, _ in sentences[SAID_AT_ONCE:]]


def _about_state(page: TaskPage, version: Version, status: RunStatus) -> str | None:
    if status.repeat and status.state in IN_REPEATS:
        place = {"number": status.repeat.number, "runs": status.repeat.runs, "which": status.repeat.which}
        return page.say(f"train.state.{status.state}_repeats", **place)
    kept = checkpoints.latest(version.checkpoints_folder)
    key, step = f"train.state.{status.state}", kept
    if status.state in ("interrupted", "stopped") and kept is None:
        key += "_bare"
    elif status.state == "failed":
        if kept is None:
            return None  # the error has said it all
    elif status.state == "running":
        looked = "_early" if status.view.has_only_begun else "_quiet"
        key += looked if status.view.evals else "" if status.view.total_steps else "_preparing"
    elif status.state == "finished" and status.view.terminal:
        step = status.view.terminal.get("best_step")
        reason = status.view.terminal.get("reason")
        key = "train.state.finished_plain" if step is None else f"train.state.{ENDED_EARLY.get(reason, 'finished')}"
    return page.say(key, version=version.name, step=step)


def _failure(page: TaskPage, lines: list[str]) -> None:
    with st.container(border=True):
        found, *others = lines
        st.markdown(f":material/error: **{prose.plain(found)}**")
        if len(others) == 2:  # one of ours, in its three beats
            others = [page.say("frame.expected", said=others[0]), page.say("frame.todo", said=others[1])]
        for line in others:
            prose.sentence(line)


def _notice(page: TaskPage, notice: Event) -> str:
    """Its sentence, the metric called as the page calls it."""
    data = dict(notice.get("data") or {})
    if "metric" in data:
        data["metric"] = metric_name(str(data["metric"]), page.language)
    return notice_sentence({**notice, "data": data}, page.language)


def _folded(page: TaskPage, status: RunStatus, rest: list[str], said: Said) -> None:
    """What did not find room above, what was said before, and the end of a failure's traceback: there for whoever wants it."""
    earlier = said.earlier
    if rest or earlier:
        with st.expander(page.say("train.earlier", count=len(rest) + len(earlier)), key=page.key("earlier")):
            for sentence in rest:
                prose.sentence(sentence)
            for notice in earlier[:EARLIER_SHOWN]:
                prose.muted(page.say("train.at_step", step=notice.get("step", 0), said=_notice(page, notice)))
    trace = (status.view.terminal or {}).get("traceback") if status.state == "failed" else None
    if trace:
        with st.expander(page.say("train.technical"), key=page.key("technical")):
            st.code(str(trace), language=None)
