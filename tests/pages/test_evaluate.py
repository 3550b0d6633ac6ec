"""Stage 6: the judgement, the rows behind the matrix, findings, and asking the trained version."""

import json
import shutil

import pytest
from filelock import FileLock

from coach.hardware import Hardware
from coach.workspace import Task
from pages.ui import cached
from pages.ui.charts import OUTSIDE
from pages.ui.row_browser import ALL, WRONG, with_marked_cell
from tests.conftest import NOW
from tests.pages.conftest import LANGUAGES, words
from tests.pages.judged_versions import every, finish, make_task
from tests.training import small_task
from training import asking
from training.asking import Asked
from training.evidence import examine
from training.predicting import Answer

PAGE = "6_evaluate.py"


@pytest.fixture
def judged(workspace):
    """A task with two finished versions of 60 test rows: v1 wrong in every third, v2 in every fifth."""
    task = make_task(workspace / "news")
    finish(task, "v1", every(3))
    finish(task, "v2", every(5), balance="oversample", changes="少數類別過採樣")
    return task


def keyed(at, kind, field):
    return next(widget for widget in getattr(at, kind) if widget.key and widget.key.endswith(field))


def row_table(at):
    """The answered rows: the one table with probabilities of two answers."""
    return next((table.value for table in at.dataframe if "score_of_actual" in table.value.columns), None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_finished_example_shows_score_target_baseline_classes_and_findings(open_page, finished_task, language):
    at = open_page(PAGE, finished_task, language)
    assert not at.exception
    said = words(at)
    assert "0.722" in said and "+0.022" in said and "keyword_list" in said
    assert ("接著" not in said) and ({"zh-TW": "教練：", "en": "Coach:"}[language] in said)
    classes = next(table.value for table in at.dataframe if "f1" in table.value.columns)
    assert list(classes["class"]) == ["緊急", "一般", "不急"] and list(classes["support"]) == [2, 2, 2]
    assert {"zh-TW": "模型還不太會自己寫出類別", "en": "does not yet write the classes by itself"}[language] in said
    cards = len(examine(finished_task.version("v1")).diagnosis.findings)
    assert said.count({"zh-TW": "把握：", "en": "How sure: "}[language]) == cards and len(at.get("vega_lite_chart")) == cards + 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_or_partial_task_is_told_what_is_missing(open_page, empty_task, partial_task, language):
    for task in (empty_task, partial_task):
        at = open_page(PAGE, task, language)
        assert not at.exception
        assert {"zh-TW": "訓練完成後才有結果可以評估", "en": "once a training has finished"}[language] in words(at)


def test_the_latest_finished_version_is_shown_and_the_address_chooses_another(open_page, judged):
    assert "評估 v2" in words(open_page(PAGE, judged))
    assert "評估 v1" in words(open_page(PAGE, judged, version="v1"))


def test_choosing_a_version_puts_it_into_the_address(open_page, judged):
    at = open_page(PAGE, judged)
    keyed(at, "selectbox", ".version").select("v1").run()
    assert at.query_params["version"] == "v1"
    assert "評估 v1" in words(at)


def test_an_unknown_version_is_a_calm_page_that_names_those_there_are(open_page, judged):
    at = open_page(PAGE, judged, version="v9")
    assert not at.exception
    assert "v9" in words(at) and "v1, v2" in words(at)


def test_a_version_whose_last_attempt_broke_off_is_not_judged_by_older_results(open_page, judged):
    version = judged.version("v2")
    with version.events_path.open("a", encoding="utf-8") as log:
        log.write(
            json.dumps({"v": 1, "seq": 9, "t": NOW.timestamp() + 9, "type": "resumed", "attempt": 2, "from_step": 0}) + "\n"
        )
    at = open_page(PAGE, judged, version="v2")
    assert "v2 最近一次訓練還沒有完成" in words(at) and not at.metric
    assert "評估 v1" in words(open_page(PAGE, judged))


def test_damaged_results_are_told_in_three_beats(open_page, judged):
    judged.version("v1").results_path.write_text("{", encoding="utf-8")
    at = open_page(PAGE, judged, version="v1")
    assert not at.exception and "results.json" in words(at)


# --- rows behind the matrix ----------------------------------------------------------------------------------------------------


def test_wrong_rows_are_listed_first_and_the_surest_on_top(open_page, judged):
    table = row_table(open_page(PAGE, judged, version="v1"))
    assert len(table) == 20 and (table["actual"] != table["predicted"]).all()
    assert list(table["sure"]) == sorted(table["sure"], reverse=True)
    assert table["input.0"].str.startswith("第").all()


def test_the_lists_choose_the_rows_and_draw_the_matrix_with_that_cell_marked(open_page, judged):
    at = open_page(PAGE, judged, version="v1")
    keyed(at, "selectbox", ".actual").select("正面").run()
    keyed(at, "selectbox", ".predicted").select("中立").run()
    table = row_table(at)
    assert set(table["actual"]) == {"正面"} and set(table["predicted"]) == {"中立"}
    turn, marked = at.session_state["news.evaluate.v1..turn"]
    assert turn == 2 and marked == ("正面", "中立")


def test_a_click_on_a_cell_moves_the_lists_and_opens_its_rows(open_page, judged):
    at = open_page(PAGE, judged, version="v1")
    at.session_state["news.evaluate.v1..matrix.0"] = {"selection": {"cell": [{"actual": "中立", "predicted": "中立"}]}}
    at.run()
    assert keyed(at, "selectbox", ".actual").value == "中立" and keyed(at, "selectbox", ".predicted").value == "中立"
    assert len(row_table(at)) == 20 and set(row_table(at)["predicted"]) == {"中立"}


def test_the_lists_may_go_on_from_a_click(open_page, judged):
    at = open_page(PAGE, judged, version="v1")
    at.session_state["news.evaluate.v1..matrix.0"] = {"selection": {"cell": [{"actual": "中立", "predicted": "中立"}]}}
    at.run()
    keyed(at, "selectbox", ".actual").select(ALL).run()
    keyed(at, "selectbox", ".predicted").select(WRONG).run()
    assert len(row_table(at)) == 20 and (row_table(at)["actual"] != row_table(at)["predicted"]).all()


def test_a_cell_that_is_let_go_shows_all_wrong_rows_again(open_page, judged):
    at = open_page(PAGE, judged, version="v1")
    key = "news.evaluate.v1..matrix.0"
    at.session_state[key] = {"selection": {"cell": [{"actual": "正面", "predicted": "中立"}]}}
    at.run()
    at.session_state[key] = {"selection": {"cell": []}}
    at.run()
    assert keyed(at, "selectbox", ".actual").value == ALL and len(row_table(at)) == 20


def test_answers_outside_the_format_have_their_own_entry(open_page, finished_task):
    at = open_page(PAGE, finished_task)
    keyed(at, "selectbox", ".predicted").select(OUTSIDE).run()
    assert list(row_table(at)["actual"]) == ["一般"] and row_table(at)["sure"].isna().all()


def test_a_search_keeps_rows_with_those_letters_and_says_where_there_are_none(open_page, judged):
    at = open_page(PAGE, judged, version="v1")
    keyed(at, "text_input", ".search").input("第 12 則").run()
    assert list(row_table(at)["input.0"]) == ["第 12 則新聞"]
    keyed(at, "text_input", ".search").input("沒有這種東西").run()
    assert row_table(at) is None and "沒有這樣的資料" in words(at)


def test_many_rows_come_in_pages(open_page, workspace):
    task = make_task(workspace / "many", rows=300)
    finish(task, "v1", every(2))
    at = open_page(PAGE, task)
    assert len(row_table(at)) == 50 and "150 筆" in words(at)


def test_a_version_without_predictions_says_so(open_page, judged):
    judged.version("v1").predictions_path.unlink()
    at = open_page(PAGE, judged, version="v1")
    assert not at.exception and "沒有留下每一筆的預測" in words(at)


def test_data_that_looks_like_markup_stays_in_cells(open_page, workspace):
    nasty = "<img src=x onerror=alert(1)> ![x](http://evil.example/x.png) =1+1"
    task = make_task(workspace / "nasty", text=lambda index: f"{nasty} {index}")
    finish(task, "v1", every(2))
    at = open_page(PAGE, task)
    assert row_table(at)["input.0"].str.contains("evil.example", regex=False).all()
    assert not any("evil.example" in element.value for element in (*at.markdown, *at.caption))


def test_a_marked_cell_leaves_the_charts_own_spec_as_it_was():
    spec = {"layer": [{"params": [{"name": "cell", "select": {}}]}, {}]}
    assert with_marked_cell(spec, ("a", "b"))["layer"][0]["params"][0]["value"] == [{"actual": "a", "predicted": "b"}]
    assert "value" not in spec["layer"][0]["params"][0]


# --- asking the trained version ------------------------------------------------------------------------------------------------


def test_without_weights_the_box_says_so_and_names_the_folder(open_page, finished_task):
    at = open_page(PAGE, finished_task)
    assert "versions/v1/model" in words(at) and not at.text_area


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_model):
    """A small task with one really trained version; copied by each test that changes it."""
    from training.worker import run

    folder = tmp_path_factory.mktemp("trained") / "letters"
    version = small_task.make_version(folder, small_task.task_file(tiny_model, epochs=3))
    run(version, now=lambda: NOW)
    return folder


