"""The YAML editor in a real browser: checked as one types, the cursor and undo stay, two people's texts are both kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from coach.text import text
from coach.workspace import Task
from tests.browser.conftest import ROOT, settle

EXAMPLE = ROOT / "tests" / "data" / "example-task"
WRITTEN = "# 我們的第一個任務\n" + (EXAMPLE / "task.yaml").read_text(encoding="utf-8").replace(
    "version: v1", "version: v2  # 下一版"
)


@pytest.fixture
def task(server, request) -> Task:
    """A task of the test's own, with a finished v1 and a task.yaml for v2 that has comments."""
    name = "editor-" + str(abs(hash(request.node.name)))[:10]
    shutil.copytree(EXAMPLE, server.workspace / name)
    (server.workspace / name / "task.yaml").write_text(WRITTEN, encoding="utf-8")
    return Task.open(server.workspace / name)


def editor(page: Page):
    return page.get_by_label("task.yaml", exact=True)


def put_cursor(page: Page, behind: str) -> None:
    """Sets the cursor right behind the first place where `behind` stands."""
    put = "(area, said) => { area.focus(); const at = area.value.indexOf(said) + said.length; area.setSelectionRange(at, at); }"
    editor(page).evaluate(put, behind)


def cursor(page: Page) -> int:
    return editor(page).evaluate("area => area.selectionStart")


def says(page: Page, key: str, language: str = "zh-TW", **data) -> None:
    expect(page.get_by_text(text(key, language, **data)).first).to_be_visible()


def test_a_fault_is_marked_at_its_line_while_typing_and_the_cursor_stays(visit, task):
    page = visit.stage("confirm", task.name)
    put_cursor(page, "epochs: 6")
    page.keyboard.type("x", delay=20)
    marked = page.locator(".numbers > div", has=page.locator(".symbol.error"))
    expect(marked).to_have_text("✕" + str(WRITTEN[: WRITTEN.index("epochs: 6")].count("\n") + 1))
    before = cursor(page)
    expect(page.locator(".status")).to_contain_text("training.epochs")
    expect(page.get_by_test_id("stMarkdown").filter(has_text="training.epochs")).to_be_visible()
    expect(page.get_by_role("button", name=text("ui.confirm.save_and_start", version="").strip())).to_be_disabled()
    page.keyboard.press("Backspace")
    expect(page.locator(".symbol.error")).to_have_count(0)
    assert cursor(page) == before - 1
    assert editor(page).evaluate("area => area.getRootNode().activeElement === area"), "the editor has kept the focus"
    assert task.file_path.read_text(encoding="utf-8") == WRITTEN, "typing alone saves nothing"


def test_words_typed_while_the_page_answers_are_kept_and_undo_goes_back(visit, task):
    page = visit.stage("confirm", task.name)
    put_cursor(page, "一般, 不急]")
    page.keyboard.press("Enter")
    for word in ("# one", " two", " three"):
        page.keyboard.type(word, delay=15)
        page.wait_for_timeout(450)  # the pause after which the text is sent; the answer comes while the next word is typed
    assert "      enum: [緊急, 一般, 不急]\n      # one two three\n" in editor(page).input_value(), "Enter keeps the indentation"
    page.keyboard.press("Control+z")
    settled = editor(page).input_value()
    assert "three" not in settled
    page.wait_for_timeout(700)
    assert editor(page).input_value() == settled


def test_chinese_is_composed_without_being_sent_half_way(visit, task):
    page = visit.stage("confirm", task.name)
    put_cursor(page, "# 我們的第一個任務")
    session = page.context.new_cdp_session(page)
    for composed in ("ㄎ", "ㄎㄜ", "客"):
        session.send(
            "Input.imeSetComposition", {"text": composed, "selectionStart": len(composed), "selectionEnd": len(composed)}
        )
        page.wait_for_timeout(500)
    assert not page.get_by_text(text("ui.editor.edited")).is_visible(), "nothing is sent while composing"
    session.send("Input.insertText", {"text": "客服"})
    says(page, "ui.editor.edited")
    assert editor(page).input_value().startswith("# 我們的第一個任務客服\n")


