"""Spellings of one label, told from labels that differ."""

from training.data.labels import canonical_labels


def test_spaces_between_chinese_characters_make_no_class():
    assert canonical_labels({"物流": 40, "物 流": 1, " 物流 ": 2}, None) == {"物流": "物流", "物 流": "物流", " 物流 ": "物流"}
    assert canonical_labels({"物 流": 3, "退款": 5}, ["物流", "退款"]) == {"物 流": "物流", "退款": "退款"}


def test_spaces_in_latin_labels_keep_their_meaning():
    assert canonical_labels({"on line": 3, "online": 4}, None) == {"on line": "on line", "online": "online"}
    assert canonical_labels({"A 級": 2, "a 級": 1}, None) == {"A 級": "A 級", "a 級": "A 級"}


def test_what_is_declared_with_and_without_a_space_is_told_apart():
    assert canonical_labels({"物 流": 1, "物流": 1}, ["物 流", "物流"]) == {"物 流": "物 流", "物流": "物流"}
