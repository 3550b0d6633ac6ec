"""What the confirm page says about a task beside its text: the coach's sentence, the three numbers that decide, data, where it runs."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from coach.figures import NOTHING, Figure
from coach.metric_words import metric_name, metric_words
from coach.remarks import Remark, stops
from coach.sentence import Sentence, sentence
from coach.task_schema import Execution, TaskFile
from pages.ui import cached, cached_plan, prose, session
from pages.ui.figure_row import figure_row
from pages.ui.frame import guarded
from pages.ui.page import TaskPage, link
from pages.ui.sheet import Sheet
from pages.ui.yaml_editor import put_values
from training.attached_file import attached
from training.before_start import BeforeStart, DataState
from training.data.build import last_data_version

HOURS_FROM_MIN = 100.0


def what_will_happen(
    page: TaskPage, file: TaskFile | None, before: BeforeStart | None, remarks: list[Remark], *, saved: bool
) -> str:
    """The coach's sentence: what stands in the way, the gravest first, or what will be trained and when it is a success."""
    said = [] if saved else [page.say("confirm.said.draft")]
    faults = stops(remarks)
    errors = [fault for fault in faults if fault.grade == "error"]
    if errors or file is None or before is None:
        said.append(page.say("confirm.said.errors", count=len(errors)))
    elif faults:
        said.append(page.say("confirm.said.blockers", count=len(faults)))
        if before.closed == "no_data":
            said.append(page.say("confirm.said.also_no_data"))
    elif before.closed:
        said.append(page.say(f"confirm.said.{before.closed}", version=file.version, following=before.following))
    else:
        said += _ready(page, file, before)
    return ("" if page.language == "zh-TW" else " ").join(said)


def _ready(page: TaskPage, file: TaskFile, before: BeforeStart) -> list[str]:
    target, training = file.success_criteria, file.training
    method = page.say(f"confirm.method.{training.method}")
    rows = f"{before.rows.train:,}" if before.rows else NOTHING
    goal = "no_target" if target.threshold is None else "target"
    metric = metric_name(target.primary_metric, page.language)
    if training.method == "baseline":
        return [
            page.say("confirm.said.ready_baseline", rows=rows, version=file.version, model=training.base_model),
            page.say(f"confirm.said.{goal}", metric=metric, threshold=target.threshold),
        ]
    return [
        page.say("confirm.said.ready", method=method, rows=rows, version=file.version, model=training.base_model),
        page.say(f"confirm.said.{goal}", metric=metric, threshold=target.threshold),
    ]


def three_numbers(page: TaskPage, file: TaskFile | None, before: BeforeStart | None, remarks: list[Remark]) -> None:
    """Rows, time, and the target, or the number of problems while there are any."""
    faults = len(stops(remarks))
    problems = Figure(sentence("ui.confirm.number.problems"), str(faults), sentence("ui.confirm.number.problems_note"))
    figure_row(page, [_rows(before), _time(page, file), problems if faults or file is None else _target(file)])


def _rows(before: BeforeStart | None) -> Figure:
    label = sentence("ui.confirm.number.rows")
    if before is None or before.rows is None:
        missing = before is not None and before.data == "missing"
        return Figure(label, NOTHING, sentence(f"ui.confirm.number.{'rows_missing' if missing else 'rows_unknown'}"))
    rows = before.rows
    note = "rows_counted" if rows.counted else "rows_expected"
    return Figure(label, f"{rows.train:,}", sentence(f"ui.confirm.number.{note}", valid=rows.valid, test=rows.test))


def _time(page: TaskPage, file: TaskFile | None) -> Figure:
    label = sentence("ui.confirm.number.time")
    found = cached_plan.estimate(page.task, file) if file else None
    if found is None:
        return Figure(label, NOTHING, sentence("ui.confirm.number.time_unknown"))
    note = sentence("ui.confirm.number.no_gpu" if found.minutes_range else "ui.confirm.number.time_needs_data")
    if found.ram_range is not None:
        low, high = found.ram_range
        note = sentence("ui.confirm.number.main_memory", low=low, high=high, ram=cached.machine().ram_gb)
    if found.vram_range:
        note = sentence("ui.confirm.number.memory", low=found.vram_range[0], high=found.vram_range[1])
    return Figure(label, _span(page, found.minutes_range), note)


def _span(page: TaskPage, minutes: tuple[float, float] | None) -> str:
    if minutes is None:
        return NOTHING
    in_hours = minutes[1] >= HOURS_FROM_MIN
    low, high = (value / 60 if in_hours else value for value in minutes)
    shown = {name: f"{value:.1f}" if value < 10 else f"{value:.0f}" for name, value in (("low", low), ("high", high))}
    return page.say("confirm.number.hours" if in_hours else "confirm.number.minutes", **shown)


def _target(file: TaskFile) -> Figure:
    target = file.success_criteria
    label = sentence("ui.confirm.number.target", metric=metric_words(target.primary_metric))
    note: Sentence = sentence("ui.confirm.number.no_baseline")
    if target.baseline and target.baseline.score is not None:
        note = sentence("ui.confirm.number.baseline", name=target.baseline.name, score=target.baseline.score)
    return Figure(label, NOTHING if target.threshold is None else f"{target.threshold:.2f}", note)


def data_section(page: TaskPage, data: DataState) -> None:
    """What the rows are, or what to do where there are none."""
    with st.expander(page.say("confirm.data.title"), icon=":material/table_rows:", expanded=data == "missing"):
        if data == "missing":
            prose.sentence(page.say("confirm.data.missing"))
            link(page, "discover", page.task, icon=":material/attach_file:")
            return
        prose.sentence(page.say(f"confirm.data.{data}"))
        with guarded(page.language):
            if changed := last_data_version(page.task.folder).get("corrections"):
                prose.sentence(page.say("confirm.data.corrected", count=changed))
            attachment = attached(page.task)
            report = cached.inspection(attachment).report if attachment and attachment.is_there else None
            for line in report.lines(page.language) if report else []:
                prose.muted(line)


def where_it_runs(page: TaskPage, key: str, file: TaskFile | None, sheet: Sheet) -> None:
    """In the app's own process or in one of its own; the choice is written into the text."""
    with st.expander(page.say("confirm.where.title"), icon=":material/memory:"):
        prose.muted(page.say("confirm.where.what"))
        options = get_args(Execution.model_fields["isolation"].annotation)
        widget = page.key("isolation")
        session.put_widget_value(widget, file.execution.isolation if file else None)
        st.radio(
            page.say("confirm.where.label"), options, key=widget, disabled=file is None, index=None,
            format_func=lambda name: page.say(f"confirm.where.{name}"),
            captions=[page.say(f"confirm.where.{name}_note") for name in options],
            on_change=lambda: _choose_isolation(page, key, session.widget_value(widget)),
        )  # fmt: skip
        found = cached_plan.estimate(page.task, file) if file else None
        if found:
            prose.muted(page.say("confirm.where.basis", basis=found.basis.say(page.language)))


def next_version_button(page: TaskPage, key: str, following: str) -> None:
    """Writes the next version's name into the text, and takes out what its maker said of the version before; all else stays."""
    label = prose.plain(page.say("confirm.next_version", version=following))
    st.button(label, key=page.key("next_version"), type="primary", on_click=put_values,
              args=(page, key, {("version",): following, ("change",): None}))  # fmt: skip


def _choose_isolation(page: TaskPage, key: str, value: str | None) -> None:
    if value is not None:
        put_values(page, key, {("execution", "isolation"): value})
