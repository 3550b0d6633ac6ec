"""The decision path, the other ways and what would change the advice: what stands beside the plan's cards."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from coach.advised import Advised
from coach.decision_path import Node, decision_path
from pages.ui import cached_plan, prose
from pages.ui.page import TaskPage

TAKEN_ICON, PASSED_ICON, NOT_ASKED_ICON = ":material/check_circle:", ":material/arrow_downward:", ":material/more_horiz:"
ABOUT_THE_FIGURES = ("warnings.rows_alike", "warnings.rows_alike_scored")


def decision_tree(page: TaskPage, advised: Advised) -> None:
    """Each group as one list: passed questions, the one taken, and what was not reached."""
    with st.container(border=True, key=page.key("path")):
        prose.strong(page.say("recommend.path.title"))
        for group, nodes in groupby(decision_path(advised.situation, advised.plan), key=lambda node: node.group):
            title = prose.plain(page.say(f"recommend.path.{group}", rows=_rows(page, advised)))
            st.markdown(f":gray[{title}]  \n" + "  \n".join(_lines(page, list(nodes))))
        prose.muted(page.say("recommend.path.legend"))


def _rows(page: TaskPage, advised: Advised) -> str:
    rows = advised.situation.learnable_rows
    return page.say("recommend.path.rows_unknown") if rows is None else page.say("recommend.path.rows", rows=rows)


def _lines(page: TaskPage, nodes: list[Node]) -> list[str]:
    """Bold with a tick where the path went; struck out where it did not, so that it is seen without colour."""
    lines = []
    for node in nodes:
        question, outcome = (prose.plain(said.say(page.language)) for said in (node.question, node.outcome))
        if node.taken:
            lines.append(f"{TAKEN_ICON} **{question} {page.say('recommend.path.answered_yes')} → {outcome}**")
            if node.common:
                common = prose.plain(page.say("recommend.path.common", said=node.common.say(page.language)))
                lines.append(f":small[:gray[{common}]]")
        elif node.answer == "no":
            lines.append(f"{PASSED_ICON} {question} {page.say('recommend.path.answered_no')} :gray[~~{outcome}~~]")
        elif node.group == "method":
            lines.append(f"{NOT_ASKED_ICON} :gray[~~{question} {outcome}~~]")
    return lines + _models_not_reached(nodes, page)


def _models_not_reached(nodes: list[Node], page: TaskPage) -> list[str]:
    """The other models, each once: which needs lead to them is not worth a line each."""
    left = [node.outcome.say(page.language) for node in nodes if node.answer == "not_asked" and node.group == "base_model"]
    struck = " · ".join(f"~~{prose.plain(said)}~~" for said in dict.fromkeys(left))
    return [f"{NOT_ASKED_ICON} :gray[{struck}]"] if struck else []


def first_caution(page: TaskPage, advised: Advised) -> None:
    """What puts the figures of the plan into another light stands with them rather than beside the plan."""
    for said in advised.plan.warnings:
        if said.key in ABOUT_THE_FIGURES:
            st.info(prose.plain(said.say(page.language)), icon=":material/content_copy:")


def cautions(page: TaskPage, advised: Advised) -> None:
    warnings = [said for said in advised.plan.warnings if said.key not in ABOUT_THE_FIGURES]
    if not warnings:
        return
    with st.container(border=True, key=page.key("cautions")):
        prose.strong(page.say("recommend.cautions"))
        st.markdown("\n".join(f"- {prose.plain(said.say(page.language))}" for said in warnings))


def alternatives(page: TaskPage, advised: Advised) -> None:
    with st.container(border=True, key=page.key("alternatives")):
        prose.strong(page.say("recommend.alternatives.title"))
        for other in advised.plan.alternatives:
            said = other.as_json(page.language)
            rest = [prose.plain(page.say(f"recommend.alternatives.{part}", said=said[part])) for part in ("cost", "gain", "when")]
            st.markdown(f"**{prose.plain(said['option'])}**  \n:small[" + "  \n".join(rest) + "]")


def changes(page: TaskPage, advised: Advised) -> None:
    """The nearest answers that lead to another plan."""
    found = cached_plan.changes(advised)
    with st.container(border=True, key=page.key("changes")):
        prose.strong(page.say("recommend.changes.title"))
        if not found:
            prose.sentence(page.say("recommend.changes.none"))
            return
        lines = [
            page.say("recommend.changes.line", change=one.change.say(page.language), becomes=one.becomes.say(page.language))
            for one in found
        ]
        st.markdown("\n".join(f"- {prose.plain(line)}" for line in lines))
