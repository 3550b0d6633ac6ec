"""Several people around one training: started twice, followed from the list of tasks, a server that ends, a folder that goes."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from coach.text import LANGUAGES, text
from coach.version_folder import Version
from coach.workspace import Task, freeze_version
from tests.browser.conftest import button, keyed
from tests.browser.test_road import HEAVY_MS, at_least
from tests.browser.test_yaml_editor import editor
from tests.conftest import NOW
from tests.training.small_task import make_task, task_file
from training.event_log import read_events
from training.run_status import RunStatus, run_status

EPOCHS = 1000  # of twelve steps each: longer than any test looks on
END_S = 60.0


@pytest.fixture
def letters(tiny_model, request) -> Iterator[Callable[..., Task]]:
    """`letters(workspace)` → a small task that is ready to train; what still runs of it at the end is stopped."""
    made: list[Task] = []

    def make(workspace: Path, **training: object) -> Task:
        name = f"letters-{abs(hash(request.node.name)) % 10**6}"
        file = task_file(tiny_model, epochs=EPOCHS, batch_size=2, early_stopping={"patience": EPOCHS}, **training)
        made.append(make_task(workspace / name, file.model_copy(update={"task_name": name})))
        return made[-1]

    yield make
    for version in [version for task in made if task.folder.is_dir() for version in task.versions()]:
        stop(version)


def status(version: Version) -> RunStatus:
    return run_status(version.events_path, version.lock_path, time.time())


def stop(version: Version) -> None:
    deadline = time.monotonic() + END_S
    while status(version).alive:
        version.stop_path.touch()
        assert time.monotonic() < deadline, "the training did not stop"
        time.sleep(0.1)


def start(page: Page, task: Task) -> None:
    """Saves where something was chosen, and starts."""
    button(page, f"{task.name}.confirm.start").click()
    page.wait_for_url("**/train?**")


def types(version: Version) -> list[str]:
    return [event["type"] for event in read_events(version.events_path)]


def test_two_who_press_start_at_the_same_moment_start_it_once(server, letters, visit):
    task = letters(server.workspace)
    people = {language: visit.stage("confirm", task.name, language) for language in LANGUAGES}
    for page in people.values():
        expect(button(page, f"{task.name}.confirm.start")).to_be_enabled()
    for page in people.values():
        button(page, f"{task.name}.confirm.start").evaluate("button => button.click()")  # both within a few milliseconds
    for language, page in people.items():
        watch = page.get_by_role("link", name=text("ui.confirm.go.running", language, version="v1"))
        expect(page.get_by_test_id("stProgress").or_(watch)).to_be_visible(timeout=HEAVY_MS)
        if watch.is_visible():  # the other was quicker by more than a moment; this one is told, and where to look on
            watch.click()
        at_least(page, 1)
    assert types(task.version("v1")).count("started") == 1
    assert [version.name for version in task.versions()] == ["v1"]


def test_the_list_of_tasks_follows_a_training(server, letters, visit):
    task = letters(server.workspace)
    start(visit.stage("confirm", task.name), task)
    home = visit("", "en")
    line = keyed(home, f"home-task-{task.name}")
    expect(line).to_contain_text(re.compile(r"v1 · step \d+ of \d+"), timeout=HEAVY_MS)
    seen = line.inner_text()
    expect(line).not_to_have_text(seen, use_inner_text=True)
    stop(task.version("v1"))
    expect(line).to_contain_text(text("ui.home.state.stopped", "en"))


def test_a_server_that_is_ended_in_the_middle_keeps_a_checkpoint_and_the_next_one_goes_on(another_server, letters, visit):
    server = another_server()
    task = letters(server.workspace)
    page = visit("confirm", server=server, query={"task": task.name})
    start(page, task)
    at_least(page, 3)
    page.close()  # before the server: a page that loses its server says so in the console
    server.stop()  # fails by itself where the server is still there 15 s later
    version = task.version("v1")
    assert not status(version).alive
    ended = read_events(version.events_path)[-1]
    assert ended["type"] == "stopped" and ended["step"] >= 3

    again = server.start()
    page = visit("train", "en", server=again, query={"task": task.name})
    expect(page.get_by_text(text("ui.train.state.stopped", "en", step=ended["step"]))).to_be_visible()
    button(page, f"{task.name}.train.resume").click()
    at_least(page, ended["step"] + 1)
    assert types(version).count("resumed") == 1
    stop(version)
    page.close()


def test_a_browser_that_went_to_sleep_in_the_middle_of_a_download_keeps_no_server_from_ending(another_server, letters, visit):
    server = another_server()
    task = letters(server.workspace)
    page = visit("confirm", server=server, query={"task": task.name})
    start(page, task)
    at_least(page, 3)
    script = page.evaluate("document.querySelector('script[src]').src")
    page.close()
    with socket.socket() as sleeper:
        sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        sleeper.connect(("127.0.0.1", server.port))
        asked = f"GET {urlsplit(script).path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
        sleeper.sendall(asked * 200)  # more than the buffers between the two hold
        assert sleeper.recv(16).startswith(b"HTTP/1.1 200")  # and never reads on
        time.sleep(3)  # until the buffers are full and the server waits in the middle of an answer
        server.stop()
    assert "Timeout (" in server.said(), "nothing kept the server"
    assert types(task.version("v1"))[-1] == "stopped"


def test_a_training_in_its_own_process_outlives_the_server(another_server, letters, visit):
    server = another_server()
    task = letters(server.workspace)
    page = visit("confirm", server=server, query={"task": task.name})
    page.get_by_text(text("ui.confirm.where.title")).click()
    page.get_by_text(text("ui.confirm.where.process"), exact=True).click()
    expect(editor(page)).to_have_value(re.compile("isolation: process"))
    start(page, task)
    at_least(page, 1)
    page.close()
    server.stop()
    assert status(task.version("v1")).alive

    page = visit("train", server=server.start(), query={"task": task.name})
    seen = at_least(page, 1)
    at_least(page, seen + 1)
    button(page, f"{task.name}.train.stop_popover").first.click()
    button(page, f"{task.name}.train.stop").click()
    expect(button(page, f"{task.name}.train.resume")).to_be_visible(timeout=HEAVY_MS)
    assert types(task.version("v1")).count("started") == 1
    page.close()


def test_a_task_deleted_while_somebody_looks_on_is_a_calm_page(server, letters, visit):
    task = letters(server.workspace)
    freeze_version(task, "v1", NOW)
    page = visit.stage("train", task.name, "en")
    expect(button(page, f"{task.name}.train.start")).to_be_visible()
    shutil.rmtree(task.folder)
    gone = text("errors.workspace.no_such_task.found", "en", name=task.name, root=str(server.workspace))
    expect(page.get_by_test_id("stMain")).to_contain_text(gone)
    expect(page.get_by_test_id("stException")).to_have_count(0)
