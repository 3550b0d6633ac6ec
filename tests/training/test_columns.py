"""Which column is the text and which the label, by name and by content."""

from __future__ import annotations

from pathlib import Path

import pytest

from coach.errors import DataError
from training.data.columns import guess_columns, guess_mapping
from training.data.table import Table


def table(columns: dict[str, list[str]]) -> Table:
    names = tuple(columns)
    rows = [dict(zip(names, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return Table(Path("rows.csv"), "csv", names, list(rows), list(range(2, len(rows) + 2)))


LONG = [f"這是第 {i} 則相當長的新聞內容，談的是市場與公司" for i in range(40)]
SHORT = ["正面", "負面"] * 20


def test_chinese_names_are_known() -> None:
    guess = guess_columns(table({"編號": [str(i) for i in range(40)], "內文": LONG, "標註": SHORT}))
    assert (guess.text[0], guess.label) == ("內文", "標註")
    assert guess.is_sure


def test_columns_without_telling_names_are_guessed_by_content() -> None:
    guess = guess_columns(table({"a": SHORT, "b": [str(i) for i in range(40)], "c": LONG}))
    assert (guess.text[0], guess.label) == ("c", "a")
    assert guess.text_confidence < 1


def test_known_labels_settle_the_label_column() -> None:
    columns = {"text": LONG, "category": ["news"] * 40, "mood": SHORT}
    assert guess_columns(table(columns), ["正面", "負面"]).label == "mood"


def test_a_file_of_texts_alone_has_no_sure_label() -> None:
    guess = guess_columns(table({"text": LONG}))
    assert not guess.is_sure


def test_a_mapping_finds_several_placeholders() -> None:
    rows = table({"公司": [f"公司{i % 7}" for i in range(40)], "內文": LONG, "標註": SHORT})
    assert guess_mapping(rows, ["entity", "text"], ["sentiment"], ["正面", "負面"]) == {
        "entity": "公司",
        "text": "內文",
        "sentiment": "標註",
    }


def test_a_single_placeholder_of_any_name_takes_the_text_column() -> None:
    assert guess_mapping(table({"全文": LONG, "類別": SHORT}), ["article"], ["label"]) == {"article": "全文", "label": "類別"}


def test_a_mapping_that_cannot_be_made_names_fields_and_columns() -> None:
    with pytest.raises(DataError) as caught:
        guess_mapping(table({"x": LONG, "y": SHORT}), ["title", "entity"], ["label"])
    assert caught.value.key == "data.mapping_unclear"
    assert caught.value.data["fields"] == "title, entity"
    assert "x, y" in caught.value.lines("en")[1]


def test_a_column_of_known_labels_wins_though_a_slip_stands_in_it_and_another_column_is_called_label() -> None:
    teams = ["billing", "shipping"] * 19 + ["billing", "teh shipping"]
    columns = table({"message": LONG, "label": ["vip", "new"] * 20, "team": teams})
    assert guess_columns(columns, ["billing", "shipping", "technical"]).label == "team"


def test_labels_that_stand_in_a_persons_words_settle_the_label_column() -> None:
    columns = table({"message": LONG, "label": ["vip", "new"] * 20, "team": ["billing", "shipping"] * 20})
    assert guess_columns(columns).label == "label"
    assert guess_columns(columns, None, "send each to billing or shipping").label == "team"
