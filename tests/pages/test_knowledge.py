"""The knowledge page: all cards, what a search finds, one card by its address, and the way there from a reason."""

from __future__ import annotations

import pytest

from coach.knowledge import knowledge
from coach.text import LANGUAGES, text
from tests.pages.conftest import words

PAGE = "8_knowledge.py"


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_question_every_card_is_there_and_each_opens(language, workspace, open_page):
    at = open_page(PAGE, None, language)
    said = words(at)
    assert not at.exception and all(card.title[language] in said for card in knowledge())
    at.button(key="open-lora").click().run()
    assert "lora" in at.query_params["card"] and "LoRA Without Regret" in words(at)
    at.button(key="all").click().run()
    assert "card" not in at.query_params and text("ui.knowledge.lead", language) in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_search_shows_what_it_finds_or_says_that_it_found_nothing(language, workspace, open_page):
    at = open_page(PAGE, None, language)
    at.text_input(key="knowledge.asked").set_value("qlora").run()
    assert (
        not at.exception
        and "QLoRA" in words(at)
        and text("ui.knowledge.area.tasks", language) not in [heading.value for heading in at.subheader]
    )
    at.text_input(key="knowledge.asked").set_value("xqzzw").run()
    assert text("ui.knowledge.nothing", language, asked="xqzzw") in words(at)


def test_a_card_that_is_not_there_is_a_calm_page(workspace, open_page):
    at = open_page(PAGE, None, "en", card="<script>")
    assert not at.exception and "There is no card" in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_of_the_plan_leads_to_its_card(language, partial_task, open_page):
    at = open_page("3_recommend.py", partial_task, language)
    links = [markdown.value for markdown in at.markdown if "](knowledge?card=" in markdown.value]
    assert links and all(f"task={partial_task.name}" in link and f"lang={language}" in link for link in links)
