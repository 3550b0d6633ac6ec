"""What people bring: good files in every format, and every kind of bad file as a sentence, never a traceback."""

from __future__ import annotations

import json
import string
import zipfile
from pathlib import Path

import openpyxl
import pandas
import pytest

from coach.errors import DataError
from coach.text import LANGUAGES, catalogue
from training.data.read import MAX_FILE_BYTES, read_table
from training.data.read_delimited import MAX_FIELD_CHARS

HEADLINES = ["晶圓廠宣布調升全年展望", "航運公司運價連跌五週", "面板廠將於下週三召開法說會", "銀行逾放比創三年新高，股價重挫"]
CSV = "內文,標註\n" + "".join(
    f'"{text}",{label}\n' for text, label in zip(HEADLINES, ["正面", "負面", "中立", "負面"], strict=True)
)
SIMPLIFIED = "标题,情感\n周六晚到卖场听夜场摇滚,正面\n大巴车与汽车在雪天相撞,负面\n"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def refusal(path: Path, **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table(path, **options)  # type: ignore[arg-type]
    for language in LANGUAGES:
        assert len(caught.value.lines(language)) == 3
        assert all(line.strip() for line in caught.value.lines(language))
    return caught.value


# --- encodings ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "reported"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp950", "cp950"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_traditional_chinese_is_read_in_each_usual_encoding(tmp_path: Path, encoding: str, reported: str) -> None:
    table = read_table(write(tmp_path, "rows.csv", CSV.encode(encoding)))
    assert table.encoding == reported
    assert table.columns == ("內文", "標註")
    assert table.column("內文") == HEADLINES


def test_simplified_chinese_in_gb18030_is_not_taken_for_big5(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "rows.csv", SIMPLIFIED.encode("gb18030")))
    assert table.encoding == "gb18030"
    assert table.column("情感") == ["正面", "负面"]


@pytest.mark.parametrize("text", ["好吃,正面", "難吃,負面", "普通啦,中立"])
def test_one_short_big5_row_is_enough(tmp_path: Path, text: str) -> None:
    table = read_table(write(tmp_path, "rows.csv", f"評論,標註\n{text}\n".encode("cp950")))
    assert table.encoding == "cp950"
    assert table.rows[0]["評論"] == text.split(",")[0]


def test_a_hong_kong_character_outside_cp950_is_still_big5(tmp_path: Path) -> None:
    table = read_table(
        write(
            tmp_path,
            "rows.csv",
            "評論,標註\n佢哋嘅服務好差\n".replace("\n佢", ",x\n佢", 0).replace("差", "差,負面").encode("big5hkscs"),
        )
    )
    assert table.encoding == "big5hkscs"
    assert table.rows[0]["評論"] == "佢哋嘅服務好差"


def test_western_text_in_latin_1_keeps_its_accents(tmp_path: Path) -> None:
    body = "text,label\n" + "Le café était fermé, dommage très déçu\n".replace(", ", " ").replace("\n", ",neg\n") * 5
    table = read_table(write(tmp_path, "rows.csv", body.encode("cp1252")))
    assert table.rows[0]["text"] == "Le café était fermé dommage très déçu"


def test_a_damaged_line_of_a_utf_8_file_costs_that_line_only(tmp_path: Path) -> None:
    lines = ["內文,標註", *[f"{text},正面" for text in HEADLINES]]
    data = "\n".join(lines).encode() + b"\n\xe6\x99,\xe8\xb2\xa0\xe9\x9d\xa2\n"
    table = read_table(write(tmp_path, "rows.csv", data))
    assert len(table) == 4
    assert [(problem.row, problem.fault) for problem in table.problems] == [(6, "broken_encoding")]


def test_a_replacement_character_that_was_written_is_text(tmp_path: Path) -> None:
    assert len(read_table(write(tmp_path, "rows.csv", "text,label\n寫壞的\ufffd字,x\n"))) == 1


def test_a_wrong_encoding_names_the_line(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, "rows.csv", CSV.encode("cp950")), encoding="utf-8")
    assert (error.key, error.data["line"]) == ("data.encoding_wrong", 1)


def test_an_unknown_encoding_is_named(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, "rows.csv", CSV), encoding="big6").key == "data.encoding_unknown"


# --- CSV and TSV -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    rows = "\n".join(delimiter.join((f"好, 很好{i}" if delimiter != "," else f"好{i}", "正面")) for i in range(5))
    table = read_table(write(tmp_path, "rows.csv", f"text{delimiter}label\n{rows}\n"))
    assert table.delimiter == delimiter
    assert table.columns == ("text", "label")
    assert len(table) == 5


