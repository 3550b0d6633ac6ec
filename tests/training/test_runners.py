"""Where a version trains: begun once however often it is asked for, one at a time in a process, and a life from start to end for real."""

import errno
import importlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock

from coach.errors import DataError, TaskError, WorkspaceError
from coach.task_schema import Execution
from coach.workspace import Task, freeze_version
from tests.conftest import NOW
from tests.training.small_task import make_task, make_version, task_file
from training import checkpoints
from training.clock import local_now
from training.event_log import EventLog, read_events
from training.run_reader import RunReader
from training.run_status import is_locked, run_status
from training.runners import RUNNERS, beginning, closing, in_process, own_process, runner_for
from training.runners.process_wide import process_wide
from training.starting import resume_training, start_training, stop_training
from training.waiting_line import leave_line

ROOT = Path(__file__).parents[2]
THREAD, PROCESS = RUNNERS["local", "thread"], RUNNERS["local", "process"]


def state(version):
    return run_status(version.events_path, version.lock_path, time.time()).state


def begun(version):
    return [event["type"] for event in read_events(version.events_path) if event["type"] in ("started", "resumed")]


def until(true, wait_s=120.0):
    deadline = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def at_once(work, times=6):
    """`work` in several threads at the same moment; what they raised."""
    gate, raised = threading.Barrier(times), []

    def one():
        gate.wait()
        try:
            work()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


