"""The home page: welcomes, lists every task whatever state it is in, and begins a new one in three ways."""

from __future__ import annotations

import os
import re
import shutil
import time

import pytest

from coach.answers import Answers
from coach.first_advice import first_advice
from coach.hardware import this_machine
from coach.knowledge import search
from coach.metric_words import metric_name
from coach.stages import STAGES
from coach.text import text
from coach.workspace import create_task, find_task, list_tasks
from tests.pages.conftest import EXAMPLE, LANGUAGES, links, words
from training.event_log import EventLog

VERSION_FILES = ("events.jsonl", "results.json", "config.yaml")
ICON = ":material/edit_note:"
HOSTILE = "<img src=http://127.0.0.1:9/x onerror=alert(1)> ![](http://127.0.0.1:9/y.png) $x^2$ :material/check: =1+1"


def write_sentence(at, sentence: str):
    at.text_area(key="home.sentence").set_value(sentence).run()
    assert not at.exception
    return at


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_visitor_sees_a_sentence_a_box_and_three_samples(language, workspace, open_page):
    at = open_page(None, None, language)
    assert not at.exception
    said = words(at)
    assert text("ui.home.welcome", language) in said and text("ui.home.first_visit", language) in said
    assert {f"home.sample.{name}" for name in ("news-sentiment", "review-sentiment", "news-topics")} <= {
        button.key for button in at.button
    }
    assert text("ui.home.title", language) not in [title.value for title in at.title]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tasks_in_every_state_are_listed_with_a_way_on(language, empty_task, partial_task, finished_task, open_page):
    at = open_page(None, None, language)
    assert not at.exception
    said = words(at)
    for task in (empty_task, partial_task, finished_task):
        assert task.title in said and task.name in said
    assert text("ui.home.state.finished", language) in said and text("ui.home.state.unstarted", language) in said
    assert f"{metric_name('macro_f1', language)} 0.722" in said and text("ui.home.target", language, threshold=0.7) in said
    for stage in ("discover", "evaluate"):
        assert text("ui.frame.go_to_stage", language, stage=text(f"interview.stage.{stage}", language)) in links(at)


@pytest.mark.parametrize(
    "broken", ["answers.yaml", "task.yaml", "versions/v1/events.jsonl", "versions/v1/results.json", "versions/v1/config.yaml"]
)
def test_a_damaged_task_is_shown_as_such_beside_the_others(broken, finished_task, workspace, open_page):
    shutil.copytree(EXAMPLE, workspace / "sound")
    (finished_task.folder / broken).write_bytes(b"{[\x00")
    at = open_page(None, None, "en")
    assert not at.exception
    assert "sound" in words(at) and finished_task.name in words(at)


def test_a_title_with_markdown_in_it_is_escaped_everywhere(workspace, open_page):
    create_task(workspace, "hostile", title=HOSTILE)
    at = open_page(None, None, "en")
    drawn = [str(element.value) for kind in ("markdown", "caption", "title", "subheader") for element in getattr(at, kind)]
    assert [said for said in drawn if "onerror" in said]
    for said in drawn:
        assert not re.search(r"(?<!\\)[<!\[$]|:material/check|http://", said.removeprefix(ICON)), said


def test_a_running_task_is_said_first_and_shows_its_progress(ready_task, open_page, now):
    from filelock import FileLock

    from coach.workspace import freeze_version

    version = freeze_version(ready_task, "v1", now())
    log = EventLog(version.events_path)
    with FileLock(version.lock_path):
        log.append("started", attempt=1, from_step=0)
        log.append("phase", name="training", total_steps=12)
        log.append("step", step=4, total=12, loss=1.0)
        at = open_page(None, None, "en")
    assert not at.exception
    assert text("ui.home.coach.training", "en", title=ready_task.title, version="v1", step=4, total=12) in words(at)
    assert text("ui.home.progress", "en", version="v1", step=4, total=12) in words(at)


def test_many_tasks_come_in_pages_and_can_be_searched(workspace, open_page):
    for number in range(20):
        task = create_task(workspace, f"task-{number}", title=f"第 {number} 個")
        os.utime(task.folder / "answers.yaml", (time.time() - number * 100,) * 2)
    at = open_page(None, None, "zh-TW")
    assert "task-0" in words(at) and "task-19" not in words(at)
    at.text_input(key="home.search").set_value("task-19").run()
    assert "task-19" in words(at) and "task-0\n" not in words(at)
    at.text_input(key="home.search").set_value("nowhere").run()
    assert text("ui.home.nothing_found", "zh-TW") in words(at)


