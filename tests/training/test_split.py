"""Splits: stratified, repeatable, no text in two parts, and sentences for what cannot be split."""

from __future__ import annotations

from collections import Counter

import pytest

from coach.errors import DataError
from training.data.row_ids import Content, input_key, row_ids
from training.data.rows import Row
from training.data.split import Part, Splits, drop_repeats, split_rows

RATIOS: dict[Part, float] = {"train": 0.7, "valid": 0.15, "test": 0.15}


def make(*labelled: tuple[str, str], source: str = "s") -> list[Row]:
    ids = row_ids([Content({"text": text}, label, source) for text, label in labelled])
    return [Row(id, {"text": text}, label, source) for id, (text, label) in zip(ids, labelled, strict=True)]


def many(**sizes: int) -> list[Row]:
    return make(*[(f"{label} 的第 {i} 句", label) for label, size in sizes.items() for i in range(size)])


def parts(splits: Splits) -> tuple[list[str], list[str], list[str]]:
    return tuple([row.id for row in part] for part in (splits.train, splits.valid, splits.test))  # type: ignore[return-value]


def share(rows: list[Row], label: str) -> float:
    return sum(row.output == label for row in rows) / len(rows)


def test_each_class_keeps_its_share_in_each_part() -> None:
    splits = split_rows(many(a=100, b=300, c=600), RATIOS, "label", 42)
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [700, 150, 150]
    for part in (splits.train, splits.valid, splits.test):
        assert [share(part, label) for label in "abc"] == pytest.approx([0.1, 0.3, 0.6])


def test_the_split_is_the_same_again_and_whichever_order_the_rows_come_in() -> None:
    rows = many(a=20, b=30)
    assert parts(split_rows(rows, RATIOS, "label", 1)) == parts(split_rows(rows[::-1], RATIOS, "label", 1))
    assert parts(split_rows(rows, RATIOS, "label", 1)) != parts(split_rows(rows, RATIOS, "label", 2))


def test_a_small_class_stands_in_train_and_test_before_valid() -> None:
    splits = split_rows(many(big=40, two=2, three=3), RATIOS, "label", 5)
    counts = [Counter(row.output for row in part) for part in (splits.train, splits.valid, splits.test)]
    assert [count["two"] for count in counts] == [1, 0, 1]
    assert [count["three"] for count in counts] == [1, 1, 1]


def test_repeats_leave_one_and_contradictions_leave_none() -> None:
    rows = make(("同一句", "a"), ("同一句", "a"), ("同　一句 ", "a"), ("矛盾", "a"), ("矛盾", "b"), ("獨句", "b"))
    kept, dropped = drop_repeats(rows)
    assert sorted(row.input["text"] for row in kept) == sorted(["同一句", "同　一句 ", "獨句"])
    assert Counter(drop.reason for drop in dropped) == {"duplicate": 1, "conflict": 2}
    assert {drop.twin for drop in dropped if drop.reason == "conflict"} == {rows[3].id, rows[4].id}


def test_case_width_and_spaces_do_not_make_another_text() -> None:
    kept, dropped = drop_repeats(make(("ABC  def", "a"), ("ａｂｃ def", "a")))
    assert (len(kept), [drop.reason for drop in dropped]) == (1, ["duplicate"])
    again, _ = drop_repeats(make(("ａｂｃ def", "a"), ("ABC  def", "a")))
    assert [row.id for row in again] == [row.id for row in kept]


def test_no_text_stands_in_two_parts_even_where_repeats_are_kept() -> None:
    rows = make(*[(f"句子 {i % 40}", "a" if i % 40 < 20 else "b") for i in range(120)])
    splits = split_rows(rows, RATIOS, "label", 3, deduplicate=False)
    texts = [{input_key(row.input) for row in part} for part in (splits.train, splits.valid, splits.test)]
    assert sum(len(part) for part in (splits.train, splits.valid, splits.test)) == 120
    assert not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])


