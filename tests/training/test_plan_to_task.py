"""Taking the plan: what it writes, with the choices made otherwise, once, and never over somebody else's file."""

from __future__ import annotations

from datetime import date

import pytest

from coach.advised import advise
from coach.answers import Answers
from coach.errors import UserError, WorkspaceError
from coach.hardware import Hardware
from coach.overrides import choose, overrides_path
from coach.task_file import check_task, task_to_yaml
from coach.workspace import create_task
from tests.conftest import NOW
from training.plan_to_task import adopt, draft_for, left_to_answer

LABELS = ["退款", "物流", "其他"]


def make(tmp_path, rows=500, labels=LABELS, kind="classification"):
    document = {
        "task": {"type": kind, "language": "zh-TW", "labels": labels},
        "resources": {"labelled_rows": rows, "gpu": "none"},
    }
    return create_task(tmp_path, "mail", answers=Answers.model_validate(document))


def state(task):
    return advise(task, None, Hardware())


def otherwise(task, **values):
    for choice, value in values.items():
        found = state(task)
        choose(task, choice, value, seen=found.chosen.value(choice), advised=found.advised, today=date(2026, 11, 23))


def test_without_choices_the_draft_is_what_the_command_writes(tmp_path):
    from training.first_folder import draft

    task = make(tmp_path)
    found = state(task)
    plain = draft(task.answers(), found.plan, name="mail", look=None, document="answers.yaml", now=NOW)
    assert task_to_yaml(draft_for(task, found, None, NOW).task) == task_to_yaml(plain.task)


def test_choices_made_otherwise_are_in_the_draft_and_leave_with_the_taking(tmp_path):
    task = make(tmp_path)
    otherwise(task, learning_rate=1e-5, strategy="date", lora_r=32)
    adopt(task, draft_for(task, state(task), None, NOW), now=NOW)
    file = task.file
    assert file.training.learning_rate == pytest.approx(1e-5) and file.training.lora.r == 32 and file.version == "2026-11-23"
    assert check_task(file) == [] or all(problem.level != "error" for problem in check_task(file))
    assert not overrides_path(task).exists() and state(task).otherwise == ["lora_r", "learning_rate", "strategy"]


def test_training_in_spite_of_too_few_rows_gets_an_adapter_and_its_numbers(tmp_path):
    task = make(tmp_path, rows=30)
    otherwise(task, method="sft")
    file = draft_for(task, state(task), None, NOW).task
    assert file.training.method == "sft" and file.training.lora.r == 16 and file.training.batch_size == 4


def test_baseline_first_keeps_the_challengers_numbers_with_ones_own_choice(tmp_path):
    task = make(tmp_path, rows=150)
    otherwise(task, epochs=7)
    file = draft_for(task, state(task), None, NOW).task
    assert file.training.method == "baseline" and file.training.epochs == 7 and file.training.lora is not None


def test_taken_twice_it_is_written_once(tmp_path):
    task = make(tmp_path)
    drafted = draft_for(task, state(task), None, NOW)
    adopt(task, drafted, now=NOW)
    before = task.fingerprint()
    adopt(task, drafted, now=NOW)
    assert task.fingerprint() == before and not list(task.folder.glob("task.yaml.before*"))


def test_a_task_yaml_that_came_meanwhile_is_told_and_stays(tmp_path):
    task = make(tmp_path)
    drafted = draft_for(task, state(task), None, NOW)
    task.file_path.write_text(task_to_yaml(drafted.task).replace("seed: 42", "seed: 7"), encoding="utf-8")
    with pytest.raises(WorkspaceError):
        adopt(task, drafted, now=NOW)
    assert task.file.training.seed == 7


@pytest.mark.parametrize(
    ("kind", "labels", "left"), [(None, None, ["task.type"]), ("classification", None, ["task.labels"]), ("extraction", None, [])]
)
def test_what_is_missing_for_a_task_yaml_is_named(tmp_path, kind, labels, left):
    task = make(tmp_path, kind=kind, labels=labels)
    assert left_to_answer(task.answers()) == left
    if left:
        with pytest.raises(UserError):
            draft_for(task, state(task), None, NOW)