@pytest.mark.parametrize(
    ("title", "name"), [("新聞標題情感", "news-sentiment"), ("My first task", "my-first-task"), ("測試", "task-1")]
)
def test_a_title_in_any_language_proposes_a_name_and_becomes_a_task(title, name, workspace, open_page):
    at = open_page(None, None, "zh-TW")
    at.text_input(key="home.new.title").set_value(title).run()
    assert at.text_input(key="home.new.name").placeholder == name and not at.text_input(key="home.new.name").value
    at.button(key="home.new.create").click().run()
    assert not at.exception
    assert find_task(workspace, name).title == title


def test_a_name_written_by_hand_stays_when_the_title_changes(workspace, open_page):
    at = open_page(None, None, "en")
    at.text_input(key="home.new.title").set_value("One").run()
    at.text_input(key="home.new.name").set_value("my-name").run()
    at.text_input(key="home.new.title").set_value("Another title").run()
    assert at.text_input(key="home.new.name").value == "my-name"


@pytest.mark.parametrize(("name", "fault"), [("Not A Name", "shape"), ("../up", "shape"), ("entity-sentiment", "taken")])
def test_a_name_that_cannot_be_is_refused_with_a_sentence_while_it_is_typed(name, fault, finished_task, workspace, open_page):
    before = list_tasks(workspace)
    at = open_page(None, None, "en")
    at.text_input(key="home.new.title").set_value("A title").run()
    at.text_input(key="home.new.name").set_value(name).run()
    assert not at.exception
    assert text(f"ui.home.new.fault.{fault}", "en", name=name, free="entity-sentiment-2") in words(at)
    assert at.button(key="home.new.create").disabled
    assert list_tasks(workspace) == before