def test_saving_keeps_comments_letter_by_letter_and_the_download_equals_the_file(visit, task):
    page = visit.stage("confirm", task.name)
    put_cursor(page, "epochs: 6")
    page.keyboard.press("Backspace")
    page.keyboard.type("4")
    page.get_by_role("button", name=text("ui.confirm.save"), exact=True).click()
    says(page, "ui.confirm.saved")
    wanted = WRITTEN.replace("epochs: 6", "epochs: 4")
    assert task.file_path.read_text(encoding="utf-8") == wanted
    with page.expect_download() as download:
        page.get_by_role("button", name=text("ui.confirm.download"), exact=True).click()
    assert Path(download.value.path()).read_bytes() == task.file_path.read_bytes()


def test_two_people_saving_keep_both_texts(visit, task):
    first, second = visit.stage("confirm", task.name), visit.stage("confirm", task.name, "en")
    put_cursor(first, "epochs: 6")
    first.keyboard.type("0")
    says(first, "ui.editor.edited")
    put_cursor(second, "epochs: 6")
    second.keyboard.press("Backspace")
    second.keyboard.type("5")
    second.get_by_role("button", name=text("ui.confirm.save", "en"), exact=True).click()
    says(second, "ui.confirm.saved", "en")
    first.get_by_role("button", name=text("ui.confirm.save"), exact=True).click()
    says(first, "ui.editor.conflict.title", name="task.yaml")
    assert "epochs: 60" in editor(first).input_value(), "mine is still in the editor"
    assert "epochs: 5" in task.file_path.read_text(encoding="utf-8"), "theirs is still in the file"
    first.get_by_role("button", name=text("ui.editor.conflict.keep")).click()
    expect(first.get_by_role("button", name=text("ui.confirm.save"), exact=True)).to_be_enabled()
    first.get_by_role("button", name=text("ui.confirm.save"), exact=True).click()
    says(first, "ui.confirm.saved")
    assert "epochs: 60" in task.file_path.read_text(encoding="utf-8")


def test_edits_survive_another_page_and_a_choice_beside_the_editor_is_written_into_it(visit, task):
    page = visit.stage("confirm", task.name)
    put_cursor(page, "# 我們的第一個任務")
    page.keyboard.type(" 改過")
    says(page, "ui.editor.edited")
    page.get_by_role("link", name=text("interview.stage.goal")).first.click()
    expect(page.get_by_label(text("ui.goal.yaml"))).to_be_visible()
    page.get_by_role("link", name=text("interview.stage.confirm")).first.click()
    expect(editor(page)).to_have_value(WRITTEN.replace("任務\n", "任務 改過\n", 1))
    page.get_by_text(text("ui.confirm.where.title")).click()
    page.get_by_text(text("ui.confirm.where.process"), exact=True).click()
    expect(editor(page)).to_have_value(
        WRITTEN.replace("任務\n", "任務 改過\n", 1).replace("isolation: thread", "isolation: process")
    )


def test_the_card_and_the_yaml_of_a_goal_change_each_other(visit, task):
    page = visit.stage("goal", task.name)
    yaml = page.get_by_label(text("ui.goal.yaml"))
    page.get_by_label(text("ui.goal.field.threshold")).fill("0.75")
    page.keyboard.press("Enter")
    expect(yaml).to_have_value(
        (task.folder / "task_summary.yaml").read_text("utf-8").replace("threshold: 0.7", "threshold: 0.75")
    )
    yaml.evaluate(
        "area => { area.focus(); const at = area.value.indexOf('customer-service') + 16; area.setSelectionRange(at, at); }"
    )
    page.keyboard.type("-tw")
    expect(page.get_by_label(text("ui.goal.field.domain"))).to_have_value("customer-service-tw")
    page.get_by_role("button", name=text("ui.goal.confirm_changes")).click()
    says(page, "ui.goal.done")
    assert task.answers().success.threshold == 0.75
    assert task.answers().task.domain == "customer-service-tw"
    assert (task.folder / "task_summary.yaml").read_text("utf-8") == yaml.input_value()


def test_what_a_person_wrote_is_never_html_in_the_editor(visit, task):
    hostile = '<img src="http://127.0.0.1:9/x" onerror="window.hit=1">'
    task.file_path.write_text(WRITTEN.replace("epochs: 6", f"epochs: '{hostile}'"), encoding="utf-8")
    page = visit.stage("confirm", task.name)
    settle(page)
    expect(page.locator(".symbol.error")).to_have_count(1)
    put_cursor(page, "onerror")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".status")).to_contain_text("<img src=")
    assert page.evaluate("window.hit") is None
    assert page.locator("img[src*='127.0.0.1:9']").count() == 0
