import errno
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from coach.errors import WorkspaceError
from training.event_log import EventLog, EventTail, read_events

ROOT = Path(__file__).parents[2]


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


def test_a_line_the_disk_took_half_of_does_not_swallow_the_next_one(tmp_path, monkeypatch):
    log = EventLog(tmp_path / "events.jsonl")
    real = log._file

    class Half:
        def write(self, line):
            log._file = real  # from then on there is room again
            return real.write(line[: len(line) // 2])

        fileno, close = real.fileno, real.close

    log._file = Half()
    with pytest.raises(OSError) as raised:
        log.append("step", step=1, loss=1.0)
    assert raised.value.errno == errno.ENOSPC
    log.append("failed", message="disk full")
    tail = EventTail(tmp_path / "events.jsonl")
    assert [(event["type"], event["seq"]) for event in tail.poll()] == [("failed", 0)] and tail.torn == 1


def test_the_last_event_is_on_the_disk_and_a_disk_that_cannot_say_so_is_heard(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr("os.fsync", flushed.append)
    log = EventLog(tmp_path / "events.jsonl")
    begun = len(flushed)  # the folder: the log's own name
    log.append("heartbeat")
    assert len(flushed) == begun > 0
    log.append("finished")
    assert flushed[begun:] == [log._file.fileno()]

    def broken(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        log.append("finished")


@pytest.mark.parametrize("anew", [False, True], ids=["deleted", "made anew"])
def test_a_log_that_was_deleted_or_made_anew_takes_nothing_more(tmp_path, anew):
    folder = tmp_path / "v1"
    folder.mkdir()
    log = EventLog(folder / "events.jsonl")
    log.append("heartbeat")
    shutil.rmtree(folder)
    if anew:
        folder.mkdir()
        other = EventLog(folder / "events.jsonl")
        other.append("started", attempt=1)
    with pytest.raises(WorkspaceError) as raised:
        log.append("failed", message="too late")
    assert raised.value.key == "training.version_gone" and not log.is_in_place()
    log.close()
    assert folder.exists() == anew
    if anew:
        assert [event["type"] for event in read_events(folder / "events.jsonl")] == ["started"]
        assert (folder / ".events.reserve").exists(), "the other run's own reserve"


def test_no_log_is_begun_in_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        EventLog(tmp_path / "v1" / "events.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_log_whose_reserve_finds_no_room_is_not_begun(tmp_path):
    """As on a disk with 100 KB left; a limit on the size of files is met the same way."""
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom training.event_log import EventLog\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    EventLog(Path(sys.argv[1]))\nexcept OSError as error:\n    print(error.errno)\n"
    )
    path = tmp_path / "events.jsonl"
    found = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(found.stdout) == errno.EFBIG and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"type": "step", "loss": 1.0}',
        '{"type": "step", "step": "three"}',
        '{"type": "step", "step": null}',
        '{"type": "step", "step": 1e999}',
        '{"type": "step", "step": true}',
        '{"type": "step", "step": 1, "loss": "low"}',
        '{"type": "step", "step": 1, "t": "noon"}',
        '{"type": "step", "step": 1, "t": 1e300}',
        '{"type": "eval", "metric": "macro_f1", "value": 0.5}',
        '{"type": "eval", "step": 1, "metric": ["macro_f1"], "value": 0.5}',
        '{"type": "eval", "step": 1, "metric": "macro_f1", "value": NaN}',
        '{"type": "eval", "step": 1, "metric": "macro_f1"}',
        '{"type": "sample", "raw": "a"}',
        '{"type": "checkpoint", "step": 1}',
        '{"type": "notice", "step": {}}',
        '{"type": "notice", "step": 1, "data": [1]}',
        '{"type": "notice", "step": 1, "message_key": 5}',
        '{"type": "started", "attempt": "first"}',
        '{"type": "phase", "name": "training", "total_steps": "all", "baseline": {}}',
        '{"type": "phase", "name": "training", "baseline": {"macro_f1": "good"}}',
        '{"type": "heartbeat", "seq": "last"}',
    ],
    ids=lambda line: line[:70],
)
def test_a_line_that_says_no_event_is_passed_over_and_counted(tmp_path, line):
    path = tmp_path / "events.jsonl"
    path.write_text(f'{{"type": "heartbeat", "seq": 0}}\n{line}\n{{"type": "heartbeat", "seq": 1}}\n', encoding="utf-8")
    tail = EventTail(path)
    assert [event["seq"] for event in tail.poll()] == [0, 1] and tail.torn == 1


def test_an_event_of_a_later_version_is_kept_whatever_its_keys_hold(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"type": "energy", "t": 3.0, "step": "three", "data": [1]}\n', encoding="utf-8")
    assert [event["type"] for event in read_events(path)] == ["energy"]


def test_a_folder_in_the_logs_place_holds_no_events_and_cannot_be_written(tmp_path):
    path = tmp_path / "events.jsonl"
    path.mkdir()
    assert read_events(path) == []
    with pytest.raises(IsADirectoryError):
        EventLog(path)
    assert not (tmp_path / ".events.reserve").exists()
