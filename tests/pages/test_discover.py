"""Stage 1 as a person meets it: questions saved as they are answered, two people at once, a file attached and its columns corrected."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coach.answer_edits import OPEN, Held, save_answer
from coach.answers import Answers, Success
from coach.interview import TOPICS
from coach.interview_progress import asked_questions, progress_of
from coach.text import text
from coach.understood import UNDERSTOOD_FILE, understood
from coach.workspace import Task
from tests.pages.conftest import LANGUAGES, ROOT, links, words
from training.attached_file import attached, inspect

PAGE = "1_discover.py"
WORDS = {"退款": "我要退錢", "物流": "包裹還沒到", "其他": "請問營業時間"}


def sheet(count=60):
    labels = [list(WORDS)[number % 3] for number in range(count)]
    rows = [f"{WORDS[label]}這是第{number}封信,第{number}則備註寫在這裡,{label}" for number, label in enumerate(labels)]
    return ("\n".join(["信件內容,備註,類別", *rows]) + "\n").encode()


def key(task, field):
    return f"{task.name}.discover.{field}"


def widget(at, task, field):
    return at.get_by_key(key(task, field))


def topic(at, task, name):
    widget(at, task, "topic").set_value(name).run()
    assert not at.exception
    return at


def attach(at, task, content=None, name="信件.csv", turn=0):
    topic(at, task, "file")
    at.file_uploader(key(task, f"upload.{turn}")).upload(name, content or sheet(), "text/csv").run()
    assert not at.exception
    return at


def said(language, key, /, **data):
    return text(f"ui.discover.{key}", language, **data).replace("\\", "")


# --- what it shows --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["empty_task", "partial_task", "finished_task"])
def test_every_question_of_every_topic_is_asked_with_why_and_an_example(name, language, request, open_page):
    task = request.getfixturevalue(name)
    at = open_page(PAGE, task, language)
    assert not at.exception
    for asked in TOPICS:
        shown = words(topic(at, task, asked))
        for question in asked_questions(task.answers(), asked):
            assert question.ask[language] in shown and question.why[language] in shown and question.example[language] in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_that_say_the_same_with_different_labels_stand_side_by_side(language, empty_task, open_page):
    content = sheet() + "我要退錢這是第0封信,=1+1,物流\n".encode()
    at = attach(open_page(PAGE, empty_task, language), empty_task, content)
    assert said(language, "data.disagreeing", shown=2, count=2) in words(at)
    (table,) = [found.value for found in at.dataframe if "number" in found.value.columns]
    assert list(table["number"]) == [2, 62] and set(table["label"]) == {"退款", "物流"}
    assert len(set(table["text"])) == 1
    clean = attach(at, empty_task, turn=1)
    assert not [found for found in clean.dataframe if "number" in found.value.columns]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_task_is_told_what_is_needed_before_advice(language, empty_task, open_page):
    shown = words(open_page(PAGE, empty_task, language))
    assert said(language, "start") in shown
    for question in progress_of(empty_task.answers()).needed:
        assert text(f"interview.short.{question.key}", language) in shown
    assert f"{said(language, 'answered')} 0\n" in shown and " / " not in at_metrics(empty_task, open_page, language)


def at_metrics(task, open_page, language):
    return " ".join(str(metric.value) for metric in open_page(PAGE, task, language).metric)


def test_a_reload_shows_the_topic_last_turned_to(partial_task, open_page):
    at = topic(open_page(PAGE, partial_task), partial_task, "resources")
    assert at.query_params["topic"] in ("resources", ["resources"])
    again = open_page(PAGE, partial_task, topic="resources")
    assert widget(again, partial_task, "topic").value == "resources"
    assert widget(open_page(PAGE, partial_task, topic="nonsense"), partial_task, "topic").value == "success"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_topics_questions_end_with_the_way_to_the_next(language, partial_task, open_page):
    at = topic(open_page(PAGE, partial_task, language), partial_task, "business")
    button = widget(at, partial_task, "next_topic")
    assert text("interview.topic.task", language) in button.label
    button.click().run()
    assert not at.exception and widget(at, partial_task, "topic").value == "task"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_score_written_as_a_percentage_is_asked_back(language, partial_task, open_page):
    at = open_page(PAGE, partial_task, language)
    widget(at, partial_task, "success.threshold").set_value("85").run()
    assert said(language, "did_you_mean", value=0.85, percent=85.0) in words(at)
    widget(at, partial_task, "success.threshold").set_value("7").run()
    assert "0.07" not in words(at)


@pytest.mark.parametrize(("language", "shown"), [("zh-TW", "退款、物流、其他"), ("en", "退款, 物流, 其他")])
def test_labels_are_joined_as_the_language_does(language, shown, partial_task, open_page):
    at = topic(open_page(PAGE, partial_task, language), partial_task, "task")
    assert widget(at, partial_task, "task.labels").value == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_files_answer_can_be_taken_where_the_conflict_is_shown(language, partial_task, open_page):
    at = attach(open_page(PAGE, partial_task, language), partial_task)
    widget(at, partial_task, "resources.labelled_rows.take_here").click().run()
    assert not at.exception and partial_task.answers().resources.labelled_rows == 60
    assert key(partial_task, "resources.labelled_rows.take_here") not in [button.key for button in at.button]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unsure_guess_of_columns_asks_whether_it_is_right(language, empty_task, open_page):
    rows = [f"a rather long message number {n} about things,{'xy'[n % 2]}1,{'uvw'[n % 3]}2" for n in range(60)]
    content = ("\n".join(["c1,c2,c3", *rows]) + "\n").encode()
    at = attach(open_page(PAGE, empty_task, language), empty_task, content, "a.csv")
    assert said(language, "data.is_this_right") in words(at)
    widget(at, empty_task, "columns.it_is").click().run()
    assert said(language, "data.is_this_right") not in words(at)
    sure = attach(open_page(PAGE, empty_task, language), empty_task, sheet(), "b.csv")
    assert said(language, "data.is_this_right") not in words(sure)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_label_column_without_the_tasks_labels_is_asked_about_and_a_misspelt_label_is_named(language, partial_task, open_page):
    rows = [f"message {n} says something,{['refund', 'delivery'][n % 2]},note {n % 4}" for n in range(60)]
    content = ("\n".join(["text,team,label", *rows, "a last message,teh delivery,note 1"]) + "\n").encode()
    at = attach(open_page(PAGE, partial_task, language), partial_task, content, "a.csv")
    labels = said(language, "comma").join(["退款", "物流", "其他"])
    column = attached(partial_task).label_column
    assert said(language, "data.choose_label", column=column, labels=labels) in words(at)
    widget(at, partial_task, "column.label").set_value("team").run()
    widget(at, partial_task, "task.labels.take_here").click().run()
    topic(at, partial_task, "task")
    assert said(language, "near_label", label="teh delivery", meant="delivery", rows="62") in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finished_interview_links_to_the_next_stage(language, finished_task, open_page):
    at = open_page(PAGE, finished_task, language)
    link = text("ui.frame.go_to_stage", language, stage=text("interview.stage.goal", language))
    assert link in links(at) or link in words(at)
    assert said(language, "confirmed") in words(at)


def test_the_first_topic_shown_is_the_one_with_something_needed(partial_task, open_page):
    assert widget(open_page(PAGE, partial_task), partial_task, "topic").value == "success"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_folders_name_is_shown_and_cannot_be_changed(language, partial_task, open_page):
    at = topic(open_page(PAGE, partial_task, language), partial_task, "task")
    assert partial_task.name in [code.value for code in at.code]
    assert key(partial_task, "task.name") not in [box.key for box in at.text_input]


def test_the_title_can_be_changed_here(partial_task, open_page):
    at = topic(open_page(PAGE, partial_task), partial_task, "task")
    widget(at, partial_task, "title").set_value("來信分流").run()
    assert partial_task.answers().title == "來信分流" and at.title[0].value == "來信分流"


# --- saving ---------------------------------------------------------------------------------------------------------------------


def test_an_answer_is_in_the_folder_as_soon_as_it_is_given(empty_task, open_page):
    at = topic(open_page(PAGE, empty_task), empty_task, "business")
    widget(at, empty_task, "business.problem").set_value("信件要分給對的人").run()
    assert empty_task.answers().business.problem == "信件要分給對的人"
    topic(at, empty_task, "success")
    widget(at, empty_task, "success.threshold").set_value("80%").run()
    widget(at, empty_task, "success.primary_metric").set_value("accuracy").run()
    answers = empty_task.answers()
    assert (answers.success.threshold, answers.success.primary_metric, answers.business.problem) == (
        0.8,
        "accuracy",
        "信件要分給對的人",
    )


def test_a_question_that_follows_from_an_answer_appears_at_once(empty_task, open_page):
    at = topic(open_page(PAGE, empty_task), empty_task, "task")
    assert key(empty_task, "task.labels") not in [area.key for area in at.text_area]
    widget(at, empty_task, "task.type").set_value("classification").run()
    widget(at, empty_task, "task.labels").set_value("正面、負面").run()
    assert empty_task.answers().task.labels == ["正面", "負面"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_input_that_cannot_be_taken_is_said_beside_the_field_and_kept(language, partial_task, open_page):
    at = open_page(PAGE, partial_task, language)
    widget(at, partial_task, "success.threshold").set_value("7").run()
    assert not at.exception and widget(at, partial_task, "success.threshold").value == "7"
    assert text("problems.out_of_range", language, value=7, limit="≤ 1") in words(at) and said(language, "not_saved") in words(at)
    assert partial_task.answers().success.threshold is None
    widget(at, partial_task, "success.threshold").set_value("0.7").run()
    assert partial_task.answers().success.threshold == 0.7 and said(language, "not_saved") not in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_beside_an_input_that_is_refused_stands_what_is_still_saved(language, partial_task, open_page):
    assert save_answer(partial_task, "success.threshold", Held(0.85), seen=OPEN) is None
    at = topic(open_page(PAGE, partial_task, language), partial_task, "success")
    widget(at, partial_task, "success.threshold").input("7").run()
    read = words(at)
    assert said(language, "not_saved") in read and said(language, "still_saved", value="0.85") in read
    assert partial_task.answers().success.threshold == 0.85


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_stands_first_and_the_task_counts_its_title(language, partial_task, open_page):
    at = open_page(PAGE, partial_task, language)
    shown = widget(at, partial_task, "topic").options
    assert shown[0] == said(language, "file")
    asked = len(asked_questions(partial_task.answers(), "task")) + 1
    assert any(f"/{asked}" in option for option in shown if text("interview.topic.task", language) in option)


def test_the_name_of_a_field_that_is_read_out_holds_no_escapes(partial_task, open_page):
    at = topic(open_page(PAGE, partial_task, "en"), partial_task, "success")
    labels = [field.label for field in at.text_input]
    assert any("(0 to 1)" in label for label in labels) and not any("\\" in label for label in labels)


def test_one_label_is_not_enough(partial_task, open_page):
    at = topic(open_page(PAGE, partial_task), partial_task, "task")
    widget(at, partial_task, "task.labels").set_value("退款").run()
    assert text("problems.few_labels", "zh-TW", labels="退款") in words(at)
    assert partial_task.answers().task.labels == ["退款", "物流", "其他"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_not_sure_takes_the_default_shows_it_as_assumed_and_can_be_confirmed_or_cleared(language, partial_task, open_page):
    at = open_page(PAGE, partial_task, language)
    widget(at, partial_task, "success.primary_metric.not_sure").click().run()
    assert partial_task.answers().assumed == ["success.primary_metric"]
    assert (
        text("interview.assumed", language) in words(at)
        and widget(at, partial_task, "success.primary_metric").value == "macro_f1"
    )
    widget(at, partial_task, "success.primary_metric.confirm").click().run()
    assert partial_task.answers().assumed == [] and partial_task.answers().success.primary_metric == "macro_f1"
    widget(at, partial_task, "success.primary_metric.clear").click().run()
    assert (
        partial_task.answers().success.primary_metric is None and widget(at, partial_task, "success.primary_metric").value is None
    )


def test_an_emptied_field_is_open_again(partial_task, open_page):
    at = topic(open_page(PAGE, partial_task), partial_task, "business")
    widget(at, partial_task, "business.problem").set_value("  ").run()
    assert partial_task.answers().business.problem is None


def test_the_language_can_be_switched_in_the_middle_of_a_form(partial_task, open_page):
    at = open_page(PAGE, partial_task)
    widget(at, partial_task, "success.threshold").set_value("7").run()
    widget(at, partial_task, "success.baseline_name").set_value("關鍵字").run()
    at.segmented_control("ui.language").set_value("en").run()
    assert not at.exception and said("en", "not_saved") in words(at)
    assert widget(at, partial_task, "success.threshold").value == "7"
    assert (
        widget(at, partial_task, "success.baseline_name").value == "關鍵字"
        and widget(at, partial_task, "topic").value == "success"
    )


# --- two people -----------------------------------------------------------------------------------------------------------------


def test_what_others_answer_appears_and_is_not_written_over(partial_task, open_page):
    mine = open_page(PAGE, partial_task)
    save_answer(partial_task, "success.baseline_name", Held("規則"), seen=OPEN)
    widget(mine, partial_task, "success.threshold").set_value("0.7").run()
    assert widget(mine, partial_task, "success.baseline_name").value == "規則"
    success = partial_task.answers().success
    assert (success.threshold, success.baseline_name) == (0.7, "規則")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("button", "kept"), [("theirs", 0.7), ("mine", 0.9)])
def test_two_answers_to_one_question_are_told_and_one_is_chosen(button, kept, language, partial_task, open_page):
    mine = open_page(PAGE, partial_task, language)
    save_answer(partial_task, "success.threshold", Held(0.7), seen=OPEN)
    widget(mine, partial_task, "success.threshold").set_value("0.9").run()
    assert partial_task.answers().success.threshold == 0.7
    assert said(language, "changed_by_other", theirs="0.7", mine="0.9") in words(mine)
    assert widget(mine, partial_task, "success.threshold").value == "0.9"
    widget(mine, partial_task, f"success.threshold.{button}").click().run()
    assert partial_task.answers().success.threshold == kept and widget(mine, partial_task, "success.threshold").value == str(kept)
    assert f"success.threshold.{button}" not in " ".join(found.key or "" for found in mine.button)


def test_a_third_answer_while_one_decides_is_told_again(partial_task, open_page):
    mine = open_page(PAGE, partial_task)
    save_answer(partial_task, "success.threshold", Held(0.7), seen=OPEN)
    widget(mine, partial_task, "success.threshold").set_value("0.9").run()
    save_answer(partial_task, "success.threshold", Held(0.6), seen=Held(0.7))
    widget(mine, partial_task, "success.threshold.mine").click().run()
    assert partial_task.answers().success.threshold == 0.6
    assert said("zh-TW", "changed_by_other", theirs="0.6", mine="0.9") in words(mine)


def test_an_answer_to_a_task_deleted_meanwhile_is_no_traceback(partial_task, open_page):
    import shutil

    at = open_page(PAGE, partial_task)
    shutil.rmtree(partial_task.folder)
    widget(at, partial_task, "success.threshold").set_value("0.7").run()
    assert not at.exception and not partial_task.folder.exists()


# --- one question at a time -----------------------------------------------------------------------------------------------------


def test_one_question_at_a_time_leads_through_what_is_needed(partial_task, open_page):
    at = open_page(PAGE, partial_task)
    widget(at, partial_task, "manner").set_value("single").run()
    widget(at, partial_task, "success.primary_metric").set_value("macro_f1").run()
    widget(at, partial_task, "next").click().run()
    widget(at, partial_task, "success.threshold").set_value("0.8").run()
    assert progress_of(partial_task.answers()).needed == []
    widget(at, partial_task, "next").click().run()
    assert not at.exception and widget(at, partial_task, "topic").value == "business"
    widget(at, partial_task, "back").click().run()
    assert widget(at, partial_task, "success.threshold").value == "0.8"


# --- the data file --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_attached_file_answers_its_questions_and_shows_the_audit(language, empty_task, open_page):
    at = attach(open_page(PAGE, empty_task, language), empty_task)
    answers = empty_task.answers()
    assert (answers.resources.labelled_rows, answers.resources.data_path) == (60, "raw/信件.csv")
    shown = words(at)
    assert said(language, "data.sentence", name="信件.csv", total=60, valid=60) in shown
    assert text("audit.no_problems", language) in shown and len(at.get("vega_lite_chart")) == 1
    topic(at, empty_task, "resources")
    assert said(language, "from_file") in words(at) and widget(at, empty_task, "resources.labelled_rows").value == "60"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_contradiction_is_said_kindly_and_the_files_answer_offered(language, partial_task, open_page):
    at = attach(open_page(PAGE, partial_task, language), partial_task)
    assert partial_task.answers().resources.labelled_rows == 500
    topic(at, partial_task, "resources")
    assert said(language, "file_differs", found="60", said="500") in words(at)
    widget(at, partial_task, "resources.labelled_rows.take").click().run()
    assert partial_task.answers().resources.labelled_rows == 60
    assert widget(at, partial_task, "resources.labelled_rows").value == "60"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "content"), [("壞.csv", b"a,a\n1,2\n"), ("空.csv", b""), ("model.pkl", b"x"), ("x.xlsx", b"no sheet")]
)
def test_a_bad_file_is_three_sentences_and_leaves_nothing(name, content, language, partial_task, open_page):
    at = topic(open_page(PAGE, partial_task, language), partial_task, "file")
    at.file_uploader(key(partial_task, "upload.0")).upload(name, content, "text/csv").run()
    assert not at.exception and name in words(at)
    assert text("ui.frame.todo", language, said="").strip() in words(at)
    raw = partial_task.folder / "raw"
    assert partial_task.answers().resources.data_path is None and (not raw.exists() or list(raw.iterdir()) == [])
    attach(at, partial_task, turn=1)
    assert partial_task.answers().resources.data_path == "raw/信件.csv"
    assert text("ui.frame.todo", language, said="").strip() not in words(at)


def test_a_name_that_climbs_out_lands_in_raw(partial_task, open_page):
    attach(open_page(PAGE, partial_task), partial_task, name="../../evil.csv")
    assert partial_task.answers().resources.data_path == "raw/evil.csv"
    assert [path.name for path in partial_task.folder.parent.iterdir()] == [partial_task.name]


def test_a_file_on_the_server_is_taken_by_its_path(partial_task, tmp_path, open_page):
    (tmp_path / "在這.csv").write_bytes(sheet())
    at = topic(open_page(PAGE, partial_task), partial_task, "file")
    widget(at, partial_task, "path").set_value(str(tmp_path / "在這.csv")).run()
    widget(at, partial_task, "take_path").click().run()
    assert not at.exception and partial_task.answers().resources.data_path == "raw/在這.csv"


def test_columns_can_be_corrected_and_the_folder_remembers(partial_task, open_page):
    at = attach(open_page(PAGE, partial_task), partial_task)
    widget(at, partial_task, "column.text").set_value("備註").run()
    assert not at.exception and attached(partial_task).text_columns == ("備註",)
    second = topic(open_page(PAGE, partial_task), partial_task, "file")
    assert widget(second, partial_task, "column.text").value == "備註"
    widget(second, partial_task, "column.beside").set_value(["信件內容"]).run()
    assert inspect(attached(Task.open(partial_task.folder))).mapping == {"信件內容": "信件內容", "text": "備註", "label": "類別"}


def test_one_column_for_two_fields_is_refused_with_a_word(partial_task, open_page):
    at = attach(open_page(PAGE, partial_task), partial_task)
    widget(at, partial_task, "column.text").set_value("類別").run()
    assert said("zh-TW", "data.one_column_twice", column="類別") in " ".join(str(found.value) for found in at.warning).replace(
        "\\", ""
    )
    assert attached(partial_task).text_columns == ("信件內容",) and widget(at, partial_task, "column.text").value == "信件內容"


def test_columns_corrected_by_somebody_else_meanwhile_are_told(partial_task, open_page):
    mine = attach(open_page(PAGE, partial_task), partial_task)
    theirs = topic(open_page(PAGE, partial_task), partial_task, "file")
    widget(theirs, partial_task, "column.text").set_value("備註").run()
    widget(mine, partial_task, "column.beside").set_value(["備註"]).run()
    assert not mine.exception and attached(partial_task).text_columns == ("備註",)
    assert said("zh-TW", "data.columns_changed") in " ".join(str(found.value) for found in mine.warning)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_the_answers_name_but_the_folder_lacks_is_a_calm_sentence(language, finished_task, open_page):
    at = topic(open_page(PAGE, finished_task, language), finished_task, "file")
    assert said(language, "data.gone", path="raw/mailbox_export.csv") in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_damaged_data_source_is_said_and_the_questions_still_work(language, partial_task, open_page):
    (partial_task.folder / "data_source.yaml").write_text("sources: [", encoding="utf-8")
    at = open_page(PAGE, partial_task, language)
    widget(at, partial_task, "success.threshold").set_value("0.7").run()
    assert not at.exception and partial_task.answers().success.threshold == 0.7
    assert "data_source.yaml" in words(topic(at, partial_task, "file"))


def test_a_confirmed_task_chooses_columns_by_its_templates_fields(ready_task, open_page):
    ready_task.save_answers(Answers.model_validate({"task": {"type": "classification", "labels": ready_task.file.targets[None]}}))
    at = topic(open_page(PAGE, ready_task), ready_task, "file")
    at.file_uploader(key(ready_task, "upload.0")).upload("a.csv", sheet(), "text/csv").run()
    assert not at.exception
    boxes = [box.key for box in at.selectbox if ".column." in box.key]
    fields = [f"column.field.{field}" for field in (*ready_task.file.placeholders, "label")]
    assert boxes == [key(ready_task, name) for name in fields], "every note is another: none groups rows"


def sheet_of_customers(count=60):
    """As `sheet`, with customers of four letters each, a dozen shops, two regions, and a column that is nearly the same everywhere."""
    head, *rows = sheet(count).decode().splitlines()
    lines = [
        f"{row},客戶{place // 4},門市{place % 12},{'東西'[place % 2]},{'甲' if place % 6 else place}"
        for place, row in enumerate(rows)
    ]
    return ("\n".join([head + ",客戶,門市,地區,通路", *lines]) + "\n").encode()


def test_the_column_of_rows_that_belong_together_is_chosen_and_taken_back(partial_task, open_page):
    at = attach(topic(open_page(PAGE, partial_task), partial_task, "file"), partial_task, sheet_of_customers(), "a.csv")
    box = widget(at, partial_task, "column.group")
    assert box.options == ["客戶", "門市"] and box.value is None, (
        "no field's column, none without repeats, none of few values, none that is mostly one"
    )
    at = box.set_value("客戶").run()
    assert not at.exception and attached(partial_task).group_by == "客戶"
    assert not open_page("3_recommend.py", partial_task).exception, "folds of groups are of many sizes"
    at = attach(at, partial_task, sheet_of_customers(80), "b.csv", turn=1)
    assert attached(partial_task).group_by == "客戶" == widget(at, partial_task, "column.group").value, "a new file keeps it"
    at = widget(at, partial_task, "column.group").set_value(None).run()
    assert not at.exception and attached(partial_task).group_by is None


def test_a_group_whose_column_is_gone_is_said_and_can_be_taken_out(partial_task, open_page):
    at = attach(topic(open_page(PAGE, partial_task), partial_task, "file"), partial_task, sheet_of_customers(), "a.csv")
    widget(at, partial_task, "column.group").set_value("客戶").run()
    attached(partial_task).path.write_bytes(sheet())
    at = topic(open_page(PAGE, partial_task), partial_task, "file")
    box = widget(at, partial_task, "column.group")
    assert box.value == "客戶" and said("zh-TW", "data.group_gone", column="客戶") in words(at)
    at = box.set_value(None).run()
    assert attached(partial_task).group_by is None and "沒有「客戶」" not in words(at)


def test_a_group_column_that_becomes_the_label_groups_no_more(partial_task, open_page):
    at = attach(topic(open_page(PAGE, partial_task), partial_task, "file"), partial_task, sheet_of_customers(), "a.csv")
    widget(at, partial_task, "column.group").set_value("門市").run()
    at = topic(open_page(PAGE, partial_task), partial_task, "file")
    at = widget(at, partial_task, "column.label").set_value("門市").run()
    assert not at.exception and attached(partial_task).group_by is None and attached(partial_task).label_column == "門市"


def test_somebody_elses_choice_of_the_group_is_not_overwritten(partial_task, open_page):
    mine = attach(topic(open_page(PAGE, partial_task), partial_task, "file"), partial_task, sheet_of_customers(), "a.csv")
    theirs = topic(open_page(PAGE, partial_task), partial_task, "file")
    widget(theirs, partial_task, "column.group").set_value("客戶").run()
    mine = widget(mine, partial_task, "column.group").set_value("門市").run()
    assert not mine.exception and attached(partial_task).group_by == "客戶"
    assert said("zh-TW", "data.columns_changed") in " ".join(str(found.value) for found in mine.warning)


# --- data is text ---------------------------------------------------------------------------------------------------------------


def test_html_markdown_and_remote_images_stay_text(partial_task, open_page):
    nasty = "<img src=x onerror=alert(1)> ![x](https://evil.example/x.png) [a](javascript:alert(1)) $x^2$ :red[hi]"
    save_answer(partial_task, "success.baseline_name", Held(nasty), seen=OPEN)
    mine = open_page(PAGE, partial_task)
    save_answer(partial_task, "success.baseline_name", Held("**" + nasty), seen=Held(nasty))
    widget(mine, partial_task, "success.baseline_name").set_value("別的").run()
    rows = [f'"{nasty}第{number}句話",{label}' for number, label in enumerate(["<b>甲</b>", "![乙](http://e/x.png)"] * 20)]
    attach(mine, partial_task, ("\n".join(["<h1>文字</h1>,label", *rows]) + "\n").encode(), "![n](http://e).csv")
    for at in (mine, topic(mine, partial_task, "task"), topic(mine, partial_task, "success")):
        assert not at.exception
        for shown in [*at.markdown, *at.caption, *at.success]:
            assert "![" not in shown.value.replace("\\!\\[", "") and "<img" not in shown.value.replace("\\<img", "")
            assert not shown.allow_html if hasattr(shown, "allow_html") else True


# --- weight ---------------------------------------------------------------------------------------------------------------------


def test_attaching_and_auditing_loads_no_torch(tmp_path):
    code = f"""
