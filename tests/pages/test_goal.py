"""Stage 2's page: said back, three numbers, the card and the YAML, and what happens when two people work on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coach.answers import Answers
from coach.goal import goal_of
from coach.text import text
from coach.workspace import create_task
from tests.pages.conftest import LANGUAGES, PARTIAL, numbers, words

PAGE = "2_goal.py"


def write(at, task, content: str):
    """What the editor's component does when a person has typed: the sheet of this browser holds it, and the page runs."""
    key = f"{task.name}.goal.yaml"
    at.session_state[key] = replace(at.session_state[key], text=content)
    return at.run()


def held(at, task) -> str:
    return at.session_state[f"{task.name}.goal.yaml"].text


def confirm(at, task):
    return at.button(key=f"{task.name}.goal.confirm")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_task_says_what_is_not_said_yet(empty_task, language, open_page):
    at = open_page(PAGE, empty_task, language)
    assert not at.exception
    assert text("ui.goal.said.no_target", language) in words(at)
    assert text("problems.goal.without_type", language) in words(at)
    assert numbers(at) == ["—", "—", "—"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_confirming_the_draft_of_the_answers_is_shown_with_what_is_assumed(workspace, language, open_page):
    said = {**PARTIAL, "success": {"primary_metric": "macro_f1", "threshold": 0.8}, "assumed": ["success.primary_metric"]}
    task = create_task(workspace, "news", answers=Answers.model_validate(said))
    at = open_page(PAGE, task, language)
    assert not at.exception
    assert "客服信件要分給對的人" in words(at) and "0.80" in words(at)
    marked = at.selectbox(key="news.goal.card.primary_metric").label
    assert text("ui.goal.assumed", language) in marked
    assert text("ui.goal.assumed", language) not in at.number_input(key="news.goal.card.threshold").label
    assert not (task.folder / "task_summary.yaml").exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_confirmed_goal_shows_target_baseline_and_deadline(finished_task, language, open_page):
    at = open_page(PAGE, finished_task, language)
    assert not at.exception
    assert numbers(at) == ["0.70", "0.52", text("ui.goal.number.weeks", language, weeks=3)]
    assert text("ui.goal.said.confirmed", language) in words(at)
    assert confirm(at, finished_task).disabled


def test_a_field_of_the_card_is_written_into_the_yaml_and_confirmed_into_both_files(partial_task, open_page):
    at = open_page(PAGE, partial_task, "en")
    at.number_input(key="partial-task.goal.card.threshold").set_value(0.75).run()
    at.text_area(key="partial-task.goal.card.constraints").set_value("Data: 600 labelled rows\nno cloud").run()
    assert "threshold: 0.75" in held(at, partial_task) and "- no cloud" in held(at, partial_task)
    assert not (partial_task.folder / "task_summary.yaml").exists(), "nothing is confirmed by typing"
    confirm(at, partial_task).click().run()
    assert not at.exception
    assert text("ui.goal.done", "en") in words(at)
    answers = partial_task.answers()
    assert (answers.success.threshold, answers.resources.labelled_rows) == (0.75, 600)
    assert partial_task.summary_bytes().decode() == held(at, partial_task)


def test_what_is_written_as_yaml_shows_in_the_card(partial_task, open_page):
    at = open_page(PAGE, partial_task, "en")
    write(at, partial_task, held(at, partial_task) + "  domain: retail\n  versioning:\n    retention: 7\n")
    assert at.selectbox(key="partial-task.goal.card.domain").value == "retail"
    assert at.number_input(key="partial-task.goal.card.retention").value == 7
    assert any(text("ui.editor.edited", "en") in shown.value for shown in at.markdown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_bad_yaml_is_one_calm_remark_closes_the_card_and_cannot_be_confirmed(partial_task, language, open_page):
    at = open_page(PAGE, partial_task, language)
    write(at, partial_task, "task_summary:\n  goal: [\n")
    assert not at.exception
    assert text("ui.goal.card_closed", language) in words(at)
    assert text("errors.document.syntax_cause.bracket.todo", language) in words(at)
    assert confirm(at, partial_task).disabled
    write(at, partial_task, "task_summary:\n  success_criteria:\n    threshold: 80\n")
    assert text("ui.goal.closed.errors", language, count=1) in words(at)
    assert confirm(at, partial_task).disabled


def test_two_people_on_the_same_goal_are_told_and_nothing_is_lost(partial_task, open_page):
    first, second = open_page(PAGE, partial_task, "en"), open_page(PAGE, partial_task, "en")
    first.number_input(key="partial-task.goal.card.threshold").set_value(0.7).run()
    second.number_input(key="partial-task.goal.card.threshold").set_value(0.9).run()
    confirm(second, partial_task).click().run()
    first.run()
    assert text("ui.editor.conflict.title", "en", name="task_summary.yaml") in words(first)
    assert "threshold: 0.7" in held(first, partial_task), "mine stays in the editor"
    assert any("threshold: 0.9" in shown.value for shown in first.code), "theirs is shown"
    assert confirm(first, partial_task).disabled
    first.button(key="partial-task.goal.yaml.keep").click().run()
    confirm(first, partial_task).click().run()
    assert partial_task.answers().success.threshold == 0.7


def test_taking_the_other_text_drops_mine_and_a_browser_without_edits_just_follows(partial_task, open_page):
    first, idle = open_page(PAGE, partial_task, "en"), open_page(PAGE, partial_task, "en")
    first.number_input(key="partial-task.goal.card.threshold").set_value(0.7).run()
    goal = goal_of(partial_task, "en")
    answers = partial_task.answers()
    partial_task.save_answers(answers.model_copy(update={"success": answers.success.model_copy(update={"threshold": 0.9})}))
    assert goal_of(partial_task, "en").seen != goal.seen
    first.run()
    first.button(key="partial-task.goal.yaml.load").click().run()
    assert first.number_input(key="partial-task.goal.card.threshold").value == 0.9
    idle.run()
    assert text("ui.editor.followed", "en", name="task_summary.yaml") not in words(idle), "a draft is no file that changed"
    assert idle.number_input(key="partial-task.goal.card.threshold").value == 0.9


def test_answers_given_since_are_named_and_taken_over_on_demand(finished_task, open_page):
    answers = finished_task.answers()
    finished_task.save_answers(answers.model_copy(update={"success": answers.success.model_copy(update={"threshold": 0.8})}))
    at = open_page(PAGE, finished_task, "zh-TW")
    assert f"{text('ui.goal.field.threshold')}: 0.8" in words(at)
    at.button(key="entity-sentiment.goal.update").click().run()
    assert "threshold: 0.8" in held(at, finished_task)
    assert not confirm(at, finished_task).disabled


def test_switching_the_language_keeps_what_was_edited(partial_task, open_page):
    at = open_page(PAGE, partial_task, "zh-TW")
    at.text_area(key="partial-task.goal.card.goal").set_value("分信").run()
    at.query_params["lang"] = "en"
    at.run()
    assert not at.exception
    assert at.text_area(key="partial-task.goal.card.goal").value.strip() == "分信"
    assert text("ui.goal.confirm", "en") in words(at)


def test_a_damaged_summary_can_be_mended_where_it_is_shown(finished_task, open_page):
    (finished_task.folder / "task_summary.yaml").write_text("task_summary: [", encoding="utf-8")
    at = open_page(PAGE, finished_task, "en")
    assert not at.exception
    assert held(at, finished_task) == "task_summary: ["
    write(at, finished_task, "task_summary:\n  goal: sort letters\n")
    confirm(at, finished_task).click().run()
    assert finished_task.summary().goal == "sort letters"


def test_what_people_wrote_is_shown_letter_by_letter(workspace, open_page):
    hostile = "![x](http://127.0.0.1:9/a.png) <b>:material/check:</b>"
    said = {**PARTIAL, "business": {"problem": hostile}, "success": {"baseline_name": hostile, "baseline_score": 0.5}}
    at = open_page(PAGE, create_task(workspace, "hostile", answers=Answers.model_validate(said)), "en")
    assert not at.exception
    shown = [str(element.value) for element in [*at.markdown, *at.caption]] + [metric.label for metric in at.metric]
    assert not any("![x](" in said or "<b>" in said for said in shown)
    assert hostile in words(at)
