"""What a machine does to a training that runs on it: models that vanish, disks that refuse, clocks that jump, threads that die."""

import ctypes
import errno
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from coach.errors import ModelError, WorkspaceError
from tests.training.cut_off import SETTINGS, assert_the_same, go_on, make_it_repeatable, state, view
from tests.training.small_task import make_version, task_file
from training import checkpoints, worker
from training.event_log import EventLog, read_events
from training.held_lock import is_locked
from training.run_reader import RunReader
from training.run_status import run_status
from training.runners import RUNNERS
from training.runners.process_wide import process_wide
from training.worker import run

SEEN_WITHIN_S = 5.0  # design.md section 5


@pytest.fixture(autouse=True)
def repeatable(monkeypatch):
    make_it_repeatable(monkeypatch)


def at_step(step, work):
    """A listener that does `work` once, at that step."""
    return lambda event: work() if event["type"] == "step" and event["step"] == step else None


# --- folders that vanish -------------------------------------------------------------------------------------------------------


def test_a_base_model_that_vanishes_in_the_middle_is_missed_only_by_the_next_attempt(tmp_path, tiny_model, now):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    whole = make_version(tmp_path / "whole" / "letters", task_file(model, **SETTINGS))
    run(whole, now=now)
    version = make_version(tmp_path / "letters", task_file(model, **SETTINGS))

    def vanish_and_stop():
        model.rename(tmp_path / "elsewhere")
        version.stop_path.touch()

    assert run(version, now=now, listener=at_step(3, vanish_and_stop)) == "stopped"
    with pytest.raises(ModelError) as raised:
        go_on(version)
    assert raised.value.key == "model.no_such_folder" and view(version).terminal["key"] == "model.no_such_folder"
    assert state(version) == "failed" and checkpoints.latest(version.checkpoints_folder) == 3
    (tmp_path / "elsewhere").rename(model)
    assert run(version, resume=True, now=now, listener=at_step(5, lambda: model.rename(tmp_path / "gone"))) == "finished"
    assert_the_same(version, whole, "its base model came and went")


def test_checkpoints_removed_by_hand_do_not_keep_a_run_from_its_end(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SETTINGS))
    removal = at_step(5, lambda: shutil.rmtree(version.checkpoints_folder))
    assert run(version, now=now, listener=removal) == "finished"
    assert version.results()["rows"] and list(version.model_folder.glob("*.safetensors"))


def test_a_disk_that_can_only_be_read_is_said_as_such(tmp_path, tiny_model, now, monkeypatch):
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SETTINGS))

    def refuse(folder, step):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder / str(step)))

    monkeypatch.setattr(checkpoints, "accept", refuse)
    with pytest.raises(WorkspaceError) as raised:
        run(version, now=now)
    assert raised.value.key == "workspace.not_writable" and raised.value.data["path"].endswith("checkpoints/2")
    assert view(version).terminal["key"] == "workspace.not_writable"


def test_a_sign_of_life_that_found_no_room_is_followed_by_others(monkeypatch):
    """Else a run that lives would look silent for hours, once somebody has made room."""
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.005)
    told, again = [], threading.Event()

    class Log:
        def append(self, kind):
            told.append(kind)
            if len(told) == 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            again.set()

    with worker._heartbeat(Log()):
        assert again.wait(SEEN_WITHIN_S)


# --- a clock that jumps back ---------------------------------------------------------------------------------------------------


