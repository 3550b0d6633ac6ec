"""Takes pictures of the pages for people to look at, and the README's picture of a live training. Not a test: it judges nothing.

    python -m tests.tools.take_pictures FOLDER           every page in both languages and themes, of a news sample trained for real
    python -m tests.tools.take_pictures FOLDER --live    the same, and docs/live-training.png taken in the middle of the training

The machine should be idle; the training takes about three minutes on two cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import time
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from coach.stages import STAGES
from coach.workspace import Task
from tests.browser.conftest import FLAGS, ROOT, Server, button, settle
from training.sample_task import open_sample

SIZE = {"width": 1360, "height": 940}
LOOKS_BEFORE_THE_PICTURE = 3
PICTURE = ROOT / "docs" / "live-training.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--live", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    workspace = asked.folder / "workspace"
    shutil.rmtree(workspace, ignore_errors=True)
    task = open_sample(workspace, "news-sentiment", now=datetime.now().astimezone(), language="zh-TW")
    server = Server(workspace, asked.folder / "server.log").start()
    with sync_playwright() as playwright:
        executable = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        _train(browser, server, task, asked.folder, PICTURE if asked.live else None)
        for language, theme in itertools.product(("zh-TW", "en"), ("light", "dark")):
            _every_page(browser, server, task, language, theme, asked.folder)
        browser.close()
    server.stop()


def _train(browser: Browser, server: Server, task: Task, folder: Path, picture: Path | None) -> None:
    """From the start button to the end; a picture in each language in the middle."""
    page = browser.new_context(locale="zh-TW", viewport=SIZE).new_page()
    page.goto(server.address("confirm", {"task": task.name, "lang": "zh-TW"}))
    settle(page)
    button(page, f"{task.name}.confirm.start").click()
    _wait(task, lambda events: sum(event["type"] == "eval" for event in events) >= LOOKS_BEFORE_THE_PICTURE)
    page.goto(server.address("train", {"task": task.name, "lang": "zh-TW"}))
    settle(page)
    page.wait_for_timeout(3000)
    page.screenshot(path=folder / "live-zh-TW-light.png")
    if picture is not None:
        picture.parent.mkdir(exist_ok=True)
        page.screenshot(path=picture)
    english = browser.new_context(locale="en", viewport=SIZE, color_scheme="dark").new_page()
    english.goto(server.address("train", {"task": task.name, "lang": "en"}))
    settle(english)
    english.wait_for_timeout(2000)
    english.screenshot(path=folder / "live-en-dark.png")
    _wait(task, lambda events: events[-1]["type"] in ("finished", "failed", "stopped"))


def _wait(task: Task, is_so, seconds: float = 600) -> None:
    path, deadline = task.folder / "versions" / "v1" / "events.jsonl", time.monotonic() + seconds
    while time.monotonic() < deadline:
        events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        if events and is_so(events):
            return
        time.sleep(1)
    raise SystemExit(f"not within {seconds:g} s: {path}")


def _every_page(browser: Browser, server: Server, task: Task, language: str, theme: str, folder: Path) -> None:
    page = browser.new_context(locale=language, viewport=SIZE, color_scheme=theme).new_page()
    for name in ("", *(stage.id for stage in STAGES), "knowledge"):
        page.goto(server.address(name, {"task": task.name, "lang": language} if name else {"lang": language}))
        settle(page)
        page.wait_for_selector('[data-testid="stSpinner"]', state="detached", timeout=90_000)
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"{name or 'home'}-{language}-{theme}.png")


if __name__ == "__main__":
    main()
