"""The bench of overhead: parts add up to the whole, what is set aside is not counted, a start that fails is said."""

import time

import pytest

from bench.first_step import parts_of, time_to_first_step
from bench.overhead import Reader, Stopwatch, by_size, give_up, make_cold
from coach.version_folder import Version
from training.event_log import EventLog

EVENTS = [
    {"type": "started", "t": 100.5},
    {"type": "phase", "name": "baseline", "t": 105.0},
    {"type": "phase", "name": "loading", "t": 106.0},
    {"type": "phase", "name": "loading", "stage": "convert", "t": 106.5},
    {"type": "phase", "name": "training", "t": 108.0},
    {"type": "step", "step": 1, "t": 109.25},
    {"type": "step", "step": 2, "t": 110.0},
]


def test_the_parts_of_a_start_add_up_to_its_whole():
    found = parts_of(EVENTS, 100.0)
    assert found["total_s"] == 9.25 == sum(found["parts_s"].values())
    assert found["parts_s"] == {
        "interpreter and lock": 0.5, "imports": 4.5, "baseline": 1.0, "loading, adapter and rows": 2.0, "first step": 1.25,
    }  # fmt: skip


def test_a_phase_that_never_came_is_left_out():
    found = parts_of([event for event in EVENTS if event.get("name") != "baseline"], 100.0)
    assert "imports" not in found["parts_s"] and found["total_s"] == 9.25


def test_a_training_that_ends_before_a_step_is_told_with_what_it_said(tmp_path):
    version = Version(tmp_path / "nothing" / "versions" / "v1")
    with pytest.raises(RuntimeError, match=r"ended before its first step: .+"):
        time_to_first_step(version, tmp_path.parent)


class Slow:
    def write(self):
        time.sleep(0.001)

    def evaluate(self):
        self.write()


def test_what_is_written_while_something_is_set_aside_is_not_counted(monkeypatch):
    monkeypatch.setattr(Slow, "write", Slow.write)
    monkeypatch.setattr(Slow, "evaluate", Slow.evaluate)
    watch = Stopwatch()
    watch.around(Slow, "evaluate", "evaluations", aside=True)
    watch.around(Slow, "write", "append")
    slow = Slow()
    slow.write()
    slow.evaluate()
    assert watch.calls == {"append": 1, "evaluations": 1} and watch.seconds["evaluations"] > 0


def test_a_reader_counts_its_looks_and_ends_with_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.overhead.LOOK_EVERY_S", 0.005)
    version = Version(tmp_path)
    log = EventLog(version.events_path)
    with Reader(version) as reader:
        until = time.monotonic() + 10
        while reader.looks < 3 and time.monotonic() < until:
            log.append("heartbeat")
            time.sleep(0.005)
    log.close()
    assert reader.looks >= 3 and reader.wall_s > 0 and not reader._thread.is_alive()


def test_files_are_given_up_without_being_changed(tmp_path, monkeypatch):
    (tmp_path / "weights").write_bytes(b"x" * 5000)
    give_up(tmp_path / "weights")
    give_up(tmp_path / "not there")
    assert (tmp_path / "weights").read_bytes() == b"x" * 5000
    monkeypatch.setattr("bench.overhead.DROP_CACHES", tmp_path / "no such folder" / "drop_caches")
    monkeypatch.setattr("bench.overhead.LIBRARIES", ())
    assert make_cold(tmp_path) == "posix_fadvise on the model's and the libraries' files"


def test_the_largest_stand_first():
    assert list(by_size({"a": 1.0, "b": 3.0, "c": 2.0})) == ["b", "c", "a"]
