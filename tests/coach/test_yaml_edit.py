"""Values changed where they stand: everything else of the document is byte for byte what a person wrote."""

from __future__ import annotations

import pytest

from coach.yaml_edit import REMOVED, edited

WRITTEN = """\
# 我的任務
training:   # how
  method: sft
  lora:
    r: 16   # rank
    alpha: 32
    # a remark at the end of lora
  epochs: 3     # 三輪
  early_stopping: {patience: 3, min_delta: 0.0}

versioning: {retention: 3, strategy: semantic}
title: '引號: 值'
"""


def test_a_number_is_replaced_and_comments_stay():
    changed = edited(WRITTEN, {("training", "epochs"): 8, ("training", "lora", "r"): 32})
    assert changed == WRITTEN.replace("epochs: 3 ", "epochs: 8 ").replace("r: 16 ", "r: 32 ")


def test_a_quoted_text_and_a_value_in_braces_are_replaced():
    changed = edited(WRITTEN, {("title",): "新", ("versioning", "strategy"): "date"})
    assert "title: 新" in changed and "{retention: 3, strategy: date}" in changed


def test_a_key_is_added_at_the_end_of_its_mapping_or_inside_its_braces():
    changed = edited(WRITTEN, {("training", "batch_size"): 4, ("versioning", "deploy_target"): "api"})
    assert "min_delta: 0.0}\n  batch_size: 4\n" in changed and "strategy: semantic, deploy_target: api}" in changed


def test_a_mapping_can_be_added_and_a_key_taken_out_with_all_it_held():
    without = edited(WRITTEN, {("training", "lora"): REMOVED})
    assert "lora" not in without.replace("at the end of lora", "") and "epochs: 3     # 三輪" in without
    assert "lora: {r: 8, alpha: 16}" in edited(without, {("training", "lora"): {"r": 8, "alpha": 16}})


def test_a_key_that_is_not_there_can_be_taken_out_without_a_change():
    assert edited(WRITTEN, {("training", "stages"): REMOVED}) == WRITTEN


@pytest.mark.parametrize("path", [("nothing", "here"), ("training", "lora"), ("training", "method", "deeper")])
def test_what_cannot_be_done_in_place_is_refused(path):
    with pytest.raises(ValueError):
        edited(WRITTEN, {path: 1})
