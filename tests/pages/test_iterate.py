"""Stage 7: the history, two versions side by side, whether to go on, and the draft of the next version."""

import shutil

import pytest

from coach.course import SMALL_GAIN, SPENT_AFTER, smallest_told
from coach.reviews import mark_row
from coach.task_schema import Change
from coach.text import text
from tests.conftest import NOW
from tests.pages.conftest import LANGUAGES, as_read, words
from tests.pages.judged_versions import LABELS, every, finish, make_task
from training.corrected_data import correct_data
from training.data.rows import read_rows
from training.new_version import new_version

PAGE = "7_iterate.py"


@pytest.fixture
def judged(workspace):
    """Three finished versions of 300 test rows: v1 wrong in every third, v2 in every fifth, v3 in every sixth."""
    task = make_task(workspace / "news", rows=300)
    finish(task, "v1", every(3))
    finish(task, "v2", every(5, by=2), balance="oversample", changes="少數類別過採樣")
    finish(task, "v3", every(6), learning_rate=3e-4, changes="學習率提高")
    return task


def keyed(at, kind, field):
    return next(widget for widget in getattr(at, kind) if widget.key and widget.key.endswith(field))


def tables(at):
    return {frozenset(table.value.columns): table.value for table in at.dataframe}


def history(at):
    return tables(at)[frozenset(["version", "score", "target", "parent", "change"])]


def create(at, statement, *, as_it_is=False):
    keyed(at, "text_area", "next.statement").input(statement)
    if as_it_is:
        keyed(at, "checkbox", "next.as_it_is").check()
    return keyed(at, "button", "next.create").click().run()


