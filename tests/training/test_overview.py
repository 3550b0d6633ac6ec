"""The list of all tasks: what a line says in every state, damaged folders among them, and that looking twice is cheap."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from filelock import FileLock

from coach.answers import Answers
from coach.version_folder import Version
from coach.workspace import Task, create_task, list_tasks
from tests.training import small_task
from training import overview as overview_module
from training.event_log import EventLog
from training.overview import Overviews, overview
from training.run_status import RunStatus, run_status

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "data" / "example-task"


def read(version: Version) -> RunStatus:
    return run_status(version.events_path, version.lock_path, time.time())


def copy(folder: Path) -> Task:
    shutil.copytree(EXAMPLE, folder)
    return Task.open(folder)


def version_of(folder: Path) -> Version:
    return small_task.make_version(folder, small_task.task_file("starter/gemma-3-270m"))


def test_a_finished_task_shows_its_test_score_and_leads_to_its_evaluation(tmp_path):
    line = overview(copy(tmp_path / "tickets"), read)
    assert (line.name, line.title, line.state, line.version) == ("tickets", "客服來信急迫程度", "finished", "v1")
    assert (line.metric, line.value, line.split, line.threshold, line.stage) == ("macro_f1", 0.7222, "test", 0.7, "evaluate")


def test_a_task_without_a_version_shows_its_goal_and_where_it_goes_on(tmp_path):
    answers = Answers.model_validate({"title": "客服", "success": {"primary_metric": "accuracy", "threshold": 0.8}})
    line = overview(create_task(tmp_path, "support", answers=answers), read)
    assert (line.state, line.version, line.value, line.threshold) == ("unstarted", None, None, 0.8)
    assert (line.metric, line.stage, line.title) == ("accuracy", "discover", "客服")


def test_a_running_task_shows_the_best_validation_score_and_its_progress(tmp_path):
    version = version_of(tmp_path / "letters")
    log = EventLog(version.events_path)
    with FileLock(version.lock_path):
        log.append("started", attempt=1, from_step=0)
        log.append("phase", name="training", total_steps=12)
        log.append("step", step=4, total=12, loss=1.0)
        log.append("eval", step=4, metric="macro_f1", value=0.5, best=True)
        line = overview(Task.open(tmp_path / "letters"), read)
    assert (line.state, line.alive, line.stage, line.version) == ("running", True, "train", "v1")
    assert (line.value, line.split, line.step, line.total_steps) == (0.5, "valid", 4, 12)


def test_a_run_whose_worker_is_gone_is_interrupted_and_leads_to_training(tmp_path):
    version = version_of(tmp_path / "letters")
    EventLog(version.events_path).append("started", attempt=1, from_step=0)
    line = overview(Task.open(tmp_path / "letters"), read)
    assert (line.state, line.stage, line.value) == ("interrupted", "train", None)


def test_the_version_something_happened_to_last_is_shown(tmp_path):
    task = copy(tmp_path / "tickets")
    shutil.copytree(task.folder / "versions" / "v1", task.folder / "versions" / "v2")
    for name, age_s in (("v1", 10), ("v2", 500)):
        for path in (task.folder / "versions" / name).iterdir():
            os.utime(path, (time.time() - age_s,) * 2)
    assert overview(task, read).version == "v1"


@pytest.mark.parametrize(
    ("broken", "stage"),
    [
        ("answers.yaml", "discover"),
        ("task.yaml", "confirm"),
        ("versions/v1/config.yaml", "train"),
        ("versions/v1/results.json", "train"),
    ],
)
def test_a_damaged_folder_is_shown_as_damaged_and_hides_no_other(broken, stage, tmp_path):
    copy(tmp_path / "sound")
    task = copy(tmp_path / "tickets")
    if not broken.startswith("versions"):
        shutil.rmtree(task.folder / "versions")
    (task.folder / broken).write_text("{[\x00", encoding="utf-8")
    lines = {line.name: line for line in Overviews().read(list_tasks(tmp_path), read)}
    assert lines["sound"].state == "finished"
    assert (lines["tickets"].state, lines["tickets"].stage) == ("damaged", stage)


@pytest.mark.parametrize(
    ("results", "state"),
    [('{"primary_metric": 3}', "damaged"), ('{"primary_metric": {"name": "x", "value": "high"}}', "damaged"), ("{}", "finished")],
)
def test_results_of_another_shape_are_no_score(results, state, tmp_path):
    task = copy(tmp_path / "tickets")
    (task.folder / "versions" / "v1" / "results.json").write_text(results, encoding="utf-8")
    line = overview(task, read)
    assert (line.state, line.value) == (state, None)


def test_events_that_are_nonsense_are_passed_over_and_no_traceback(tmp_path):
    task = copy(tmp_path / "tickets")
    (task.folder / "versions" / "v1" / "events.jsonl").write_text('{"type": "started", "from_step": "soon"}\n', encoding="utf-8")
    assert overview(task, read).state == "new"


def test_the_task_changed_last_comes_first(tmp_path):
    for name, age_s in (("old", 900), ("new", 10), ("middle", 300)):
        task = create_task(tmp_path, name)
        os.utime(task.folder / "answers.yaml", (time.time() - age_s,) * 2)
    assert [line.name for line in Overviews().read(list_tasks(tmp_path), read)] == ["new", "middle", "old"]


def test_a_line_is_read_again_only_when_something_changed(tmp_path, monkeypatch):
    task = copy(tmp_path / "tickets")
    lines, read_again = Overviews(), []
    monkeypatch.setattr(overview_module, "overview", lambda task, read: (read_again.append(task.name), overview(task, read))[1])
    for _ in range(3):
        assert lines.read([task], read)[0].title == "客服來信急迫程度"
    assert read_again == ["tickets"]
    path = task.folder / "task.yaml"
    path.write_text(path.read_text("utf-8").replace("客服來信急迫程度", "新的標題"), encoding="utf-8")
    assert lines.read([task], read)[0].title == "新的標題"
    assert len(read_again) == 2


def test_a_run_that_begins_is_seen_at_the_next_look(tmp_path):
    version = version_of(tmp_path / "letters")
    task, lines = Task.open(tmp_path / "letters"), Overviews()
    assert lines.read([task], read)[0].state == "new"
    with FileLock(version.lock_path):
        assert lines.read([task], read)[0].state == "running"


def test_two_hundred_tasks_are_looked_over_in_less_than_a_tenth_of_a_second(tmp_path):
    for number in range(200):
        copy(tmp_path / f"task-{number}")
    lines = Overviews()
    lines.read(list_tasks(tmp_path), read)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        assert len(lines.read(list_tasks(tmp_path), read)) == 200
        took.append(time.perf_counter() - began)
    assert min(took) < 0.1
