"""Stage 6, after training: the score against target and baseline, the rows behind it, doubtful labels, findings, a box to try it."""

import time

import streamlit as st

from coach.figures import figures
from coach.history import Entry
from pages.ui import cached, prose
from pages.ui.figure_row import figure_row
from pages.ui.finding_cards import finding_cards
from pages.ui.frame import open_page
from pages.ui.judgement import judgement
from pages.ui.label_review import label_review
from pages.ui.page import TaskPage, link
from pages.ui.repeat_runs import repeat_runs
from pages.ui.row_browser import row_browser
from pages.ui.system_line import system_line
from pages.ui.try_it import try_it
from pages.ui.version_choice import choose_version
from pages.ui.what_came import what_came
from training.evidence import Examined


def not_finished(page: TaskPage, entry: Entry) -> None:
    prose.sentence(page.say("evaluate.unfinished", version=entry.name))
    link(page, "train", page.task, version=entry.name, icon=":material/arrow_forward:")


def sections(page: TaskPage, entry: Entry, found: Examined) -> None:
    version = page.task.version(entry.name)
    judged, doubt = st.empty(), st.container()
    with judged.container():
        judgement(page, found.diagnosis.verdict.sentences(advise=False), by=page.say("evaluate.coach"))
    figure_row(page, figures(found.diagnosis.verdict, found.results))
    system_line(page, entry)
    repeat_runs(page, found.results)
    what_came(page, version, cached.reader(version).read(time.time()).view)
    row_browser(page, version, found)
    label_review(page, version, found)
    with st.spinner(page.say("evaluate.looking")):
        diagnosis = cached.diagnosed(version, found)
    with judged.container():
        judgement(page, diagnosis.verdict.sentences(), by=page.say("evaluate.coach"))
    if flattered := diagnosis.flattered:
        with doubt:
            prose.sentence(page.say("evaluate.flattered", title=flattered.title.say(page.language), code=flattered.code))
    prose.heading(page.say("evaluate.findings", count=len(diagnosis.findings)))
    finding_cards(page, diagnosis)
    if found.config.training.method == "baseline" and diagnosis.verdict.word != "met":
        prose.sentence(page.say("evaluate.baseline_next", version=version.name, model=found.config.training.base_model))
    link(page, "iterate", page.task, version=version.name, label=page.say("evaluate.to_iterate"), icon=":material/arrow_forward:")
    prose.heading(page.say("evaluate.try.title"))
    try_it(page, version, found)


with open_page("evaluate") as page:
    head, choice = st.columns([4, 1], vertical_alignment="center")
    with choice:
        entry = choose_version(page, cached.history(page.task.versions()))
    with head:
        prose.title(page.say("evaluate.title", version=entry.name))
    examined = cached.examined(page.task.version(entry.name))
    if examined is None:
        not_finished(page, entry)
    elif examined.config.task_type != "classification":
        prose.sentence(page.say("evaluate.try.type_not_built", version=entry.name))
    else:
        sections(page, entry, examined)
