"""Names and titles of new tasks: proposed from any language, never one that is taken, never one that leads out."""

from __future__ import annotations

import re

import pytest

from coach.interview import understand
from coach.new_task import (
    LONGEST_NAME,
    LONGEST_TITLE,
    clean_title,
    first_answers,
    free_name,
    name_fault,
    name_from_sentence,
    proposed_name,
    taken_names,
    title_of,
)
from coach.task_schema import SLUG_PATTERN


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("新聞標題情感", "news-sentiment"),
        ("我想做情感分析", "sentiment"),
        ("客服意圖", "support-classification"),
        ("Café reviews: good or bad?", "cafe-reviews-good-or-bad"),
        ("BERT 試做", "bert"),
        ("測試", "task-1"),
        ("日本語のタスク", "task-1"),
        ("!!!", "task-1"),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_a_name_is_proposed_from_a_title_in_any_language(title, name):
    assert proposed_name(title, frozenset()) == name


@pytest.mark.parametrize("title", ["x" * 500, "新聞" * 200, "a-" * 100, "\u202e evil", "É" * 90, "𝒻𝒶𝓃𝒸𝓎"])
def test_whatever_the_title_the_proposal_is_a_name(title):
    taken = {proposed_name(title, frozenset())}
    for _ in range(12):
        name = proposed_name(title, taken)
        assert re.fullmatch(SLUG_PATTERN, name) and len(name) <= LONGEST_NAME and name not in taken
        taken.add(name)


def test_a_taken_name_gets_the_next_number():
    assert free_name("news", {"news", "news-2"}) == "news-3"
    assert free_name("task-1", {"task-1"}) == "task-2"
    assert free_name("news", set()) == "news"


@pytest.mark.parametrize(
    ("name", "fault"),
    [("", "empty"), ("News", "shape"), ("a b", "shape"), ("-a", "shape"), ("..", "shape"), ("news", "taken"), ("n", None)],
)
def test_what_is_wrong_with_a_name_is_told(name, fault):
    assert name_fault(name, {"news"}) == fault


def test_anything_in_the_workspace_takes_its_name(tmp_path):
    (tmp_path / "not-a-task").mkdir()
    assert taken_names(tmp_path) == {"not-a-task"}
    assert taken_names(tmp_path / "absent") == frozenset()


def test_a_title_is_one_line_of_visible_signs():
    assert clean_title("  a\n b\x00\u202ec  ") == "a b c"
    assert len(clean_title("字" * 500)) == LONGEST_TITLE


def test_a_long_sentence_gives_a_short_title_and_is_kept_whole_as_the_problem():
    sentence = "我們客服每天收到上千封信，想用 500 筆標註資料把客服意圖分成十五類，而且希望一個月內可以上線，目前沒有顯示卡"
    answers = first_answers(sentence, understand(sentence))
    assert answers.title == "我們客服每天收到上千封信" and answers.business.problem == sentence
    assert answers.business.deadline_weeks == 4.3
    assert (answers.task.type, answers.resources.labelled_rows, answers.task.domain) == ("classification", 500, "support")


def test_a_sentence_without_a_pause_is_cut_where_a_title_would_be_long():
    sentence = (
        "我們每天收到上千封客服信想用五百筆標註資料把客服的意圖分成十五類而且希望能夠早點上線使用還要能自動回信給每一位客人"
    )
    assert title_of(sentence).endswith("…") and len(title_of(sentence)) <= 40
    assert title_of("Sort support mails into refunds and shipping for us") == "Sort support mails into refunds…"
    assert title_of("Hi, I want to sort mails") == "Hi, I want to sort mails"


def test_a_short_sentence_is_the_title_and_guesses_no_business_problem():
    answers = first_answers("我想做情感分析", understand("我想做情感分析"))
    assert answers.title == "我想做情感分析" and answers.business.problem is None


def test_an_english_title_is_cut_at_a_word():
    assert (
        title_of("I would like to train a model that sorts incoming e-mail into categories")
        == "I would like to train a model that…"
    )


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("I get about 120 support messages a day and want to route each to billing, shipping or technical", "support-routing"),
        ("每天約 120 則客服訊息，想分派給帳務、物流或技術", "support-routing"),
        ("we want to find duplicate invoices in our archive of scans", "find-duplicate-invoices"),
        ("My first task", "my-first-task"),
        ("1 2 3", "task-1"),
    ],
)
def test_a_sentence_proposes_a_short_name(sentence, name):
    assert name_from_sentence(sentence, frozenset()) == name
    assert name_from_sentence(sentence, {name}) != name


@pytest.mark.parametrize(
    "sentence", ["Sort big mails into three groups", "把客服信件分成三類", "信件要分組", "客訴依內容歸類成 4 種"]
)
def test_a_short_sentence_that_tells_what_is_to_be_sorted_is_the_problem_and_a_classification(sentence):
    answers = first_answers(sentence, understand(sentence))
    assert answers.title == sentence and answers.business.problem == sentence and answers.task.type == "classification"


@pytest.mark.parametrize(
    ("sentence", "task_type"),
    [("summarise reports into three sentences", "generation"), ("把文章分成三段摘要", "generation"),
     ("split the data into three parts", None), ("group discount", None)],
)  # fmt: skip
def test_other_things_that_are_parted_are_no_classification(sentence, task_type):
    assert understand(sentence).known.get("task.type") == task_type