class Worker:
    """In place of `worker.run`: takes the lock, begins the log, and waits for the stop file or for `end`."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.raises: Exception | None = None

    def __call__(self, version: Any, *, resume: bool, now: Any) -> str:
        with FileLock(version.lock_path):
            attempt = RunReader(version.events_path, version.lock_path).read(0.0).view.attempt + 1
            version.stop_path.unlink(missing_ok=True)
            log = EventLog(version.events_path)
            kind = ("resumed", {"from_step": 1}) if resume else ("started", {})
            log.append(kind[0], attempt=attempt, version=version.name, worker={}, **kind[1])
            while not self.end.wait(0.01) and not version.stop_path.exists():
                pass
            log.append("failed" if self.raises else "stopped", step=0)
            log.close()
        if self.raises:
            raise self.raises
        return "stopped"


@pytest.fixture
def worker(monkeypatch):
    stand_in = Worker()
    monkeypatch.setattr(in_process, "run", stand_in)
    yield stand_in
    stand_in.end.set()
    training = process_wide()["training"]
    if training:
        training["thread"].join(10)


@pytest.fixture
def versions(tmp_path):
    return [make_version(tmp_path / name, task_file("starter/gemma-3-270m")) for name in ("apples", "berries")]


# --- which runner --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runner", RUNNERS.values(), ids=lambda runner: type(runner).__name__)
def test_every_runner_answers_for_a_version_nobody_has_begun(runner, versions):
    found = runner.status(versions[0], time.time())
    assert found.state == "new" and not found.alive


def test_the_task_says_where_it_trains():
    task = task_file("starter/gemma-3-270m")
    assert runner_for(task) is THREAD
    assert runner_for(task.model_copy(update={"execution": Execution(isolation="process")})) is PROCESS
    with pytest.raises(TaskError) as raised:
        runner_for(task.model_copy(update={"execution": Execution(type="remote_ssh", host="box")}))
    assert raised.value.key == "training.not_here"


# --- in this process -----------------------------------------------------------------------------------------------------------


def test_asking_many_times_at_once_starts_one_thread_and_returns_when_it_has_begun(versions, worker):
    seen = []

    def ask():
        THREAD.start(versions[0])
        seen.append(state(versions[0]))

    assert at_once(ask) == [] and seen == ["running"] * 6
    assert begun(versions[0]) == ["started"]
    assert sum(thread.name == "training apples v1" for thread in threading.enumerate()) == 1
    assert process_wide()["training"]["thread"].daemon is True


def test_a_second_version_waits_in_line_and_begins_by_itself_once_the_first_is_done(versions, worker):
    first, second = versions
    THREAD.start(first)
    THREAD.start(second)
    assert state(second) == "queued" and begun(second) == []
    THREAD.stop(first)
    until(lambda: begun(second) == ["started"])
    assert state(first) == "stopped" and state(second) == "running"


def test_a_run_resumed_the_moment_it_stopped_goes_on(versions, worker, monkeypatch):
    slow = threading.Event()
    monkeypatch.setattr(in_process, "_give_memory_back", lambda: slow.wait(0.5))
    THREAD.start(versions[0])
    THREAD.stop(versions[0])
    until(lambda: state(versions[0]) == "stopped")
    assert at_once(lambda: THREAD.resume(versions[0])) == []
    assert begun(versions[0]) == ["started", "resumed"] and state(versions[0]) == "running"


def test_what_another_process_trains_is_left_alone(versions, worker):
    code = f"from filelock import FileLock\nwith FileLock({str(versions[0].lock_path)!r}): print('held', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline().strip() == "held"
    for runner in RUNNERS.values():
        runner.start(versions[0])
        runner.resume(versions[0])
    assert begun(versions[0]) == [] and process_wide()["children"].get(str(versions[0].folder)) is None
    other.communicate("\n")


def test_a_reload_of_our_modules_makes_no_second_training(versions, worker):
    THREAD.start(versions[0])
    spec = importlib.util.spec_from_file_location("reloaded", in_process.__file__)
    reloaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reloaded)
    reloaded.run = worker
    again = reloaded.InProcess()
    again.start(versions[0])
    assert begun(versions[0]) == ["started"] and again.status(versions[0], time.time()).state == "running"
    again.start(versions[1])
    assert state(versions[1]) == "queued" and begun(versions[1]) == []
    assert leave_line(versions[1])


def test_a_run_that_has_not_come_to_its_first_event_counts_as_running(versions, worker, monkeypatch):
    hold = threading.Event()
    monkeypatch.setattr(in_process, "run", lambda *arguments, **named: hold.wait())
    monkeypatch.setattr(in_process, "BEGIN_WAIT_S", 0.1)
    THREAD.start(versions[0])
    assert state(versions[0]) == "new" and THREAD.status(versions[0], time.time()).state == "running"
    hold.set()
    process_wide()["training"]["thread"].join()
    assert THREAD.status(versions[0], time.time()).state == "new"


def test_a_users_mistake_is_one_line_for_the_server_and_ours_comes_with_its_traceback(versions, worker, caplog):
    worker.end.set()
    worker.raises = DataError("training.empty_texts")
    THREAD.start(versions[0])
    process_wide()["training"]["thread"].join()
    [line] = [record for record in caplog.records if record.name == in_process.__name__]
    assert line.exc_info is None and "Every text of the training data is empty." in line.getMessage()
    caplog.clear()
    worker.raises = ZeroDivisionError()
    THREAD.start(versions[1])
    process_wide()["training"]["thread"].join()
    [line] = [record for record in caplog.records if record.name == in_process.__name__]
    assert line.levelno == logging.ERROR and line.exc_info


def test_what_keeps_a_run_from_its_first_event_is_said_to_whoever_asked(versions, worker, monkeypatch):
    def refuse(*arguments: Any, **named: Any) -> str:
        raise WorkspaceError("workspace.not_writable", path="v1", reason="read-only")

    monkeypatch.setattr(in_process, "run", refuse)
    with pytest.raises(WorkspaceError) as raised:
        THREAD.start(versions[0])
    assert raised.value.key == "workspace.not_writable" and raised.value.data["reason"] == "read-only"


def test_a_worker_that_has_written_its_last_event_is_waited_for_until_its_lock_is_free(versions, worker, monkeypatch):
    real = EventLog.close
    monkeypatch.setattr(EventLog, "close", lambda log: (time.sleep(0.4), real(log))[1])
    THREAD.start(versions[0])
    THREAD.stop(versions[0])
    until(lambda: state(versions[0]) == "stopped")
    assert is_locked(versions[0].lock_path)
    THREAD.resume(versions[0])
    assert begun(versions[0]) == ["started", "resumed"] and state(versions[0]) == "running"


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "workspace.disk_full"),
        (OSError(errno.EIO, "Input/output error"), "workspace.write_failed"),
        (ZeroDivisionError(), "training.unexpected"),
    ],
)
def test_a_run_that_breaks_before_its_first_event_is_never_taken_for_one_that_began(versions, worker, monkeypatch, error, key):
    def broken(*arguments: Any, **named: Any) -> str:
        raise error

    monkeypatch.setattr(in_process, "run", broken)
    with pytest.raises(WorkspaceError) as raised:
        THREAD.start(versions[0])
    assert raised.value.key == key and raised.value.lines("zh-TW")


FULL = """
import resource, sys
from pathlib import Path
from coach.errors import WorkspaceError
from coach.version_folder import Version
from training.runners import RUNNERS
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    RUNNERS["local", "thread"].start(Version(Path(sys.argv[1])))
except WorkspaceError as error:
    print(error.key)
