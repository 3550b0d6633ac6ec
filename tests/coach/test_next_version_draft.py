"""The draft of a next version: its parent's recipe, what is changed, and what is refused."""

from dataclasses import replace

import pytest

from coach.config_changes import config_changes
from coach.errors import UserError
from coach.finding import Finding
from coach.next_version_draft import (
    MOST_LETTERS,
    draft_next_version,
    experiment_of,
    next_name,
    settings_of,
    waiting_draft,
)
from coach.task_file import parse_task, task_to_yaml
from tests.conftest import NOW
from tests.pages.judged_versions import every, finish, make_task


@pytest.fixture
def parent(tmp_path):
    return finish(make_task(tmp_path / "news"), "v1", every(3))


def drafted(parent, **settings):
    return draft_next_version(parent, "v2", "改了一項", replace(settings_of(parent.config), **settings), NOW)


def test_a_draft_without_changed_settings_differs_in_nothing_but_its_name_and_its_words(parent):
    draft = drafted(parent)
    assert list(config_changes(parent.config, draft)) == []
    assert (draft.version, draft.change.parent, draft.change.statement) == ("v2", "v1", "改了一項")


def test_only_what_was_changed_is_changed(parent):
    changes = {change.path: change.after for change in config_changes(parent.config, drafted(parent, balance="oversample"))}
    assert changes == {"training.balance": "oversample"}


def test_the_strength_of_the_adapter_stays_when_its_rank_changes(parent):
    lora = drafted(parent, lora_r=64).training.lora
    assert (lora.r, lora.alpha) == (64, 128)


def test_a_draft_is_written_and_read_back_as_it_was(parent):
    draft = drafted(parent, epochs=5.0)
    assert parse_task(task_to_yaml(draft)) == draft


@pytest.mark.parametrize("said", ["", "  \n\t "])
def test_an_empty_statement_is_refused(parent, said):
    with pytest.raises(UserError) as caught:
        draft_next_version(parent, "v2", said, settings_of(parent.config), NOW)
    assert caught.value.key == "iterate.no_statement" and len(caught.value.lines("en")) == 3


def test_a_statement_is_one_line_and_not_a_novel(parent):
    settings = settings_of(parent.config)
    assert draft_next_version(parent, "v2", "第一行\n第二行", settings, NOW).change.statement == "第一行 第二行"
    with pytest.raises(UserError, match="501"):
        draft_next_version(parent, "v2", "字" * (MOST_LETTERS + 1), settings, NOW)


def test_an_empty_base_model_is_refused(parent):
    with pytest.raises(UserError):
        drafted(parent, base_model="  ")


@pytest.mark.parametrize(
    ("finding", "changed"),
    [
        ("imbalance", {"balance": "oversample"}),
        ("never_predicted", {"balance": "oversample"}),
        ("overfitting", {"learning_rate": 1e-4}),
        ("flat_loss", {"learning_rate": 6e-4}),
        ("loss_turning", {"epochs": 2.0}),
        ("class_low", {}),
        ("few_test_rows", {}),
    ],
)
def test_a_finding_proposes_the_setting_its_words_name(parent, finding, changed):
    assert experiment_of(Finding("D00", finding, "info"), parent.config) == changed


def test_collapse_asks_for_a_lower_rate_once_classes_are_oversampled(parent):
    training = parent.config.training.model_copy(update={"balance": "oversample"})
    config = parent.config.model_copy(update={"training": training})
    assert experiment_of(Finding("D02", "collapse", "warning"), config) == {"learning_rate": 6.7e-5}


def test_names_follow_the_parents_strategy(parent):
    from coach.workspace import Task

    task = Task.open(parent.folder.parent.parent)
    assert [next_name(task, parent, kind, NOW) for kind in ("major", "minor", "exp")] == ["v2", "v1.1", "v2-exp"]


def test_a_task_file_for_a_frozen_version_is_no_waiting_draft(parent):
    from coach.workspace import Task

    task = Task.open(parent.folder.parent.parent)
    assert waiting_draft(task) is None
    task.save_file(drafted(parent))
    assert waiting_draft(task).version == "v2"