def test_row_numbers_are_lines_of_the_file_across_blank_lines_and_line_breaks_in_cells(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "rows.csv", 'text,label\none,a\n\n"two\nlines",b\nthree,c\n'))
    assert table.row_numbers == [2, 4, 6]
    assert table.rows[1]["text"] == "two\nlines"


def test_rows_with_too_few_or_too_many_fields_are_told_by_line(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "rows.csv", "text,label\none,a\nlonely\ntwo,b,c\nthree,d,\n"))
    assert [(problem.row, problem.fault, problem.detail) for problem in table.problems] == [
        (3, "field_count", "1 ≠ 2"),
        (4, "field_count", "3 ≠ 2"),
    ]
    assert table.column("text") == ["one", "three"]


def test_a_quote_never_closed_costs_its_own_line_only(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "rows.csv", 'text,label\none,a\n"two,b\nthree,c\nfour,d\n'))
    assert [(problem.row, problem.fault) for problem in table.problems] == [(3, "open_quote")]
    assert table.column("text") == ["one", "three", "four"]


def test_many_open_quotes_do_not_take_forever(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "rows.csv", "text,label\n" + '"never closed,a\n' * 3_001))
    assert len(table.problems) + len(table) == 3_001


def test_a_header_in_the_middle_is_told_and_passed_over(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "rows.csv", "text,label\none,a\ntext,label\ntwo,b\n"))
    assert [(problem.row, problem.fault) for problem in table.problems] == [(3, "header_again")]
    assert len(table) == 2


def test_two_columns_of_one_name_are_refused_with_their_places(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, "rows.csv", "text,label,text\na,b,c\n"))
    assert (error.key, error.data["column"], error.data["places"]) == ("data.header_doubled", "text", "1, 3")


def test_a_spreadsheets_empty_columns_at_the_end_do_not_count(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "rows.csv", "text,label,,\none,a,,\ntwo,b,,\n"))
    assert table.columns == ("text", "label")
    assert not table.problems


def test_text_that_begins_like_a_formula_stays_text(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "rows.csv", "text,label\n=1+1,a\n+886-2-1234,b\n@someone,c\n"))
    assert table.column("text") == ["=1+1", "+886-2-1234", "@someone"]


# --- JSON and JSONL ----------------------------------------------------------------------------------------------------------


def test_broken_jsonl_lines_are_told_by_line_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [
        '{"text": "一", "label": "a"}',
        '{"text": "二", ',
        '["list"]',
        "",
        '{"text": "三", "label": 3}',
        '{"text": "\\ud83d", "label": "a"}',
    ]
    table = read_table(write(tmp_path, "rows.jsonl", "\n".join(lines)))
    assert [(problem.row, problem.fault) for problem in table.problems] == [
        (2, "broken_json"),
        (3, "not_an_object"),
        (6, "broken_encoding"),
    ]
    assert table.row_numbers == [1, 5]
    assert table.rows[1] == {"text": "三", "label": "3"}


@pytest.mark.parametrize(
    "document",
    [[{"text": "一"}, {"text": "二"}], {"data": [{"text": "一"}, {"text": "二"}]}, {"rows": [{"text": "一"}, {"text": "二"}]}],
)
def test_a_list_of_objects_is_found_at_the_top_or_one_level_in(tmp_path: Path, document: object) -> None:
    assert read_table(write(tmp_path, "rows.json", json.dumps(document))).column("text") == ["一", "二"]


def test_lines_of_objects_under_a_json_name_are_read(tmp_path: Path) -> None:
    assert len(read_table(write(tmp_path, "rows.json", '{"text": "一"}\n{"text": "二"}\n'))) == 2


def test_values_become_text_and_null_stays_missing(tmp_path: Path) -> None:
    row = read_table(write(tmp_path, "rows.json", '[{"a": null, "b": true, "c": 1.5, "d": {"x": "值"}}]')).rows[0]
    assert row == {"a": None, "b": "true", "c": "1.5", "d": '{"x": "值"}'}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("[{]", "data.json_broken"),
        ('{"name": "x"}', "data.json_shape"),
        ("3", "data.json_shape"),
        ("[1, 2]", "data.no_rows"),
        ("[" * 200_000, "data.json_broken"),
    ],
)
def test_json_without_rows_says_what_it_is(tmp_path: Path, content: str, key: str) -> None:
    assert refusal(write(tmp_path, "rows.json", content)).key == key


# --- Parquet and Excel -------------------------------------------------------------------------------------------------------


