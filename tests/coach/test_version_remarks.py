"""Remarks on a task.yaml beside its versions: a mere copy, and several changes at once."""

import pytest

from coach.hardware import this_machine
from coach.version_remarks import changed_together, parent_of, version_remarks
from tests.pages.judged_versions import every, finish, make_task


@pytest.fixture
def drafted(tmp_path):
    """A task with a finished v1, and a function that makes the file of v2 with other settings of training."""
    task = make_task(tmp_path / "news")
    finish(task, "v1", every(3))

    def make(statement=None, **training):
        change = {"parent": "v1", "statement": statement} if statement else None
        document = task.file.model_dump(by_alias=True) | {"version": "v2", "change": change}
        document["training"] |= training
        return type(task.file).model_validate(document)

    return task, make


def said(task, file, language="en"):
    return " ".join(remark.said for remark in version_remarks(task, file, this_machine(), language) if "v2" in remark.said)


def test_a_copy_is_told_and_one_change_is_not(drafted):
    task, make = drafted
    assert "nothing differs from v1" in said(task, make())
    assert said(task, make(epochs=7)) == ""


def test_several_changes_at_once_are_told_with_the_statement(drafted):
    task, make = drafted
    found = said(task, make("more epochs", epochs=7, learning_rate=5e-5))
    assert "changes 2 things of v1" in found and "training.epochs" in found and '"more epochs"' in found
    assert "同時改了 2 項（training" in said(task, make(epochs=7, learning_rate=5e-5), "zh-TW")


def test_another_method_or_adapter_is_one_change_and_other_rows_are_another(drafted):
    task, make = drafted
    parent = parent_of(task, make())
    other = {"method": "baseline", "lora": None, "epochs": 5}
    assert changed_together(task, make(**other), parent) == ["training.method"]
    assert changed_together(task, make(lora={"r": 64, "alpha": 128}), parent) == ["training.lora"]
    stopping = make(epochs=7, seeds=3)
    assert said(task, stopping) == "", "repeating a training is no change of it"
    rows = task.data_folder / "train.jsonl"
    fewer = "\n".join(rows.read_text("utf-8").splitlines()[:-1]) + "\n"
    rows.unlink()  # the version's own copy may be the same file
    rows.write_text(fewer, "utf-8")
    assert "changes 2 things of v1 at once (training.method, the rows)" in said(task, make(**other))
