"""Words on their way into a task: two people at once, a language switched half way, a reload, and rows that try to be more than text."""

from __future__ import annotations

import csv
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

from coach.answers import Answers
from coach.interview import Question, load_questions
from coach.overrides import read_overrides
from coach.text import LANGUAGES, Language, text
from coach.workspace import Task, create_task
from tests.browser.conftest import ROOT, button, keyed, settle
from tests.browser.test_road import open_change
from tests.browser.test_start import HOSTILE, shown

EXAMPLE = ROOT / "tests" / "data" / "example-task"
PROBLEM, SOLUTION = "business.problem", "business.current_solution"
ACTIVE = ("img[src*='127.0.0.1:9']", "a[href*='127.0.0.1:9']", ".katex")


@pytest.fixture
def asked(server, request) -> Task:
    """A task somebody has begun: its interview is open."""
    answers = Answers.model_validate({"title": "客服意圖", "task": {"type": "classification", "labels": ["退款", "物流"]}})
    return create_task(server.workspace, named("asked", request), answers=answers)


@pytest.fixture
def finished(server, request) -> Task:
    """The example: a finished v1, nothing waiting."""
    folder = server.workspace / named("finished", request)
    shutil.copytree(EXAMPLE, folder)
    return Task.open(folder)


def named(stem: str, request: pytest.FixtureRequest) -> str:
    return f"{stem}-{abs(hash(request.node.name)) % 10**8}"


def box(page: Page, task: Task, key: str) -> Locator:
    return keyed(page, f"{task.name}.discover.{key}").get_by_role("textbox")


def card(page: Page, task: Task, key: str) -> Locator:
    return keyed(page, f"{task.name}.discover.{key}.card")


def answer(page: Page, task: Task, key: str, said: str) -> None:
    """Fills a question in and leaves it."""
    box(page, task, key).fill(said)
    box(page, task, key).press("Tab")


def choose_topic(page: Page, task: Task, topic: str, language: Language) -> None:
    """A reload begins at the first topic where something is needed."""
    keyed(page, f"{task.name}.discover.topic").get_by_role("radio", name=text(f"interview.topic.{topic}", language)).click()
    settle(page)


def question(key: str) -> Question:
    return next(question for question in load_questions() if question.key == key)


def switch(page: Page, language: Language) -> None:
    page.get_by_test_id("stSidebar").get_by_role("radio", name={"zh-TW": "繁中", "en": "EN"}[language]).click()
    page.wait_for_url(f"**lang={language}**")
    settle(page)


# --- two people ----------------------------------------------------------------------------------------------------------------


def test_two_answers_to_one_question_stay_both_until_somebody_chooses(asked, visit):
    mine, theirs = visit.stage("discover", asked.name), visit.stage("discover", asked.name, "en")
    answer(theirs, asked, PROBLEM, "their words")
    expect(card(theirs, asked, PROBLEM)).to_contain_text(text("ui.discover.saved", "en"))
    answer(mine, asked, PROBLEM, "我的話")
    told = text("ui.discover.changed_by_other", theirs="their words", mine="我的話")
    expect(card(mine, asked, PROBLEM)).to_contain_text(told)
    expect(box(mine, asked, PROBLEM)).to_have_value("我的話")
    assert asked.answers().business.problem == "their words"
    button(mine, f"{asked.name}.discover.{PROBLEM}.mine").click()
    expect(card(mine, asked, PROBLEM)).not_to_contain_text(told)
    assert asked.answers().business.problem == "我的話"
    theirs.reload()
    choose_topic(theirs, asked, "business", "en")
    expect(box(theirs, asked, PROBLEM)).to_have_value("我的話")


