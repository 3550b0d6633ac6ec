"""A real browser against a real server: the server of a session, people in one line, and nothing that complains unheard.

A missing browser fails the tests rather than skipping them: what a person sees is part of what is promised.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from coach.stages import StageId

ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
MISSING = (
    "no browser: install it with `apt-get install -y --no-install-recommends chromium fonts-noto-cjk`, or set CHROMIUM to one"
)
START_S, END_S = 60.0, 15.0
PATIENCE_MS = 30_000  # tests share a machine with trainings
expect.set_options(timeout=PATIENCE_MS)
PROBE = re.compile(r"/_stcore/|favicon")  # Streamlit looks for its base path by asking below the page's own (streamlit.md 1)


@dataclass
class Server:
    """`streamlit run app.py` as a person starts it, on a port and a workspace of its own."""

    workspace: Path
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def address(self, page: str = "", query: Mapping[str, str] | None = None) -> str:
        """The address of a page: `train` with `{"task": "news"}` → http://127.0.0.1:…/train?task=news."""
        return f"{self.url}/{page}" + (f"?{urlencode(query)}" if query else "")

    def start(self) -> Server:
        self.port = _free_port()
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        says_where = {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
        environment = {**os.environ, "COACH_WORKSPACE": str(self.workspace), **says_where, **self.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_S
        while not self._is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server did not start: {self.said()}")
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """Asks it to end, and insists that it does so by itself."""
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended before it was asked to: {self.said()}"
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            waits_for = self.said()
            self.process.send_signal(signal.SIGABRT)  # it writes into its log where each of its threads stands
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=END_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            pytest.fail(f"the server was still there {END_S:g} s after SIGTERM: {waits_for}\n{self.said()}")

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-12000:]

    def _is_up(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
        return False


@dataclass
class Complaints:
    """What a page said in its console, what it threw, and every address it asked for."""

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self, page: Any) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", self._asked)
        page.on("websocket", lambda socket: self.requests.append(socket.url))

    def _asked(self, dialog: Any) -> None:
        """No page of ours opens a dialog of the browser; data that became a script might."""
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _heard(self, message: Any) -> None:
        where = (message.location or {}).get("url", "")
        if message.type == "error" and not PROBE.search(where):
            self.console.append(f"{message.text} ({where})")

    def elsewhere(self, server: Server) -> list[str]:
        """Requests that left for another host."""
        own = {urlsplit(server.url).netloc}
        return [
            url for url in self.requests if urlsplit(url).scheme in ("http", "https", "ws") and urlsplit(url).netloc not in own
        ]


class Visits:
    """`visit("train", task="news", language="en")` → the page, once it stands still. A context of its own each: another person.

    At the end every page must have been quiet: no error in the console, nothing thrown.
    """

    def __init__(self, browser: Browser, server: Server) -> None:
        self.browser, self.server = browser, server
        self.heard = Complaints()
        self._contexts: list[BrowserContext] = []

    def __call__(self, path: str = "", language: str = "zh-TW", *, server: Server | None = None, query: Mapping[str, str] | None = None,
                 **context: Any) -> Page:  # fmt: skip
        """`language` is the browser's own; the address says nothing of it unless `query` does. `context` goes to Playwright."""
        page = self.person(language, **context)
        self.go(page, path, query, server)
        return page

    def person(self, language: str = "zh-TW", **context: Any) -> Page:
        """An empty page of a browser of somebody's own."""
        options = {"viewport": {"width": 1360, "height": 940}, "accept_downloads": True, **context}
        self._contexts.append(self.browser.new_context(locale=language, **options))
        self._contexts[-1].set_default_timeout(PATIENCE_MS)
        page = self._contexts[-1].new_page()
        self.heard.listen(page)
        return page

    def go(self, page: Page, path: str = "", query: Mapping[str, str] | None = None, server: Server | None = None) -> None:
        page.goto((server or self.server).address(path, query))
        settle(page)

    def stage(self, stage: StageId, task: str, language: str = "zh-TW", **context: Any) -> Page:
        """A stage's page of a task, by its address."""
        return self(stage, language, query={"task": task, "lang": language}, **context)

    def end(self) -> None:
        for context in self._contexts:
            context.close()
        assert self.heard.console == [], "the console has errors"
        assert self.heard.errors == [], "a page threw"


def settle(page: Page) -> None:
    """Waits until the page is connected and no script of it runs."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"] [data-testid="stMain"]')
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton], [data-testid=stAppSkeleton]')")


def keyed(page: Page, key: str) -> Locator:
    """What a widget or container with this key is drawn into; Streamlit makes a class of the key."""
    return page.locator(f".st-key-{re.sub(r'[^A-Za-z0-9_-]', '-', key)}")


def button(page: Page, key: str) -> Locator:
    """The button with this key."""
    return keyed(page, key).get_by_role("button")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server the tests of a session share; a test that needs one of its own takes `another_server`."""
    started = _server(tmp_path_factory.mktemp("server")).start()
    yield started
    started.stop()


@pytest.fixture
def another_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`another_server(COACH_CACHE="…")` → a fresh server with an empty workspace, ended with the test."""
    started: list[Server] = []

    def start(**environment: str) -> Server:
        started.append(_server(tmp_path / f"server-{len(started)}", environment).start())
        return started[-1]

    yield start
    for one in started:
        if one.is_running:
            one.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. For a module, not the session: Playwright leaves its event loop running in this thread, and any test after it that
    starts one of its own would fail (microsoft/playwright-python: the sync API inside asyncio)."""
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if executable is None or not Path(executable).exists():
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, headless=True, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visits]:
    visits = Visits(browser, server)
    yield visits
    visits.end()


def _server(folder: Path, environment: Mapping[str, str] | None = None) -> Server:
    (folder / "workspace").mkdir(parents=True)
    return Server(folder / "workspace", folder / "server.log", dict(environment or {}))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
