"""The knowledge base: a search box and cards; one card by its address, with what its sources say."""

from __future__ import annotations

import streamlit as st

from coach.knowledge import AREAS, MOST_LETTERS, Card, knowledge, search
from pages.ui import prose, session
from pages.ui.frame import open_beside
from pages.ui.page import Page

ASKED, CARDS_IN_A_ROW = "knowledge.asked", 2


def whole(page: Page, card: Card) -> None:
    """A card with its sources, each quoted with where, when and how it was come by."""
    with st.container(border=True, key=f"card-{card.id}"):
        prose.heading(card.title[page.language])
        prose.sentence(card.says[page.language])
        prose.sentence(page.say("knowledge.when", said=card.when[page.language]))
        for source in card.quoted():
            kind = page.say(f"knowledge.kind.{source.kind}")
            said = source.says[page.language]
            quoted = page.say("knowledge.quoted", says=said, citation=source.citation, date=source.date, kind=kind)
            open_it = f" [{prose.plain(page.say('knowledge.open'))}]({source.address})" if source.address else ""
            st.caption(f"{prose.plain(quoted)}{open_it}")
        prose.muted(page.say("knowledge.written", date=card.date))


def short(page: Page, card: Card) -> None:
    """A card's first lines, and the way to all of it."""
    with st.container(border=True, height="stretch", key=f"short-{card.id}"):
        prose.strong(card.title[page.language])
        prose.sentence(card.says[page.language])
        label = prose.plain(page.say("knowledge.more", title=card.title[page.language]))
        st.button(label, key=f"open-{card.id}", type="tertiary", on_click=session.show_card, args=(card.id,))


def in_rows(page: Page, cards: list[Card]) -> None:
    for start in range(0, len(cards), CARDS_IN_A_ROW):
        for cell, card in zip(st.columns(CARDS_IN_A_ROW), cards[start : start + CARDS_IN_A_ROW]):
            with cell:
                short(page, card)


def everything(page: Page) -> None:
    for area in AREAS:
        prose.heading(page.say(f"knowledge.area.{area}"))
        in_rows(page, [card for card in knowledge() if card.area == area])


with open_beside("knowledge.title") as page:
    prose.title(page.say("knowledge.title"))
    named = session.shown_card()
    card = next((known for known in knowledge() if known.id == named), None)
    if card:
        whole(page, card)
        st.button(page.say("knowledge.all"), key="all", icon=":material/arrow_back:", on_click=session.show_card, args=(None,))
    else:
        prose.sentence(page.say("knowledge.gone", name=named) if named else page.say("knowledge.lead"))
        asked = st.text_input(page.say("knowledge.search"), key=ASKED, max_chars=MOST_LETTERS,
                              placeholder=page.say("knowledge.hint"), persist_state="session") or ""  # fmt: skip
        found = search(asked)
        if not asked.strip():
            everything(page)
        elif found:
            prose.muted(page.say("knowledge.found", count=len(found)))
            in_rows(page, found)
        else:
            prose.sentence(page.say("knowledge.nothing", asked=asked))
