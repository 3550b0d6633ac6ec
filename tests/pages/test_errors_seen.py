"""Stage 6: what the wrong answers have in common, and the training rows nearest to a row that is picked."""

import json

import pytest

from coach.text import text
from tests.pages.conftest import LANGUAGES, words
from tests.pages.judged_versions import LABELS, PLANTED, every, finish, make_task, planted_text, wrong_where_planted
from training.data.rows import Row, rows_to_jsonl

PAGE, HERE = "6_evaluate.py", "news.evaluate.v1."


@pytest.fixture
def planted(workspace):
    """300 test rows, wrong where a word was planted."""
    task = make_task(workspace / "news", rows=300, text=planted_text)
    finish(task, "v1", wrong_where_planted)
    return task


def unfolded(at):
    at.session_state[f"{HERE}.errors"] = True
    at.run()
    assert not at.exception
    return at


def table(at, column):
    return next((table.value for table in at.dataframe if column in table.value.columns), None)


def pick(at, part, row):
    """Picks a row of the answered table whose key begins with `part`, as a click does."""
    key = next(table.key for table in at.dataframe if table.key and table.key.startswith(f"{part}.rows."))
    at.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    at.run()
    assert not at.exception
    return at


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_folded_until_it_is_asked_for(open_page, planted, language):
    at = open_page(PAGE, planted, language)
    assert not at.exception and table(at, "of_class") is None and table(at, "word") is None
    unfolded(at)
    assert list(table(at, "word")["word"]) == [PLANTED]
    assert table(at, "of_class")["count"].is_monotonic_decreasing
    assert text("ui.errors_seen.words_how", language).split("%")[0] in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rows_behind_what_was_found_are_shown_sure_and_wrong_first(open_page, planted, language):
    at = unfolded(open_page(PAGE, planted, language))
    which = at.selectbox(f"{HERE}.errors.which")
    assert which.value == "sure"
    behind = [table.value for table in at.dataframe if table.key and table.key.startswith(f"{HERE}.errors.rows.")]
    assert list(behind[0]["sure"]) == sorted(behind[0]["sure"], reverse=True) and min(behind[0]["sure"]) >= 0.9
    which.select("word.0").run()
    (behind,) = [table.value for table in at.dataframe if table.key and table.key.startswith(f"{HERE}.errors.rows.")]
    assert not at.exception and all(PLANTED in said for said in behind["input.0"])
    at.selectbox(f"{HERE}.errors.which").select("pair.0").run()
    (behind,) = [table.value for table in at.dataframe if table.key and table.key.startswith(f"{HERE}.errors.rows.")]
    assert behind["actual"].nunique() == behind["predicted"].nunique() == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picked_row_shows_the_training_rows_nearest_to_it_and_what_they_taught(open_page, workspace, language):
    """Every training row of the words of test row 0 carries the label that the model wrongly gave."""
    task = make_task(workspace / "news", text=lambda place: f"{'退款 太慢 客服' if place == 0 else '天氣 很 好'} {place}")
    taught = [Row(f"r-t-{place}", {"text": f"退款 太慢 客服 {place + 1}"}, "中立") for place in range(3)]
    others = [Row(f"r-o-{place}", {"text": f"球隊 贏 了 {place}"}, LABELS[place % 3]) for place in range(9)]
    (task.folder / "data" / "train.jsonl").write_text(rows_to_jsonl([*taught, *others]), "utf-8")
    finish(task, "v1", lambda place, right: "中立" if place == 0 else right)
    at = pick(open_page(PAGE, task, language), f"{HERE}", 0)
    near = table(at, "similarity")
    assert list(near["label"]) == ["中立"] * 3 and near["similarity"].is_monotonic_decreasing
    assert text("ui.errors_seen.lesson.as_answered", language, actual="正面", predicted="中立") in words(at)


def test_where_nothing_stands_out_that_is_said(open_page, workspace):
    task = make_task(workspace / "news", rows=60)
    finish(task, "v1", every(7))
    at = unfolded(open_page(PAGE, task))
    assert "沒有字詞在答錯的資料裡明顯比較多" in words(at) and table(at, "word") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_many_rows_it_is_said_in_how_many_words_were_looked_for(open_page, planted, monkeypatch, language):
    monkeypatch.setattr("training.error_analysis.MOST_WORD_ROWS", 200)
    said = text("ui.errors_seen.words_drawn", language, looked_at=200, with_text=300)
    assert said in words(unfolded(open_page(PAGE, planted, language)))


def test_a_version_that_is_always_right_has_nothing_to_show(open_page, workspace):
    task = make_task(workspace / "news")
    finish(task, "v1", lambda place, right: right)
    assert "60 筆都答對了" in words(unfolded(open_page(PAGE, task)))


def test_texts_that_would_act_stay_text(open_page, workspace):
    nasty = "<img src=x onerror=alert(1)> ![x](https://evil.example/x.png) =1+1"
    task = make_task(workspace / "news", text=lambda place: f"{nasty} {place}")
    finish(task, "v1", every(3))
    at = pick(unfolded(open_page(PAGE, task)), f"{HERE}.errors", 0)
    assert table(at, "similarity") is not None
    assert not any("<img" in str(block.value) or "![x](" in str(block.value) for block in [*at.markdown, *at.caption])


def test_without_training_rows_the_page_still_stands(open_page, planted):
    planted.version("v1").split_path("train").unlink()
    at = pick(unfolded(open_page(PAGE, planted)), f"{HERE}.errors", 0)
    assert text("ui.errors_seen.lesson.nothing_like", "zh-TW") in words(at)


def test_of_several_answers_each_slot_has_its_own(open_page, finished_task):
    at = open_page(PAGE, finished_task)
    at.session_state["entity-sentiment.evaluate.v1.urgency.errors"] = True
    at.run()
    given = [json.loads(line) for line in finished_task.version("v1").predictions_path.read_text("utf-8").splitlines()]
    wrong = sum(row["actual"] != row["predicted"] for row in given)
    assert not at.exception and f"答錯 {wrong} 筆" in words(at)