class Clock:
    """A worker's clock, in Unix seconds."""

    def __init__(self):
        self.now = 10_000.0

    def __call__(self):
        return self.now

    def goes(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def run_under_way(tmp_path, clock):
    """Five steps of two seconds, then the clock is set back by an hour: its log, and a reader that has followed it."""
    log = EventLog(tmp_path / "events.jsonl", clock=clock)
    reader = RunReader(log.path, tmp_path / "worker.lock")
    with FileLock(tmp_path / "worker.lock"):
        log.append("started", attempt=1)
        log.append("phase", name="training", total_steps=100)
        for step in range(1, 6):
            clock.goes(2)
            log.append("step", step=step, loss=1.0)
        assert reader.read(clock.now).state == "running"
        clock.goes(-3600)
        yield log, reader
    log.close()


def states(log, reader, now):
    """As one who follows sees it, and as one who looks for the first time."""
    return reader.read(now).state, run_status(log.path, log.path.with_name("worker.lock"), now).state


def test_with_the_clock_set_back_times_are_what_they_were(run_under_way, clock):
    log, reader = run_under_way
    clock.goes(1)
    log.append("heartbeat")
    found = reader.read(clock.now)
    assert states(log, reader, clock.now) == ("running", "running")
    assert clock.now - found.started_at == pytest.approx(10, abs=2) and found.view.median_step_s() == 2
    for step in range(6, 9):
        clock.goes(2)
        log.append("step", step=step, loss=1.0)
    found = reader.read(clock.now)
    assert clock.now - found.started_at == pytest.approx(16, abs=2) and found.view.median_step_s() == 2


def test_with_the_clock_set_back_a_worker_that_hangs_is_still_seen(run_under_way, clock):
    log, reader = run_under_way
    clock.goes(5)
    assert reader.read(clock.now).state == "running"
    clock.goes(31)
    assert reader.read(clock.now).state == "silent"
    for _ in range(12):  # it lives, but no step comes
        log.append("heartbeat")
        assert reader.read(clock.now).state == "running"
        clock.goes(10)
    clock.goes(1)
    log.append("heartbeat")
    assert states(log, reader, clock.now) == ("stalled", "stalled")


def test_a_clock_set_back_in_a_real_run_changes_nothing_but_the_times(tmp_path, tiny_model, monkeypatch):
    whole = make_version(tmp_path / "whole" / "letters", task_file(tiny_model, **SETTINGS))
    go_on(whole)
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SETTINGS))
    times = iter(range(10**6, 0, -1000))
    monkeypatch.setattr(EventLog.__init__, "__kwdefaults__", {"listener": None, "clock": lambda: float(next(times))})
    monkeypatch.setattr(time, "time", lambda: 5.0)
    assert go_on(version) == "finished"
    seen = [event["t"] for event in read_events(version.events_path)]
    assert seen == sorted(seen, reverse=True)
    assert_the_same(version, whole, "a clock that ran backwards")


# --- a thread that dies in a server that lives ---------------------------------------------------------------------------------


@pytest.fixture
def training_thread(tmp_path, tiny_model):
    """A training of this process, a few steps under way: its version and its thread."""
    version = make_version(tmp_path / "letters", task_file(tiny_model, **{**SETTINGS, "epochs": 1000, "early_stopping": None}))
    RUNNERS["local", "thread"].start(version)
    reader, deadline = RunReader(version.events_path, version.lock_path), time.monotonic() + 120
    while reader.read(0.0).view.step < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    thread = process_wide()["training"]["thread"]
    yield version, thread
    version.stop_path.touch()
    thread.join(30)


def states_until_it_is_over(version):
    """The states seen, each once, until nobody trains any more or the five seconds are over."""
    seen, deadline = [], time.monotonic() + SEEN_WITHIN_S
    while time.monotonic() < deadline and (not seen or seen[-1] in ("running", "stalled", "silent")):
        found = run_status(version.events_path, version.lock_path, time.time()).state
        seen += [] if seen[-1:] == [found] else [found]
        time.sleep(0.02)
    return seen


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_ended_from_outside_says_so(training_thread):
    version, thread = training_thread
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)) == 1
    assert states_until_it_is_over(version) == ["running", "failed"]
    assert view(version).terminal["class"] == "SystemExit" and view(version).terminal["key"] == "training.unexpected"


def test_a_thread_that_dies_without_a_word_is_seen_as_interrupted_and_can_be_resumed(training_thread, monkeypatch):
    version, thread = training_thread

    def broken(log, line):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(EventLog, "_write_whole", broken)
        assert states_until_it_is_over(version) == ["running", "interrupted"]
        thread.join(10)
    runner = RUNNERS["local", "thread"]
    (runner.resume if checkpoints.latest(version.checkpoints_folder) else runner.start)(version)
    assert run_status(version.events_path, version.lock_path, time.time()).state == "running"
    version.stop_path.touch()
    process_wide()["training"]["thread"].join(30)
    assert state(version) == "stopped"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="a descriptor's file is read from /proc")
def test_a_descriptor_of_the_lock_that_outlives_its_thread_holds_nothing(tmp_path):
    """As a program forked from the server would keep one."""
    path, kept = tmp_path / "worker.lock", []

    def work():
        with FileLock(path):
            found = [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if entry.exists() and entry.samefile(path)]
            kept.extend(os.dup(descriptor) for descriptor in found)
            assert is_locked(path)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert kept and not is_locked(path)
    for descriptor in kept:
        os.close(descriptor)
