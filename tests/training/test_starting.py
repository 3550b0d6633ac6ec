"""The Start button: one version, one preparation, one run, whoever asks and however often; and what it refuses."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from coach.errors import DocumentError, UserError, WorkspaceError
from coach.task_file import task_to_yaml
from coach.task_schema import TaskFile
from tests.conftest import NOW
from tests.training.small_task import make_task, make_version, task_file
from training import starting
from training.checkpoints import NEEDED
from training.data.source import data_source_to_yaml, source_document
from training.event_log import read_events
from training.runners import RUNNERS
from training.starting import resume_training, start_training, stop_training, version_to_train

ROOT = Path(__file__).parents[2]


class Runner:
    """Remembers what it was asked; `begins` writes the first event, as a real one does."""

    def __init__(self):
        self.asked = []

    def start(self, version):
        time.sleep(0.05)
        self.asked.append(("start", version.name))
        attempt = 1 + sum(event["type"] == "started" for event in read_events(version.events_path))
        write(version, {"type": "started", "attempt": attempt})

    def resume(self, version):
        self.asked.append(("resume", version.name))

    def stop(self, version):
        self.asked.append(("stop", version.name))

    def status(self, version, now):
        return starting.run_status(version.events_path, version.lock_path, now)


@pytest.fixture
def runner(monkeypatch):
    stand_in = Runner()
    monkeypatch.setitem(RUNNERS, ("local", "thread"), stand_in)
    return stand_in


@pytest.fixture
def task(tmp_path):
    return make_task(tmp_path / "letters", task_file("starter/gemma-3-270m"))


def write(version, *events):
    with version.events_path.open("a", encoding="utf-8") as log:
        log.writelines(json.dumps({"t": 1.0, **event}) + "\n" for event in events)


def keep_checkpoint(version, step):
    folder = version.checkpoints_folder / str(step)
    folder.mkdir(parents=True)
    for name in NEEDED:
        (folder / name).touch()


def test_a_start_freezes_the_version_task_yaml_names_and_hands_it_to_its_runner(task, runner, now):
    version = start_training(task, now)
    assert version.name == "v1" and version.is_frozen and runner.asked == [("start", "v1")]
    assert version.lineage()["parent"] is None and version.lineage()["changes"] == ["First version"]


def test_what_its_maker_says_of_a_version_stands_first_in_its_lineage(task, runner, now):
    start_training(task, now)
    changed = task.file.model_copy(update={"version": "v2", "training": task.file.training.model_copy(update={"epochs": 3})})
    task.save_file(changed)
    version = start_training(task, now, changes="  one epoch more,\n since the loss still fell ")
    assert version.lineage()["changes"] == ["one epoch more, since the loss still fell", "training.epochs: 2 → 3"]
    assert version.lineage()["parent"] == "v1" and runner.asked == [("start", "v1"), ("start", "v2")]


def test_many_starts_at_once_make_one_version_one_preparation_and_one_run(task, runner, now, monkeypatch):
    prepared, made, raised = [], [], []
    real = starting.prepare_data
    monkeypatch.setattr(starting, "prepare_data", lambda *arguments: (prepared.append(1), time.sleep(0.3), real(*arguments))[2])
    gate = threading.Barrier(5)

    def ask():
        gate.wait()
        try:
            made.append(start_training(task, now))
        except Exception as error:
            raised.append(error)

    lock = threading.Lock()
    begin = runner.start

    def start_once(version):  # as every real runner sees to it
        with lock:
            if not read_events(version.events_path):
                begin(version)

    monkeypatch.setattr(runner, "start", start_once)
    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == [] and [version.name for version in made] == ["v1"] * 5
    assert len(prepared) == 1 and [version.name for version in task.versions()] == ["v1"] and runner.asked == [("start", "v1")]


START = """
import sys
from pathlib import Path
from coach.workspace import Task
from training.clock import local_now
from training.runners.process_wide import process_wide
from training.starting import start_training
input()
print(start_training(Task.open(Path(sys.argv[1])), local_now).name)
process_wide()["training"] and process_wide()["training"]["thread"].join()
"""


def test_two_programs_that_start_at_once_make_one_version_and_one_run(tmp_path):
    task = make_task(tmp_path / "letters", task_file("starter/gemma-3-270m", method="baseline"))
    command = [sys.executable, "-c", START, str(task.folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    programs = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]
    time.sleep(1.0)
    for program in programs:
        program.stdin.write("\n")
        program.stdin.flush()
    said = [program.communicate(timeout=60) for program in programs]
    assert [out.strip() for out, _ in said] == ["v1", "v1"], said
    events = read_events(task.version("v1").events_path)
    assert [event["type"] for event in events if event["type"] in ("started", "finished", "failed")] == ["started", "finished"]


def test_a_version_frozen_before_but_never_begun_is_started(tmp_path, runner, now):
    version = make_version(tmp_path / "letters", task_file("starter/gemma-3-270m"))
    task = starting.Task.open(tmp_path / "letters")
    assert start_training(task, now) == version and runner.asked == [("start", "v1")]


def test_a_run_that_failed_before_its_first_checkpoint_is_started_again(task, runner, now):
    version = start_training(task, now)
    write(version, {"type": "failed"})
    start_training(task, now)
    assert runner.asked == [("start", "v1")] * 2


def test_a_version_that_is_training_already_is_returned_without_a_word(task, runner, now):
    version = start_training(task, now)
    with FileLock(version.lock_path):
        assert start_training(task, now) == version
        resume_training(version)
    assert runner.asked == [("start", "v1")]


@pytest.mark.parametrize("end", ["stopped", "failed", None])
def test_a_start_does_not_throw_away_what_was_learnt(task, runner, now, end):
    version = start_training(task, now)
    write(version, *([{"type": end}] if end else []))
    keep_checkpoint(version, 20)
    with pytest.raises(WorkspaceError) as raised:
        start_training(task, now)
    assert raised.value.key == "training.resume_instead" and raised.value.data["step"] == 20
    resume_training(version)
    assert runner.asked == [("start", "v1"), ("resume", "v1")]


def test_a_finished_version_is_neither_started_nor_resumed(task, runner, now):
    version = start_training(task, now)
    write(version, {"type": "finished"})
    for ask in (lambda: start_training(task, now), lambda: resume_training(version)):
        with pytest.raises(WorkspaceError) as raised:
            ask()
        assert raised.value.key == "training.finished_already"
    assert runner.asked == [("start", "v1")]


def test_nothing_is_resumed_without_a_checkpoint_and_nothing_stopped_that_does_not_run(task, runner, now):
    version = start_training(task, now)
    write(version, {"type": "failed"})
    with pytest.raises(WorkspaceError) as raised:
        resume_training(version)
    assert raised.value.key == "training.nothing_to_resume"
    with pytest.raises(WorkspaceError) as raised:
        stop_training(version)
    assert raised.value.key == "training.not_started" and "stop" not in dict(runner.asked)


def test_a_running_version_is_asked_to_stop(task, runner, now):
    version = start_training(task, now)
    with FileLock(version.lock_path):
        stop_training(version)
    assert runner.asked[-1] == ("stop", "v1")


def test_a_task_that_cannot_train_here_makes_no_version(task, runner, now):
    remote = task.file.model_dump(mode="json", by_alias=True) | {"execution": {"type": "remote_ssh", "host": "user@box"}}
    task.file_path.write_text(task_to_yaml(TaskFile.model_validate(remote)), encoding="utf-8")
    with pytest.raises(DocumentError) as raised:
        start_training(task, now)
    assert raised.value.key == "task.not_trainable" and task.versions() == [] and runner.asked == []


def test_without_data_nothing_is_frozen(task, runner, now):
    for path in task.data_folder.iterdir():
        path.unlink()
    with pytest.raises(UserError) as raised:
        start_training(task, now)
    assert raised.value.key == "training.no_data" and task.versions() == []


def test_a_version_asked_for_by_name_is_made_beside_the_one_task_yaml_names(task, now):
    found = version_to_train(task, now, wanted="v3")
    assert found.version.name == "v3" and found.prepared is not None
    assert version_to_train(task, now, wanted="v3") == starting.VersionToTrain(found.version)


def test_preparing_freezing_and_handing_over_loads_no_heavy_library(tmp_path):
    """The server's first user would wait for it, and every later collection would stop all of them."""
    rows = "".join(f"text number {index} of {'ab'[index % 2]},{'apple' if index % 2 else 'berry'}\n" for index in range(60))
    folder = tmp_path / "letters"
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "rows.csv").write_text("text,label\n" + rows, encoding="utf-8")
    document = task_file("starter/gemma-3-270m").model_dump(mode="json", by_alias=True)
    file = TaskFile.model_validate(document | {"output_format": {"type": "text", "enum": ["apple", "berry"]}})
    (folder / "task.yaml").write_text(task_to_yaml(file), encoding="utf-8")
    source = source_document(file, {"text": "text", "label": "label"}, "raw/rows.csv", now=NOW)
    (folder / "data_source.yaml").write_text(data_source_to_yaml(source), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from coach.workspace import Task\nfrom tests.conftest import NOW\nfrom training.runners import RUNNERS\n"
        "from training.starting import start_training\n"
        "class Nothing:\n    def start(self, version): print('given', version.name)\n"
        "RUNNERS['local', 'thread'] = Nothing()\n"
        f"version = start_training(Task.open(Path({str(folder)!r})), lambda: NOW)\n"
        "print(sorted({'torch', 'transformers', 'trl', 'peft', 'datasets', 'streamlit'} & set(sys.modules)), NOW.year)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split("\n")[:2] == ["given v1", f"[] {NOW.year}"]
    assert (folder / "versions" / "v1" / "data" / "train.jsonl").is_file()
