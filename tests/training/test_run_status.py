import json
import subprocess
import sys
import threading

import pytest
from filelock import FileLock

from training.run_status import run_status, state_of
from training.run_view import RunView, fold


def write(path, *events):
    path.write_text("".join(json.dumps({"t": 100.0, **event}) + "\n" for event in events), encoding="utf-8")


def state(folder, now=101.0):
    return run_status(folder / "events.jsonl", folder / "worker.lock", now).state


def test_without_a_log_a_run_is_new(tmp_path):
    assert state(tmp_path) == "new"


def test_the_terminal_event_decides(tmp_path):
    for kind in ("finished", "stopped", "failed"):
        write(tmp_path / "events.jsonl", {"type": "started", "attempt": 1}, {"type": kind})
        assert state(tmp_path) == kind


def test_a_lock_that_nobody_holds_means_interrupted(tmp_path):
    write(tmp_path / "events.jsonl", {"type": "started", "attempt": 1}, {"type": "step", "step": 1})
    (tmp_path / "worker.lock").touch()
    assert state(tmp_path) == "interrupted"


def test_a_thread_of_this_process_that_dies_is_seen_as_interrupted(tmp_path):
    write(tmp_path / "events.jsonl", {"type": "started", "attempt": 1})
    lock = FileLock(tmp_path / "worker.lock")
    held, end = threading.Event(), threading.Event()

    def work():
        with lock:
            held.set()
            end.wait()

    thread = threading.Thread(target=work)
    thread.start()
    held.wait()
    assert state(tmp_path) == "running"
    end.set()
    thread.join()
    assert state(tmp_path) == "interrupted"


def test_a_process_killed_with_its_lock_is_seen_as_interrupted(tmp_path):
    write(tmp_path / "events.jsonl", {"type": "started", "attempt": 1})
    code = "\n".join(
        [
            "from filelock import FileLock",
            f"lock = FileLock({str(tmp_path / 'worker.lock')!r})",
            "lock.acquire()",
            "print('held', flush=True)",
            "input()",
        ]
    )
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout.readline().strip() == "held"
    assert state(tmp_path) == "running"
    worker.kill()
    worker.wait()
    assert state(tmp_path) == "interrupted"


def test_silence_and_stalling_are_told_apart(tmp_path):
    steps = [{"type": "step", "step": number, "t": 100.0 + number} for number in range(1, 4)]
    write(tmp_path / "events.jsonl", {"type": "started", "attempt": 1}, {"type": "phase", "name": "training"}, *steps)
    with FileLock(tmp_path / "worker.lock"):
        assert state(tmp_path, now=110.0) == "running"
        assert state(tmp_path, now=140.0) == "silent"
        with (tmp_path / "events.jsonl").open("a") as log:
            log.write(json.dumps({"type": "heartbeat", "t": 230.0}) + "\n")
        assert state(tmp_path, now=231.0) == "stalled"
        assert state(tmp_path, now=120.0) == "running"


def under_way(*times, heartbeats=()):
    """A run whose steps came at these times, and that gave signs of life at those; now a view."""
    events = [{"type": "started", "attempt": 1, "t": 0.0}, {"type": "phase", "name": "training", "t": 0.0}]
    steps = [{"type": "step", "step": number, "t": t, "loss": 1.0} for number, t in enumerate(times, start=1)]
    rest = [{"type": "heartbeat", "t": t} for t in heartbeats]
    return fold(RunView(), sorted([*events, *steps, *rest], key=lambda event: event["t"]))


@pytest.mark.parametrize(
    ("times", "last_beat", "now", "state"),
    [
        ((5.0, 10.0), 10.0, 40.0, "running"),
        ((5.0, 10.0), 10.0, 40.1, "silent"),
        ((5.0, 10.0), 125.0, 130.0, "running"),  # 10 steps would be 50 s: the two minutes count
        ((5.0, 10.0), 125.0, 130.1, "stalled"),
        ((30.0, 60.0), 355.0, 360.0, "running"),  # 10 steps of 30 s
        ((30.0, 60.0), 355.0, 360.1, "stalled"),
        ((), 115.0, 120.0, "running"),  # the first step does not come at all
        ((), 115.0, 120.1, "stalled"),
        ((5.0, 10.0), 125.0, 155.1, "silent"),  # before stalled: nothing at all is heard
    ],
)
def test_silent_after_half_a_minute_and_stalled_after_two_minutes_or_ten_steps(times, last_beat, now, state):
    beats = [10.0 * number for number in range(1, int(last_beat // 10) + 1)]
    assert state_of(under_way(*times, heartbeats=[*beats, last_beat]), now, held=True) == state
    assert state_of(under_way(*times, heartbeats=[*beats, last_beat]), now, held=False) == "interrupted"


def test_outside_the_training_phase_nothing_is_stalled():
    view = fold(under_way(5.0, 10.0), [{"type": "phase", "name": "evaluating", "t": 11.0}, {"type": "heartbeat", "t": 500.0}])
    assert state_of(view, 501.0, held=True) == "running"