"""


def test_a_start_without_room_to_log_a_failure_says_so_and_begins_nothing(versions):
    """With 120 KB left a run would die at its first checkpoint and could not even write that down."""
    command = [sys.executable, "-c", FULL, str(versions[0].folder)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["workspace.disk_full"], found.stderr
    assert state(versions[0]) == "new" and not versions[0].events_path.exists()


def made_anew(version):
    shutil.rmtree(version.folder)
    return freeze_version(Task.open(version.folder.parents[1]), version.name, NOW)


def test_a_version_made_anew_is_not_taken_for_the_deleted_one_whose_thread_still_lives(versions, worker, monkeypatch):
    monkeypatch.setattr(in_process, "LEAVING_WAIT_S", 0.1)
    THREAD.start(versions[0])
    former = process_wide()["training"]
    version = made_anew(versions[0])
    assert THREAD.status(version, time.time()).state == "new"
    THREAD.start(version)
    assert state(version) == "queued" and not version.events_path.exists()
    worker.end.set()
    former["thread"].join(10)
    assert former["refused"][0][0] == "training.version_gone"
    until(lambda: begun(version) == ["started"])


def test_a_program_that_closes_asks_no_stop_of_a_version_made_anew(versions, worker, monkeypatch):
    monkeypatch.setattr(in_process, "LEAVING_WAIT_S", 0.1)
    monkeypatch.setattr(in_process, "EXIT_WAIT_S", 0.1)
    left = []
    monkeypatch.setattr(in_process, "_leave_in_the_middle", left.append)
    THREAD.start(versions[0])
    version = made_anew(versions[0])
    ended = threading.Thread(target=int)
    ended.start()
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    monkeypatch.setattr(in_process.faulthandler, "dump_traceback_later", lambda *_, **__: None)  # else it ends this process
    monkeypatch.setitem(process_wide(), "closing", False)
    in_process._stop_and_wait(process_wide())
    assert left and not version.stop_path.exists() and closing.is_closing()


def test_a_server_that_takes_no_more_connections_is_closing_whoever_still_hangs_on(monkeypatch):
    monkeypatch.setattr(closing, "LOOK_EVERY_S", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        hanging_on, _ = server.accept()
        waiter = threading.Thread(target=closing.wait_until_closing)
        waiter.start()
        waiter.join(0.3)
        assert waiter.is_alive()
        server.close()
        waiter.join(10)
        assert not waiter.is_alive() and threading.main_thread().is_alive()
        hanging_on.close()


# --- in a process of its own ---------------------------------------------------------------------------------------------------


@pytest.fixture
def cheap(tmp_path):
    """A version that trains in a second, with no language model, in a process of its own."""
    task = task_file("starter/gemma-3-270m", method="baseline")
    return make_version(tmp_path / "cheap", task.model_copy(update={"execution": Execution(isolation="process")}))


def test_a_process_is_started_once_has_a_session_of_its_own_and_leaves_no_zombie(cheap):
    assert at_once(lambda: PROCESS.start(cheap)) == []
    child = process_wide()["children"][str(cheap.folder)]["process"]
    assert os.getsid(child.pid) == child.pid != os.getsid(0)
    until(lambda: state(cheap) == "finished" and child.poll() is not None)
    assert child.returncode == 0 and begun(cheap) == ["started"]
    assert not Path(f"/proc/{child.pid}").exists()
    assert "macro_f1" in cheap.stdout_path.read_text(encoding="utf-8")


def test_a_process_that_never_begins_is_said_with_its_last_words(cheap, tmp_path, monkeypatch):
    monkeypatch.setattr(own_process, "PROJECT_FOLDER", tmp_path)
    with pytest.raises(WorkspaceError) as raised:
        PROCESS.start(cheap)
    assert raised.value.key == "training.process_ended" and "No module named training" in raised.value.data["said"]
    assert state(cheap) == "new"


def test_a_process_that_found_no_room_to_say_why_it_ended_is_said_to_have_met_a_full_disk(cheap, tmp_path, monkeypatch):
    monkeypatch.setattr(own_process, "PROJECT_FOLDER", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=4096))
    with pytest.raises(WorkspaceError) as raised:
        PROCESS.start(cheap)
    assert raised.value.key == "workspace.disk_full"


def test_a_version_made_anew_is_begun_though_the_process_of_the_deleted_one_lives(cheap):
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    former = {"process": sleeper, "place": beginning.place_of(cheap), "attempts_before": 0}
    process_wide()["children"][str(cheap.folder)] = former
    version = made_anew(cheap)
    assert PROCESS.status(version, time.time()).state == "new"
    PROCESS.start(version)
    assert process_wide()["children"][str(cheap.folder)] is not former
    until(lambda: state(version) == "finished")
    sleeper.communicate(b"\n")


# --- for real ------------------------------------------------------------------------------------------------------------------

SERVER = """
import signal, sys, threading, time
from pathlib import Path
from coach.workspace import Task
from training.clock import local_now
from training.starting import resume_training, start_training
signal.signal(signal.SIGTERM, lambda *arguments: sys.exit(0))
task = Task.open(Path(sys.argv[1]))
def ask():
    resume_training(task.version("v1")) if sys.argv[2] == "resume" else start_training(task, local_now)
