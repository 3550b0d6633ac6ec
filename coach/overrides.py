"""What a person chose otherwise than the coach advised, kept in the task's folder.

Until there is a task.yaml it stands in `overrides.yaml`, one key a choice; from then on in task.yaml itself, whose comments stay. Owns
both files' changes, choice by choice, so that two people who change different choices both keep theirs.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from coach.atomic_write import write_atomically
from coach.choices import CHOICES, Choice, ChoiceValue, Settings, same, task_settings, with_choices
from coach.errors import DocumentError, UserError, WorkspaceError
from coach.plan import Peft
from coach.task_file import parse_task, task_to_yaml
from coach.task_schema import MOST_VERSIONS_KEPT, Balance, DeployTarget, Method, ModelName, Strict, TaskFile, VersionStrategy
from coach.validation import validate
from coach.workspace import Task
from coach.yaml_document import read_document
from coach.yaml_in_place import with_values
from coach.yaml_writing import dump, with_plain_numbers

OVERRIDES_FILE = "overrides.yaml"


class Overrides(Strict):
    """Limits are those of task.yaml, into which these values go."""

    document: Literal["llm-coach/overrides@1"] = Field(default="llm-coach/overrides@1", alias="schema")
    method: Method | None = None
    base_model: ModelName | None = Field(default=None, min_length=1, max_length=300)
    peft: Peft | None = None
    lora_r: int | None = Field(default=None, ge=1, le=1024)
    lora_alpha: float | None = Field(default=None, gt=0, le=4096)
    learning_rate: float | None = Field(default=None, gt=0, lt=1)
    epochs: float | None = Field(default=None, gt=0, le=1000)
    batch_size: int | None = Field(default=None, ge=1, le=4096)
    balance: Balance | None = None
    strategy: VersionStrategy | None = None
    retention: int | None = Field(default=None, ge=1, le=MOST_VERSIONS_KEPT)
    deployment: DeployTarget | None = None

    def given(self) -> dict[Choice, ChoiceValue]:
        return {choice: value for choice in CHOICES if (value := getattr(self, choice)) is not None}


def overrides_path(task: Task) -> Path:
    return task.folder / OVERRIDES_FILE


def read_overrides(task: Task) -> dict[Choice, ChoiceValue]:
    """What was chosen otherwise before there was a task.yaml. Raises DocumentError with every fault in the file."""
    path = overrides_path(task)
    return validate(read_document(path), Overrides, key="task.problems").given() if path.is_file() else {}


def choose(task: Task, choice: Choice, value: ChoiceValue, *, seen: ChoiceValue, advised: Settings, today: date) -> Path | None:
    """Writes one choice into the folder; the coach's own value before there is a task.yaml takes the override out again.

    `seen` is the value the person had before them: where somebody has changed it since, nothing is written and WorkspaceError is
    raised. Everything else in task.yaml stays as it stood, comments too; where that could not be, the path of a copy of the former
    one is returned. Raises UserError for a value that cannot be.
    """
    _checked(choice, value)
    with task.lock():
        if task.has_file:
            return _into_task_file(task, choice, value, seen=seen, advised=advised, today=today)
        _refuse_if_changed(task, choice, read_overrides(task).get(choice, advised.value(choice)), seen)
        given = {**read_overrides(task), choice: value}
        if same(value, advised.value(choice)):
            del given[choice]
        _write(task, given)
        return None


def forget_overrides(task: Task) -> None:
    """After task.yaml has been written with them."""
    overrides_path(task).unlink(missing_ok=True)


def _write(task: Task, given: Mapping[Choice, ChoiceValue]) -> None:
    if not given:
        forget_overrides(task)
        return
    ordered = {choice: given[choice] for choice in CHOICES if choice in given}
    write_atomically(overrides_path(task), dump(with_plain_numbers({"schema": "llm-coach/overrides@1", **ordered})))


def _into_task_file(
    task: Task, choice: Choice, value: ChoiceValue, *, seen: ChoiceValue, advised: Settings, today: date
) -> Path | None:
    former = task.file
    _refuse_if_changed(task, choice, task_settings(former, advised).value(choice), seen)
    frozen = [version.name for version in task.versions()]
    wanted = with_choices(former, {choice: value}, advised=advised, frozen=frozen, today=today)
    written = task.file_path.read_bytes()
    content, in_place = changed_document(written.decode("utf-8-sig"), former, wanted)
    copy = None if in_place or b"#" not in written else _keep(task.file_path, written)
    write_atomically(task.file_path, content)
    return copy


def _keep(path: Path, content: bytes) -> Path:
    """`content` beside `path` as `.before`, or the first free of `.before-2`, `.before-3`, …"""
    names = (path.with_name(f"{path.name}.before{f'-{number}' if number > 1 else ''}") for number in itertools.count(1))
    free = next(name for name in names if not name.exists())
    write_atomically(free, content)
    return free


def changed_document(content: str, former: TaskFile, wanted: TaskFile) -> tuple[str, bool]:
    """`content`, which says `former`, so that it says `wanted`: in place, or written anew (False) where that cannot be done."""
    try:
        changed, kept = with_values(content, _changes(content, former, wanted))
        if kept and parse_task(changed) == wanted:
            return changed, True
    except DocumentError:
        pass
    return task_to_yaml(wanted), False


def _changes(content: str, former: TaskFile, wanted: TaskFile) -> dict[tuple[str, ...], Any]:
    old, new = (task.model_dump(mode="python", by_alias=True) for task in (former, wanted))
    found: dict[tuple[str, ...], Any] = {("version",): new["version"]} if old["version"] != new["version"] else {}
    for name in ("method", "stages", "base_model", "quantization", "learning_rate", "epochs", "batch_size", "balance"):
        if old["training"][name] != new["training"][name]:
            found["training", name] = new["training"][name]
    found |= _lora_changes(old["training"]["lora"], new["training"]["lora"])
    for name in ("strategy", "naming", "deploy_target"):
        if old["versioning"][name] != new["versioning"][name]:
            found["versioning", name] = new["versioning"][name]
    if old["versioning"]["retention"] != new["versioning"]["retention"]:
        long_form = "keep_recent" in content
        path = ("versioning", "retention", "keep_recent") if long_form else ("versioning", "retention")
        found[path] = new["versioning"]["retention"]["keep_recent"]
    return found


def _lora_changes(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[tuple[str, ...], Any]:
    if old == new:
        return {}
    if old is None or new is None:
        return {("training", "lora"): None if new is None else {"r": new["r"], "alpha": new["alpha"]}}
    return {("training", "lora", name): new[name] for name in ("r", "alpha") if old[name] != new[name]}


def _checked(choice: Choice, value: ChoiceValue) -> None:
    try:
        Overrides.model_validate({choice: value}, strict=False)
    except ValidationError as error:
        raise UserError("choice.unfit", value=str(value)[:60], choice=choice) from error


def _refuse_if_changed(task: Task, choice: Choice, found: ChoiceValue, seen: ChoiceValue) -> None:
    if not same(found, seen):
        raise WorkspaceError("choice.changed_meanwhile", choice=choice, found=str(found), seen=str(seen), task=task.name)
