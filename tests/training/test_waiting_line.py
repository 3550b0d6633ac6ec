"""The line of those who wait: who is first, who counts, how long it will be, and how it is said. Nothing is trained here."""

from __future__ import annotations

import os
import threading
import time

import pytest

from coach.errors import WorkspaceError
from coach.version_folder import Version
from coach.workspace import list_tasks
from tests.training.small_task import make_version, task_file
from training import foreground, standing
from training.device_lock import device_held, device_holder, device_is_busy, device_name
from training.event_log import EventLog
from training.expected_time import expected_s
from training.foreground import WaitingReport
from training.run_reader import RunReader
from training.run_report import status_document, status_lines
from training.run_status import run_status
from training.run_view import RunView
from training.standing import Standing, outlook, wait_words
from training.waiting_line import (
    in_front,
    leave_line,
    queue_of,
    refusal,
    refuse,
    serving_lock,
    sweep,
    take_place,
    ticket_of,
    tickets,
)  # fmt: skip

LANGUAGES = ("zh-TW", "en")


@pytest.fixture
def versions(tmp_path):
    return [make_version(tmp_path / name, task_file("starter/gemma-3-270m")) for name in ("apples", "berries", "cherries")]


@pytest.fixture
def served(versions):
    """A server is at work in the workspace."""
    from filelock import FileLock

    queue_of(versions[0]).mkdir()
    with FileLock(serving_lock(queue_of(versions[0]), device_name())):
        yield queue_of(versions[0])


def take(version: Version, behind="server", expected=None, **said):
    return take_place(version, behind=behind, attempts=0, resume=False, expected_s=expected, **said)


def state(version: Version):
    return run_status(version.events_path, version.lock_path, time.time()).state


def names(queue):
    return [ticket.said.task for ticket in tickets(queue)]


# --- places --------------------------------------------------------------------------------------------------------------------


def test_they_stand_in_the_order_they_came_even_when_the_clock_is_set_back(versions, served, monkeypatch):
    take(versions[1])
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    take(versions[0])
    take(versions[2])
    assert names(served) == ["berries", "apples", "cherries"]
    last = ticket_of(versions[2])
    assert [ticket.said.task for ticket in in_front(served, last)] == ["berries", "apples"]


def test_a_ticket_is_a_small_file_that_says_what_a_restart_needs(versions):
    take(versions[0], max_steps=3, expected=12.5)
    [path] = queue_of(versions[0]).glob("*.json")
    assert path.name.endswith(".apples.v1.json") and path.stat().st_size < 1000
    [ticket] = tickets(path.parent)
    assert ticket.version.folder == versions[0].folder.resolve() and (ticket.said.max_steps, ticket.said.expected_s) == (3, 12.5)


def test_taking_a_place_twice_queues_once(versions, served):
    assert take(versions[0])[0] == take(versions[0])[0] and names(served) == ["apples"]
    with pytest.raises(WorkspaceError) as raised:
        take(versions[0], "process")
    assert raised.value.key == "training.waiting_already" and raised.value.lines("zh-TW")


def test_a_line_nobody_stands_in_leaves_no_folder_behind_and_is_no_task(versions):
    ticket, lock = take(versions[0], "process")
    root = versions[0].folder.parents[2]
    assert (root / ".queue").is_dir() and [task.name for task in list_tasks(root)] == ["apples", "berries", "cherries"]
    assert ticket.leave() and not (root / ".queue").exists()
    lock.release()
    assert not ticket.leave()


def test_a_task_whose_workspace_takes_no_files_has_a_line_of_its_own(versions, monkeypatch):
    real, closed = os.access, versions[0].folder.parents[2].resolve()
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(closed) and real(path, mode))
    take(versions[0])
    assert queue_of(versions[0]).parent == versions[0].folder.parents[1].resolve() and state(versions[0]) == "queued"


def test_a_dead_process_is_stepped_over_and_its_ticket_removed(versions):
    ticket, lock = take(versions[0], "process")
    assert state(versions[0]) == "queued"
    lock.release()  # as the system does when it is killed
    assert state(versions[0]) == "new" and in_front(queue_of(versions[1]), None) == []
    sweep(ticket.path.parent)
    assert not ticket.path.exists() and not ticket.lock_path.exists()