def test_a_name_taken_between_typing_and_pressing_is_refused_and_a_proposal_gives_way_to_the_next(workspace, open_page):
    at = open_page(None, None, "en")
    at.text_input(key="home.new.title").set_value("Mine").run()
    create_task(workspace, "mine", title="Somebody else's")
    at.text_input(key="home.new.name").set_value("mine").run()
    assert text("ui.home.new.fault.taken", "en", name="mine", free="mine-2") in words(at)
    at.text_input(key="home.new.name").set_value("").run()
    at.button(key="home.new.create").click().run()
    assert not at.exception
    assert find_task(workspace, "mine").title == "Somebody else's" and find_task(workspace, "mine-2").title == "Mine"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_sentence_is_understood_and_becomes_a_task_with_those_answers(language, workspace, open_page):
    at = write_sentence(open_page(None, None, language), "想用 500 筆資料做客服意圖分類，沒有 GPU")
    said = words(at)
    for known in ("type.classification", "gpu.none"):
        assert text(f"ui.home.understood.{known}", language) in said
    assert {"zh-TW": "客服領域", "en": "customer support"}[language] in said
    assert text("ui.home.understood.rows", language, value=500) in said
    at.button(key="home.sentence.begin").click().run()
    assert not at.exception
    (task,) = list_tasks(workspace)
    assert task.name == "support-classification"
    assert task.answers().resources.labelled_rows == 500 and task.answers().task.type == "classification"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_sentence_shows_its_labels_and_a_short_name_that_can_be_changed(language, workspace, open_page):
    sentence = "I get about 120 support messages a day and want to route each to billing, shipping or technical"
    at = write_sentence(open_page(None, None, language), sentence)
    labels = text("ui.discover.comma", language).join(["billing", "shipping", "technical"])
    assert text("ui.home.understood.labels", language, value=labels) in words(at)
    assert at.text_input(key="home.sentence.name").value == "support-routing" and "support-routing" in words(at)
    at.text_input(key="home.sentence.name").set_value("Not A Name").run()
    assert at.button(key="home.sentence.begin").disabled
    at.text_input(key="home.sentence.name").set_value("mail").run()
    at.button(key="home.sentence.begin").click().run()
    assert not at.exception
    (task,) = list_tasks(workspace)
    assert task.name == "mail" and task.answers().task.labels == ["billing", "shipping", "technical"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_complaint_about_a_score_leads_to_the_evaluation_of_what_was_trained_last(language, finished_task, open_page):
    at = write_sentence(open_page(None, None, language), "F1 只有 72%，怎麼辦？")
    assert text("ui.home.sentence.road.diagnose", language) in words(at)
    assert text("ui.home.sentence.scored", language, metric=metric_name("macro_f1", language), score=0.72) in words(at)
    assert text("ui.home.sentence.to_evaluation", language, title=finished_task.title, version="v1") in links(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_complaint_where_nothing_was_trained_says_when_there_is_something_to_look_at(language, workspace, open_page):
    at = write_sentence(open_page(None, None, language), "F1 只有 72%，怎麼辦？")
    assert text("ui.home.sentence.no_version", language) in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_between_ways_leads_to_the_plan(language, partial_task, open_page):
    at = write_sentence(open_page(None, None, language), "LoRA 還是 full fine-tuning？")
    assert text("ui.home.sentence.road.advise", language) in words(at)
    assert text("ui.home.sentence.to_plan", language, title=partial_task.title) in links(at)
    advised = first_advice(Answers(), this_machine())
    assert advised.plan.headline.say(language) in words(at) and advised.reason.because.say(language) in words(at)
    assert all(question.ask[language] in words(at) for question in advised.telling)
    assert any(card.title[language] in links(at) for card in search("LoRA"))


@pytest.mark.parametrize("sentence", ["   ", HOSTILE, "x" * 2000, "\u0000\u202e", "🙂"])
def test_a_sentence_of_any_kind_leaves_the_page_standing(sentence, workspace, open_page):
    write_sentence(open_page(None, None, "en"), sentence)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_is_one_click_to_a_whole_task_and_opened_from_then_on(language, workspace, monkeypatch, open_page):
    # the plan looks at the data for seconds, which its own tests do
    monkeypatch.setattr("pages.ui.sample_cards.FIRST_STAGE", "goal")
    at = open_page(None, None, language)
    at.button(key="home.sample.news-topics").click().run(timeout=60)
    assert not at.exception
    (task,) = list_tasks(workspace)
    assert (task.name, task.has_file) == ("news-topics", True)
    assert task.title == text_of_sample(language)
    again = open_page(None, None, language)
    assert text("ui.home.samples.open", language, name="news-topics") in links(again)
    assert again.button(key="home.sample.news-topics").label == text("ui.home.samples.another", language)


def text_of_sample(language: str) -> str:
    return {"zh-TW": "英文新聞主題", "en": "News topics"}[language]


def test_every_domain_language_and_need_a_sentence_can_tell_has_its_words():
    from coach.intents import intents
    from coach.interview import question_of
    from coach.text import has_text

    known = intents()
    assert set(known.domains) <= set(question_of("task.domain").options or {})
    told = [f"in.{name}" for name in known.data_languages]
    told += [f"needs.{name}" for name in known.needs] + [f"type.{name}" for name in known.task_types]
    assert [key for key in told if not has_text(f"ui.home.understood.{key}")] == []
    assert [stage.id for stage in STAGES if not has_text(stage.title_key)] == []


def test_a_workspace_that_cannot_be_read_is_said_calmly(tmp_path, monkeypatch, open_page):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("COACH_WORKSPACE", str(tmp_path / "file"))
    at = open_page(None, None, "en")
    at.text_input(key="home.new.title").set_value("Mine").run()
    at.button(key="home.new.create").click().run()
    assert not at.exception


def test_another_sentence_has_another_name_whatever_was_written_for_the_first(workspace, open_page):
    at = write_sentence(open_page(None, None, "en"), "sort support mails")
    (first,) = [found for found in at.text_input if found.key.startswith("home.sentence.name")]
    first.set_value("my-own-name").run()
    assert "my-own-name" in words(at)
    at = write_sentence(at, "classify news headlines")
    (second,) = [found for found in at.text_input if found.key.startswith("home.sentence.name")]
    assert second.key != first.key and second.value != "my-own-name" and "my-own-name" not in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_scores_from_elsewhere_are_pasted_judged_and_explained_or_refused_in_words(language, workspace, open_page):
    at = write_sentence(open_page(None, None, language), "F1 只有 72%，怎麼辦？")
    at.text_area(key="home.figures").set_value(f",{HOSTILE[:9]},負面\n{HOSTILE[:9]},80,15\n負面,2,18").run()
    said = words(at)
    assert (
        not at.exception and f"{metric_name('macro_f1', language)} 0." in said and text("diagnosis.one_change", language) in said
    )
    assert text("first_words.another_score", language, said=0.72, metric="", value=0.8)[:6] in said, "another score than was said"
    at.text_area(key="home.figures").set_value(HOSTILE).run()
    assert not at.exception and [warning.value for warning in at.warning]


def test_the_classes_of_pasted_scores_come_along_into_the_task(workspace, open_page):
    at = write_sentence(open_page(None), "F1 只有 72%，怎麼辦？")
    at.text_area(key="home.figures").set_value(",帳務,申訴\n帳務,80,15\n申訴,2,18").run()
    at.button(key="home.sentence.begin").click().run()
    assert not at.exception
    (task,) = list_tasks(workspace)
    assert (task.answers().task.type, task.answers().task.labels) == ("classification", ["帳務", "申訴"])
