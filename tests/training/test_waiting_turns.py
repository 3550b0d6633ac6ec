"""Those who wait begin by themselves, once and in order, whoever is killed meanwhile: commands, servers, and a server's successor.

The device is held by the test itself where nothing has to train; what trains then is the cheap baseline.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from coach.task_schema import Execution
from coach.version_folder import Version
from coach.workspace import Task
from tests.training.small_task import make_version, task_file
from tests.training.test_command_line import call
from tests.training.test_runners import begun, state, until
from training import checkpoints
from training.clock import local_now
from training.device_lock import device_held
from training.event_log import EventLog, read_events
from training.runners import in_process
from training.runners.process_wide import process_wide
from training.starting import start_training, stop_training
from training.waiting_line import queue_of, refusal, take_place, tickets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def versions(tmp_path):
    """Three tasks of one workspace, each a second of training without a language model."""
    file = task_file("starter/gemma-3-270m", method="baseline")
    return [make_version(tmp_path / name, file) for name in ("apples", "berries", "cherries")]


@pytest.fixture
def device(tmp_path):
    """Something else trains on the device, until `device.close()`."""
    other = make_version(tmp_path / "elsewhere" / "other", task_file("starter/gemma-3-270m"))
    with ExitStack() as stack:
        stack.enter_context(device_held(other))
        yield stack


@pytest.fixture
def programs():
    started: list[subprocess.Popen[str]] = []
    yield started
    for program in started:
        if program.poll() is None:
            program.kill()
        program.communicate()


def task_of(version: Version) -> Task:
    return Task.open(version.folder.parents[1])


def command(programs, *arguments):
    line = [sys.executable, "-m", "training", *map(str, arguments), "--lang", "en"]
    programs.append(subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    return programs[-1]


def waiting(programs, version):
    """A command that stands in line for `version`."""
    program = command(programs, "run", task_of(version).folder)
    until(lambda: state(version) == "queued")
    return program


SERVER = """
import signal, sys, time
from pathlib import Path
from coach.workspace import Task
from training.clock import local_now
from training.runners.in_process import take_on_waiting
from training.starting import start_training
signal.signal(signal.SIGTERM, lambda *arguments: sys.exit(0))
if sys.argv[1] == "open":
    take_on_waiting(Path(sys.argv[2]))
else:
    [start_training(Task.open(Path(folder)), local_now) for folder in sys.argv[2:]]
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""


