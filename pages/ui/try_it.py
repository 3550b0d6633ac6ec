"""A box to ask the trained version, the base model beside it.

Owns the question and its answer on the page; asking is `training.asking`'s, and heavy libraries come with the first question.
"""

from __future__ import annotations

import streamlit as st

from coach.version_folder import Version
from coach.workspace import list_tasks
from pages.ui import cached, prose, session
from pages.ui.answered_table import label_scores, placeholder_name
from pages.ui.frame import guarded
from pages.ui.page import TaskPage
from training.asking import Asked, askable, beside, in_the_way, whole_file_command
from training.evidence import Examined
from training.predicting import Answer

MOST_LETTERS = 20_000


@st.fragment
def try_it(page: TaskPage, version: Version, found: Examined) -> None:
    """The form, or a sentence on why this version cannot be asked; beside it the latest answer, so that none is below the screen."""
    with guarded(page.language):
        state = askable(version)
        if state != "yes":
            prose.sentence(page.say(f"evaluate.try.{state}", version=version.name))
            return
        prose.muted(page.say(f"evaluate.try.about.{beside(found.config)}"))
        left, right = st.columns([2, 3], gap="medium")
        with left:
            values, pressed = _form(page, version, found.config.placeholders)
        with right:
            if pressed:
                _ask(page, version, values)
            _last_answer(page, version, found)
        _whole_file(page, version, found.config.placeholders)


def _whole_file(page: TaskPage, version: Version, names: list[str]) -> None:
    """How to have a whole file answered, until there is a page for putting a version to use."""
    columns = (", " if page.language == "en" else "、").join(names)
    prose.muted(page.say("evaluate.try.whole_file", columns=columns, folder=version.folder))
    st.code(whole_file_command(version), language="bash", wrap_lines=True)


def _form(page: TaskPage, version: Version, names: list[str]) -> tuple[dict[str, str], bool]:
    with st.form(page.key(f"{version.name}.try"), border=False):
        values = {
            name: st.text_area(
                prose.plain(placeholder_name(page, name)),
                key=page.key(f"{version.name}.try.{name}"),
                height=68 if len(names) > 1 else 100,
                max_chars=MOST_LETTERS,
                persist_state="session",
            )
            for name in names
        }
        pressed = st.form_submit_button(page.say("evaluate.try.ask"), key=page.key(f"{version.name}.ask"), icon=":material/chat:")
    return {name: (value or "").strip() for name, value in values.items()}, pressed


def _ask(page: TaskPage, version: Version, values: dict[str, str]) -> None:
    """Puts the answer where it outlives the next run of the page; or says why there is none."""
    answer_key = page.key(f"{version.name}.answer")
    session.forget(answer_key)
    if empty := [name for name, value in values.items() if not value]:
        names = ", ".join(placeholder_name(page, name) for name in empty)
        st.info(prose.plain(page.say("evaluate.try.empty", names=names)), icon=":material/edit:")
        return
    others = (other for task in list_tasks(page.root) for other in task.versions())
    busy = in_the_way(version, others, cached.machine())
    if busy is not None:
        said = page.say("evaluate.try.busy", task=busy.folder.parent.parent.name, version=busy.name)
        st.info(prose.plain(said), icon=":material/hourglass_top:")
        return
    with st.spinner(page.say("evaluate.try.loading")):
        ask = cached.opened(version)
    with st.spinner(page.say("evaluate.try.asking")):
        session.put_widget_value(answer_key, ask(values))


def _last_answer(page: TaskPage, version: Version, found: Examined) -> None:
    asked: Asked | None = session.widget_value(page.key(f"{version.name}.answer"))
    if asked is None:
        return
    if asked.base is not None:
        prose.sentence(_held_together(page, version, asked.trained, asked.base))
    sides = [(page.say("evaluate.try.trained", version=version.name), asked.trained)]
    if asked.base is not None:
        sides.append((page.say("evaluate.try.base", model=found.config.training.base_model), asked.base))
    for place, (cell, (heading, answer)) in enumerate(zip(st.columns(2), sides)):
        with cell, st.container(border=True):
            _answer(page, heading, answer, page.key(f"{version.name}.answer.{place}"))


def _held_together(page: TaskPage, version: Version, trained: Answer, base: Answer) -> str:
    """Whether training changed the answer; of one and the same label, how sure each side is."""
    if trained.output != base.output:
        return page.say("evaluate.try.differs")
    if len(trained.scores) > 1:
        return page.say("evaluate.try.same")
    (scores,), (others,) = trained.scores.values(), base.scores.values()
    label = max(scores, key=lambda name: scores[name])
    numbers = {"trained": scores[label], "base": others[label]}
    return page.say("evaluate.try.same_label", label=label, version=version.name, **numbers)


def _answer(page: TaskPage, heading: str, answer: Answer, key: str) -> None:
    prose.muted(heading)
    for target, scores in answer.scores.items():
        label = max(scores, key=lambda name: scores[name])
        if target is not None and len(answer.scores) > 1:
            prose.muted(target)
        prose.heading(label)
        label_scores(page, scores, f"{key}.{target}")
