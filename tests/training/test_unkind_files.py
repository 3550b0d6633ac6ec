"""Files made, or broken, so that reading them costs far more than their size or leaves something no document can hold."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import openpyxl
import pandas
import pytest

from coach.errors import DataError
from coach.text import LANGUAGES
from training.data import read_columnar
from training.data.read import read_table

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def sheet_written_by_hand(path: Path, sheet: str) -> Path:
    """A workbook whose first sheet is `sheet`, the XML between <sheetData> tags."""
    parts = zipfile.ZipFile(workbook(path, [["x"]]))
    content = {name: parts.read(name) for name in parts.namelist()}
    content["xl/worksheets/sheet1.xml"] = f'<worksheet xmlns="{NAMESPACE}"><sheetData>{sheet}</sheetData></worksheet>'.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return path


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def refusal(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table(path)
    for language in LANGUAGES:
        lines = caught.value.lines(language)
        assert len(lines) == 3 and all(lines)
        "".join(lines).encode()  # what is said can be written
    return caught.value


# --- sheets ---------------------------------------------------------------------------------------------------------------------


def test_a_cell_in_the_last_column_makes_its_row_a_problem_and_the_sheet_no_wider(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(read_columnar, "MAX_SHEET_CELLS", 100)  # filled up to XFD, three rows would be 49,152 cells
    head = f'<row r="1">{cell("A1", "text")}{cell("B1", "label")}</row>'
    rows = "".join(f'<row r="{n}">{cell(f"A{n}", "good")}{cell(f"XFD{n}", "far")}</row>' for n in (2, 3, 4))
    table = read_table(sheet_written_by_hand(tmp_path / "far.xlsx", f'{head}{rows}<row r="9">{cell("A9", "last")}</row>'))
    assert table.columns == ("text", "label")
    assert [(problem.row, problem.fault) for problem in table.problems] == [(n, "field_count") for n in (2, 3, 4)]
    assert "16384" in table.problems[0].detail
    assert (table.rows, table.row_numbers) == ([{"text": "last", "label": None}], [9])


def test_a_gap_of_a_million_rows_is_not_walked_through(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(read_columnar, "MAX_SHEET_CELLS", 10)
    sheet = f'<row r="1">{cell("A1", "text")}</row><row r="1048576">{cell("A1048576", "z")}</row>'
    assert read_table(sheet_written_by_hand(tmp_path / "gap.xlsx", sheet)).row_numbers == [1048576]


def test_more_cells_than_the_limit_are_refused_and_exactly_so_many_are_read(tmp_path: Path, monkeypatch) -> None:
    path = workbook(tmp_path / "rows.xlsx", [["text", "label"], *([f"row {n}", "a"] for n in range(49))])
    monkeypatch.setattr(read_columnar, "MAX_SHEET_CELLS", 100)
    assert len(read_table(path)) == 49
    monkeypatch.setattr(read_columnar, "MAX_SHEET_CELLS", 99)
    error = refusal(path)
    assert error.key == "data.too_many_cells" and "99" in str(error)


def test_a_wide_header_counts_for_every_row_under_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(read_columnar, "MAX_SHEET_CELLS", 200)
    rows = "".join(f'<row r="{n}">{cell(f"A{n}", "text")}</row>' for n in range(2, 6))
    path = sheet_written_by_hand(tmp_path / "wide.xlsx", f'<row r="1">{cell("A1", "text")}{cell("CV1", "label")}</row>{rows}')
    assert refusal(path).key == "data.too_many_cells"  # 100 columns in 5 rows, though 6 cells are written


def test_one_endless_row_is_refused_too(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(read_columnar, "MAX_SHEET_CELLS", 50)
    path = sheet_written_by_hand(tmp_path / "row.xlsx", "<row>" + '<c t="inlineStr"><is><t>x</t></is></c>' * 51 + "</row>")
    assert refusal(path).key == "data.too_many_cells"


def test_a_sheet_packed_beyond_what_people_write_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch) -> None:
    row = '<row><c t="inlineStr"><is><t>text</t></is></c></row>'
    path = sheet_written_by_hand(tmp_path / "bomb.xlsx", row * 250_000)
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *_, **__: pytest.fail("the workbook was opened"))
    error = refusal(path)
    assert error.key == "data.unpacks_too_large" and error.data["unpacked_mb"] > 10


def test_formulas_are_found_in_the_same_pass_wherever_they_stand(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "rows.xlsx", [["text", "label"], ["=A1", "=B1"], ["plain", "y"], ["plain too", "=A1"], ["z", "y", "=A1"]]
    )
    table = read_table(path)
    assert [(problem.row, problem.fault, problem.detail) for problem in table.problems] == [
        (2, "formula_unsaved", "=A1"),
        (4, "formula_unsaved", "=A1"),
    ]
    assert table.column("text") == ["plain", "z"]  # a formula beside the table concerns nobody


def test_a_formula_with_its_value_saved_is_that_value(tmp_path: Path) -> None:
    head = f'<row r="1">{cell("A1", "text")}{cell("B1", "label")}</row>'
    row = f'<row r="2"><c r="A2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>{cell("B2", "y")}</row>'
    table = read_table(sheet_written_by_hand(tmp_path / "rows.xlsx", head + row))
    assert table.rows == [{"text": "ab", "label": "y"}] and not table.problems


def test_a_parquet_file_of_more_cells_than_the_limit_is_refused_by_its_footer(tmp_path: Path, monkeypatch) -> None:
    pandas.DataFrame({"text": ["same"] * 1000, "label": ["a"] * 1000}).to_parquet(tmp_path / "rows.parquet")
    monkeypatch.setattr(read_columnar, "MAX_PARQUET_CELLS", 1999)
    monkeypatch.setattr("pyarrow.parquet.read_table", lambda *_, **__: pytest.fail("the rows were read"))
    assert refusal(tmp_path / "rows.parquet").key == "data.too_many_cells"


# --- names of columns -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["te\ud83dxt", "te\x00xt", "te\x1bxt", "te\x7fxt", "te\uffffxt"])
def test_a_name_that_no_document_can_hold_is_refused_in_json(tmp_path: Path, bad: str) -> None:
    rows = [{bad: f"text {n}", "label": "ab"[n % 2]} for n in range(9)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    for name in ("rows.jsonl", "rows.json"):
        error = refusal(tmp_path / name)
        assert (error.key, error.data["place"]) == ("data.header_unwritable", 1)
        assert f"U+{ord(bad[2]):04X}" in str(error)


def test_one_row_with_such_a_name_is_a_problem_of_that_row(tmp_path: Path) -> None:
    rows = [{"text": "one", "label": "a"}, {"te\ud83dxt": "two", "label": "b"}, {"text": "three", "label": "b"}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    table = read_table(tmp_path / "rows.jsonl")
    assert table.columns == ("text", "label") and table.row_numbers == [1, 3]
    assert [(problem.row, problem.fault) for problem in table.problems] == [(2, "broken_encoding")]


def test_such_a_name_is_refused_in_csv_and_parquet(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,te\x1bxt,label\n1,one,a\n", encoding="utf-8")
    pandas.DataFrame({"te\x00xt": ["one"], "label": ["a"]}).to_parquet(tmp_path / "rows.parquet")
    error = refusal(tmp_path / "rows.csv")
    assert (error.key, error.data["place"]) == ("data.header_unwritable", 2)
    assert refusal(tmp_path / "rows.parquet").key == "data.header_unwritable"


def test_a_line_break_in_a_spreadsheets_header_is_no_fault(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rows.xlsx", [["內文\n（必填）", "標註"], ["一", "好"]])
    assert read_table(path).columns == ("內文\n（必填）", "標註")


# --- numbers --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_a_number_of_thousands_of_digits_stays_the_text_it_is(tmp_path: Path, name: str) -> None:
    digits = "-1" + "0" * 5000
    row = '{"text": "abc def", "label": 7, "n": ' + digits + "}"
    (tmp_path / name).write_text(f"[{row}]" if name == "rows.json" else row, encoding="utf-8")
    table = read_table(tmp_path / name)
    assert table.rows == [{"text": "abc def", "label": "7", "n": digits}] and not table.problems
