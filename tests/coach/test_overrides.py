"""Choosing otherwise: kept in the folder, one choice at a time, nobody's lost; task.yaml changed where it stands."""

from __future__ import annotations

from datetime import date

import pytest

from coach.advised import advise
from coach.answers import Answers
from coach.choices import CHOICES
from coach.errors import DocumentError, UserError, WorkspaceError
from coach.hardware import Hardware
from coach.overrides import choose, overrides_path, read_overrides
from coach.workspace import create_task
from tests.conftest import NOW
from tests.training import small_task
from training.plan_to_task import adopt, draft_for

TODAY = date(2026, 11, 23)
ANSWERS = {
    "task": {"type": "classification", "language": "zh-TW", "labels": ["退款", "物流", "其他"]},
    "resources": {"labelled_rows": 500, "gpu": "none"},
    "success": {"threshold": 0.8},
}


@pytest.fixture
def task(tmp_path):
    return create_task(tmp_path, "mail", answers=Answers.model_validate(ANSWERS))


@pytest.fixture
def written(task):
    """The same with a task.yaml, as taking the plan leaves it, and comments of a person."""
    adopt(task, draft_for(task, state(task), None, NOW), now=NOW)
    content = (
        task.file_path.read_text(encoding="utf-8")
        .replace("training:", "# 我的註解\ntraining:")
        .replace("epochs: 3", "epochs: 3  # 三輪")
    )
    task.file_path.write_text(content, encoding="utf-8")
    return task


def state(task):
    return advise(task, None, Hardware())


def take(task, choice, value, seen=None):
    found = state(task)
    return choose(
        task, choice, value, seen=found.chosen.value(choice) if seen is None else seen, advised=found.advised, today=TODAY
    )


def test_a_choice_before_there_is_a_task_yaml_stands_in_the_folder_and_goes_with_the_coachs_value(task):
    take(task, "learning_rate", 1e-5)
    assert state(task).chosen.learning_rate == pytest.approx(1e-5) and state(task).otherwise == ["learning_rate"]
    assert not task.has_file
    take(task, "learning_rate", 3e-4)
    assert state(task).otherwise == [] and not overrides_path(task).exists()


def test_two_people_who_change_different_choices_both_keep_theirs(task):
    seen = state(task)
    choose(task, "epochs", 5, seen=seen.chosen.epochs, advised=seen.advised, today=TODAY)
    choose(task, "retention", 7, seen=seen.chosen.retention, advised=seen.advised, today=TODAY)
    assert read_overrides(task) == {"epochs": 5, "retention": 7}


def test_somebody_elses_change_of_the_same_choice_is_told_and_not_overwritten(task):
    take(task, "epochs", 5)
    with pytest.raises(WorkspaceError) as told:
        take(task, "epochs", 9, seen=3)
    assert "5" in told.value.lines("en")[0] and read_overrides(task) == {"epochs": 5}


def test_the_same_holds_for_task_yaml(written):
    take(written, "epochs", 5)
    with pytest.raises(WorkspaceError):
        take(written, "epochs", 9, seen=3.0)
    assert written.file.training.epochs == 5


@pytest.mark.parametrize(
    ("choice", "value"), [("learning_rate", 2.0), ("learning_rate", "fast"), ("epochs", 0), ("batch_size", 0), ("method", "ppo")]
)
def test_a_value_that_cannot_be_is_refused_with_its_reason_and_nothing_is_written(task, choice, value):
    with pytest.raises(UserError) as told:
        take(task, choice, value)
    assert str(value) in told.value.lines("en")[0] and not overrides_path(task).exists()


def test_numbers_follow_the_model_and_the_way_of_training_chosen(task):
    take(task, "base_model", "Qwen/Qwen3-8B")
    found = state(task)
    assert found.chosen.learning_rate == pytest.approx(1e-4) and found.otherwise == ["base_model"]
    take(task, "peft", "none")
    assert state(task).chosen.learning_rate == pytest.approx(2e-5) and state(task).chosen.batch_size == 8


def test_the_learning_rate_follows_what_is_done_to_the_classes(task):
    rate = state(task).chosen.learning_rate
    take(task, "balance", "oversample")
    now = state(task)
    assert now.chosen.learning_rate < rate and now.otherwise == ["balance"]
    assert any(advice.rule.endswith("learning_rate.oversampled") for advice in now.reasons)
    take(task, "balance", "none")
    assert state(task).chosen.learning_rate == rate and not state(task).otherwise


