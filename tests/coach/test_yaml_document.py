"""Reading and writing YAML, and holding it against a model. Documents' own keys are tested beside them."""

import pickle
import random
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from coach.errors import DocumentError
from coach.problems import InvalidDocument, Problem
from coach.task_schema import Strict
from coach.text import LANGUAGES
from coach.validation import examine, validate
from coach.yaml_document import MAX_BYTES, parse_document, read_document
from coach.yaml_writing import dump


class Wheel(Strict):
    size: int = Field(default=28, ge=1, le=100)
    kind: Literal["front", "back"] = "front"


class Bicycle(Strict):
    """A toy document with every kind of field ours have."""

    name: str
    price: float | None = Field(default=None, gt=0)
    electric: bool | None = None
    built: datetime | None = None
    colours: list[str] | None = None
    wheels: list[Wheel] | None = None
    parts: dict[str, Wheel] | None = None
    gears: int | Literal["auto"] = "auto"
    frame: Wheel | None = None


def problems(written: str) -> list[Problem]:
    return examine(parse_document(written, "bike.yaml"), Bicycle)[1]


def refusal(content: str | bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse_document(content, "bike.yaml")
    for language in ("zh-TW", "en"):
        assert len(caught.value.lines(language)) == 3
    return caught.value


def test_every_problem_is_named_at_once_with_its_line():
    found = problems("name: [a]\nprise: 3\nprice: cheap\nwheels:\n  - size: 200\n    kind: side\n")
    assert [(p.line, p.path, p.code) for p in found] == [
        (1, "name", "wrong_kind"),
        (2, "prise", "unknown_key"),
        (3, "price", "wrong_type"),
        (5, "wheels[0].size", "out_of_range"),
        (6, "wheels[0].kind", "not_allowed"),
    ]
    assert found[1].data["nearest"] == "price"
    assert found[4].data["allowed"] == ["front", "back"]


def test_error_lists_all_problems_in_both_languages_and_survives_pickling():
    with pytest.raises(InvalidDocument) as caught:
        validate(parse_document("nmae: x\n", "bike.yaml"), Bicycle)
    error = pickle.loads(pickle.dumps(caught.value))
    assert {problem["code"] for problem in error.problems} == {"missing", "unknown_key"}
    assert "nmae" in error.lines("zh-TW")[0] and "「name」" in error.lines("zh-TW")[0]
    assert "nearest is 'name'" in error.lines("en")[0] and "line 1" in error.lines("en")[0]
    assert error.exit_code == 2


def test_right_key_in_the_wrong_section_is_pointed_to():
    assert problems("name: x\nkind: back\n")[0].data["nearest"].endswith("kind")
    assert problems("name: x\nframe: {electric: true}\n")[0].data["nearest"] == "electric"


def test_key_written_in_full_width_letters_finds_its_name():
    assert problems("ｎａｍｅ: x\nname: y\n")[0].data["nearest"] == "name"


def test_key_like_no_other_lists_the_known_ones():
    [found] = problems("name: x\nframe: {zzzz: 1}\n")
    assert found.code == "unknown_key_no_match" and found.data["known"] == ["size", "kind"]


def test_unknown_key_under_a_free_name_is_compared_with_that_section():
    [found] = problems("name: x\nparts: {left: {siz: 3}}\n")
    assert found.path == "parts.left.siz" and found.data["nearest"] == "size"


def test_doubled_key_is_an_error_with_both_lines():
    [found] = problems("name: a\nprice: 2\nname: b\n")
    assert (found.code, found.line, found.data["first_line"]) == ("duplicate_key", 3, 1)


def test_number_written_without_a_dot_is_a_number_where_one_is_wanted():
    assert validate(parse_document("name: x\nprice: 1e-5\ngears: '3'\n", "b"), Bicycle).price == 1e-5
    assert validate(parse_document("name: x\ngears: '3'\n", "b"), Bicycle).gears == 3
    assert validate(parse_document("name: x\nprice: １２\n", "b"), Bicycle).price == 12


@pytest.mark.parametrize("written", ["yes", "[1]", "2026-01-01", "abc", "", ".nan", "-1", "0"])
def test_what_is_no_positive_number_is_a_problem(written):
    found = problems(f"name: x\nprice: {written}\n")
    assert [p.path for p in found] == (["price"] if written else [])


@pytest.mark.parametrize("written", ["3.5", "true", "soon", "[1, 2]", "{a: 1}"])
def test_field_of_two_kinds_gives_one_problem(written):
    assert [p.path for p in problems(f"name: x\ngears: {written}\n")] == ["gears"]


def test_text_that_yaml_takes_for_something_else_stays_as_written_where_text_is_wanted():
    bike = validate(parse_document("name: 2025-01-07\ncolours: [yes, no, 0, 1.50, 12:30, 白]\n", "b"), Bicycle)
    assert bike.name == "2025-01-07"
    assert bike.colours == ["yes", "no", "0", "1.50", "12:30", "白"]


@pytest.mark.parametrize(
    "written", ["2026-11-22T10:00:00+08:00", "'2026-11-22T10:00:00+08:00'", "2026-11-22 10:00:00 +08:00", "2026-11-22T02:00:00Z"]
)
def test_times_are_read_in_every_usual_form(written):
    built = validate(parse_document(f"name: x\nbuilt: {written}\n", "b"), Bicycle).built
    assert built == datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=8)))


