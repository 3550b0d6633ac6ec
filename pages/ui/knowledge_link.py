"""The way from a reason to the card that explains it: a link within its line, which opens beside the page at hand."""

from __future__ import annotations

from urllib.parse import urlencode

from coach.knowledge import card_about
from pages.ui import prose, session
from pages.ui.page import TaskPage


def knowledge_link(page: TaskPage, source: str) -> str:
    """Markdown to stand behind a source; nothing where no card is about it."""
    card = card_about(source)
    if card is None:
        return ""
    query = {"card": card.id, **session.query(page.language, page.task.name, page.version_asked)}
    label = prose.plain(page.say("knowledge.more", title=card.title[page.language]))
    return f"  [{label}](knowledge?{urlencode(query)})"
