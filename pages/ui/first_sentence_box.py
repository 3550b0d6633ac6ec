"""The box for a first sentence: what the coach takes from it, and the way on. Understanding it is `coach`'s."""

from __future__ import annotations

import streamlit as st

from coach.ask_lines import answers_from
from coach.first_sentence import LONGEST_SENTENCE, FirstSentence
from coach.interview import option_name, understand
from coach.metric_words import metric_name
from coach.new_task import LONGEST_NAME, first_answers, free_name, name_fault, name_from_sentence, taken_names, with_classes
from coach.said_wishes import said_wishes
from coach.situation import days_in
from coach.task_schema import Metric
from coach.workspace import create_task
from pages.ui import cached_plan, prose, session
from pages.ui.knowledge_link import cards_for
from pages.ui.page import Page, go_to, link
from pages.ui.pasted_figures import pasted_figures
from training.overview import TaskOverview

SENTENCE, NAME = "home.sentence", "home.sentence.name"
CLOSED_SETS = {  # text → answer
    "type": "task.type",
    "in": "task.language",
    "gpu": "resources.gpu",
    "balance": "resources.class_balance",
}


def first_sentence_box(page: Page, lines: list[TaskOverview]) -> None:
    """`lines`: every task, the one changed last first; trouble and advice are looked at where there is something to look at."""
    sentence = st.text_area(
        page.say("home.sentence.label"), key=SENTENCE, height=80, max_chars=LONGEST_SENTENCE,
        placeholder=page.say("home.sentence.hint"), persist_state="session",
    )  # fmt: skip
    pressed = st.button(page.say("home.sentence.go"), key="home.sentence.go", type="primary", icon=":material/chat:")
    if pressed and not (sentence and sentence.strip()):
        prose.muted(page.say("home.sentence.empty"))
    if sentence and sentence.strip():
        with st.container(border=True, key="home-understood"):
            _understood(page, sentence, lines)


def _understood(page: Page, sentence: str, lines: list[TaskOverview]) -> None:
    said = understand(sentence)
    known = _known(page, said)
    prose.sentence(page.say(f"home.sentence.road.{said.road if known or said.road != 'discover' else 'open'}"))
    if known:
        prose.strong(" · ".join(known))
    classes = _where_it_helps(page, sentence, said, lines) if said.road != "discover" else []
    answers = with_classes(first_answers(sentence, said), classes)
    name, fault = _name(page, sentence, answers.title or "")
    if answers.business.problem:
        prose.muted(page.say("home.sentence.kept"))
    if st.button(page.say("home.sentence.begin"), key="home.sentence.begin", icon=":material/arrow_forward:",
                 disabled=fault is not None, help=fault and prose.plain(fault)):  # fmt: skip
        task = create_task(page.root, name, answers=answers)
        session.forget(SENTENCE, session.key_of_value(NAME, sentence))
        go_to(page, "discover", task)


def _name(page: Page, sentence: str, title: str) -> tuple[str, str | None]:
    """The folder's name, proposed anew for each sentence and changed by hand, and what keeps it from being one."""
    key = session.key_of_value(NAME, sentence)
    if session.widget_value(key) is None:
        session.put_widget_value(key, name_from_sentence(sentence, taken_names(page.root)))
    with st.container(horizontal=True, vertical_alignment="center"):
        line = st.container(width="content")
        with st.popover(page.say("home.sentence.change_name"), icon=":material/edit:"):
            name = st.text_input(page.say("home.new.name"), key=key, max_chars=LONGEST_NAME, help=page.say("home.new.name_help"),
                                 persist_state="session") or ""  # fmt: skip
    with line:
        prose.muted(page.say("home.sentence.named", title=title, name=name))
    taken = taken_names(page.root)
    fault = name_fault(name, taken)
    said = page.say(f"home.new.fault.{fault}", name=name, free=free_name(name, taken)) if fault else None
    if said:
        prose.muted(said)
    return name, said


def _where_it_helps(page: Page, sentence: str, said: FirstSentence, lines: list[TaskOverview]) -> list[str]:
    """The way to an answer: the evaluation of what was trained last and a place for scores from elsewhere, or the latest task's plan;
    and the cards that speak of it. Returns the classes of scores that were pasted."""
    if said.road == "diagnose":
        trained = next((line for line in lines if line.state == "finished"), None)
        if trained is None:
            prose.muted(page.say("home.sentence.no_version"))
        else:
            label = page.say("home.sentence.to_evaluation", title=trained.title, version=trained.version)
            link(page, "evaluate", trained.task, label=label, version=trained.version, icon=":material/troubleshoot:")
        _first_looks(page, said)
        return pasted_figures(page, said.metric, said.score)
    _first_advice(page, said)
    if sound := next((line for line in lines if line.state != "damaged"), None):
        link(
            page, "recommend", sound.task, label=page.say("home.sentence.to_plan", title=sound.title), icon=":material/alt_route:"
        )
    cards_for(page, sentence)
    return []


def _first_looks(page: Page, said: FirstSentence) -> None:
    from coach.first_trouble import first_trouble  # with numpy behind it, which the first page does not wait for

    for looks in first_trouble(said):
        prose.sentence(looks.say(page.language))


def _first_advice(page: Page, said: FirstSentence) -> None:
    """What can be advised from the sentence alone."""
    for line in cached_plan.first_advice(answers_from(said), said.methods).lines(page.language):
        prose.sentence(line)


def _known(page: Page, said: FirstSentence) -> list[str]:
    """What the sentence tells, a few words each."""
    known = said.known
    told = [page.say(f"home.understood.{kind}.{known[key]}") for kind, key in CLOSED_SETS.items() if key in known]
    if domain := known.get("task.domain"):
        told.append(page.say("home.understood.domain", value=option_name("task.domain", str(domain), page.language)))
    if labels := known.get("task.labels"):
        told.append(page.say("home.understood.labels", value=page.say("discover.comma").join(labels)))  # type: ignore[arg-type]
    if (rows := known.get("resources.labelled_rows")) is not None:
        told.append(page.say("home.understood.rows" if rows else "home.understood.no_rows", value=rows))
    if card := known.get("resources.gpu_name"):
        told.append(page.say("home.understood.gpu_name", value=card))
    if memory := known.get("resources.vram_gb"):
        told.append(page.say("home.understood.vram", value=memory))
    metric = known.get("success.primary_metric")
    if metric and said.score is None:
        told.append(page.say("home.understood.metric", value=metric_name(metric, page.language)))
    if threshold := known.get("success.threshold"):
        told.append(page.say("home.understood.threshold", value=threshold))
    if weeks := known.get("business.deadline_weeks"):
        days = days_in(weeks)  # type: ignore[arg-type]
        told.append(
            page.say("home.understood.deadline_days", value=days)
            if days < 7
            else page.say("home.understood.deadline", value=weeks)
        )
    told += [page.say(f"home.understood.{key}") for key in known if key.startswith("needs.")]
    wishes = said_wishes(said.text)
    if wishes.full_tuning:
        told.append(page.say("home.understood.full_tuning"))
    if wishes.model:
        told.append(page.say("home.understood.model", value=wishes.model))
    if said.score is not None:
        told.append(_score(page, said.metric, said.score))
    return told


def _score(page: Page, metric: Metric | None, score: float) -> str:
    if metric is None:
        return page.say("home.sentence.scored_plain", score=score)
    return page.say("home.sentence.scored", metric=metric_name(metric, page.language), score=score)