def test_bare_date_is_midnight_and_a_date_that_is_none_is_a_problem():
    assert validate(parse_document("name: x\nbuilt: 2026-11-22\n", "b"), Bicycle).built == datetime(2026, 11, 22)
    assert [p.path for p in problems("name: x\nbuilt: 2026-02-30\n")] == ["built"]


def test_key_without_a_value_says_so():
    assert [(p.path, p.code) for p in problems("name:\n")] == [("name", "no_value")]


def test_problem_that_shows_only_after_another_is_reread_is_found():
    assert [p.code for p in problems("name: 12\nwheels: [{size: '500'}]\n")] == ["out_of_range"]


def test_what_programs_write_may_hold_keys_of_a_newer_version():
    bike = validate(parse_document("name: x\nwings: 2\nframe: {size: 3, colour: red}\n", "b"), Bicycle, drop_unknown=True)
    assert bike.frame is not None and bike.frame.size == 3


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_yaml_bomb_is_refused_quickly():
    start = time.process_time()
    assert refusal(BOMB).key == "document.expands"
    assert time.process_time() - start < 2


def test_alias_of_modest_size_is_read():
    assert parse_document("a: &x [1, 2]\nb: *x\n", "b").mapping == {"a": [1, 2], "b": [1, 2]}


def test_what_a_caller_makes_of_a_document_is_not_what_the_next_one_reads():
    first = parse_document("a: {b: [1]}\n", "task.yaml")
    first.mapping["a"]["b"].append(2)
    assert parse_document("a: {b: [1]}\n", "task.yaml").mapping == {"a": {"b": [1]}}
    assert parse_document("a: {b: [3]}\n", "task.yaml").mapping == {"a": {"b": [3]}}


@pytest.mark.parametrize(
    "written", ["[" * 100_000, "{a: " * 100_000, "\n".join(" " * n + "a:" for n in range(900)), "- " * 5000 + "a"]
)
def test_deep_nesting_is_refused(written):
    assert refusal(written).key in ("document.too_deep", "document.syntax")


def test_reference_to_itself_is_refused():
    assert refusal("a: &a [*a]\n").key in ("document.expands", "document.syntax")


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "document.empty"),
        (b"\n# only a remark\n", "document.empty"),
        (b"---\n", "document.empty"),
        (b"\xef\xbb\xbf", "document.empty"),
        (b"- a\n- b\n", "document.not_a_mapping_but_list"),
        (b"just words\n", "document.not_a_mapping_but_text"),
        (b"a: 1\n---\nb: 2\n", "document.several"),
        (b"a:\n\tb: 1\n", "document.tab"),
        (b"a: [1, 2\nb: 3\n", "document.syntax"),
        (b"a: b: c\n", "document.syntax"),
        (b"a: *nowhere\n", "document.syntax"),
        (b"a: %x\n", "document.syntax"),
        (b"a: \x00\n", "document.syntax"),
        (b"a: !!python/object/apply:os.system [ls]\n", "document.tag"),
        (b"a: !secret x\n", "document.tag"),
        (b"? [a, b]\n: 1\n", "document.key_not_text"),
        (b"a: {text}: b\n", "document.syntax"),
        ("name：腳踏車\n".encode(), "document.fullwidth_colon"),
        ("name: a\nprice：3\nbuilt: 2026-01-01\n".encode(), "document.fullwidth_colon"),
        (b"a: 1\n" * 300_000, "document.too_large"),
    ],
)
def test_what_is_no_document_is_a_sentence(content, key):
    assert refusal(content).key == key


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("a: b: c\n", "colon"),
        ("a: |\n x\ny\n", "key"),
        ("a: 'x\nb: 1\n", "quote"),
        ("a: [1, 2\nb: 3\n", "bracket"),
        ("a:\n  b: 1\n c: 2\n", "indentation"),
        ('a: "b" c\n', "indentation"),
        ("a: @x\n", "sign"),
        ("a: *nowhere\n", "sign"),
        ('a: "\\q"\n', "escape"),
        ('a: "C:\\Users"\n', "escape"),
        ("a: **重要** 說明\n", "sign"),
        ("a: - b\n", "sign"),
        ("a: [急] 是什麼\n", "bracket"),
        ("a: 1\n  b: 2\n", "colon"),
        ("a: \x01\n", "control"),
        ("%YAML 3\n---\na: 1\n", "other"),
    ],
)
def test_a_syntax_error_says_what_is_wrong_in_the_readers_words(content, fault):
    found = refusal(content)
    assert found.data["cause"]["key"] == f"document.syntax_cause.{fault}"
    for language in LANGUAGES:
        lines = found.lines(language)
        assert len(set(lines)) == 3 and not any("{" in line for line in lines)
        assert ("did not find" in lines[0]) is (fault == "other"), "the parser's words only where we have none"