def server(programs, *arguments):
    """A program that trains in its own process, as the app does: `start TASK…`, or `open QUEUE` as a first page does."""
    line = [sys.executable, "-c", SERVER, *map(str, arguments)]
    programs.append(subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    assert programs[-1].stdout.readline() == "ready\n"
    return programs[-1]


def start_times(versions):
    return [next(event["t"] for event in read_events(version.events_path) if event["type"] == "started") for version in versions]


# --- commands ------------------------------------------------------------------------------------------------------------------


def test_commands_train_one_after_the_other_in_the_order_they_came(versions, device, programs):
    first, second = (waiting(programs, version) for version in versions[1::-1])
    assert [ticket.said.task for ticket in tickets(queue_of(versions[0]))] == ["berries", "apples"]
    device.close()
    for program in (first, second):
        out, err = program.communicate(timeout=60)
        assert program.returncode == 0 and "macro_f1" in out and "v1 waits: " in err, err
    ended = read_events(versions[1].events_path)[-1]["t"]
    assert ended <= start_times([versions[0]])[0] and begun(versions[0]) == begun(versions[1]) == ["started"]
    assert not queue_of(versions[0]).exists()


def test_killed_with_no_warning_the_waiting_one_is_stepped_over_and_the_running_one_makes_way(
    tmp_path, tiny_model, versions, programs
):
    long = make_version(tmp_path / "long", task_file(tiny_model, epochs=1000, early_stopping=None))
    trains = command(programs, "run", long.folder.parents[1])
    until(lambda: state(long) == "running")
    killed, next_one = (waiting(programs, version) for version in versions[:2])
    killed.kill()
    killed.wait()
    until(lambda: state(versions[0]) == "new")
    assert state(versions[1]) == "queued"
    trains.kill()
    assert next_one.wait(60) == 0 and state(versions[1]) == "finished"
    assert state(long) == "interrupted" and state(versions[0]) == "new"  # neither is queued again by itself


def test_a_waiting_command_is_cancelled_by_stop_and_by_ctrl_c_and_ends_with_0(versions, device, programs, capsys):
    stopped, left = (waiting(programs, version) for version in versions[:2])
    assert call("status", task_of(versions[1]).folder, "v1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "queued" and found["queue"] == {"place": 2, "wait_s": None, "moves": True}
    assert call("run", task_of(versions[0]).folder) == 2
    assert "waits in line already" in capsys.readouterr().err
    assert call("stop", task_of(versions[0]).folder, "v1") == 0
    left.send_signal(signal.SIGINT)
    for program in (stopped, left):
        out, err = program.communicate(timeout=30)
        assert program.returncode == 0 and "has left the line" in out and "Traceback" not in err
    assert [state(version) for version in versions[:2]] == ["new", "new"] and call("stop", task_of(versions[0]).folder, "v1") == 2


@pytest.mark.parametrize("fate", ["deleted", "finished"])
def test_a_command_whose_version_is_gone_or_trained_meanwhile_says_so_and_leaves(fate, versions, device, programs):
    program = waiting(programs, versions[0])
    if fate == "deleted":
        shutil.rmtree(versions[0].folder)
    else:
        log = EventLog(versions[0].events_path)
        log.append("started", attempt=1)
        log.append("finished")
        log.close()
    _, err = program.communicate(timeout=30)
    assert program.returncode == 2 and "Traceback" not in err
    assert ("was deleted" if fate == "deleted" else "finished") in err
    assert not queue_of(versions[0]).exists() and versions[0].folder.exists() == (fate == "finished")


# --- servers -------------------------------------------------------------------------------------------------------------------


def test_what_a_killed_server_left_in_line_is_begun_by_the_next_in_order(versions, device, programs):
    first = server(programs, "start", *(task_of(version).folder for version in versions[:2]))
    assert [state(version) for version in versions[:2]] == ["queued", "queued"]
    first.kill()
    first.wait()
    device.close()
    command_between = command(programs, "run", task_of(versions[2]).folder)  # no server is there: nobody has to wait for one
    assert command_between.wait(60) == 0
    assert [state(version) for version in versions] == ["queued", "queued", "finished"]
    server(programs, "open", queue_of(versions[0]))
    until(lambda: [state(version) for version in versions[:2]] == ["finished", "finished"])
    times = start_times(versions)
    assert times[2] < times[0] < times[1] and all(begun(version) == ["started"] for version in versions)


def test_a_server_that_is_stopped_leaves_the_line_as_it_was(versions, device, programs):
    one = server(programs, "start", task_of(versions[0]).folder)
    one.send_signal(signal.SIGTERM)
    assert one.wait(10) == 0 and state(versions[0]) == "queued" and begun(versions[0]) == []


def test_two_servers_of_one_workspace_begin_each_ticket_once(versions, device, programs):
    folders = [task_of(version).folder for version in versions]
    server(programs, "start", *folders)
    server(programs, "start", *folders)
    assert len(tickets(queue_of(versions[0]))) == 3
    device.close()
    until(lambda: {state(version) for version in versions} == {"finished"})
    assert [begun(version) for version in versions] == [["started"]] * 3
    times = start_times(versions)
    assert times == sorted(times)


# --- in this process, as the pages use it --------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    """Looks often, and leaves no watcher behind."""
    monkeypatch.setattr("training.runners.serving.LOOK_EVERY_S", 0.05)
    yield
    for watcher in list(process_wide()["lines"].values()):
        watcher.join(20)
    assert process_wide()["lines"] == {}


def test_a_start_while_something_trains_waits_once_and_is_cancelled_by_the_stop_button(versions, device, quick):
    gate = threading.Barrier(4)

    def ask():
        gate.wait()
        start_training(task_of(versions[0]), local_now)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert [ticket.said.task for ticket in tickets(queue_of(versions[0]))] == ["apples"] and state(versions[0]) == "queued"
    assert stop_training(versions[0]) == "left" and state(versions[0]) == "new"
    device.close()
    time.sleep(0.2)  # a watcher that had not noticed would begin it now
    assert begun(versions[0]) == []


def test_tickets_that_cannot_begin_are_taken_out_with_their_reason_and_hold_nobody_up(versions, device, quick, caplog):
    for version in versions:
        start_training(task_of(version), local_now)
    shutil.rmtree(versions[0].folder)
    folder = versions[1].checkpoints_folder / "6"  # somebody trained it elsewhere: a start would throw that away
    folder.mkdir(parents=True)
    for name in checkpoints.NEEDED:
        (folder / name).touch()
    until(lambda: state(versions[1]) == "new" and len(tickets(queue_of(versions[2]))) == 1)
    assert refusal(versions[1], 0).key == "training.resume_instead"
    assert not versions[0].folder.exists() and "deleted while it waited" in caplog.text
    device.close()
    until(lambda: state(versions[2]) == "finished")


def test_a_program_that_closes_begins_nobody_else(versions, monkeypatch):
    """Its own training has just made way, and its threads live a few seconds longer."""
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()
    ticket, _ = take_place(versions[0], behind="server", attempts=0, resume=False)
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    in_process._begin_from_line(ticket)
    assert begun(versions[0]) == [] and state(versions[0]) == "queued"


def test_cancelled_at_the_moment_it_begins_it_stops_at_once(versions, quick, monkeypatch):
    real = in_process._start_thread

    def cancelled(*arguments, **named):
        [ticket.leave() for ticket in tickets(queue_of(versions[0]))]
        return real(*arguments, **named)

    monkeypatch.setattr(in_process, "_start_thread", cancelled)
    asked = []
    monkeypatch.setattr(in_process, "ask_to_stop", lambda version: asked.append(version.name))
    take_place(versions[0], behind="server", attempts=0, resume=False)
    in_process.take_on_waiting(queue_of(versions[0]))
    until(lambda: asked == ["v1"])
    until(lambda: state(versions[0]) == "finished")  # a baseline is too quick to be stopped


def test_somebody_quicker_by_a_moment_sends_the_start_into_the_line(versions, device, quick, monkeypatch):
    monkeypatch.setattr(in_process, "has_to_wait", lambda version: False)
    start_training(task_of(versions[0]), local_now)
    until(lambda: state(versions[0]) == "queued")
    device.close()
    until(lambda: state(versions[0]) == "finished")
    assert begun(versions[0]) == ["started"]


def test_a_process_of_its_own_waits_by_itself_and_returns_the_click_at_once(tmp_path, device):
    file = task_file("starter/gemma-3-270m", method="baseline")
    version = make_version(tmp_path / "own", file.model_copy(update={"execution": Execution(isolation="process")}))
    start_training(task_of(version), local_now)
    assert state(version) == "queued"
    [ticket] = tickets(queue_of(version))
    child = process_wide()["children"][str(version.folder)]["process"]
    assert ticket.said.behind == "process" and child.poll() is None
    start_training(task_of(version), local_now)
    assert process_wide()["children"][str(version.folder)]["process"] is child and len(tickets(queue_of(version))) == 1
    assert stop_training(version) == "left" and state(version) == "new"
    start_training(task_of(version), local_now)  # at once: the first process is still about to end
    assert state(version) == "queued" and child.wait(10) == 0
    device.close()
    until(lambda: state(version) == "finished")
    assert begun(version) == ["started"]