def test_another_model_changes_forecast_and_time_and_the_plan_stays_what_it_was(task):
    before = state(task)
    take(task, "base_model", "Qwen/Qwen3-4B-Instruct-2507")
    after = state(task)
    assert after.plan.base_model == before.plan.base_model and after.forecast.expected > before.forecast.expected
    assert after.estimate.minutes > 5 * before.estimate.minutes


def test_in_task_yaml_one_value_changes_and_a_persons_comments_stay(written):
    before = written.file_path.read_text(encoding="utf-8")
    assert take(written, "epochs", 8) is None
    assert written.file_path.read_text(encoding="utf-8") == before.replace("epochs: 3  # 三輪", "epochs: 8  # 三輪")


@pytest.mark.parametrize(
    ("choice", "value"),
    [("peft", "none"), ("lora_r", 64), ("lora_alpha", 16), ("method", "baseline"), ("balance", "oversample"),
     ("base_model", "Qwen/Qwen3-0.6B"),
     ("batch_size", 16), ("retention", 9), ("deployment", "api"), ("strategy", "date"), ("learning_rate", 1e-5)],
)  # fmt: skip
def test_every_choice_goes_into_task_yaml_and_back_with_the_comments(written, choice, value):
    former = state(written).chosen.value(choice)
    take(written, choice, value)
    assert state(written).chosen.value(choice) == value
    take(written, choice, former)
    assert state(written).chosen.value(choice) == former
    content = written.file_path.read_text(encoding="utf-8")
    assert "# 我的註解" in content and "# 三輪" in content


def test_what_cannot_be_changed_in_place_is_written_anew_and_the_former_file_is_kept(written):
    content = written.file_path.read_text(encoding="utf-8")
    anchored = content.replace("  epochs: 3  # 三輪", "  epochs: &three 3  # 三輪")
    anchored = anchored.replace("batch_size: 8", "batch_size: 8\n  evaluations_per_epoch: *three")
    written.file_path.write_text(anchored.replace("  evaluations_per_epoch: 2\n", ""), encoding="utf-8")
    kept = take(written, "epochs", 4)
    assert written.file.training.epochs == 4 and written.file.training.evaluations_per_epoch == 3
    assert kept is not None and "&three" in kept.read_text(encoding="utf-8")


def test_other_names_for_versions_bring_a_version_and_a_pattern_that_fit(written):
    take(written, "strategy", "date")
    assert written.file.version == "2026-11-23" and written.file.versioning.naming == "{task}-{date}"


def test_a_task_without_an_interview_is_advised_by_what_its_files_say(tmp_path):
    task = small_task.make_task(tmp_path / "letters", small_task.task_file("starter/gemma-3-270m"))
    found = state(task)
    assert found.situation.rows == sum(small_task.ROWS.values()) and found.answers.success.threshold == 0.8
    assert found.answers.task.labels == list(small_task.LABELS.values()) and found.has_file
    assert "method" in found.otherwise  # 45 rows: the coach would not train


def test_a_damaged_file_of_choices_is_told_with_its_fault(task):
    overrides_path(task).write_text("learning_rte: 1e-5\n", encoding="utf-8")
    with pytest.raises(DocumentError) as told:
        state(task)
    assert "learning_rate" in told.value.lines("en")[0]


def test_there_is_a_value_for_every_choice(task):
    assert all(state(task).chosen.value(choice) is not None for choice in CHOICES)


@pytest.mark.parametrize(
    ("choice", "value"),
    [("base_model", "Qwen/\x1b[31mQwen3"), ("base_model", "a\nb"), ("batch_size", "abc"), ("retention", 10**12)],
)
def test_what_no_task_could_hold_is_refused_before_and_after_there_is_a_task_yaml(task, written, choice, value):
    with pytest.raises(UserError) as caught:
        take(written, choice, value)
    assert caught.value.key == "choice.unfit" and all(caught.value.lines("zh-TW"))


def test_a_choice_of_the_fine_tuning_alone_asks_to_train_where_the_baseline_stands_first(tmp_path):
    from coach.advised import advise, wishes_to_train
    from coach.hardware import Hardware
    from coach.workspace import create_task

    few = Answers.model_validate(
        {"task": {"type": "classification", "labels": ["a", "b"]}, "resources": {"labelled_rows": 120, "gpu": "none"}}
    )
    advised = advise(create_task(tmp_path, "few", answers=few), None, Hardware())
    assert [stage.method for stage in advised.plan.stages] == ["baseline", "sft"]
    assert wishes_to_train(advised, "learning_rate", 1e-5) and wishes_to_train(advised, "base_model", "Qwen/Qwen3-8B")
    assert not wishes_to_train(advised, "retention", 9)
    assert not wishes_to_train(advised, "learning_rate", advised.advised.learning_rate)