import os, sys
os.environ["COACH_WORKSPACE"] = {str(tmp_path)!r}
sys.path.insert(0, {str(ROOT)!r}); os.chdir({str(ROOT)!r})
from pathlib import Path
from streamlit.testing.v1 import AppTest
from coach.workspace import create_task
from tests.pages.test_discover import sheet
create_task(Path({str(tmp_path)!r}), "letters")
at = AppTest.from_file("app.py", default_timeout=60).run()
at.switch_page("pages/{PAGE}"); at.query_params["task"] = "letters"; at.run()
at.get_by_key("letters.discover.topic").set_value("file").run()
at.file_uploader("letters.discover.upload.0").upload("a.csv", sheet(), "text/csv").run()
assert not at.exception and len(at.get("vega_lite_chart")) == 1
print(sorted({{"torch", "transformers", "trl", "peft", "datasets"}} & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout.strip().split("\n")[-1] == "[]", found.stderr[-2000:]


@pytest.mark.parametrize(
    "content", ["{", "[1]", '{"x": "\\ud800"}', '{"x": ' + "[" * 600 + "]" * 600 + "}", '{"x": "' + "y" * 200_000 + '"}']
)
def test_what_was_read_is_kept_also_where_the_file_was_damaged(content, partial_task, open_page):
    success = Success.model_validate({"primary_metric": "macro_f1", "threshold": 0.7, "baseline_score": 0.75})
    partial_task.save_answers(partial_task.answers().model_copy(update={"success": success}))
    (partial_task.folder / UNDERSTOOD_FILE).write_text(content, encoding="utf-8")
    at = open_page(PAGE, partial_task, "en")
    sentence = text("contradiction.target_is_met_today", "en", threshold=0.7, score=0.75)
    assert not at.exception and sentence in words(at)
    at = at.button(key=f"{partial_task.name}.discover.contradiction.target_is_met_today.read").click().run()
    assert not at.exception and list(understood(partial_task)) == ["target_is_met_today"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_that_do_not_go_together_are_said_once_and_again_when_they_change(language, partial_task, open_page):
    said = {"primary_metric": "macro_f1", "threshold": 0.7, "baseline_score": 0.75}
    partial_task.save_answers(partial_task.answers().model_copy(update={"success": Success.model_validate(said)}))
    at = open_page(PAGE, partial_task, language)
    sentence = text("contradiction.target_is_met_today", language, threshold=0.7, score=0.75)
    assert not at.exception and sentence in words(at)
    at = at.button(key=f"{partial_task.name}.discover.contradiction.target_is_met_today.read").click().run()
    assert sentence not in words(at) and sentence not in words(open_page(PAGE, partial_task, language))  # another browser
    changed = Success.model_validate({**said, "baseline_score": 0.78})
    partial_task.save_answers(partial_task.answers().model_copy(update={"success": changed}))
    at = at.run()
    assert text("contradiction.target_is_met_today", language, threshold=0.7, score=0.78) in words(at)
    at = at.button(key=f"{partial_task.name}.discover.contradiction.target_is_met_today.change").click().run()
    assert not at.exception and text("interview.heard.success.threshold", language, value="0.7") in words(at)