def test_parquet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pandas.DataFrame({"text": ["一", None], "label": [1, 2]}).to_parquet(path)
    table = read_table(path)
    assert table.rows == [{"text": "一", "label": "1"}, {"text": None, "label": "2"}]
    assert table.row_numbers == [1, 2]


def test_a_sheet_is_read_with_its_own_row_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["內文", "標註", None], ["一", 1.0, None], [None, None, None], ["三", "b", None], ["四", "c", "多"]):
        book.active.append(row)
    book.save(tmp_path / "rows.xlsx")
    table = read_table(tmp_path / "rows.xlsx")
    assert table.columns == ("內文", "標註")
    assert (table.row_numbers, table.column("標註")) == ([2, 4], ["1", "b"])
    assert [(problem.row, problem.fault) for problem in table.problems] == [(5, "field_count")]


def test_a_formula_without_a_saved_value_is_a_problem_of_its_row(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["text", "label"], ['=CONCATENATE("a","b")', "x"], ["plain", "y"]):
        book.active.append(row)
    book.save(tmp_path / "rows.xlsx")
    table = read_table(tmp_path / "rows.xlsx")
    assert [(problem.row, problem.fault) for problem in table.problems] == [(2, "formula_unsaved")]
    assert table.column("text") == ["plain"]


@pytest.mark.parametrize("name", ["rows.xlsx", "rows.parquet"])
def test_a_damaged_binary_file_is_said_to_be_no_such_file(tmp_path: Path, name: str) -> None:
    assert refusal(write(tmp_path, name, b"PK\x03\x04 not really" * 20)).key == "data.file_broken"


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rows.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert refusal(tmp_path / "rows.xlsx").key == "data.file_broken"


# --- files that cannot be read at all ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("empty.csv", b"", "data.empty"),
        ("blank.csv", b"\n \n\n", "data.empty"),
        ("bom.csv", b"\xef\xbb\xbf", "data.empty"),
        ("empty.jsonl", b"\n\n", "data.empty"),
        ("empty.xlsx", b"", "data.empty"),
        ("header.csv", b"text,label\n", "data.header_only"),
        ("header.tsv", b"text\tlabel\n", "data.header_only"),
        ("header_quote.csv", b'"text,label\nfoo,bar\n', "data.header_broken"),
        ("none.jsonl", b"hello\nworld\n", "data.no_rows"),
        ("sheet.csv", b"PK\x03\x04\x14\x00", "data.not_text"),
        ("photo.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "data.not_text"),
        ("noise.csv", bytes(range(256)) * 20, "data.not_text"),
        ("nul.csv", b"text,label\n" + b"plain text here,a\n" * 40 + b"o\x00ne,a\n", "data.zero_bytes"),
        ("model.pkl", b"\x80\x04.", "data.suffix_runs_code"),
        ("rows.zip", b"PK", "data.suffix_packed"),
        ("rows.xls", b"\xd0\xcf", "data.suffix_old_excel"),
        ("rows.docx", b"PK", "data.suffix_unknown"),
        ("rows", b"text", "data.suffix_unknown"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(tmp_path: Path, name: str, content: bytes, key: str) -> None:
    assert refusal(write(tmp_path, name, content)).key == key


def test_a_pickle_is_refused_whatever_format_is_claimed(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, "model.pkl", b"\x80\x04."), format="csv").key == "data.suffix_runs_code"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere.csv").key == "data.file_missing"
    assert refusal(tmp_path).key == "data.is_folder"
    assert refusal(tmp_path / ("x" * 300 + ".csv")).key == "data.unreadable"


def test_a_huge_field_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, "rows.csv", f"text,label\none,a\n{'x' * (MAX_FIELD_CHARS + 1)},b\n"))
    assert (error.key, error.data["line"]) == ("data.field_too_large", 3)


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with open(tmp_path / "rows.csv", "wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # sparse: takes no room on the disk
    assert refusal(tmp_path / "rows.csv").key == "data.file_too_large"


def test_every_data_error_has_three_beats_with_the_same_placeholders_in_both_languages() -> None:
    texts = {key: value for key, value in catalogue().items() if key.startswith(("errors.data.", "audit.", "problems.source."))}
    names = {key.rsplit(".", 1)[0] for key in texts if key.startswith("errors.data.")}
    assert len(names) > 40
    assert all(f"{name}.{beat}" in texts for name in names for beat in ("found", "expected", "todo"))
    for key, text in texts.items():
        fields = [{field for _, field, _, _ in string.Formatter().parse(text[language]) if field} for language in LANGUAGES]
        assert fields[0] == fields[1], key