def test_a_servers_ticket_holds_nobody_up_while_no_server_is_there(versions):
    take(versions[0])
    own, lock = take(versions[1], "process")
    assert in_front(own.path.parent, own) == [] and state(versions[0]) == "queued"
    again, second = take(versions[0], "process")  # whoever cannot wait for a server begins it by hand
    assert names(own.path.parent) == ["berries", "apples"]
    for held in (lock, second):
        held.release()


def test_another_device_has_a_line_of_its_own(versions, served, tmp_path, monkeypatch):
    take(versions[0])
    monkeypatch.setenv("COACH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COACH_DEVICE", "second gpu/1")
    assert device_name() == "second-gpu-1" and in_front(served, None) == []
    with device_held(versions[1]):
        assert device_is_busy("second-gpu-1")
        monkeypatch.setenv("COACH_DEVICE", "third")
        assert not device_is_busy("third")


def test_what_is_no_ticket_is_passed_over(versions, served):
    take(versions[0])
    for name, content in (("notes.txt", ""), (f"{1:020d}.x.v1.json", '{"task": 3'), (f"{2:020d}.x.v1.json", "[]")):
        (served / name).write_text(content, encoding="utf-8")
    assert names(served) == ["apples"]


def test_a_ticket_whose_attempt_has_begun_is_no_place_in_line_any_more(versions, served):
    take(versions[0])
    log = EventLog(versions[0].events_path)
    log.append("started", attempt=1)
    log.close()
    assert state(versions[0]) == "interrupted"
    ticket, _ = take_place(versions[0], behind="server", attempts=1, resume=True)
    assert names(served) == ["apples"] and ticket.said.resume and state(versions[0]) == "queued"


def test_a_version_taken_out_is_what_it_was_before(versions, served):
    take(versions[0])
    reader = RunReader(versions[0].events_path, versions[0].lock_path)
    assert reader.read(0.0).state == "queued" and not reader.read(0.0).alive
    assert leave_line(versions[0]) and not leave_line(versions[0])
    assert reader.read(0.0).state == "new"


def test_why_one_could_not_begin_is_said_until_another_attempt(versions, served):
    ticket, _ = take(versions[0])
    refuse(ticket, "training.empty_texts", {})
    assert names(served) == [] and refusal(versions[0], 0).key == "training.empty_texts" and refusal(versions[0], 1) is None
    found = run_status(versions[0].events_path, versions[0].lock_path, 0.0)
    said = "\n".join(status_lines(versions[0], found, "en"))
    assert "could not begin" in said and "Every text of the training data is empty." in said
    (versions[0].folder / "refused.json").write_text('{"key": "no.such", "data": {}}', encoding="utf-8")
    assert refusal(versions[0], 0) is None


# --- the device ----------------------------------------------------------------------------------------------------------------


def test_the_device_is_held_by_one_thread_which_says_for_whom_and_may_take_it_again(versions, monkeypatch):
    monkeypatch.setattr("training.device_lock.TAKE_WAIT_S", 0.05)
    raised = []

    def other():
        try:
            with device_held(versions[1]):
                pass
        except WorkspaceError as error:
            raised.append(error)

    with device_held(versions[0]):
        assert device_holder(device_name()).folder == versions[0].folder.resolve()
        with device_held(versions[2]):
            pass
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert [error.key for error in raised] == ["training.device_busy"] and raised[0].lines("zh-TW")
    assert not device_is_busy(device_name()) and device_holder(device_name()) is None