def test_answers_to_two_questions_at_the_same_time_are_both_saved(asked, visit):
    mine, theirs = visit.stage("discover", asked.name), visit.stage("discover", asked.name, "en")
    box(mine, asked, PROBLEM).fill("信太多")
    box(theirs, asked, SOLUTION).fill("by hand")
    box(mine, asked, PROBLEM).press("Tab")
    box(theirs, asked, SOLUTION).press("Tab")
    for page, key, language in ((mine, PROBLEM, "zh-TW"), (theirs, SOLUTION, "en")):
        expect(card(page, asked, key)).to_contain_text(text("ui.discover.saved", language))
    said = asked.answers().business
    assert (said.problem, said.current_solution) == ("信太多", "by hand")


def test_a_choice_taken_back_stays_back_when_another_is_made(asked, visit):
    page = visit.stage("recommend", asked.name)
    advised = change_the_rate(page, asked, "1e-5")
    assert read_overrides(asked)["learning_rate"] == pytest.approx(1e-5)
    button(page, f"{asked.name}.recommend.back.learning_rate").click()
    expect(keyed(page, f"{asked.name}.recommend.own.learning_rate")).to_have_count(0)
    change_the_epochs(page, asked, 5)
    assert read_overrides(asked) == {"epochs": 5}
    other = visit.stage("recommend", asked.name)
    change_the_rate(other, asked, "2e-5")
    change_the_epochs(page, asked, 6)
    assert read_overrides(asked) == {"epochs": 6, "learning_rate": pytest.approx(2e-5)}, "theirs, which I never saw"
    assert advised != "1e-5"


def change_the_rate(page: Page, task: Task, rate: str) -> str:
    """Returns what stood there."""
    open_change(page, task, "learning_rate")
    box = page.locator(f"[class*='st-key-{task.name}-recommend-learning_rate']").locator("input").first
    before = box.input_value()
    box.click()
    page.get_by_role("option").filter(has_text=rate).first.click()
    expect(keyed(page, f"{task.name}.recommend.own.learning_rate")).to_be_visible()
    page.keyboard.press("Escape")
    return before


def change_the_epochs(page: Page, task: Task, epochs: int) -> None:
    open_change(page, task, "epochs")
    box = page.locator(f"[class*='st-key-{task.name}-recommend-epochs']").locator("input").first
    box.fill(str(epochs))
    box.press("Enter")
    expect(keyed(page, f"{task.name}.recommend.own.epochs")).to_be_visible()
    deadline = time.monotonic() + 30
    while read_overrides(task).get("epochs") != epochs and time.monotonic() < deadline:
        page.wait_for_timeout(50)  # the mark may be there from the change before
    page.keyboard.press("Escape")
    settle(page)


def test_a_goal_confirmed_by_somebody_else_meanwhile_is_shown_beside_ones_own(finished, visit):
    mine, theirs = visit.stage("goal", finished.name), visit.stage("goal", finished.name, "en")
    for page, language, threshold in ((mine, "zh-TW", "0.75"), (theirs, "en", "0.8")):
        page.get_by_label(text("ui.goal.field.threshold", language)).fill(threshold)
        page.keyboard.press("Enter")
        expect(page.get_by_text(text("ui.editor.edited", language))).to_be_visible()
    button(theirs, f"{finished.name}.goal.confirm").click()
    expect(theirs.get_by_text(text("ui.goal.done", "en"))).to_be_visible()
    confirm = button(mine, f"{finished.name}.goal.confirm")
    confirm.click()
    expect(mine.get_by_text(text("ui.editor.conflict.title", name="task_summary.yaml"))).to_be_visible()
    expect(confirm).to_be_disabled()
    expect(mine.get_by_test_id("stCode").first).to_contain_text("threshold: 0.8")
    expect(mine.get_by_label(text("ui.goal.yaml"))).to_have_value(re.compile("threshold: 0.75"))
    assert "threshold: 0.8\n" in (finished.folder / "task_summary.yaml").read_text("utf-8")


