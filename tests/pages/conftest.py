"""What the pages' tests share: a workspace of their own with an empty, a partial and a finished task, and a page opened in one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from coach.answers import Answers
from coach.workspace import Task, create_task
from tests.conftest import NOW
from tests.training import small_task

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "data" / "example-task"
LANGUAGES = ("zh-TW", "en")
PARTIAL = {
    "title": "客服意圖",
    "business": {"problem": "客服信件要分給對的人"},
    "task": {"type": "classification", "language": "zh-TW", "labels": ["退款", "物流", "其他"]},
    "resources": {"labelled_rows": 500, "gpu": "none"},
}
OpenPage = Callable[..., AppTest]


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    root = tmp_path / "workspace"
    root.mkdir()
    monkeypatch.setenv("COACH_WORKSPACE", str(root))
    return root


@pytest.fixture
def empty_task(workspace) -> Task:
    return create_task(workspace, "empty-task")


@pytest.fixture
def partial_task(workspace) -> Task:
    return create_task(workspace, "partial-task", answers=Answers.model_validate(PARTIAL))


@pytest.fixture
def finished_task(workspace) -> Task:
    """The example task: answers, summary, task.yaml, data and one finished version, v1."""
    shutil.copytree(EXAMPLE, workspace / "entity-sentiment")
    return Task.open(workspace / "entity-sentiment")


@pytest.fixture
def ready_task(workspace, tiny_model) -> Task:
    """A small task with data and a sound task.yaml, nothing trained."""
    return small_task.make_task(workspace / "letters", small_task.task_file(tiny_model))


@pytest.fixture
def open_page(monkeypatch) -> OpenPage:
    """`open_page("2_goal.py", task, "en", version="v1")` → the AppTest after its first run; None opens home."""
    monkeypatch.chdir(ROOT)

    def opened(page: str | None, task: Task | str | None = None, language: str = "zh-TW", **query: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        at.query_params["lang"] = language
        at.run()
        if page is not None:
            at.switch_page(f"pages/{page}")
            if task is not None:
                at.query_params["task"] = task if isinstance(task, str) else task.name
            for name, value in query.items():
                at.query_params[name] = value
            at.run()
        return at

    return opened


def words(at: AppTest) -> str:
    """Everything the page says, in one string, for assertions about what a person reads."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "text", "info", "warning", "error", "success", "code")
    shown = [str(element.value) for kind in kinds for element in getattr(at, kind)]
    buttons = [button.label for button in at.button]
    metrics = [f"{metric.label} {metric.value}" for metric in at.metric]
    return as_read("\n".join([*shown, *buttons, *metrics]))


def links(at: AppTest) -> list[str]:
    """What the page's links say, the menu's among them."""
    return [as_read(link.proto.label).removeprefix(":primary[**").removesuffix("**]") for link in at.get("page_link")]


def as_read(markdown: str) -> str:
    """An escaped text as a person reads it."""
    return markdown.replace("\\", "").replace("\u2060", "")


def numbers(at: AppTest) -> list[str]:
    """The values of the page's numbers, in their order."""
    return [as_read(metric.value) for metric in at.metric]


__all__ = ["LANGUAGES", "NOW", "ROOT", "OpenPage", "as_read", "numbers", "words"]
