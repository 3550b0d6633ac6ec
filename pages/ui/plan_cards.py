"""The plan's choices as cards: what, because, source; beside what was chosen otherwise, what the coach thinks of it and the way back."""

from __future__ import annotations

import streamlit as st

from coach.advised import Advised
from coach.choices import Choice
from coach.opinions import Level
from coach.plan import Advice
from coach.plan_cards import Card, cards, chosen_sentence, value_sentence
from coach.reference_data import sources
from coach.text import text
from pages.ui import prose
from pages.ui.choice_controls import control, way_back
from pages.ui.knowledge_link import knowledge_link
from pages.ui.page import TaskPage

LEVEL_ICONS: dict[Level, str] = {
    "fine": ":material/check_circle:",
    "cost": ":material/balance:",
    "risk": ":material/warning:",
    "not_yet": ":material/construction:",
}


def plan_cards(page: TaskPage, advised: Advised) -> None:
    for card in cards(advised):
        with st.container(border=True, key=page.key(f"card.{card.name}")):
            _card(page, advised, card)


def _card(page: TaskPage, advised: Advised, card: Card) -> None:
    with st.container(horizontal=True, vertical_alignment="top"):
        values = [_value(page, advised, choice, named=len(card.choices) > 1) for choice in card.choices]
        head = f":gray[{prose.plain(page.say(f'recommend.card.{card.name}'))}]"
        st.markdown("  \n".join([head, " · ".join(values)]), width="stretch")
        with st.popover(page.say("recommend.change"), icon=":material/tune:"):
            for choice in card.choices:
                control(page, advised, choice)
    for number, advice in enumerate(card.reasons):
        _reason(page, advice, leads=number == 0)
    for choice in card.choices:
        if choice in advised.otherwise:
            _otherwise(page, advised, choice)


def _value(page: TaskPage, advised: Advised, choice: Choice, *, named: bool) -> str:
    said = prose.plain(chosen_sentence(advised, choice).say(page.language))
    speaks_for_itself = choice in ("base_model", "peft", "strategy")
    label = f"{prose.plain(page.say(f'recommend.choice.{choice}'))} " if named and not speaks_for_itself else ""
    own = " :material/edit:" if choice in advised.otherwise else ""
    return f"{label}**{said}**{own}"


def _reason(page: TaskPage, advice: Advice, *, leads: bool) -> None:
    """The reason that decided in plain ink; what else there is to know named by what it is about."""
    because = prose.plain(advice.because.say(page.language))
    source = prose.plain(page.say("recommend.source", source=sources()[advice.source].citation))
    lead = "" if leads else f"**{prose.plain(advice.what.say(page.language))}** · "
    st.markdown(f"{lead}{because}  \n:small[:gray[{source}]{knowledge_link(page, advice.source)}]")


def _otherwise(page: TaskPage, advised: Advised, choice: Choice) -> None:
    found = advised.opinion(choice)
    coachs = value_sentence(choice, advised.advised.value(choice)).say(page.language)
    head = prose.plain(f"{page.say('recommend.own_choice')} · {page.say('recommend.coach_says', value=coachs)}")
    level = prose.plain(text(f"opinion.level.{found.level}", page.language))
    said = prose.plain(found.said.say(page.language))
    source = prose.plain(page.say("recommend.source", source=sources()[found.source].citation)) if found.source else ""
    lines = [
        f":gray[{head}]",
        f"{LEVEL_ICONS[found.level]} **{level}** · {said}",
        *([f":small[:gray[{source}]]"] if source else []),
    ]
    with st.container(key=page.key(f"own.{choice}")):
        st.markdown("  \n".join(lines))
        way_back(page, advised, choice)