@pytest.mark.parametrize("language", LANGUAGES)
def test_versions_are_listed_with_score_parent_and_main_change(open_page, judged, language):
    at = open_page(PAGE, judged, language)
    assert not at.exception
    table = history(at)
    assert list(table["version"]) == ["v3", "v2", "v1"] and list(table["parent"]) == ["v2", "v1", ""]
    assert table["change"][1].startswith("少數類別過採樣")
    assert table["score"][2].startswith("0.556")
    assert table["target"][0] == {"zh-TW": "達標，未確定", "en": "met, not certain"}[language], "as its sentence says"
    assert {"zh-TW": "v3 的分數過了目標但還不確定", "en": "v3 scores above the target, though not for certain"}[
        language
    ] in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_version_has_a_history_and_a_form_and_nothing_to_compare(open_page, finished_task, language):
    assert finished_task.version("v1").lineage()["changes"] == [text("lineage.first_version", "zh-TW")]
    at = open_page(PAGE, finished_task, language)
    assert not at.exception and list(history(at)["version"]) == ["v1"]
    assert list(history(at)["change"]) == [text("lineage.first_version", language)]
    assert {"zh-TW": "完成的版本只有一個", "en": "One version is finished so far"}[language] in words(at)
    assert keyed(at, "button", "next.create").label == {"zh-TW": "建立 v2，前往確認", "en": "Create v2 and confirm it"}[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_or_partial_task_is_told_that_it_begins_with_a_version(open_page, empty_task, partial_task, language):
    for task in (empty_task, partial_task):
        at = open_page(PAGE, task, language)
        assert not at.exception
        assert {"zh-TW": "有第一個版本之後", "en": "begin with the first version"}[language] in words(at)


def test_a_version_in_the_making_is_shown_without_a_score(open_page, ready_task):
    new_version(ready_task, "v1", NOW)
    at = open_page(PAGE, ready_task)
    assert not at.exception and list(history(at)["score"]) == ["未完成"]
    assert "v1 還沒有訓練完成" in words(at) and not at.metric


def test_a_damaged_version_stands_in_the_history_and_the_others_are_judged(open_page, judged):
    judged.version("v3").results_path.write_text("{", encoding="utf-8")
    at = open_page(PAGE, judged)
    assert not at.exception and history(at)["score"][0] == "檔案有損"
    assert "v2" in at.metric[0].label


# --- side by side --------------------------------------------------------------------------------------------------------------


def test_a_version_is_held_against_the_one_it_came_from_with_the_uncertainty(open_page, judged):
    at = open_page(PAGE, judged)
    said = words(at)
    assert "還不能說 v3 比 v2 好或差" in said and "有八成機會看得出來" in said and "真正的差距要到約" in said
    scores = tables(at)[frozenset(["what", "before", "after", "difference", "sure"])]
    assert list(scores["sure"]) == ["還分不清", "變差", "還分不清", "變好"]
    assert list(tables(at)[frozenset(["setting", "before", "after"])]["setting"]) == ["training.learning_rate"]


def test_the_third_look_at_the_same_test_rows_is_warned_of(open_page, judged):
    assert "同一批測試資料已經評過 3 個版本" in words(open_page(PAGE, judged))


def test_whole_numbers_are_shown_as_they_were_entered(open_page, judged):
    finish(judged, "v4", every(7), epochs=5.0)
    settings = tables(open_page(PAGE, judged))[frozenset(["setting", "before", "after"])]
    (row,) = [found for _, found in settings.iterrows() if found["setting"] == "training.epochs"]
    assert (row["before"], row["after"]) == ("3", "5")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_size_of_a_change_is_explained_in_view(open_page, judged, language):
    assert text("ui.iterate.next.kind_said", language) in words(open_page(PAGE, judged, language))


def test_any_two_can_be_chosen_and_the_same_twice_is_no_comparison(open_page, judged):
    at = open_page(PAGE, judged)
    keyed(at, "selectbox", ".first").select("v1").run()
    assert "v3 比 v1 好" in words(at)
    keyed(at, "selectbox", ".second").select("v1").run()
    assert not at.exception and "兩邊選了同一個版本" in words(at)


def test_too_few_shared_rows_give_a_difference_and_no_judgement(open_page, finished_task):
    folder = finished_task.versions_folder
    shutil.copytree(folder / "v1", folder / "v2")
    at = open_page(PAGE, finished_task)
    assert not at.exception and "沒有足夠的相同測試資料（6 筆）" in words(at)


# --- the next version ----------------------------------------------------------------------------------------------------------


def test_without_a_statement_nothing_is_made_and_the_page_says_what_is_expected(open_page, judged):
    before = judged.fingerprint()
    at = create(open_page(PAGE, judged), "   ")
    assert not at.exception and judged.fingerprint() == before
    assert "v4 還沒有說明要改什麼" in words(at) and "一句具體的話" in words(at) and "再建立一次" in words(at)


def test_the_draft_takes_the_parents_recipe_the_changed_settings_and_the_statement(open_page, judged):
    at = open_page(PAGE, judged)
    keyed(at, "number_input", "next.v3.learning_rate").set_value(1e-4)
    keyed(at, "number_input", "next.v3.lora_r").set_value(32)
    keyed(at, "number_input", "next.v3.epochs").set_value(5.0)
    keyed(at, "selectbox", "next.v3.balance").select("none")
    create(at, "學習率減為三分之一")
    file = judged.file
    assert file.version == "v4" and file.change.parent == "v3" and file.change.statement == "學習率減為三分之一"
    training = file.training
    assert (training.learning_rate, training.epochs, training.balance) == (1e-4, 5.0, "none")
    assert (training.lora.r, training.lora.alpha) == (32, 64)


def test_after_the_draft_the_confirm_page_opens_and_says_what_it_is(open_page, judged):
    at = create(open_page(PAGE, judged), "換一個學習率", as_it_is=True)
    assert not at.exception
    assert "task.yaml 現在是 v4，設定來自 v3" in words(at) and not any(".next." in (widget.key or "") for widget in at.button)


def test_the_statement_is_the_first_change_in_the_new_versions_lineage(open_page, judged):
    at = open_page(PAGE, judged)
    keyed(at, "selectbox", "next.parent").select("v1").run()
    create(at, "回到 v1 的設定", as_it_is=True)
    lineage = new_version(judged, "v4", NOW).lineage()
    assert lineage["parent"] == "v1" and lineage["changes"] == ["回到 v1 的設定"]


def test_an_earlier_parent_brings_its_own_settings_with_it(open_page, judged):
    at = open_page(PAGE, judged)
    assert keyed(at, "selectbox", ".balance").value == "oversample"
    keyed(at, "selectbox", "next.parent").select("v1").run()
    assert keyed(at, "selectbox", "next.v1.balance").value == "none"


def test_a_baseline_without_an_adapter_can_be_followed_by_a_fine_tuning(open_page, workspace):
    task = make_task(workspace / "first", method="baseline", lora=None)
    finish(task, "v1", every(3))
    at = open_page(PAGE, task)
    assert not at.exception and keyed(at, "number_input", ".lora_r").value is None
    keyed(at, "selectbox", "next.v1.method").select("sft")
    create(at, "改成微調")
    assert task.file.training.method == "sft" and task.file.training.lora.r == 16


def test_a_smaller_change_counts_on_from_its_parent(open_page, judged):
    at = open_page(PAGE, judged)
    at.session_state["news.iterate.next.kind"] = "minor"
    at.run()
    assert as_read(keyed(at, "button", "next.create").label) == "建立 v3.1，前往確認"


def test_a_finding_fills_the_form_and_makes_nothing(open_page, judged):
    before = judged.fingerprint()
    at = open_page(PAGE, judged, version="v1")
    assert as_read(keyed(at, "button", "next.proposal.v1.0").label).startswith("類別不平衡的處理 小類別過採樣（")
    keyed(at, "button", "next.proposal.v1.0").click().run()
    assert not at.exception and judged.fingerprint() == before
    assert "balance: none → oversample" in keyed(at, "text_area", "next.statement").value
    assert keyed(at, "selectbox", "next.v1.balance").value == "oversample"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_experiment_says_what_to_expect_and_when_to_give_up(open_page, judged, language):
    at = open_page(PAGE, judged, language, version="v1")
    said = words(at)
    assert (
        text("diagnosis.imbalance.expect", language) in said
        or text("diagnosis.never_predicted.expect", language, label="正面") in said
    )
    told = text("ui.iterate.next.give_up", language, rows=300, difference=smallest_told(300), small=SMALL_GAIN, count=SPENT_AFTER)
    assert told in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_once_versions_bring_nothing_no_further_setting_is_proposed(open_page, workspace, language):
    task = make_task(workspace / "tired", rows=90)
    for name in ("v1", "v2", "v3"):
        finish(task, name, every(3), learning_rate=1e-4 * int(name[1]))
    said = words(open_page(PAGE, task, language))
    assert text("next_step.spent", language, version="v3", count=2) in said
    assert text("course.gained", language, count=2, gains="+0.000, +0.000" if language == "en" else "+0.000、+0.000") in said


def test_a_version_that_changes_nothing_is_asked_about_before_it_is_made(open_page, judged):
    before = judged.fingerprint()
    at = create(open_page(PAGE, judged), "看 20 筆答錯的")
    assert not at.exception and judged.fingerprint() == before and "都和 v3 一樣" in words(at)
    at = create(at, "看 20 筆答錯的", as_it_is=True)
    assert judged.file.version == "v4" and "除了版本名稱，v4 與 v3 完全相同" in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_after_the_baseline_one_button_fills_in_the_fine_tuning(open_page, workspace, language):
    task = make_task(workspace / "first", method="baseline", lora=None, learning_rate=2e-4)
    finish(task, "v1", every(3))
    at = open_page(PAGE, task, language)
    assert {"zh-TW": "v1 是 TF-IDF 基準", "en": "v1 is the TF-IDF baseline"}[language] in words(at)
    at = keyed(at, "button", "next.proposal.v1.0").click().run()
    keyed(at, "button", "next.create").click().run()
    assert (task.file.training.method, task.file.training.lora.r, task.file.training.learning_rate) == ("sft", 16, 2e-4)


def test_advice_that_changes_no_setting_is_no_button_and_what_is_handled_is_not_offered(open_page, judged):
    at = open_page(PAGE, judged)
    titles = [widget.label for widget in at.button if "next.proposal" in (widget.key or "")]
    assert "類別不平衡，已經處理" not in titles and "測試資料太少，分數不太可靠" not in titles
    assert "不是改設定就能做到的" in words(at)


def test_the_table_shows_the_statement_and_the_settings_that_differ(open_page, judged):
    assert "training.balance: none → oversample" in history(open_page(PAGE, judged))["change"][1]


def test_a_task_file_somebody_changed_meanwhile_is_not_overwritten_unsaid(open_page, judged):
    at = open_page(PAGE, judged)
    text = judged.file_path.read_text(encoding="utf-8")
    judged.file_path.write_text(text.replace("新聞情感", "別人的標題"), encoding="utf-8")
    create(at, "換一個學習率", as_it_is=True)
    assert "被別人改過了" in words(at) and judged.file.title == "別人的標題"
    keyed(at, "button", "next.create").click().run()
    assert judged.file.version == "v4"


def test_a_draft_that_was_never_started_is_named_before_it_is_replaced(open_page, judged):
    judged.save_file(judged.file.model_copy(update={"version": "v4"}))
    assert "還沒開始訓練的 v4" in words(open_page(PAGE, judged))


def test_a_statement_left_over_from_an_earlier_version_is_not_told_again(judged):
    file = judged.file
    judged.save_file(file.model_copy(update={"version": "v4", "change": Change(parent="v1", statement="第一次")}))
    new_version(judged, "v4", NOW)
    lineage = new_version(judged, "v5", NOW).lineage()
    assert lineage["parent"] == "v4" and "第一次" not in lineage["changes"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_corrected_labels_are_offered_as_the_one_change_of_the_next_version(open_page, judged, language):
    row = read_rows(judged.data_folder / "train.jsonl")[0]
    mark_row(judged, (row.id, None), "label_wrong", "負面", given=row.output, labels=LABELS, seen=None, now=NOW)
    said = {"zh-TW": "標註改動 1 筆（訓練 1、驗證 0、測試 0）", "en": "Labels changed: 1 (training 1, validation 0, test 0)"}[
        language
    ]
    assert said not in words(open_page(PAGE, judged, language)), "a mark alone changes no data"
    correct_data(judged, NOW)
    at = open_page(PAGE, judged, language)
    next(button for button in at.button if as_read(button.label) == said).click().run()
    assert not at.exception and keyed(at, "text_area", "next.statement").value == said
    keyed(at, "button", "next.create").click().run()
    assert not at.exception and judged.file.change.statement == said
    changes = new_version(judged, judged.file.version, NOW).lineage()["changes"]
    assert changes[0] == said and len(changes) == (1 if language == "zh-TW" else 2)
    assert text("ui.confirm.data.corrected", language, count=1) in words(open_page("4_confirm.py", judged, language))
