"""What a person sees first: both languages and themes, an address opened before anything else, and text of theirs that stays text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from PIL import Image
from playwright.sync_api import expect

from coach.text import LANGUAGES, text
from coach.workspace import create_task, find_task
from tests.browser.conftest import ROOT, settle

EXAMPLE = ROOT / "tests" / "data" / "example-task"
HOSTILE = "<img src=http://127.0.0.1:9/x onerror=alert(1)> ![](http://127.0.0.1:9/y.png) $x^2$ :material/check: =1+1"


@pytest.fixture(scope="session")
def tickets(server):
    """A finished task, as everybody sees it."""
    shutil.copytree(EXAMPLE, server.workspace / "tickets")
    return "tickets"


@pytest.fixture(scope="session")
def hostile(server):
    """A task whose title, labels and rows try to be more than text."""
    folder = server.workspace / "hostile"
    shutil.copytree(EXAMPLE, folder)
    for path in folder.rglob("*"):
        if path.suffix == ".yaml":
            path.write_text(yaml.safe_dump(turned(yaml.safe_load(path.read_text("utf-8"))), allow_unicode=True), "utf-8")
        elif path.suffix in (".json", ".jsonl"):
            path.write_text(path.read_text("utf-8").replace("緊急", json.dumps(HOSTILE)[1:-1]), "utf-8")
    return "hostile"


def turned(value):
    """A document with the title and one label replaced by the hostile text, wherever they stand."""
    if isinstance(value, dict):
        return {turned(key): HOSTILE if key == "title" else turned(child) for key, child in value.items()}
    if isinstance(value, list):
        return [turned(child) for child in value]
    return value.replace("緊急", HOSTILE) if isinstance(value, str) else value


def shown(locator):
    """What a person reads there, without the joiners that keep Markdown from acting."""
    return locator.inner_text().replace("\u2060", "")


def heading(page):
    return page.get_by_test_id("stMain").get_by_role("heading").first


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_welcomes_in_the_browsers_language(language, another_server, visit):
    page = visit("", language, server=another_server())
    expect(heading(page)).to_have_text(text("ui.home.welcome", language))
    expect(page.get_by_role("button", name=text("ui.home.sentence.go", language))).to_be_visible()
    assert f"lang={language}" in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_of_the_first_page_is_not_blank(scheme, visit, tmp_path):
    page = visit("", "zh-TW", color_scheme=scheme)
    page.screenshot(path=tmp_path / "page.png")
    ground, shades = ground_and_shades(tmp_path / "page.png")
    assert (sum(ground) > 600) == (scheme == "light")
    assert shades > 50  # letters, borders, a button: a blank page has two or three


def test_an_address_opened_before_anything_else_has_the_frame_the_menu_and_the_page(another_server, visit):
    server = another_server()
    shutil.copytree(EXAMPLE, server.workspace / "tickets")
    page = visit("train", "zh-TW", server=server, query={"task": "tickets"})
    for stage in ("discover", "goal", "recommend", "confirm", "train", "evaluate", "iterate"):
        expect(page.get_by_test_id("stSidebar").get_by_role("link", name=text(f"interview.stage.{stage}"))).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("客服來信急迫程度")
    expect(heading(page)).to_be_visible()


def test_a_reload_and_a_second_browser_show_the_same_page(tickets, visit):
    first = visit.stage("evaluate", tickets)
    before = heading(first).inner_text()
    first.reload()
    settle(first)
    expect(heading(first)).to_have_text(before)
    second = visit(first.url.removeprefix(f"{visit.server.url}/"))
    expect(heading(second)).to_have_text(before)
    assert second.url == first.url


@pytest.mark.parametrize("task", ["never-was", "gone"])
def test_a_task_that_is_not_there_or_was_deleted_is_a_calm_page_that_says_where_to_go(task, server, visit):
    folder = create_task(server.workspace, "gone").folder if task == "gone" else None
    page = visit.stage("discover", task if folder is None else "gone", "en")
    if folder:
        shutil.rmtree(folder)
        page.reload()
        settle(page)
    expect(page.get_by_test_id("stMain").get_by_role("link", name=text("ui.frame.home", "en"))).to_be_visible()
    expect(page.get_by_test_id("stMain")).to_contain_text(task)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_switching_the_language_keeps_the_page_and_the_task(tickets, visit):
    page = visit.stage("goal", tickets)
    page.get_by_test_id("stSidebar").get_by_role("radio", name="EN").click()
    page.wait_for_url("**lang=en**")
    settle(page)
    assert "/goal?" in page.url and f"task={tickets}" in page.url
    expect(page.get_by_test_id("stSidebar").get_by_role("link", name=text("interview.stage.evaluate", "en"))).to_be_visible()


@pytest.mark.parametrize("path", ["", "discover", "goal", "recommend", "confirm", "train", "evaluate", "iterate"])
def test_a_title_or_data_never_become_more_than_text(path, hostile, visit):
    page = visit(path, "en", query={"task": hostile} if path else {"lang": "en"})
    assert HOSTILE in shown(page.get_by_test_id("stSidebar" if path else "stMain"))
    for active in ("img[src*='127.0.0.1:9']", ".katex", "a[href*='127.0.0.1:9']"):
        expect(page.locator(active)).to_have_count(0)
    assert visit.heard.elsewhere(visit.server) == []


def test_a_first_sentence_is_understood_and_becomes_a_task(server, visit):
    page = visit("", "en")
    page.get_by_label(text("ui.home.sentence.label", "en")).fill(f"Sort product reviews, 500 rows {HOSTILE}")
    page.get_by_role("button", name=text("ui.home.sentence.go", "en")).click()
    expect(page.get_by_test_id("stMain")).to_contain_text(text("ui.home.understood.rows", "en", value=500))
    page.get_by_role("button", name=text("ui.home.sentence.begin", "en")).click()
    page.wait_for_url("**/discover?**")
    (name,) = parse_qs(urlsplit(page.url).query)["task"]
    made = find_task(server.workspace, name)
    assert len(name.split("-")) <= 3  # the sentence is long, the folder's name stays
    assert made.answers().resources.labelled_rows == 500
    assert HOSTILE in (made.answers().business.problem or "")


def ground_and_shades(path: Path) -> tuple[tuple[int, ...], int]:
    """The commonest colour of a picture, and how many colours there are."""
    colours = Image.open(path).convert("RGB").getcolors(maxcolors=1 << 24) or []
    return max(colours)[1], len(colours)