@pytest.fixture
def trained_task(workspace, trained):
    shutil.copytree(trained, workspace / "letters")
    return Task.open(workspace / "letters")


def test_a_question_is_answered_by_the_trained_version_and_the_base_model_beside_it(open_page, trained_task):
    at = open_page(PAGE, trained_task)
    keyed(at, "text_area", ".try.text").input("a7r3")
    keyed(at, "button", ".ask").click().run()
    assert not at.exception
    answers = [table.value for table in at.dataframe if "label" in table.value.columns]
    assert len(answers) == 2
    assert [round(float(answer["score"].sum()), 2) for answer in answers] == [1.0, 1.0]
    trained, base = ({row.label: row.score for row in answer.itertuples()} for answer in answers)
    assert trained != base and "訓練後的 v1" in words(at) and "基礎模型" in words(at)
    assert keyed(at, "text_area", ".try.text").label == "文字"
    tops = {max(answer, key=answer.get) for answer in (trained, base)}
    assert ("訓練改變了這個答案" if len(tops) > 1 else f"兩邊都選「{tops.pop()}」") in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_and_the_same_answer_shows_both_probability_tables_and_how_sure_each_is(
    open_page, trained_task, monkeypatch, language
):
    sides = [Answer({"kind": "vowel"}, {"kind": {"vowel": sure, "consonant": 1 - sure}}) for sure in (0.93, 0.51)]
    monkeypatch.setattr(cached, "opened", lambda version: lambda values: Asked(*sides))
    at = open_page(PAGE, trained_task, language)
    keyed(at, "text_area", ".try.text").input("a7r3")
    keyed(at, "button", ".ask").click().run()
    said = {"zh-TW": "兩邊都選「vowel」：v1 給它 0.93，基礎模型給 0.51", "en": 'Both choose "vowel": v1 gives it 0.93'}[language]
    assert not at.exception and said in words(at)
    tables = [table.value for table in at.dataframe if "label" in table.value.columns]
    assert [list(table["score"].round(2)) for table in tables] == [[0.93, 0.07], [0.51, 0.49]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_a_whole_file_is_answered_and_where_the_model_lies_is_said(open_page, trained_task, language):
    at = open_page(PAGE, trained_task, language)
    (command,) = [block.value for block in at.code if "predict" in block.value]
    assert command.endswith("v1 --file rows.csv -o answers.csv") and str(trained_task.folder) in command
    assert str(trained_task.version("v1").folder) in words(at)


def test_the_second_question_needs_no_second_loading(open_page, trained_task, monkeypatch):
    loaded = []
    open_both = asking.open_both
    monkeypatch.setattr(asking, "open_both", lambda version: loaded.append(version.name) or open_both(version))
    at = open_page(PAGE, trained_task)
    for question in ("a7r3", "b2r5"):
        keyed(at, "text_area", ".try.text").input(question)
        keyed(at, "button", ".ask").click().run()
        assert not at.exception and "訓練後的 v1" in words(at)
    assert loaded == ["v1"]


def test_an_empty_question_is_answered_with_what_is_missing(open_page, trained_task):
    at = open_page(PAGE, trained_task)
    keyed(at, "button", ".ask").click().run()
    assert "先寫一段文字再問：文字還是空的" in words(at)
    assert not [table for table in at.dataframe if "label" in table.value.columns]


def test_damaged_weights_are_told_in_three_beats(open_page, trained_task):
    weights = next(trained_task.version("v1").model_folder.glob("*.safetensors"))
    weights.unlink()
    weights.write_bytes(b"nothing")
    at = open_page(PAGE, trained_task)
    keyed(at, "text_area", ".try.text").input("a7r3")
    keyed(at, "button", ".ask").click().run()
    assert not at.exception and "model" in words(at) and "需要：" in words(at)


def test_while_a_training_runs_on_a_small_machine_the_question_waits(open_page, trained_task, monkeypatch):
    monkeypatch.setattr(cached, "machine", lambda: Hardware(cores=2))
    other = finish(make_task(trained_task.folder.parent / "other"), "v1", every(3))
    at = open_page(PAGE, trained_task)
    keyed(at, "text_area", ".try.text").input("a7r3")
    with FileLock(other.lock_path):
        keyed(at, "button", ".ask").click().run()
    assert "「other」的 v1 正在訓練" in words(at)
    assert not [table for table in at.dataframe if "label" in table.value.columns]
