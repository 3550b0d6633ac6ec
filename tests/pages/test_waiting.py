"""A version that waits for the device, as its pages show it: place and wait, cancel, and a start button that says it will wait."""

from __future__ import annotations

import time

import pytest
from filelock import FileLock

from coach.errors import WorkspaceError
from coach.text import text
from coach.version_folder import Version
from coach.workspace import Task, freeze_version
from pages.ui import start_box
from tests.pages.conftest import LANGUAGES, OpenPage, words
from tests.training import small_task
from training.device_lock import device_held, device_name
from training.run_status import run_status
from training.runners.process_wide import process_wide
from training.waiting_line import queue_of, refuse, serving_lock, take_place, tickets


@pytest.fixture
def busy(workspace):
    """Another task's version trains on the device, a server of the workspace is at work."""
    other = small_task.make_version(workspace / "other", small_task.task_file("starter/gemma-3-270m"))
    (workspace / ".queue").mkdir()
    with FileLock(serving_lock(workspace / ".queue", device_name())), device_held(other):
        yield other
        for ticket in tickets(workspace / ".queue"):
            ticket.leave()  # or the watcher that the page has started would train it
    for watcher in list(process_wide()["lines"].values()):
        watcher.join(20)


@pytest.fixture
def version(ready_task, now) -> Version:
    return freeze_version(ready_task, "v1", now())


def state(version):
    return run_status(version.events_path, version.lock_path, time.time()).state


def queue(version, expected_s=None):
    ticket, _ = take_place(version, behind="server", attempts=0, resume=False, expected_s=expected_s)
    return ticket


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_training_page_says_place_and_wait_and_has_a_button_that_cancels(language, busy, version, ready_task, open_page):
    queue(version)
    at = open_page("5_train.py", ready_task, language)
    place = text("queue.line", language, place=text("queue.place.next", language), wait=text("queue.wait.unknown", language))
    said = words(at)
    assert not at.exception and text("ui.train.line.queued", language, standing=place) in said
    assert text("ui.train.state.queued", language, version="v1") in said
    at.button(key="letters.train.cancel").click().run()
    assert not at.exception and state(version) == "new" and tickets(queue_of(version)) == []
    assert text("ui.train.state.new", language, version="v1") in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_a_version_could_not_begin_stands_on_its_page_until_it_is_started_again(language, version, ready_task, open_page):
    error = WorkspaceError("training.nothing_to_resume", version="v1", folder="checkpoints")
    refuse(queue(version), error.key, error.data)
    said = words(open_page("5_train.py", ready_task, language))
    assert text("ui.train.refused", language, version="v1") in said and error.lines(language)[0] in said


def test_the_page_shows_the_version_that_waits_before_later_ones(busy, version, ready_task, open_page, now):
    freeze_version(ready_task, "v2", now())
    queue(version)
    assert text("ui.train.title", "en", version="v1") in words(open_page("5_train.py", ready_task, "en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_start_button_says_that_it_will_wait(language, busy, ready_task: Task, open_page: OpenPage, monkeypatch):
    queue(busy, expected_s=240.0)  # it stands in line for another attempt as well
    at = open_page("4_confirm.py", ready_task, language)
    assert not at.exception
    start = at.button(key="letters.confirm.start")
    assert start.label == text("ui.confirm.queue", language, version="v1") and not start.disabled
    place = text("queue.place.later", language, place=2)
    assert place in words(at)
    started = []
    monkeypatch.setattr(
        start_box, "start_training", lambda task, now: (started.append(task.name), freeze_version(task, "v1", now()))[1]
    )
    start.click().run()
    assert started == ["letters"]


def test_where_nothing_trains_the_start_button_says_start(ready_task, open_page):
    at = open_page("4_confirm.py", ready_task, "en")
    assert at.button(key="letters.confirm.start").label == text("ui.confirm.start", "en", version="v1")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_confirm_page_of_a_waiting_version_leads_to_where_it_stands(language, busy, version, ready_task, open_page):
    queue(version)
    at = open_page("4_confirm.py", ready_task, language)
    assert not at.exception and text("ui.confirm.said.queued", language, version="v1", following="v2") in words(at)
    assert not [button for button in at.button if button.key == "letters.confirm.start"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_home_page_lists_it_as_waiting_with_its_place(language, busy, version, ready_task, open_page):
    at = open_page(None, None, language)
    assert text("ui.home.state.queued", language) not in words(at)
    queue(version)
    said = words(at.run())
    assert not at.exception and text("ui.home.state.queued", language) in said
    assert text("queue.place.next", language) in said and text("queue.wait.unknown", language) in said


def test_the_first_page_anybody_opens_takes_on_what_an_earlier_server_left(version, ready_task, open_page, monkeypatch):
    begun = []
    monkeypatch.setattr(
        "training.runners.in_process._begin_from_line", lambda ticket: (begun.append(ticket.said.task), ticket.leave())
    )
    open_page(None, None, "en")
    assert process_wide()["lines"] == {}
    queue(version)
    open_page("1_discover.py", ready_task, "en")
    for watcher in list(process_wide()["lines"].values()):
        watcher.join(20)
    assert begun == ["letters"] and process_wide()["lines"] == {}


def test_a_start_on_the_training_page_while_something_trains_ends_in_the_line(busy, version, ready_task, open_page):
    at = open_page("5_train.py", ready_task, "en")
    at.button(key="letters.train.start").click().run()
    assert not at.exception and state(version) == "queued" and text("queue.place.next", "en") in words(at)
    at.button(key="letters.train.cancel").click().run()
    assert state(version) == "new"
