"""The frame: the road in the menu, calm pages for what is not there, language and address."""

from __future__ import annotations

import pytest

from coach.stages import STAGES
from coach.text import text
from tests.pages.conftest import LANGUAGES, words

PAGES = [stage.page for stage in STAGES]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_a_task_says_where_to_go(page, language, workspace, open_page):
    at = open_page(page, None, language)
    assert not at.exception
    assert text("ui.frame.choose_task_todo", language) in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_task_deleted_on_disk_is_a_calm_page(page, language, workspace, open_page):
    at = open_page(page, "gone", language)
    assert not at.exception
    assert text("errors.workspace.no_such_task.todo", language, name="gone", root=str(workspace)) in words(at)


@pytest.mark.parametrize("page", PAGES)
def test_a_task_id_that_leads_out_is_shown_as_text_and_opens_nothing(page, workspace, open_page):
    at = open_page(page, "../../etc", "en")
    assert not at.exception
    assert text("ui.frame.bad_name_title", "en") in words(at)
    assert "../../etc" in [shown.value for shown in at.text]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", ["train", "evaluate", "iterate"])
def test_a_stage_that_is_not_open_says_what_is_missing(stage, language, partial_task, open_page):
    page = next(known.page for known in STAGES if known.id == stage)
    at = open_page(page, partial_task, language)
    assert not at.exception
    assert text(f"ui.frame.locked.{stage}", language) in words(at)


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_answers_file_shows_no_traceback(page, partial_task, open_page):
    (partial_task.folder / "answers.yaml").write_text("task: [", encoding="utf-8")
    at = open_page(page, partial_task, "en")
    assert not at.exception


def test_the_language_follows_the_browser_until_the_address_says_otherwise(workspace, monkeypatch, open_page):
    english = open_page(None, None, "en")
    assert text("ui.home.welcome", "en") in words(english)
    chinese = open_page(None, None, "zh-TW")
    assert text("ui.home.welcome", "zh-TW") in words(chinese)
