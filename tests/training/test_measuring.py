"""Measuring a task in a process of its own, as a page starts it."""

from __future__ import annotations

import pytest

from coach.hardware import this_machine
from tests.training.small_task import make_task, make_version, task_file
from training.device_lock import device_held
from training.run_estimate import estimate_task
from training.runners.measuring import begin_measuring, measuring
from training.runners.process_wide import process_wide

LONGEST_S = 120.0


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COACH_CACHE", str(tmp_path / "cache"))


def ended(task):
    process_wide()["measurings"][str(task.folder.resolve())]["listener"].join(LONGEST_S)
    return measuring(task)


def test_it_goes_on_beside_the_server_and_narrows_the_estimate(tmp_path, tiny_model):
    task = make_task(tmp_path / "letters", task_file(tiny_model))
    assert measuring(task).state == "idle"
    begin_measuring(task, "en")
    begin_measuring(task, "en")
    assert measuring(task).state == "measuring"
    assert ended(task).state == "idle"
    assert estimate_task(task.file, task.data_folder, this_machine()).measured.how == "now"


@pytest.mark.parametrize(("language", "said"), [("en", "method"), ("zh-TW", "method 是 baseline")])
def test_what_goes_wrong_is_told_in_the_readers_language(tmp_path, tiny_model, language, said):
    task = make_task(tmp_path / "letters", task_file(tiny_model, method="baseline"))
    begin_measuring(task, language)
    found = ended(task)
    assert found.state == "failed" and said in " ".join(found.said)


def test_while_something_trains_it_is_closed(tmp_path, tiny_model):
    task = make_task(tmp_path / "letters", task_file(tiny_model))
    with device_held(make_version(tmp_path / "other", task_file(tiny_model))):
        assert measuring(task).state == "busy"
    assert measuring(task).state == "idle"
