"""The validation report: each problem under its code with its row numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coach.errors import DataError
from training.data.audit import Limits, audit
from training.data.near_labels import near_labels
from training.data.read import read_table


def read(folder: Path, *lines: str):
    path = folder / "rows.csv"
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    return read_table(path)


@pytest.fixture
def messy(tmp_path: Path):
    return read(
        tmp_path,
        "股價大漲,正面",  # 2
        "股價大跌,負面",  # 3
        "股價大漲,正面",  # 4 repeats 2
        "Ｓtock  up,正面",  # 5
        "stock up,負面",  # 6 contradicts 5: full width, case and spaces do not make another text
        "沒有標註,",  # 7
        ",負面",  # 8
        "明天開會,中性",  # 9 unknown
        "營收成長, 正面",  # 10 a space before the label
        "少一欄",  # 11
        "好,正面",  # 12 short
    )


def test_each_problem_has_its_code_and_row_numbers(messy) -> None:
    report = audit(messy, ["text"], "label", allowed_labels=["正面", "負面", "中立"])
    assert report.problems == {
        "unparseable": [11],
        "field_missing": [7, 8],
        "label_unknown": [9],
        "label_variant": [10],
        "duplicate": [4],
        "label_conflict": [5, 6],
        "too_short": [12],
    }
    assert (report.rows_total, report.rows_valid) == (11, 4)
    assert report.unknown_labels == {"中性": 1}
    assert report.label_variants == {"正面": {" 正面": 1}}
    assert report.conflicts == [{"正面": 1, "負面": 1}]
    assert report.class_distribution == {"正面": 3, "負面": 1}


def test_a_class_of_a_row_or_two_may_be_a_slip_and_is_named(tmp_path: Path) -> None:
    many = [f"第 {n} 則,{['物流', '付款'][n % 2]}" for n in range(80)]
    report = audit(read(tmp_path, *many, "刷卡失敗了,付欵"), ["text"], "label")
    (tiny,) = [one for one in report.suggestions if one.key == "tiny_class"]
    assert tiny.data["labels"] == "付欵 1"
    assert not [one for one in audit(read(tmp_path, *many), ["text"], "label").suggestions if one.key == "tiny_class"]


def test_rows_that_disagree_are_kept_few_of_each_label_as_the_file_has_them(tmp_path: Path) -> None:
    often = ["謝謝客服,Good"] * 250 + ["謝謝客服,bad"] * 4
    report = audit(read(tmp_path, *often, "還沒到,Good", "還沒到,BAD", "別的,good"), ["text"], "label")
    assert [(one.number, one.label) for one in report.disagreeing] == [
        (2, "Good"), (3, "Good"), (4, "Good"), (252, "bad"), (253, "bad"), (254, "bad"), (256, "Good"), (257, "BAD"),
    ]  # fmt: skip
    assert len(report.problems["label_conflict"]) == 256 and len(report.to_json()["disagreeing"]) == 8
    long = audit(read(tmp_path, "長" * 9_000 + ",a", "長" * 9_000 + ",b"), ["text"], "label")
    assert [len(one.text) for one in long.disagreeing] == [500, 500]


def test_no_text_is_kept_with_some_of_its_labels_alone(tmp_path: Path) -> None:
    report = audit(read(tmp_path, *(f"第 {n // 2} 句,{'ab'[n % 2]}" for n in range(500))), ["text"], "label")
    texts = [one.text for one in report.disagreeing]
    assert len(texts) == 200 and all(texts.count(text) == 2 for text in texts)


def test_without_declared_labels_the_usual_spelling_wins(tmp_path: Path) -> None:
    report = audit(read(tmp_path, "a a,Pos", "b b,pos", "c c,Pos", "d d,ＰＯＳ ", "e e,neg"), ["text"], "label")
    assert report.label_variants == {"Pos": {"pos": 1, "ＰＯＳ ": 1}}
    assert report.class_distribution == {"Pos": 4, "neg": 1}


def test_lengths_are_measured_in_characters_and_in_the_models_tokens(tmp_path: Path) -> None:
    rows = read(tmp_path, *[f"{'字' * length},a" for length in range(1, 101)])
    report = audit(
        rows, ["text"], "label", count_tokens=lambda text: len(text) * 2, limits=Limits(min_chars=5, max_chars=90, max_tokens=150)
    )
    assert report.chars is not None and report.chars.to_json() == {"min": 1, "p50": 51, "p95": 95, "max": 100}
    assert report.tokens is not None and report.tokens.maximum == 200
    assert len(report.problems["too_short"]) == 4
    assert report.problems["too_long"] == list(range(92, 102))
    assert report.problems["too_many_tokens"] == list(range(77, 102))
    assert report.rows_valid == 100


def test_suggestions_name_what_to_do_gravest_first(tmp_path: Path) -> None:
    lines = [f"正面的句子 {i},正面" for i in range(60)] + [f"負面的句子 {i},負面" for i in range(5)] + ["正面的句子 1,正面"]
    report = audit(read(tmp_path, *lines), ["text"], "label")
    assert [suggestion.key for suggestion in report.suggestions] == ["duplicate", "small_class", "skewed"]
    assert report.balance_ratio == 12
    few = audit(read(tmp_path, "一,甲", "二,甲"), ["text"], "label")
    assert [suggestion.key for suggestion in few.suggestions][:2] == ["few_rows", "one_class"]


def test_the_report_is_json_and_reads_in_both_languages(messy) -> None:
    report = audit(messy, ["text"], "label", allowed_labels=["正面", "負面", "中立"])
    document = json.loads(json.dumps(report.to_json(), ensure_ascii=False))
    assert {problem["code"]: problem["rows"] for problem in document["problems"]} == report.problems
    assert [problem["code"] for problem in document["problems"] if not problem["blocking"]] == ["label_variant", "too_short"]
    chinese, english = report.lines("zh-TW"), report.lines("en")
    assert len(chinese) == len(english)
    assert any("第 7, 8 行" in line for line in chinese)
    assert "11 rows in all, 4 of them usable for training." in english


def test_long_lists_of_rows_are_cut_for_people_and_whole_in_json(tmp_path: Path) -> None:
    report = audit(read(tmp_path, *["同一句話,甲"] * 101), ["text"], "label")
    assert len(report.problems["duplicate"]) == 100
    assert any("（共 100 筆）" in line for line in report.lines("zh-TW"))


def test_a_file_without_labels_can_be_audited(tmp_path: Path) -> None:
    report = audit(read(tmp_path, "一句話,甲", "一句話,乙", "兩句話,"), ["text"], None)
    assert report.problems == {"duplicate": [3]}
    assert report.class_distribution == {}


def test_a_column_that_is_not_there_is_named_with_those_that_are(messy) -> None:
    with pytest.raises(DataError) as caught:
        audit(messy, ["body"], "label")
    assert caught.value.data == {"column": "body", "path": "rows.csv", "columns": "text, label"}


def test_a_label_of_a_row_or_two_that_is_nearly_another_is_named_with_its_rows(tmp_path: Path) -> None:
    lines = [f"text {i},{['billing', 'shipping', 'not shipping'][i % 3]}" for i in range(60)]
    found = read(tmp_path, *lines, "one more,teh shipping", "and one,biling", "and two,Topic 1", "and three,other")
    for allowed in (None, ["billing", "shipping", "not shipping", "Topic 1"]):
        report = audit(found, ["text"], "label", allowed_labels=allowed)
        assert [(one.label, one.meant, one.rows) for one in report.near_labels] == [
            ("teh shipping", "shipping", (62,)),
            ("biling", "billing", (63,)),
        ]
        for language in ("zh-TW", "en"):
            said = [line for line in report.lines(language) if "teh shipping" in line and "62" in line]
            assert said and "shipping" in said[-1]
        assert report.to_json()["near_labels"][0] == {"label": "teh shipping", "meant": "shipping", "rows": [62]}


def test_a_label_broken_off_within_a_word_may_be_short_for_another() -> None:
    (found,) = near_labels({"technical": range(40), "tech": [41], "account": range(50, 90)})
    assert (found.label, found.meant) == ("tech", "technical")


@pytest.mark.parametrize(
    ("rare", "usual"),
    [("topic 2", "topic 1"), ("not happy", "happy"), ("male", "female"), ("負面", "正面"), ("非常滿意", "滿意"), ("a", "b"),
     ("news", "news archive"), ("國際新聞", "國際新聞評論")],
)  # fmt: skip
def test_labels_that_differ_on_purpose_are_no_slips(rare: str, usual: str) -> None:
    assert near_labels({usual: range(40), rare: [41]}) == []
    assert near_labels({"shipping": range(40), "shiping": range(40, 60)}) == []
