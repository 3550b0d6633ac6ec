"""Stage 2: the goal as it stands (confirmed, or as the answers would have it), said back in a person's words, and confirming it.

Owns what belongs together in two files, task_summary.yaml and answers.yaml: which text is shown, when they say different things, and
that both are written or neither where somebody else wrote in between. The document itself is `task_summary.py`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from coach.answers import Answers
from coach.errors import DocumentError, WorkspaceError
from coach.problems import Problem, readable_path
from coach.remarks import Remark, remarks_on
from coach.task_summary import (
    SummaryDocument,
    TaskSummary,
    apply_summary,
    fields_of,
    parse_summary,
    summarize,
    summary_to_yaml,
)
from coach.text import DEFAULT_LANGUAGE, Language
from coach.validation import examine
from coach.workspace import SUMMARY_FILE, Task
from coach.yaml_document import YamlDocument, text_of


@dataclass(frozen=True)
class Goal:
    """`seen` identifies what the text was made from, for `confirm_goal`; `assumed` lists keys that hold the coach's default.

    `content` is the confirmed file byte for byte, None before there is one. `outdated`: keys about which the answers given since
    say something else than the confirmed text, with what they say.
    """

    text: str
    seen: str
    content: bytes | None
    assumed: frozenset[str]
    outdated: dict[str, Any]

    @property
    def confirmed(self) -> bool:
        return self.content is not None


def goal_of(task: Task, language: Language) -> Goal:
    """The goal as the folder has it; before it is confirmed, a draft in `language`. Raises DocumentError for damaged answers."""
    answers, content = task.answers(), task.summary_bytes()
    written = _written(content)
    text = summary_to_yaml(summarize(answers, language)) if written is None else written
    return Goal(text, _seen(answers, written), content, frozenset(answers.assumed), _outdated(answers, written))


def updated_goal(task: Task, language: Language) -> str:
    """The confirmed goal with everything the answers say now; its goal and free constraints are kept."""
    return summary_to_yaml(summarize(task.answers(), language, task.summary()))


def goal_remarks(content: str, task: Task, language: Language) -> list[Remark]:
    """What there is to say about a summary that is being written, with lines."""
    return remarks_on(content, SUMMARY_FILE, lambda document: _problems(document, task), language)


def confirm_goal(task: Task, content: str, *, expected: str) -> None:
    """Writes `content` as it stands and what it says into the answers. `expected` is the `seen` of the goal it began from.

    Raises InvalidDocument with its problems, and WorkspaceError where somebody else has changed the goal or its answers since.
    """
    summary = parse_summary(content, SUMMARY_FILE)
    with task.lock():
        answers = task.answers()
        if _seen(answers, _written(task.summary_bytes())) != expected:
            raise WorkspaceError("workspace.changed_meanwhile", path=str(task.folder / SUMMARY_FILE))
        named = summary.model_copy(update={"name": answers.task.name})  # the folder's name: never changed
        task.save_answers(apply_summary(answers, named))
        task.save_summary(content if content.endswith("\n") else content + "\n")


def _written(content: bytes | None) -> str | None:
    return None if content is None else text_of(content, SUMMARY_FILE)


def _seen(answers: Answers, written: str | None) -> str:
    """What identifies the goal: the confirmed text, and what the answers say where a summary would say it (in one fixed language)."""
    said = summarize(answers, DEFAULT_LANGUAGE)
    if written is not None:
        said = said.model_copy(update={"goal": None})
    return hashlib.sha256(f"{written!r}\n{summary_to_yaml(said)}".encode()).hexdigest()


def _outdated(answers: Answers, written: str | None) -> dict[str, Any]:
    if written is None:
        return {}
    try:
        confirmed = fields_of(parse_summary(written))
    except DocumentError:  # the editor says what is wrong with it
        return {}
    now = fields_of(summarize(answers, DEFAULT_LANGUAGE))
    return {key: now[key] for key, value in confirmed.items() if value is not None and now.get(key) not in (None, value)}


def _problems(document: YamlDocument, task: Task) -> Iterable[Problem]:
    found, problems = examine(document, SummaryDocument)
    if found is not None:
        yield from _left_open(found.task_summary, document)
        name = found.task_summary.name
        if name and name != task.name:
            path = ("task_summary", "name")
            yield Problem(
                "task_summary.name", document.line_of(path), "goal.name_stays", {"value": name, "name": task.name}, "info"
            )
    yield from problems


def _left_open(summary: TaskSummary, document: YamlDocument) -> Iterable[Problem]:
    """What a plan and a verdict will need; it can be said later, so it is worth a word only."""
    success = summary.success_criteria
    if summary.type is None:
        yield _open(document, "type")
    if summary.goal is None:
        yield _open(document, "goal")
    if success.primary_metric is None:
        yield _open(document, "primary_metric", "success_criteria")
    if success.threshold is None:
        yield _open(document, "threshold", "success_criteria")


def _open(document: YamlDocument, key: str, *sections: str) -> Problem:
    path = ("task_summary", *sections)
    return Problem(readable_path((*path, key)), document.line_of(path), f"goal.without_{key}", {}, "warning")