def test_where_the_cache_cannot_be_written_the_lock_lies_among_the_temporary_files(versions, tmp_path, monkeypatch):
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("COACH_CACHE", str(tmp_path / "a-file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    with device_held(versions[0]):
        assert device_is_busy(device_name()) and len(list(tmp_path.glob("llm-coach-*/*.lock"))) == 1


# --- how long ------------------------------------------------------------------------------------------------------------------


def running(version: Version, seconds_left: float):
    """A log whose run has that long to go: steps of a second, no validation yet."""
    log, total = EventLog(version.events_path, clock=iter(float(t) for t in range(100)).__next__), 7 + round(seconds_left)
    log.append("started", attempt=1)
    log.append("phase", name="training", total_steps=total)
    for step in range(1, 8):
        log.append("step", step=step, total=total, loss=1.0)
    log.close()


def test_the_wait_is_what_the_running_one_has_left_and_the_estimates_of_those_in_front(versions, served):
    running(versions[0], 90)
    take(versions[1], expected=200.0)
    take(versions[2], expected=1.0)
    with device_held(versions[0]):
        assert standing.standing(versions[0], 8.0) is None
        assert standing.standing(versions[1], 8.0) == Standing(1, 90.0, True, versions[0])
        assert standing.standing(versions[2], 8.0) == Standing(2, 290.0, True, versions[0])
        assert outlook(served, 8.0).wait_s == 291.0
    assert standing.standing(versions[1], 8.0).wait_s == 0.0


def test_a_wait_one_part_of_which_is_unknown_is_not_guessed(versions, served):
    take(versions[1])
    take(versions[2])
    assert standing.standing(versions[2], 0.0).wait_s is None
    with device_held(versions[0]):  # it has not come to its first step
        assert standing.standing(versions[1], 0.0) == Standing(1, None, True, versions[0])
    leave_line(versions[1])
    leave_line(versions[2])
    assert outlook(served, 0.0) is None


def test_an_attempt_is_expected_to_take_what_is_left_of_its_version(versions):
    whole = expected_s(versions[0], RunView(), None)
    assert whole > 0
    half = RunView(total_steps=12, steps=({"step": 6},))
    assert expected_s(versions[0], half, None) == pytest.approx(whole / 2, abs=0.1)
    assert whole / 4 < expected_s(versions[0], RunView(), 3) < whole  # of 12 steps; the model has to be loaded for 3 as well
    unknown = make_version(versions[0].folder.parents[2] / "other", task_file("somebody/unknown-model"))
    assert expected_s(unknown, RunView(), None) is None


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (None, "還估不出要等多久", "the wait is not known yet"),
        (0.0, "一分鐘內", "within a minute"),
        (301.0, "約再 6 分鐘", "about 6 minutes"),
        (3700.0, "約再 1 小時 2 分", "about 1 h 2 min"),
    ],
)
def test_a_wait_is_said_in_whole_minutes(seconds, zh, en):
    assert (wait_words(seconds, "zh-TW"), wait_words(seconds, "en")) == (zh, en)


@pytest.mark.parametrize("language", LANGUAGES)
def test_status_says_place_wait_and_what_to_do(versions, served, language):
    take(versions[0], expected=600.0)
    take(versions[1])
    found = run_status(versions[1].events_path, versions[1].lock_path, 0.0)
    said = " ".join(status_lines(versions[1], found, language))
    assert ("排在第 2 位，約再 10 分鐘" if language == "zh-TW" else "number 2 in line, about 10 minutes") in said
    assert "stop" in said and ("排隊中" if language == "zh-TW" else "waiting in line") in said
    document = status_document(versions[1], found)
    assert document["state"] == "queued" and document["queue"] == {"place": 2, "wait_s": 600.0, "moves": True}


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_who_waits_for_a_server_is_told_so(versions, language):
    take(versions[0])
    found = standing.standing(versions[0], 0.0)
    assert not found.moves and ("網頁程式" if language == "zh-TW" else "the app") in found.say(language)


def test_a_waiting_command_changes_one_line_on_a_terminal_and_writes_a_line_a_place_elsewhere(versions, capsys, monkeypatch):
    places = [Standing(2, 100.0, True, None), Standing(2, 30.0, True, None), Standing(1, 30.0, True, None)]
    report = WaitingReport(versions[0], "en", quiet=False)
    for place in places:
        report(place)
    report.end()
    assert [line.partition(" (")[0] for line in capsys.readouterr().err.splitlines()] == [
        "v1 waits: number 2 in line, about 2 minutes",
        "v1 waits: next in line, within a minute",
    ]
    monkeypatch.setattr(foreground.sys.stderr, "isatty", lambda: True, raising=False)
    for place in [*places, places[-1]]:
        report(place)
    report.end()
    drawn = capsys.readouterr().err
    assert drawn.count("\r\x1b[K") == 4 and "\n" not in drawn and drawn.endswith("\r\x1b[K")
    WaitingReport(versions[0], "en", quiet=True)(places[0])
    assert capsys.readouterr().err == ""