def test_a_next_version_drafted_by_somebody_else_meanwhile_is_told(finished, visit):
    mine, theirs = visit.stage("iterate", finished.name), visit.stage("iterate", finished.name, "en")
    for page, said in ((mine, "學習率減半"), (theirs, "more rows")):
        keyed(page, f"{finished.name}.iterate.next.statement").get_by_role("textbox").fill(said)
    button(theirs, f"{finished.name}.iterate.next.create").click()
    theirs.wait_for_url("**/confirm?**")
    button(mine, f"{finished.name}.iterate.next.create").click()
    told = text("errors.workspace.changed_meanwhile.found", path=str(finished.file_path))
    expect(mine.get_by_test_id("stMain")).to_contain_text(told)
    written = yaml.safe_load(finished.file_path.read_text("utf-8"))
    assert written["change"]["statement"] == "more rows"
    expect(keyed(mine, f"{finished.name}.iterate.next.statement").get_by_role("textbox")).to_have_value("學習率減半")


def test_two_who_make_a_task_of_one_name_get_one_task_and_a_word(server, visit):
    people = {language: visit("", language) for language in LANGUAGES}
    for language, page in people.items():
        page.get_by_text(text("ui.home.new.heading", language)).click()
        page.get_by_label(text("ui.home.new.label", language)).fill(f"Same name {language}")
        page.get_by_label(text("ui.home.new.name", language), exact=True).fill("same-name")
        expect(button(page, "home.new.create")).to_be_enabled()
    first, second = people.values()
    for page in (first, second):
        button(page, "home.new.create").evaluate("button => button.click()")  # both within a few milliseconds
    first.wait_for_url("**/discover?**task=same-name**")
    refused = text("errors.workspace.task_exists.found", "en", name="same-name", root=str(server.workspace))
    closed = text("ui.home.new.fault.taken", "en", name="same-name", free="same-name-2")
    expect(second.get_by_text(refused).or_(second.get_by_text(closed)).first).to_be_visible()
    expect(second.get_by_label(text("ui.home.new.label", "en"))).to_have_value("Same name en")
    assert Task.open(server.workspace / "same-name").title == "Same name zh-TW"


# --- half way ------------------------------------------------------------------------------------------------------------------


def test_switching_the_language_in_the_middle_of_an_answer_keeps_the_words(asked, visit):
    page = visit.stage("discover", asked.name)
    box(page, asked, PROBLEM).press_sequentially("信太多，回不", delay=5)
    switch(page, "en")
    expect(card(page, asked, PROBLEM)).to_contain_text(question(PROBLEM).ask["en"])
    expect(box(page, asked, PROBLEM)).to_have_value("信太多，回不")
    box(page, asked, PROBLEM).press("End")
    box(page, asked, PROBLEM).press_sequentially("完", delay=5)
    switch(page, "zh-TW")
    expect(box(page, asked, PROBLEM)).to_have_value("信太多，回不完")
    expect(card(page, asked, PROBLEM)).to_contain_text(text("ui.discover.saved"))
    assert asked.answers().business.problem == "信太多，回不完"


def test_switching_the_language_in_the_middle_of_a_form_keeps_what_was_not_sent(finished, visit):
    page = visit.stage("iterate", finished.name)
    statement = keyed(page, f"{finished.name}.iterate.next.statement").get_by_role("textbox")
    rank = page.get_by_label(text("ui.iterate.next.lora_r"), exact=True)
    statement.fill("rank 加倍")
    rank.fill("48")
    switch(page, "en")
    expect(page.get_by_text(text("ui.iterate.next.statement", "en"))).to_be_visible()
    expect(statement).to_have_value("rank 加倍")
    expect(page.get_by_label(text("ui.iterate.next.lora_r", "en"), exact=True)).to_have_value("48")
    button(page, f"{finished.name}.iterate.next.create").click()
    page.wait_for_url("**/confirm?**")
    assert (finished.file.change.statement, finished.file.training.lora.r) == ("rank 加倍", 48)


