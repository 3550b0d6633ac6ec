"""Stage 2: the goal as the folder has it, changed as a card or as text, and confirmed into both files or neither."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coach.answers import Answers
from coach.errors import DocumentError, WorkspaceError
from coach.goal import confirm_goal, goal_of, goal_remarks, updated_goal
from coach.goal_card import Card, card_of, with_field
from coach.remarks import stops
from coach.task_summary import summarize, summary_to_yaml
from coach.workspace import Task, create_task

EXAMPLE = Path(__file__).parents[1] / "data" / "example-task"
SAID = {
    "task": {"type": "classification", "domain": "finance", "labels": ["a", "b"]},
    "resources": {"labelled_rows": 500},
    "success": {"primary_metric": "macro_f1", "threshold": 0.8},
    "assumed": ["task.domain"],
}


@pytest.fixture
def task(tmp_path) -> Task:
    return create_task(tmp_path, "news", answers=Answers.model_validate(SAID))


@pytest.fixture
def example(tmp_path) -> Task:
    shutil.copytree(EXAMPLE, tmp_path / "ticket-urgency")
    return Task.open(tmp_path / "ticket-urgency")


def test_before_it_is_confirmed_the_goal_is_the_draft_of_the_answers(task):
    goal = goal_of(task, "en")
    assert goal.text == summary_to_yaml(summarize(task.answers(), "en"))
    assert not goal.confirmed and goal.assumed == {"task.domain"}


def test_a_confirmed_goal_is_shown_as_it_was_written_byte_for_byte(example):
    goal = goal_of(example, "en")
    assert goal.content == (EXAMPLE / "task_summary.yaml").read_bytes()
    assert goal.text == goal.content.decode()
    assert goal.outdated == {}


def test_confirming_writes_the_text_as_it_stands_and_what_it_says_into_the_answers(task):
    goal = goal_of(task, "zh-TW")
    content = "# 會議之後\n" + with_field(with_field(goal.text, "threshold", 0.75), "goal", "知道新聞的態度")
    confirm_goal(task, content, expected=goal.seen)
    assert task.summary_bytes() == content.encode()
    answers = task.answers()
    assert answers.success.threshold == 0.75
    assert answers.task.labels == ["a", "b"], "what a summary does not say stays"


def test_an_assumed_answer_that_is_changed_is_no_longer_assumed(task):
    goal = goal_of(task, "en")
    confirm_goal(task, with_field(goal.text, "domain", "retail"), expected=goal.seen)
    assert goal_of(task, "en").assumed == frozenset()


def test_a_goal_changed_by_somebody_else_meanwhile_is_not_written_over(task):
    mine = goal_of(task, "en")
    confirm_goal(task, with_field(mine.text, "threshold", 0.9), expected=mine.seen)
    with pytest.raises(WorkspaceError):
        confirm_goal(task, with_field(mine.text, "threshold", 0.7), expected=mine.seen)
    assert task.answers().success.threshold == 0.9


def test_an_answer_changed_meanwhile_counts_as_a_change_and_an_unrelated_one_does_not(task):
    goal = goal_of(task, "en")
    answers = task.answers()
    task.save_answers(answers.model_copy(update={"needs": answers.needs.model_copy(update={"tooling": True})}))
    confirm_goal(task, goal.text, expected=goal.seen)
    goal, answers = goal_of(task, "en"), task.answers()
    task.save_answers(answers.model_copy(update={"success": answers.success.model_copy(update={"threshold": 0.6})}))
    with pytest.raises(WorkspaceError):
        confirm_goal(task, goal.text, expected=goal.seen)


def test_a_faulty_text_is_refused_with_its_lines_and_nothing_is_written(task):
    goal = goal_of(task, "en")
    with pytest.raises(DocumentError):
        confirm_goal(task, goal.text.replace("0.8", "8"), expected=goal.seen)
    assert task.summary_bytes() is None


def test_the_name_of_the_folder_never_changes(task):
    goal = goal_of(task, "en")
    other = goal.text.replace("name: news", "name: other")
    assert any(remark.grade == "info" and remark.line == 2 for remark in goal_remarks(other, task, "en"))
    confirm_goal(task, other, expected=goal.seen)
    assert task.answers().task.name == "news"


def test_answers_given_after_the_confirmation_are_named_and_can_be_taken_over(example):
    answers = example.answers()
    example.save_answers(answers.model_copy(update={"success": answers.success.model_copy(update={"threshold": 0.8})}))
    assert goal_of(example, "zh-TW").outdated == {"success.threshold": 0.8}
    updated = updated_goal(example, "zh-TW")
    assert "threshold: 0.8" in updated and "判斷結果只排順序，不自動回信" in updated


@pytest.mark.parametrize("text", ["task_summary: [", "- a\n", "", "task_summary:\n  goal：x\n", "\tx: 1"])
@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_text_that_is_no_yaml_is_one_remark_and_no_error(text, language, task):
    remarks = goal_remarks(text, task, language)
    assert len(stops(remarks)) == 1 and remarks[0].said


def test_each_field_of_the_card_is_read_back_as_it_was_put():
    values = {
        "type": "extraction", "domain": "news", "goal": "one\ntwo\n", "constraints": "資料量: 500 筆已標註\nfree: text, yes",
        "primary_metric": "entity_f1", "threshold": 0.75, "baseline_name": "rule_based", "baseline_score": 0.65,
        "strategy": "date", "deploy_target": "api", "retention": 5,
    }  # fmt: skip
    content = "task_summary:\n  name: news  # the folder\n"
    for field, value in values.items():
        content = with_field(content, field, value)
    assert card_of(content) == Card(name="news", **values)
    assert "baseline: rule_based_0.65" in content and "# the folder" in content
    assert card_of(content).recognised == {"resources.labelled_rows": 500}


def test_an_emptied_field_is_gone_from_the_text(example):
    content = with_field(goal_of(example, "zh-TW").text, "threshold", None)
    assert "threshold" not in content and card_of(content).threshold is None
    assert card_of(with_field(content, "goal", "  ")).goal is None


def test_a_fault_in_one_field_leaves_the_others_readable():
    card = card_of("task_summary:\n  type: guessing\n  domain: news\n  success_criteria: {threshold: much}\n")
    assert card == Card(domain="news")
    assert card_of("task_summary: [") is None
