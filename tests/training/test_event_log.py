import errno
import json
import threading

import pytest

from training.event_log import EventLog, EventTail, read_events


def test_every_event_is_one_line_with_a_running_number(tmp_path):
    log = EventLog(tmp_path / "events.jsonl", clock=lambda: 12.5)
    log.append("phase", name="loading")
    log.append("heartbeat")
    log.close()
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"v": 1, "seq": 0, "t": 12.5, "type": "phase", "name": "loading"},
        {"v": 1, "seq": 1, "t": 12.5, "type": "heartbeat"},
    ]


def test_a_number_that_is_not_finite_is_written_as_null_and_named(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    event = log.append("step", step=1, loss=float("nan"), grad_norm=float("inf"), nested={"f1": float("nan")})
    assert event["loss"] is None and event["grad_norm"] is None and event["nested"] == {"f1": None}
    assert event["not_finite"] == ["loss", "grad_norm"]


def test_a_reader_counts_a_line_only_once_its_newline_is_there(tmp_path):
    path = tmp_path / "events.jsonl"
    tail = EventTail(path)
    path.write_bytes(b'{"type": "heartbeat", "seq": 0}\n{"type": "heart')
    assert [event["seq"] for event in tail.poll()] == [0]
    assert tail.poll() == []
    with path.open("ab") as handle:
        handle.write(b'beat", "seq": 1}\n')
    assert [event["seq"] for event in tail.poll()] == [1]


def test_a_torn_last_line_is_ended_and_stepped_over(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"type": "heartbeat", "seq": 0}\n{"type": "st')
    log = EventLog(path)
    log.append("heartbeat")
    tail = EventTail(path)
    assert [event["seq"] for event in tail.poll()] == [0, 1]
    assert tail.torn == 1


def test_bytes_that_are_no_text_do_not_stop_a_reader(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'\xff\xfe\x00\n[1, 2]\n{"seq": 3}\n{"type": "heartbeat", "seq": 4}\n')
    tail = EventTail(path)
    assert [event["seq"] for event in tail.poll()] == [4]
    assert tail.torn == 3


def test_there_are_no_events_where_there_is_no_log(tmp_path):
    assert read_events(tmp_path / "nothing.jsonl") == []


def test_an_unknown_type_and_a_line_too_long_are_refused_and_leave_no_trace(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    with pytest.raises(ValueError, match="not an event type"):
        log.append("party")
    with pytest.raises(ValueError, match="fit a line"):
        log.append("sample", raw="x" * 70_000)
    assert log.append("heartbeat")["seq"] == 0


def test_threads_write_whole_lines_with_numbers_of_their_own(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    threads = [threading.Thread(target=lambda: [log.append("heartbeat") for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event["seq"] for event in read_events(tmp_path / "events.jsonl")] == list(range(200))


def test_on_a_full_disk_the_reserve_makes_room_for_the_last_event(tmp_path, monkeypatch):
    log = EventLog(tmp_path / "events.jsonl")
    written = log._write_whole
    reserve = tmp_path / ".events.reserve"

    def full_while_reserved(line):
        if reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        written(line)

    monkeypatch.setattr(log, "_write_whole", full_while_reserved)
    with pytest.raises(OSError):
        log.append("heartbeat")  # the reserve is not for this
    log.append("failed", message="disk full")
    assert [event["type"] for event in read_events(tmp_path / "events.jsonl")] == ["failed"]