threads = [threading.Thread(target=ask) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("torch" in sys.modules, flush=True)
while True:
    time.sleep(0.05)
"""


class Server:
    """A program that trains in its own process, as the app does."""

    def __init__(self, task, what):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", SERVER, str(task.folder), what]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def end(self, number):
        """Signals it; returns the exit code, the seconds it took, and its console."""
        start = time.monotonic()
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, time.monotonic() - start, out + err


def test_a_training_in_a_server_lives_through_a_stop_a_kill_and_two_restarts(tmp_path, tiny_model, monkeypatch):
    task = make_task(tmp_path / "letters", task_file(tiny_model, epochs=300, early_stopping=None))
    server = Server(task, "start")
    until(lambda: len(task.versions()) == 1)
    [version] = task.versions()
    reader = RunReader(version.events_path, version.lock_path)

    def steps():
        return reader.read(time.time()).view.step

    until(lambda: steps() >= 10)
    code, took, console = server.end(signal.SIGTERM)
    view = reader.read(time.time()).view
    assert code == 0 and took < 10 and reader.read(time.time()).state == "stopped"
    assert checkpoints.latest(version.checkpoints_folder) == view.step == view.terminal["step"]
    assert begun(version) == ["started"]  # three asked for it
    assert console.split() == ["False"]  # not a word of the libraries

    stopped_at = view.step
    server = Server(task, "resume")
    until(lambda: steps() >= stopped_at + 10)
    server.end(signal.SIGKILL)
    assert reader.read(time.time()).state == "interrupted"
    assert begun(version) == ["started", "resumed"]

    server = Server(task, "resume")
    until(lambda: begun(version) == ["started", "resumed", "resumed"])
    code, took, console = server.end(signal.SIGTERM)  # while libraries or weights are being loaded
    end = reader.read(time.time()).view.terminal
    assert code == 0 and took < 10 and (end["type"], end["reason"]) in (("stopped", "closed"), ("stopped", "asked"))
    assert checkpoints.latest(version.checkpoints_folder) >= stopped_at


def test_a_training_in_this_process_is_stopped_resumed_and_finished_and_its_memory_given_back(tmp_path, tiny_model):
    import gc

    import torch

    before = {id(found) for found in gc.get_objects() if isinstance(found, torch.nn.Module)}
    task = make_task(tmp_path / "letters", task_file(tiny_model, epochs=20, early_stopping=None))
    version = start_training(task, local_now)
    reader = RunReader(version.events_path, version.lock_path)
    assert reader.read(time.time()).state == "running"
    until(lambda: reader.read(time.time()).view.step >= 3)
    stop_training(version)
    until(lambda: not reader.read(time.time()).alive)
    assert reader.read(time.time()).state == "stopped"
    resume_training(version)
    assert reader.read(time.time()).state == "running"
    until(lambda: not reader.read(time.time()).alive)
    view = reader.read(time.time()).view
    assert view.terminal["type"] == "finished" and [event["step"] for event in view.steps] == list(range(1, 121))
    process_wide()["training"]["thread"].join(10)
    left = [found for found in gc.get_objects() if isinstance(found, torch.nn.Module) and id(found) not in before]
    assert left == []


def removed(folder):
    """As `rm -r` until it is through: a checkpoint may be written at this very moment."""
    until(lambda: (shutil.rmtree(folder, ignore_errors=True), not folder.exists())[1])


def test_a_version_deleted_while_it_trains_here_is_trained_anew_with_nothing_of_the_old_one(tmp_path, tiny_model):
    task = make_task(tmp_path / "letters", task_file(tiny_model, epochs=300, early_stopping=None))
    version = start_training(task, local_now)
    until(lambda: RunReader(version.events_path, version.lock_path).read(0.0).view.step >= 8)
    former = process_wide()["training"]
    removed(version.folder)
    assert start_training(task, local_now) == version
    assert not former["thread"].is_alive() and former["refused"][0][0] == "training.version_gone"
    reader = RunReader(version.events_path, version.lock_path)
    until(lambda: reader.read(0.0).view.step >= 2)
    stop_training(version)
    until(lambda: not reader.read(time.time()).alive)
    view = reader.read(time.time()).view
    assert begun(version) == ["started"] and view.terminal["type"] == "stopped"
    assert [event["step"] for event in view.steps] == list(range(1, view.step + 1))
    assert checkpoints.latest(version.checkpoints_folder) == view.step


def test_a_process_whose_task_is_deleted_ends_by_itself_and_does_not_bring_it_back(tmp_path, tiny_model):
    file = task_file(tiny_model, epochs=1000, early_stopping=None)
    task = make_task(tmp_path / "letters", file.model_copy(update={"execution": Execution(isolation="process")}))
    version = start_training(task, local_now)
    child = process_wide()["children"][str(version.folder)]["process"]
    until(lambda: RunReader(version.events_path, version.lock_path).read(0.0).view.step >= 8)
    removed(task.folder)
    until(lambda: child.poll() is not None, wait_s=30)
    assert child.returncode == 2 and not task.folder.exists()
