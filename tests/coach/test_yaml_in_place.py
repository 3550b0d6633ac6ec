"""One value changed in YAML a person wrote: the rest stays letter by letter."""

from __future__ import annotations

import pytest

from coach.errors import DocumentError
from coach.yaml_document import parse_document
from coach.yaml_in_place import with_value, with_values

WRITTEN = """\
# our first task
task_name: letters  # the folder
input_template: |
  來信：{text}

  答：

# numbers
training:
    base_model: starter/gemma-3-270m   # small
    lora: {r: 16, alpha: 32}
    epochs: 3 # enough

execution:
# nothing yet
labels:
- a
- b
last: "x"
"""


def changed(path, value, text=WRITTEN):
    edited = with_value(text, path, value)
    return edited, [line for line in text.split("\n") if line not in edited.split("\n")]


def test_a_value_in_a_section_is_replaced_and_its_comment_stays():
    edited, gone = changed(("training", "epochs"), 5.0)
    assert "    epochs: 5 # enough" in edited.split("\n")
    assert gone == ["    epochs: 3 # enough"]


def test_a_block_of_text_is_replaced_and_the_blank_line_behind_it_stays():
    edited, gone = changed(("input_template",), "問：{text}\n")
    assert "input_template: |\n  問：{text}\n\n# numbers\n" in edited
    assert gone == ["  來信：{text}", "  答："]


def test_a_list_is_replaced_by_a_longer_one():
    edited, _ = changed(("labels",), ["a", "c", "d"])
    assert parse_document(edited, "x").mapping["labels"] == ["a", "c", "d"]
    assert "# nothing yet" in edited and 'last: "x"' in edited


def test_a_missing_key_is_added_at_the_end_of_its_section_with_its_indentation():
    edited, gone = changed(("training", "seed"), 7)
    assert "    epochs: 3 # enough\n    seed: 7\n\nexecution:" in edited
    assert gone == []


def test_an_empty_section_and_a_missing_one_are_filled():
    edited, _ = changed(("execution", "isolation"), "process")
    assert parse_document(edited, "x").mapping["execution"] == {"isolation": "process"}
    assert "# our first task" in edited
    edited, gone = changed(("versioning", "retention"), 3)
    assert edited.endswith('last: "x"\nversioning:\n  retention: 3\n')
    assert gone == []


def test_a_value_in_braces_is_changed_with_the_right_meaning():
    edited, _ = changed(("training", "lora", "r"), 8)
    assert parse_document(edited, "x").mapping["training"]["lora"] == {"r": 8, "alpha": 32}
    assert "# small" in edited


def test_none_removes_the_entry_alone():
    edited, gone = changed(("training", "epochs"), None)
    assert gone == ["    epochs: 3 # enough"]
    assert with_value(WRITTEN, ("nowhere", "at_all"), None) == WRITTEN


def test_an_anchor_used_elsewhere_costs_the_comments_but_never_the_meaning():
    written = "a: &x {n: 1}  # one\nb: *x\n"
    edited = with_value(written, ("a", "n"), 2)
    assert parse_document(edited, "x").mapping == {"a": {"n": 2}, "b": {"n": 1}}


@pytest.mark.parametrize("text", ["a: 1", "a: 1\n", "a: |\n  x", "a:\n  - 1\n  - 2"])
def test_a_file_without_a_last_line_end_is_added_to(text):
    before = parse_document(text, "x").mapping
    assert parse_document(with_value(text, ("b",), "c"), "x").mapping == before | {"b": "c"}


def test_what_is_no_yaml_is_refused():
    with pytest.raises(DocumentError):
        with_value("a: [", ("a",), 1)


WRITTEN = """\
# 我的任務
training:   # how
  lora:
    r: 16   # rank
    # a remark at the end of lora
  epochs: 3     # 三輪

versioning: {retention: 3, strategy: semantic}
"""


def test_several_values_change_at_once_and_every_comment_stays():
    changes = {("training", "epochs"): 8, ("training", "lora", "r"): 32, ("training", "batch_size"): 4}
    edited, in_place = with_values(WRITTEN, changes)
    assert in_place
    assert edited == WRITTEN.replace("epochs: 3 ", "epochs: 8 ").replace("r: 16 ", "r: 32 ").replace(
        "三輪\n", "三輪\n  batch_size: 4\n"
    )


def test_a_section_in_braces_is_changed_and_the_rest_stays():
    edited, in_place = with_values(WRITTEN, {("versioning", "strategy"): "date"})
    assert in_place and parse_document(edited, "x").mapping["versioning"] == {"retention": 3, "strategy": "date"}
    assert edited.startswith(WRITTEN[: WRITTEN.index("versioning")])


def test_a_document_wholly_in_braces_is_written_anew_and_says_so():
    edited, in_place = with_values("{a: 1, b: {c: 2}}", {("b", "c"): 3})
    assert not in_place
    assert parse_document(edited, "x").mapping == {"a": 1, "b": {"c": 3}}
