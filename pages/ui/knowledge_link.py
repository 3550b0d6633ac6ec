"""The ways to a card: from a reason that it explains, a link within its line; from a question, the cards that answer it best."""

from __future__ import annotations

from urllib.parse import urlencode

from coach.knowledge import card_about, search
from pages.ui import prose, session
from pages.ui.page import KNOWLEDGE, KNOWLEDGE_ICON, Page, TaskPage, page_link

MOST_CARDS = 2


def knowledge_link(page: TaskPage, source: str) -> str:
    """Markdown to stand behind a source; nothing where no card is about it."""
    card = card_about(source)
    if card is None:
        return ""
    query = {"card": card.id, **session.query(page.language, page.task.name, page.version_asked)}
    label = prose.plain(page.say("knowledge.more", title=card.title[page.language]))
    return f"  [{label}](knowledge?{urlencode(query)})"


def cards_for(page: Page, asked: str) -> None:
    """Links to the cards that answer a question best; nothing where none does."""
    for card in search(asked)[:MOST_CARDS] if asked.strip() else []:
        page_link(KNOWLEDGE, card.title[page.language], {"card": card.id, **session.query(page.language)}, icon=KNOWLEDGE_ICON)