def test_syntax_error_names_its_line():
    assert refusal("a: 1\nb: 2\n\tc: 3\n").data["line"] == 3
    assert refusal("a: 1\nb：2\nc: 3\n").data["line"] == 2
    assert refusal("a: 1\nb: 'x\nc: 1\nd: 1\n").data["line"] == 2, "where the quotation mark was opened"
    assert refusal("a: 1\nb: [\n\n").data["line"] == 2 and refusal("[").data["line"] == 1
    assert refusal("鍵: 中文\n鍵二: 中文\n鍵三: \x07\n").data["line"] == 3, "its place is counted in bytes"
    assert refusal("a: |\n  Text：{x}\nb: 1\nc: 1\nd: 1\ne: [\n").key == "document.syntax"  # that colon is a text's own


@pytest.mark.parametrize(
    ("encoding", "named"), [("utf-16", "UTF-16"), ("utf-16-be", "?"), ("big5", "BIG5"), ("gb18030", "GB18030")]
)
def test_other_encodings_are_named(encoding, named):
    written = "name: 分析金融新聞中特定實體的情感傾向，支援投資決策系統的輿情監控功能\n" * 3
    error = None
    try:
        parse_document(written.encode(encoding), "bike.yaml")
    except DocumentError as caught:
        error = caught
    assert error is not None and error.key in ("document.not_utf8", "document.syntax")
    if named != "?":
        assert error.key == "document.not_utf8" and error.data["encoding"] == named


def test_byte_order_mark_and_windows_line_ends_do_not_matter():
    assert parse_document(b"\xef\xbb\xbfname: x\r\nprice: 2\r\n", "b").mapping == {"name": "x", "price": 2}
    assert parse_document("\ufeffname: x", "b").mapping == {"name": "x"}


def test_files_that_cannot_be_read_are_sentences(tmp_path: Path):
    large = tmp_path / "large.yaml"
    large.write_bytes(b"a" * (MAX_BYTES + 1))
    for path, key in [
        (tmp_path / "none.yaml", "not_found"),
        (tmp_path, "not_a_file"),
        (Path("/dev/zero"), "not_a_file"),
        (large, "too_large"),
        (tmp_path / ("x" * 300), "unreadable"),
        (tmp_path / "a\0b", "unreadable"),
    ]:
        with pytest.raises(DocumentError) as caught:
            read_document(path)
        assert caught.value.key == f"document.{key}", path
        assert all(caught.value.lines("zh-TW"))


def test_a_large_honest_document_is_read_in_reasonable_time():
    written = "labels:\n" + "".join(f"  - 類別{n}\n" for n in range(20_000))
    start = time.perf_counter()
    assert len(parse_document(written, "b").mapping["labels"]) == 20_000
    assert time.perf_counter() - start < 5


def test_what_is_written_reads_back_as_the_same_values():
    value = {
        "rate": 1e-5,
        "tiny": 1.5e-300,
        "huge": 1e22,
        "zero": 0.0,
        "whole": 3,
        "no": "no",
        "number": "1e-5",
        "digits": "0012",
        "date": "2025-01-07",
        "day": date(2025, 1, 7),
        "at": datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=8))),
        "none": None,
        "yes": True,
        "empty": "",
        "template": "分析「{entity}」。\n文本：{text}\n",
        "ragged": "  indented\n\nblank, then no end",
        "trailing": "a \nb\t\n\n",
        "colon": "a: b # c",
        "emoji": "好🙂",
        "quote": "'\"",
        "list": ["a", ["b"], {}],
        "separator": "a\u2028b\x85c",
        "bell": "\x07",
        "question": "? a",
        "full": "：",
    }
    assert parse_document(dump(value), "b").mapping == value


def test_random_texts_survive_a_round_trip():
    dice = random.Random(7)
    letters = "a :#-'\"\n\t{}[]|>&*!%@`,?中，：\\0123.eE+~= \u3000"
    for _ in range(300):
        value = {"t": "".join(dice.choices(letters, k=dice.randrange(12)))}
        assert parse_document(dump(value), "b").mapping == value


def test_form_of_what_is_written():
    written = dump(
        {"b": "兩行\n文字\n", "a": {"r": 1e-5}, "at": datetime(2026, 1, 2, 3, 4), "labels": ["正", "負"], "code": "1e-5"}
    )
    assert written == "b: |\n  兩行\n  文字\na:\n  r: 1.0e-05\nat: 2026-01-02T03:04:00\nlabels:\n  - 正\n  - 負\ncode: '1e-5'\n"


def test_half_a_surrogate_is_no_text():
    with pytest.raises(DocumentError) as caught:
        parse_document("a: \ud800\n", "task.yaml")
    assert caught.value.key == "document.not_utf8" and caught.value.data["position"] == 3
    assert all(caught.value.lines("zh-TW")) and all(caught.value.lines("en"))
    assert parse_document("\ufeffa: 1\n", "task.yaml").mapping == {"a": 1}