def test_a_group_stays_together() -> None:
    rows = many(a=60, b=60)
    groups = {row.id: f"顧客 {place % 24}" for place, row in enumerate(rows)}
    splits = split_rows(rows, RATIOS, "label", 3, groups)
    inside = [{groups[row.id] for row in part} for part in (splits.train, splits.valid, splits.test)]
    assert not (inside[0] & inside[1] or inside[0] & inside[2] or inside[1] & inside[2])
    assert all(0.3 < share(part, "a") < 0.7 for part in (splits.train, splits.valid, splits.test))


def test_against_given_test_rows_train_and_valid_give_way_and_test_keeps_all() -> None:
    test = make(("考題一", "a"), ("考題一", "a"), ("考題二", "b"), source="test")
    valid = make(("考題二", "b"), ("練習", "a"), ("再練", "b"), source="valid")
    rows = [*many(a=5, b=5), *make(("考題一", "a"), ("練習", "a"))]
    splits = split_rows(rows, RATIOS, "label", 1, None, test, valid)
    assert [row.id for row in splits.test] == [row.id for row in test]
    assert [row.input["text"] for row in splits.valid] == ["練習", "再練"]
    assert len(splits.train) == 10
    assert Counter(drop.reason for drop in splits.dropped) == {"in_test": 2, "in_valid": 1}


def test_with_a_given_test_part_the_rest_is_shared_between_train_and_valid() -> None:
    splits = split_rows(many(a=85, b=85), RATIOS, "label", 1, None, make(("考題", "a"), source="test"))
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (140, 30, 1)


@pytest.mark.parametrize(
    ("rows", "key", "said"),
    [
        (many(a=2, b=1), "data.too_few_rows", "3"),
        (many(a=20), "data.one_class", "a"),
        (many(a=20, b=20, lonely=1), "data.class_too_small", "lonely (1)"),
        (many(a=20, b=20) + make(*[("只有一句", "double")] * 3), "data.class_too_small", "double (1)"),
        (make(("一", "a"), ("一", "b")) * 4, "data.too_few_rows", "0"),
    ],
)
def test_rows_that_cannot_be_split_are_refused_in_a_sentence(rows: list[Row], key: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        split_rows(rows, RATIOS, "label", 42)
    assert caught.value.key == key
    assert said in caught.value.lines("zh-TW")[0]


def test_training_without_a_validation_part_is_refused_with_the_reason() -> None:
    with pytest.raises(DataError) as caught:
        split_rows(many(a=20, b=20), {"train": 0.8, "valid": 0.0, "test": 0.2}, "label", 42)
    assert caught.value.key == "data.no_valid_part"
    assert "checkpoint" in caught.value.lines("en")[1]


def test_a_training_part_that_is_all_in_the_test_file_is_refused() -> None:
    rows = many(a=5, b=5)
    with pytest.raises(DataError) as caught:
        split_rows(rows, RATIOS, "label", 42, None, rows)
    assert caught.value.key == "data.too_few_rows"


def test_a_class_in_one_group_cannot_be_parted() -> None:
    rows = many(a=20, b=4)
    groups = {row.id: "同一位客人" if row.output == "b" else row.id for row in rows}
    with pytest.raises(DataError) as caught:
        split_rows(rows, RATIOS, "label", 42, groups)
    assert caught.value.key == "data.class_in_one_group"


def test_ids_stay_when_rows_are_reordered_and_tell_repeats_apart() -> None:
    contents = [Content({"text": text}, "a", "s") for text in ("一", "二", "一", "Ａ", "a")]
    ids = row_ids(contents)
    assert len(set(ids)) == 5
    assert all(len(id) == 12 and id.startswith("r-") and int(id[2:], 16) >= 0 for id in ids)
    backwards = row_ids(contents[::-1])[::-1]
    assert ids[1] == backwards[1] and ids[3:] == backwards[3:]
    assert {ids[0], ids[2]} == {backwards[0], backwards[2]}
    assert row_ids([Content({"text": "一"}, "a", "other")]) != ids[:1]
