"""Answered test rows: joined with their texts, chosen, and written as a file a spreadsheet opens safely."""

import csv
import io
import json

import pytest

from coach.errors import WorkspaceError
from tests.pages.judged_versions import every, finish, make_task
from training.answered_rows import AnsweredRow, Choice, answered_rows, chosen, rows_to_csv
from training.spreadsheet import disarmed


@pytest.fixture
def version(tmp_path):
    return finish(make_task(tmp_path / "news"), "v1", every(3))


def row(name, actual, predicted, sure=0.9, text="x"):
    scores = {} if predicted is None else {predicted: sure}
    return AnsweredRow(name, {"text": text}, actual, predicted, scores, None)


ROWS = [
    row("1", "a", "b", 0.6, "ＡＰＰＬＥ pie"),
    row("2", "a", "b", 0.9),
    row("3", "a", "a", 0.7),
    row("4", "b", None),
    row("5", "b", "a", 0.5),
]


def ids(**choice):
    return [found.id for found in chosen(ROWS, Choice(**choice))]


def test_wrong_rows_come_by_how_sure_the_model_was_and_unscored_ones_last():
    assert ids() == ["2", "1", "5", "4"]
    assert ids(order="least_sure") == ["5", "1", "2", "4"]


def test_a_pair_a_class_or_an_answer_narrows_the_choice():
    assert ids(actual="a") == ["2", "1"]
    assert ids(predicted="a") == ["5"]
    assert ids(actual="a", predicted="b") == ["2", "1"]
    assert ids(actual="a", predicted="a") == ["3"]
    assert ids(outside=True) == ["4"] and ids(actual="a", outside=True) == []


def test_a_search_takes_width_and_case_alike():
    assert ids(search="apple") == ["1"] and ids(search=" ") == ids()


def test_texts_come_from_the_frozen_test_split(version):
    rows = answered_rows(version, None)
    assert len(rows) == 60 and rows[0].inputs == {"text": "第 0 則新聞"} and rows[0].scores
    working_copy = version.folder.parent.parent / "data" / "test.jsonl"
    working_copy.unlink()
    assert answered_rows(version, None) == rows


def test_an_answer_that_is_no_label_counts_as_outside_the_format(version):
    lines = version.predictions_path.read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0]) | {"predicted": "不知道"}
    version.predictions_path.write_text("\n".join([json.dumps(first, ensure_ascii=False), *lines[1:]]), encoding="utf-8")
    assert answered_rows(version, None)[0].predicted is None


def test_a_broken_line_is_named_and_a_missing_file_is_no_rows(version):
    version.predictions_path.write_text('{"id": "r"}\n', encoding="utf-8")
    with pytest.raises(WorkspaceError, match="line 1"):
        answered_rows(version, None)
    version.predictions_path.unlink()
    assert answered_rows(version, None) == ()


def test_the_file_disarms_formulas_and_says_that_it_is_utf_8():
    armed = [row("1", "a", "b", text='=HYPERLINK("http://evil.example")'), row("2", "+a", "-b", text="@x")]
    written = rows_to_csv(armed, ["text"])
    assert written.startswith("\ufeff")
    head, *body = csv.reader(io.StringIO(written.removeprefix("\ufeff")))
    assert head == ["id", "text", "actual", "predicted", "score_predicted", "score_actual", "raw"]
    assert body[0][1].startswith("'=") and body[1][1:4] == ["'@x", "'+a", "'-b"]


def test_an_input_called_like_a_column_of_ours_gets_a_name_of_its_own():
    written = rows_to_csv([AnsweredRow("1", {"actual": "text"}, "a", "b", {}, None)], ["actual"])
    assert written.removeprefix("\ufeff").splitlines()[0].startswith("id,input:actual,actual,predicted")


@pytest.mark.parametrize(
    "cell", ["＝1+1", "＋1", "－1", "＠SUM(A1)", " =1+1", "\n=1+1", "\r\n@x", "\u3000－1", "\u200b=1", "\ufeff+1", "\t1", "-1"]
)
def test_what_a_spreadsheet_takes_for_a_formula_is_disarmed(cell):
    assert disarmed(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["1+1", "第 1 則", " 留言 = 好", "", "a@b.c", "\n內文", 3, -2.5, None])
def test_other_cells_stay_as_they_are(cell):
    assert disarmed(cell) == cell
