"""Doubtful labels on the evaluation page: folded away, listed, marked, and made into corrected data."""

import json

import pytest

from coach.errors import WorkspaceError
from coach.reviews import REVIEWS_FILE, mark_row, read_reviews
from coach.text import text as said
from coach.version_folder import SPLITS
from tests.conftest import NOW
from tests.pages.conftest import LANGUAGES, words
from tests.pages.judged_versions import LABELS, every, finish, make_task
from tests.pages.test_evaluate import keyed, row_table
from training import corrected_data
from training.data.corrections import read_corrections
from training.data.rows import read_rows
from training.new_version import new_version

PAGE = "6_evaluate.py"
WORDS = {"正面": "獲利 成長 大漲 創高", "中立": "公告 會議 例行 董事", "負面": "虧損 下滑 大跌 裁員"}
WRONG = (33, 40, 52)  # test rows whose text speaks for another label
TITLE = {"zh-TW": "標註可能有誤的資料", "en": "Rows whose label may be wrong"}


def text(index):
    label = LABELS[(index % 3 + (index in WRONG)) % 3]
    return f"{WORDS[label]} 第 {index} 則 <img src=x> =1+1"


@pytest.fixture
def judged(workspace):
    task = make_task(workspace / "news", text=text)
    finish(task, "v1", every(3))
    return task


def listed(at):
    """The list of doubtful labels, where it is open."""
    return next((table.value for table in at.dataframe if "proposed" in table.value.columns), None)


