"""A person's file of what the system in use today answers: found, read in the task's own labels, or refused in three sentences."""

import csv
import io
import json
import shutil
from pathlib import Path

import openpyxl
import pytest

from coach.errors import CoachError, DataError
from coach.systems import systems
from coach.workspace import Task
from tests.pages.judged_versions import LABELS, every, finish, make_task
from training.data.rows import Row, read_rows, rows_to_jsonl
from training.entering_system import enter_path, enter_upload, rows_to_answer
from training.system_file import read_system

ROOT, ROWS = Path(__file__).parents[2], 60


@pytest.fixture
def task(tmp_path):
    task = make_task(tmp_path / "news", rows=ROWS)
    finish(task, "v1", every(3))
    return task


@pytest.fixture
def version(task):
    return task.version("v1")


def rows_of(version):
    return read_rows(version.split_path("test"))


def answers(version, wrong=4):
    """(row, what a system says of it): wrong in every `wrong`th row."""
    for place, row in enumerate(rows_of(version)):
        yield row, LABELS[(LABELS.index(row.output) + 1) % 3] if place % wrong == 0 else row.output


def two_inputs(folder):
    """A version whose rows are a product and a text, and the text alone does not say which row."""
    task = make_task(folder, rows=ROWS)
    file = task.file.model_copy(update={"input_template": "{product}\n{text}\n"})
    task.save_file(file)
    for part in ("train", "valid", "test"):
        made = [
            Row(f"r-{part}-{place}", {"product": f"產品 {place}", "text": f"壞了 {place % 3}"}, LABELS[place % 3])
            for place in range(ROWS)
        ]
        (folder / "data" / f"{part}.jsonl").write_text(rows_to_jsonl(made), encoding="utf-8")
    return finish(task, "v1", every(3))


def sheet(path, rows, header):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def refused(path, version, **options):
    with pytest.raises(CoachError) as caught:
        read_system(path, version, **options)
    for language in ("zh-TW", "en"):
        assert len(caught.value.lines(language)) == 3
    return caught.value


# --- which rows and which column -----------------------------------------------------------------------------------------------


def test_answers_are_found_by_id_whatever_the_columns_are_called(version, tmp_path):
    rows = [(row.id, said, "x") for row, said in answers(version)]
    found = read_system(sheet(tmp_path / "rules.csv", rows, ["編號", "規則結果", "備註"]), version)
    assert found.matched_by == "id" and found.column == "規則結果"
    assert found.predicted == {row.id: said for row, said in answers(version)} and not found.missing and not found.others


def test_answers_are_found_by_text_that_is_the_same_but_for_width_case_and_spaces(version, tmp_path):
    rows = [(row.input["text"].replace(" ", "　 "), said) for row, said in answers(version)]
    found = read_system(sheet(tmp_path / "rules.csv", rows, ["內文", "系統"]), version)
    assert found.matched_by == "text" and len(found.predicted) == ROWS


