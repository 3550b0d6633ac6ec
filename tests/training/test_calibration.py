"""A few real steps of a task's own training: what they say of time and memory, and that the task stays as it was."""

from __future__ import annotations

import json

import pytest

from coach.command_line import run_command
from coach.errors import DataError, TaskError, WorkspaceError
from coach.hardware import Hardware
from coach.task_file import task_to_yaml
from tests.training.small_task import make_task, make_version, task_file
from training import calibration
from training.__main__ import main
from training.calibration import Taken, calibrate
from training.device_lock import device_held
from training.run_estimate import estimate_task

MACHINE = Hardware(cores=1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COACH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def letters(tmp_path, tiny_model):
    return make_task(tmp_path / "letters", task_file(tiny_model))


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_few_steps_narrow_the_estimate_now_and_for_later_and_write_nothing_into_the_task(letters):
    before, plain = contents(letters.folder), estimate_task(letters.file, letters.data_folder, MACHINE)
    heard = []
    found = calibrate(letters, MACHINE, heard.append)
    assert heard == ["loading", "training", "answering"]
    assert found.kept and calibration.FEWEST <= found.steps <= calibration.MOST
    assert found.estimate.measured.how == "now"
    assert {"loading", "training", "answering"} <= set(found.estimate.measured.factors)
    spread, narrow = (made.seconds and made.minutes_range for made in (plain, found.estimate))
    assert spread and narrow and found.estimate.measured.time_range[1] < 2.0
    later = estimate_task(letters.file, letters.data_folder, MACHINE)
    assert later.seconds == pytest.approx(found.estimate.seconds, rel=1e-3) and later.measured.how == "now"
    assert contents(letters.folder) == before


def test_steps_three_times_as_slow_make_the_training_three_times_as_long(letters, monkeypatch):
    train, reported = calibration._train, []

    def trained(ready):
        _, encoded = train(ready)
        return Taken(seconds=reported[-1], steps=5, rows=20, tokens=200, answer_tokens=60), encoded

    monkeypatch.setattr(calibration, "_train", trained)
    seconds = []
    for reported_s in (0.2, 0.6):
        reported.append(reported_s)
        seconds.append(calibrate(letters, MACHINE).estimate.seconds["training"])
    assert seconds[1] == pytest.approx(3 * seconds[0], rel=0.01)


def test_where_the_cache_cannot_be_written_the_estimate_has_what_was_measured_all_the_same(letters, tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "keep", lambda found: False)
    found = calibrate(letters, MACHINE)
    assert not found.kept and found.estimate.measured.how == "now"
    assert estimate_task(letters.file, letters.data_folder, MACHINE).measured is None


def test_while_a_version_trains_nothing_is_measured(letters, tmp_path, tiny_model):
    import threading

    version = make_version(tmp_path / "other", task_file(tiny_model))
    held, done = threading.Event(), threading.Event()

    def hold():
        with device_held(version):
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(60)
        with pytest.raises(WorkspaceError) as raised:
            calibrate(letters, MACHINE)
        assert raised.value.key == "training.measure_busy"
    finally:
        done.set()
        thread.join()


def test_where_nothing_is_trained_there_is_nothing_to_measure(tmp_path, tiny_model):
    task = make_task(tmp_path / "baseline", task_file(tiny_model, method="baseline"))
    with pytest.raises(TaskError) as raised:
        calibrate(task, MACHINE)
    assert raised.value.key == "training.measure_nothing"


def test_rows_that_are_missing_or_do_not_fit_are_said(letters):
    path = letters.data_folder / "train.jsonl"
    path.write_text('{"id": "r-1", "input": {"text": "x"}, "output": "no label of ours"}\n', encoding="utf-8")
    with pytest.raises(DataError):
        calibrate(letters, MACHINE)
    path.write_text("", encoding="utf-8")
    with pytest.raises(DataError) as raised:
        calibrate(letters, MACHINE)
    assert raised.value.key == "data.no_train_part"


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_the_command_prints_a_measured_estimate(letters, capsys, language):
    command = ["estimate", str(letters.folder / "task.yaml"), "--calibrate", "--lang", language]
    assert run_command(main, [*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["measured"] == "now"
    low, high = document["minutes_range"]
    assert low <= document["minutes"] <= high and document["ram_range"][0] <= document["ram_gb"] <= document["ram_range"][1]
    assert run_command(main, [*command[:2], "--lang", language]) == 0
    said = capsys.readouterr().out
    assert ("just now" if language == "en" else "剛剛") in said


def test_a_mistake_in_task_yaml_is_said_before_any_work(letters, capsys):
    letters.file_path.write_text(task_to_yaml(letters.file).replace("epochs: 2", "epochs: many"), encoding="utf-8")
    assert run_command(main, ["estimate", str(letters.folder), "--calibrate"]) == 2
    assert "Traceback" not in capsys.readouterr().err