def open_list(open_page, task, language="zh-TW"):
    """The page with the list unfolded and its first row picked."""
    at = open_page(PAGE, task, language)
    at.session_state["news.evaluate.v1.suspects"] = True
    at.session_state["news.evaluate.v1.suspects.rows"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    return at.run()


def label_of(task, part, row_id):
    return next(row.output for row in read_rows(task.data_folder / f"{part}.jsonl") if row.id == row_id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_is_folded_away_and_nothing_is_ranked_for_it(open_page, judged, language):
    at = open_page(PAGE, judged, language)
    assert not at.exception and listed(at) is None
    assert TITLE[language] in [box.label for box in at.expander]


@pytest.mark.parametrize("language", LANGUAGES)
def test_unfolded_it_shows_rows_with_both_labels_and_how_sure_that_is(open_page, judged, language):
    at = open_list(open_page, judged, language)
    assert not at.exception
    table, said = listed(at), words(at)
    assert 3 <= len(table) <= 5 and (table["given"] != table["proposed"]).all()
    assert all(table["input.0"].str.contains(f"第 {index} 則").any() for index in WRONG)
    assert "102" in said and {"zh-TW": "標記不會改動任何資料", "en": "a mark changes no data"}[language] in said
    assert "<img" not in "".join(element.value for element in (*at.markdown, *at.caption))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_is_marked_and_the_correction_becomes_the_data_of_the_next_version(open_page, judged, language):
    frozen = judged.version("v1").split_path("test").read_bytes()
    at = open_list(open_page, judged, language)
    proposed = listed(at)["proposed"][0]
    keyed(at, "segmented_control", ".kind").set_value("label_wrong").run()
    assert keyed(at, "selectbox", ".label").value == proposed
    keyed(at, "button", ".save").click().run()
    (review,) = read_reviews(judged.folder).values()
    assert not at.exception and (review.mark, review.label) == ("label_wrong", proposed)
    assert proposed in listed(at)["mark"][0]
    assert {"zh-TW": "新版本的分數不能直接和 v1 比", "en": "cannot be held against that of v1"}[language] in words(at)

    keyed(at, "button", "review.make").click().run()
    assert not at.exception and label_of(judged, "test", review.id) == proposed
    assert {"zh-TW": "標註改動 1 筆（訓練 0、驗證 0、測試 1）", "en": "Labels changed: 1 ("}[language] in words(at)
    assert not [button for button in at.button if button.key and button.key.endswith("review.make")]
    assert judged.version("v1").split_path("test").read_bytes() == frozen
    judged.save_file(judged.file.model_copy(update={"version": "v2"}))
    assert new_version(judged, "v2", NOW).lineage()["changes"][0].startswith("標註改動 1 筆")


def test_a_wrongly_answered_row_is_marked_where_it_is_read(open_page, judged):
    at = open_page(PAGE, judged)
    shown = row_table(at)
    key = next(table.proto.id for table in at.dataframe if "score_of_actual" in table.value.columns).rpartition("-")[2]
    at.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    keyed(at, "segmented_control", ".kind").set_value("model_wrong").run()
    keyed(at, "button", ".save").click().run()
    (review,) = read_reviews(judged.folder).values()
    assert not at.exception and review.mark == "model_wrong" and review.given == shown["actual"][0]
    assert "已標記 1 筆" in words(at) and "做一份新的資料快照" not in words(at)


def test_ambiguous_rows_are_left_out_once_somebody_says_so(open_page, judged):
    row = read_rows(judged.data_folder / "train.jsonl")[0]
    mark_row(judged, (row.id, None), "ambiguous", None, given=row.output, labels=LABELS, seen=None, now=NOW)
    at = open_page(PAGE, judged)
    assert "做一份新的資料快照" not in words(at)
    keyed(at, "checkbox", "review.leave_out").check().run()
    keyed(at, "button", "review.make").click().run()
    assert not at.exception and len(read_rows(judged.data_folder / "train.jsonl")) == 29
    assert "做一份新的資料快照" not in words(open_page(PAGE, judged)), "what is in force is what the box begins with"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_correction_that_was_interrupted_is_finished_at_a_click(open_page, judged, language, monkeypatch):
    row = read_rows(judged.data_folder / "train.jsonl")[0]
    other = next(label for label in LABELS if label != row.output)
    mark_row(judged, (row.id, None), "label_wrong", other, given=row.output, labels=LABELS, seen=None, now=NOW)

    def full(*arguments, **options):
        raise WorkspaceError("workspace.disk_full", path="data")

    with monkeypatch.context() as patched, pytest.raises(WorkspaceError):
        patched.setattr(corrected_data, "write_data_version", full)
        corrected_data.correct_data(judged, NOW)
    at = open_page(PAGE, judged, language)
    button = keyed(at, "button", "review.make")
    assert button.label == said("ui.review.finish", language)
    button.click().run()
    assert not at.exception and read_corrections(judged.folder).earlier is None
    assert label_of(judged, "train", row.id) == other
    assert not [button for button in at.button if button.key and button.key.endswith("review.make")]


def test_a_row_open_in_two_places_shows_in_both_what_was_marked_in_one(open_page, judged):
    at = open_list(open_page, judged)
    (kind,) = [one for one in at.segmented_control if one.key.endswith(".kind")]
    row = kind.key.rpartition(".mark.")[2].split(".")[0]
    given = next(one.output for part in SPLITS for one in read_rows(judged.data_folder / f"{part}.jsonl") if one.id == row)
    mark_row(judged, (row, None), "ambiguous", None, given=given, labels=LABELS, seen=None, now=NOW)
    at.run()
    assert keyed(at, "segmented_control", ".kind").value == "ambiguous", "what another place has saved"
    keyed(at, "segmented_control", ".kind").set_value(None).run()
    assert keyed(at, "button", ".save").label == said("ui.review.mark.take_back")
    keyed(at, "button", ".save").click().run()
    assert not at.exception and not read_reviews(judged.folder) and keyed(at, "button", ".save").disabled


def test_somebody_elses_mark_is_not_overwritten_in_silence(open_page, judged):
    at = open_list(open_page, judged)
    keyed(at, "segmented_control", ".kind").set_value("ambiguous").run()
    shown = keyed(at, "button", ".save").key
    row_id = next(row.id for row in read_rows(judged.data_folder / "test.jsonl") if row.id in shown)
    given = label_of(judged, "test", row_id)
    mark_row(judged, (row_id, None), "model_wrong", None, given=given, labels=LABELS, seen=None, now=NOW)
    keyed(at, "button", ".save").click().run()
    assert not at.exception and "別人剛剛改了" in words(at)
    assert [review.mark for review in read_reviews(judged.folder).values()] == ["model_wrong"]


def test_damaged_marks_are_a_calm_sentence_and_the_rest_of_the_page_stands(open_page, judged):
    (judged.folder / REVIEWS_FILE).write_text("{\n", encoding="utf-8")
    at = open_list(open_page, judged)
    assert not at.exception and "reviews.jsonl 第 1 行讀不懂" in words(at)
    assert row_table(at) is not None and "發現（" in words(at)


def test_too_few_rows_are_told_in_the_list(open_page, finished_task):
    at = open_page(PAGE, finished_task)
    at.session_state["entity-sentiment.evaluate.v1.suspects"] = True
    at.run()
    assert not at.exception and "從頭讀一遍標註最可靠" in words(at)


def test_many_doubtful_labels_are_a_finding_until_they_are_marked(open_page, workspace):
    def noisy(index):
        label = LABELS[(index % 3 + (index % 8 == 5)) % 3]
        return f"{WORDS[label]} 第 {index} 則"

    task = make_task(workspace / "news", rows=200, text=noisy)
    finish(task, "v1", every(3))
    title = "有些標註可能錯了"
    assert title in words(open_page(PAGE, task)) and "有些標註可能錯了" in words(open_page("7_iterate.py", task))
    rows = [row for part in ("train", "valid", "test") for row in read_rows(task.data_folder / f"{part}.jsonl")]
    lines = [{"id": row.id, "target": None, "mark": "model_wrong", "given": row.output, "label": None, "at": ""} for row in rows]
    (task.folder / REVIEWS_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert title not in words(open_page(PAGE, task))