def test_two_test_rows_of_one_text_are_both_meant(tmp_path):
    task = make_task(tmp_path / "twins", rows=ROWS, text=lambda place: f"第 {place // 6} 則新聞")
    twins = finish(task, "v1", every(3))
    rows = [(f"第 {number} 則新聞", LABELS[number % 3]) for number in range(ROWS // 6)]
    found = read_system(sheet(tmp_path / "rules.csv", rows, ["text", "predicted"]), twins)
    assert len(found.predicted) == ROWS and found.predicted["r-test-0000"] == found.predicted["r-test-0005"] == LABELS[0]


def test_a_file_as_the_version_writes_it_is_read(version):
    found = read_system(version.predictions_path, version)
    given = {row["id"]: row["predicted"] for row in map(json.loads, version.predictions_path.read_text("utf-8").splitlines())}
    assert found.column == "predicted" and found.predicted == given


def test_the_rows_handed_out_come_back_whole_with_their_formulas(tmp_path):
    task = make_task(tmp_path / "tweets", rows=ROWS, text=lambda index: f"@user{index} =1+1 好")
    version = finish(task, "v1", every(3))
    handed = list(csv.reader(io.StringIO(rows_to_answer(version).lstrip("\ufeff"))))
    assert handed[0] == ["id", "text", "predicted"] and handed[1][1].startswith("'@")
    assert not any(label in rows_to_answer(version) for label in LABELS), "the right labels are not handed out"
    filled = [(*row[:2], LABELS[place % 3]) for place, row in enumerate(handed[1:])]
    with_id = read_system(sheet(tmp_path / "a.csv", filled, handed[0]), version)
    by_text = read_system(sheet(tmp_path / "b.csv", [row[1:] for row in filled], handed[0][1:]), version)
    assert with_id.matched_by == "id" and by_text.matched_by == "text" and with_id.predicted == by_text.predicted


@pytest.mark.parametrize("name", ["id", "predicted"])
def test_the_rows_handed_out_come_back_where_an_input_is_called_like_a_column_of_ours(tmp_path, name):
    task = make_task(tmp_path / "news", rows=ROWS)
    task.save_file(task.file.model_copy(update={"input_template": f"{{{name}}}\n"}))
    for part in ("train", "valid", "test"):
        made = [Row(f"r-{part}-{place}", {name: f"信 {place}"}, LABELS[place % 3]) for place in range(ROWS)]
        (task.folder / "data" / f"{part}.jsonl").write_text(rows_to_jsonl(made), encoding="utf-8")
    version = finish(task, "v1", every(3))
    header, *handed = csv.reader(io.StringIO(rows_to_answer(version).lstrip("\ufeff")))
    assert header == ["id", f"input:{name}", "predicted"]
    expected = {row.id: said for row, said in answers(version)}
    whole = [(row, text, expected[row]) for row, text, _ in handed]
    assert read_system(sheet(tmp_path / "whole.csv", whole, header), version).predicted == expected
    by_text = read_system(sheet(tmp_path / "text.csv", [row[1:] for row in whole], header[1:]), version)
    assert by_text.predicted == expected and by_text.matched_by == "text"
    by_id = read_system(sheet(tmp_path / "id.csv", [row[::2] for row in whole], header[::2]), version)
    assert by_id.predicted == expected and by_id.matched_by == "id"


def test_excel_is_read(version, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "predicted"])
    for row, said in answers(version):
        book.active.append([row.id, said])
    book.save(tmp_path / "rules.xlsx")
    assert len(read_system(tmp_path / "rules.xlsx", version).predicted) == ROWS


def test_two_inputs_are_matched_together(tmp_path):
    version = two_inputs(tmp_path / "letters")
    rows = [(row.input["text"], row.input["product"], row.output) for row in rows_of(version)]
    rows[0] = (*rows[0][:2], next(label for label in LABELS if label != rows[0][2]))
    found = read_system(sheet(tmp_path / "rules.csv", rows, ["text", "product", "predicted"]), version)
    assert len(found.predicted) == len(rows_of(version))
    only_text = sheet(tmp_path / "short.csv", [(text, said) for text, _, said in rows], ["text", "predicted"])
    assert refused(only_text, version).key == "systems.too_few_matched", "the text alone does not say which product"


def test_a_prediction_column_goes_before_the_labels_beside_it(version, tmp_path):
    rows = [(row.id, row.output, said) for row, said in answers(version)]
    found = read_system(sheet(tmp_path / "rules.csv", rows, ["id", "label", "rule_pred"]), version)
    assert found.column == "rule_pred" and not found.all_right


def test_labels_are_taken_as_the_task_spells_them(tmp_path, version):
    said = [" 正面", "正面 ", "負面", "中立"]
    rows = [(row.id, said[place % 4]) for place, row in enumerate(rows_of(version))]
    assert set(read_system(sheet(tmp_path / "rules.csv", rows, ["id", "predicted"]), version).predicted.values()) == set(LABELS)


@pytest.mark.parametrize("as_text", [True, False])
def test_of_an_answer_with_slots_the_slot_of_the_task_counts(tmp_path, as_text):
    shutil.copytree(ROOT / "tests" / "data" / "example-task", tmp_path / "letters")
    version = Task.open(tmp_path / "letters").version("v1")
    said = {row.id: ["緊急", "一般", "不急"][place % 3] for place, row in enumerate(rows_of(version))}
    cells = {row: label if as_text else json.dumps({"reason": "關鍵字", "urgency": label}) for row, label in said.items()}
    found = read_system(sheet(tmp_path / "rules.csv", cells.items(), ["id", "predicted"]), version)
    assert found.predicted == said


# --- what is left out, and said -------------------------------------------------------------------------------------------------


def test_half_the_rows_are_enough_and_fewer_are_not(version, tmp_path):
    rows = [(row.id, said) for row, said in answers(version)]
    found = read_system(sheet(tmp_path / "half.csv", rows[: ROWS // 2], ["id", "predicted"]), version)
    assert len(found.predicted) == len(found.missing) == ROWS // 2
    assert any("30" in said.say("en") and rows_of(version)[30].input["text"] in said.say("en") for said in found.sentences())
    error = refused(sheet(tmp_path / "less.csv", rows[: ROWS // 2 - 1], ["id", "predicted"]), version)
    assert error.key == "systems.too_short" and error.data["found"] == 29 and error.data["needed"] == 30


def test_rows_that_are_no_test_rows_are_passed_over_with_their_numbers(version, tmp_path):
    rows = [("r-else", "正面"), *((row.id, said) for row, said in answers(version))]
    found = read_system(sheet(tmp_path / "rules.csv", rows, ["id", "predicted"]), version)
    assert found.others == (2,) and len(found.predicted) == ROWS


def test_the_same_row_twice_counts_once_and_two_answers_to_one_row_not_at_all(version, tmp_path):
    rows = [(row.id, said) for row, said in answers(version)]
    other = next(label for label in LABELS if label != rows[1][1])
    found = read_system(sheet(tmp_path / "rules.csv", [*rows, rows[0], (rows[1][0], other)], ["id", "predicted"]), version)
    assert found.twice == (rows[1][0],) and len(found.predicted) == ROWS - 1 and rows[0][0] in found.predicted


def test_an_answer_that_is_no_label_and_an_empty_one_stay_what_they_are(version, tmp_path):
    rows = [(row.id, said) for row, said in answers(version)]
    rows[0], rows[1] = (rows[0][0], "<b>無法判斷</b>"), (rows[1][0], " ")
    found = read_system(sheet(tmp_path / "rules.csv", rows, ["id", "predicted"]), version)
    assert found.predicted[rows[0][0]] == "<b>無法判斷</b>" and found.predicted[rows[1][0]] is None


# --- refused ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [None, "predicted"])
def test_a_column_of_answers_that_is_all_empty_has_a_sentence_of_its_own(version, tmp_path, said):
    """As the handed-out file comes back where nobody filled it in."""
    file = sheet(tmp_path / "empty.csv", [(row.id, " ") for row, _ in answers(version)], ["id", "predicted"])
    caught = refused(file, version, column=said)
    assert caught.key == "systems.all_empty" and "60" in caught.lines("en")[0] and "—" not in str(caught)


def test_another_tasks_file_is_refused_though_its_ids_are_ours(version, tmp_path):
    rows = [(row.id, f"完全不同的句子 {place}", "正面") for place, row in enumerate(rows_of(version))]
    error = refused(sheet(tmp_path / "rules.csv", rows, ["id", "text", "predicted"]), version)
    assert error.key == "systems.other_rows" and error.data["ours"] == "第 0 則新聞"


def test_a_text_that_was_cut_is_still_the_same_row(version, tmp_path):
    long = "很長" * 40
    task = make_task(tmp_path / "long", text=lambda index: f"{index} {long}")
    cut = finish(task, "v1", every(3))
    rows = [(row.id, row.input["text"][:50], said) for row, said in answers(cut)]
    assert len(read_system(sheet(tmp_path / "rules.csv", rows, ["id", "text", "predicted"]), cut).predicted) == ROWS


@pytest.mark.parametrize(
    ("header", "row", "key"),
    [
        (["id", "note"], lambda id, said: (id, "x"), "systems.no_column"),
        (["id", "a", "b"], lambda id, said: (id, said, LABELS[0]), "systems.which_column"),
        (["id", "predicted"], lambda id, said: (id, "positive"), "systems.not_labels"),
        (["id", "predicted"], lambda id, said: (id, ""), "systems.all_empty"),
        (["number", "predicted"], lambda id, said: ("7", said), "systems.too_few_matched"),
    ],
)
def test_wrong_columns_and_labels_are_said(version, tmp_path, header, row, key):
    rows = [row(one.id, said) for one, said in answers(version)]
    assert refused(sheet(tmp_path / "rules.csv", rows, header), version).key == key


def test_a_column_that_is_the_labels_themselves_is_refused_unless_it_is_named(version, tmp_path):
    path = sheet(tmp_path / "data.csv", [(row.id, row.output) for row in rows_of(version)], ["id", "label"])
    assert refused(path, version).key == "systems.the_truth"
    named = read_system(path, version, column="label")
    assert named.all_right and any("標註" in said.say("zh-TW") for said in named.sentences())


def test_a_column_that_is_not_there_and_several_systems_in_one_file_are_said(version, tmp_path):
    rows = [(row.id, label) for row in rows_of(version) for label in LABELS]
    path = sheet(tmp_path / "three.csv", rows, ["id", "predicted"])
    assert refused(path, version, column="gone").key == "data.column_missing"
    assert refused(path, version).key == "systems.all_twice"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jsonl", b"{}\n{}\n"), ("a.csv", b""), ("a.pkl", b"x"), ("a.json", b"[1"), ("a.xlsx", b"PK")],
)
def test_what_is_no_table_is_refused(version, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, version)


# --- kept ------------------------------------------------------------------------------------------------------------------------


def test_an_upload_is_kept_beside_the_versions_and_leaves_nothing_else(task, version, tmp_path):
    rows = [(row.id, said) for row, said in answers(version)]
    content = sheet(tmp_path / "rules.csv", rows, ["id", "predicted"]).read_bytes()
    before = {path: path.stat().st_mtime_ns for path in version.folder.rglob("*") if path.is_file()}
    entered = enter_upload(task, version, io.BytesIO(content), "../../關鍵字 規則.csv")
    assert entered.system.path == task.folder / "systems" / "關鍵字_規則.jsonl"
    assert entered.system.predicted() == dict(rows)
    assert list((task.folder / "raw").iterdir()) == []
    assert before == {path: path.stat().st_mtime_ns for path in version.folder.rglob("*") if path.is_file()}


def test_another_file_of_the_same_name_never_replaces_what_was_entered(task, version, tmp_path):
    for wrong in (4, 5, 4):
        rows = [(row.id, said) for row, said in answers(version, wrong)]
        enter_path(task, version, str(sheet(tmp_path / "rules.csv", rows, ["id", "predicted"])))
    assert [system.name for system in systems(task)] == ["rules", "rules-2"], "the one entered last first, the same one once"


def test_a_refused_file_leaves_nothing(task, version):
    with pytest.raises(DataError):
        enter_upload(task, version, io.BytesIO(b"id,predicted\nx,y\n"), "rules.csv")
    assert not (task.folder / "systems").exists()