def test_a_reload_in_the_middle_of_the_interview_shows_every_answer_given(asked, visit):
    page = visit.stage("discover", asked.name)
    answer(page, asked, PROBLEM, "信太多")
    keyed(page, f"{asked.name}.discover.business.priority").get_by_role("radio").nth(1).click(force=True)
    button(page, f"{asked.name}.discover.{SOLUTION}.not_sure").click()
    expect(card(page, asked, SOLUTION)).to_contain_text(text("ui.discover.left_aside"))
    page.reload()
    choose_topic(page, asked, "business", "zh-TW")
    expect(box(page, asked, PROBLEM)).to_have_value("信太多")
    expect(keyed(page, f"{asked.name}.discover.business.priority").get_by_role("radio").nth(1)).to_be_checked()
    expect(card(page, asked, SOLUTION)).to_contain_text(text("ui.discover.left_aside"))


# --- rows that try to be more than text ----------------------------------------------------------------------------------------


def test_a_file_whose_cells_and_columns_are_markup_is_shown_as_text(asked, visit, tmp_path):
    labels = [f"{name} {HOSTILE}" for name in ("甲", "乙")]
    rows = [(f"=1+1 {HOSTILE} 第{number}句話", labels[number % 2], HOSTILE) for number in range(40)]
    path = tmp_path / "![n](http:--127.0.0.1:9-z.png).csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("text", "label", HOSTILE), *rows])
    page = visit.stage("discover", asked.name, "en")
    keyed(page, f"{asked.name}.discover.topic").get_by_role("radio", name=text("ui.discover.file", "en")).click()
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(path)
    audit = page.get_by_test_id("stExpander").filter(has_text=text("ui.discover.data.audit", "en"))
    expect(audit).to_be_visible()
    settle(page)
    for label in labels:
        assert label in shown(audit)
    nothing_acts(page, visit)
    choose_topic(page, asked, "task", "en")
    nothing_acts(page, visit)


def test_rows_that_are_markup_stay_text_among_the_errors_the_predictions_and_in_the_download(finished, visit):
    texts = [*make_hostile(finished)]
    page = visit.stage("evaluate", finished.name, "en")
    cell = page.get_by_label(text("ui.charts.cell", "en", actual="緊急", predicted="一般", count=1), exact=True)
    cell.click()
    table = page.locator(f"[class*='st-key-{finished.name}-evaluate-v1-urgency-rows-']")
    expect(table.locator("[role=gridcell]").get_by_text("=1+1").first).to_be_attached()
    table.locator(".dvn-scroller").click(position={"x": 15, "y": 55})
    whole = page.get_by_test_id("stCode").filter(has_text="=1+1")
    expect(whole).to_be_visible()
    assert whole.inner_text().strip() in texts
    nothing_acts(page, visit)
    with page.expect_download() as download:
        button(page, f"{finished.name}.evaluate.v1.urgency.download").click()
    (row,) = csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines())
    assert any(value.startswith("'=1+1") for value in row.values()), "a spreadsheet must not reckon with it"
    visit.go(page, "train", {"task": finished.name, "lang": "en"})
    keyed(page, f"{finished.name}.train.samples").locator("summary").click()
    samples = keyed(page, f"{finished.name}.train.samples").get_by_test_id("stDataFrame")
    expect(samples.locator("[role=gridcell]").get_by_text("=1+1").first).to_be_attached()
    nothing_acts(page, visit)


def make_hostile(task: Task) -> Iterator[str]:
    """Puts a formula and markup before the text of every frozen row; the new texts."""
    for path in (task.folder / "versions" / "v1" / "data").glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for row in rows:
            row["input"]["text"] = f"=1+1 {HOSTILE} {row['input']['text']}"
            yield row["input"]["text"]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def nothing_acts(page: Page, visit) -> None:
    """No image, link or formula came of the data, and nobody was asked for one."""
    for active in ACTIVE:
        expect(page.locator(active)).to_have_count(0)
    assert visit.heard.elsewhere(visit.server) == []
