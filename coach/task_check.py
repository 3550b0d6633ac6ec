"""Judging a task as a whole: what contradicts itself (errors), and what cannot be trained here yet (blockers).

The schema has already held each value by itself (`task_schema.py`); remarks on well-formed but unwise settings are
`task_comments.py`'s, what does not fit the files beside the task is `task_folder_check.py`'s. Never reads a model or the network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from coach.problems import Level, Problem, errors_in, readable_path, refuse
from coach.task_comments import hyperparameter_comments, label_comments
from coach.task_folder_check import Finding, folder_findings
from coach.task_schema import CLASSIFICATION_METRICS, MAX_LABELS, Metric, TaskFile, TaskType, repeated
from coach.versioning import is_version_name, naming_problem
from coach.yaml_document import KeyPath

STARTER_MODEL = "starter/gemma-3-270m"
BUILT_METHODS = ("sft", "prompt", "baseline")
FITTING_METRICS: dict[TaskType, tuple[Metric, ...]] = {
    "classification": CLASSIFICATION_METRICS,
    "extraction": ("entity_f1", "micro_f1", "macro_f1", "exact_match"),
    "generation": ("rouge_l", "bleu", "exact_match"),
}
_VERSION_EXAMPLES = {"semantic": "v1, v2.1, v3-exp", "date": "2025-01-07", "hybrid": "v2-20250107"}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
LineOf = Callable[[KeyPath], int | None]


class HasCuda(Protocol):
    """What this module needs to know of a machine."""

    @property
    def has_cuda(self) -> bool: ...


def check_task(
    task: TaskFile, *, folder: Path | None = None, hardware: HasCuda | None = None, line_of: LineOf | None = None
) -> list[Problem]:
    """Every contradiction (level error) and every remark (warning, info) about `task`, the grave ones first.

    With `folder`, the rows in it are looked at too; `line_of` (a YamlDocument's) gives each problem its line.
    """
    findings = [*_labels(task), *_output(task), *_training(task), *_execution(task), *_versioning(task)]
    findings += [*folder_findings(task, folder)]
    rows = count_rows(folder / "data" / "train.jsonl") if folder else None
    remarks = [*label_comments(task), *hyperparameter_comments(task, rows)]
    lines = line_of or (lambda path: None)
    problems = [_problem(finding, "error", lines) for finding in findings]
    problems += [replace(found, level="warning") for found in blockers(task, folder=folder, hardware=hardware, line_of=line_of)]
    problems += [_problem(finding, level, lines) for level, finding in remarks]
    return sorted(problems, key=lambda problem: ("error", "warning", "info").index(problem.level))


def blockers(
    task: TaskFile, *, folder: Path | None = None, hardware: HasCuda | None = None, line_of: LineOf | None = None
) -> list[Problem]:
    """What keeps a sound task from training on this machine. Level error: cannot be done; warning: needs the network."""
    lines = line_of or (lambda path: None)
    found = [_problem(finding, "error", lines) for finding in _not_built(task, hardware)]
    return found + [_problem(finding, level, lines) for level, finding in _base_model(task, folder)]


def require_trainable(task: TaskFile, name: str, *, folder: Path | None = None, hardware: HasCuda | None = None) -> None:
    """Raises InvalidDocument where `task` contradicts itself, or cannot be trained here; `name` is what the error calls it."""
    refuse("task.problems", errors_in(check_task(task, folder=folder, hardware=hardware)), name=name)
    refuse("task.not_trainable", errors_in(blockers(task, folder=folder, hardware=hardware)), name=name)


def count_rows(path: Path) -> int | None:
    """The lines of a JSONL file that hold something, or None where there is no such file."""
    try:
        with open(path, "rb") as file:
            return sum(1 for line in file if line.strip())
    except OSError:
        return None


def _problem(finding: Finding, level: Level, line_of: LineOf) -> Problem:
    path, code, data = finding
    return Problem(readable_path(path), line_of(path), code, data, level)


def _labels(task: TaskFile) -> Iterator[Finding]:
    if task.task_type != "classification":
        return
    if not task.targets and not _has_empty_enum(task):
        yield ("output_format",), "no_labels", {}
    for name, labels in _enums(task):
        path = ("output_format", "enum") if name is None else ("output_format", "schema", name, "enum")
        stripped = [label.strip() for label in labels]
        if len(set(stripped)) < 2:
            yield path, "few_labels", {"labels": labels}
        if "" in stripped:
            yield path, "empty_label", {"number": stripped.index("") + 1}
        if doubled := repeated(filter(None, stripped)):
            yield path, "duplicate_labels", {"labels": doubled}
        if len(labels) > MAX_LABELS:
            yield path, "too_many_labels", {"count": len(labels), "limit": MAX_LABELS}


def _enums(task: TaskFile) -> Iterator[tuple[str | None, list[str]]]:
    if task.output_format.type == "text":
        slots: dict[str | None, list[str] | None] = {None: task.output_format.enum}
    else:
        slots = {name: slot.enum for name, slot in (task.output_format.properties or {}).items()}
    yield from ((name, enum) for name, enum in slots.items() if enum is not None)


def _has_empty_enum(task: TaskFile) -> bool:
    return any(not enum for _, enum in _enums(task))


def _output(task: TaskFile) -> Iterator[Finding]:
    form = task.output_format
    if form.type == "json" and not form.properties:
        yield ("output_format", "schema"), "schema_missing", {}
    if form.type == "json" and form.enum is not None:
        yield ("output_format", "enum"), "enum_beside_schema", {}
    if form.type == "text" and form.properties is not None:
        yield ("output_format", "schema"), "schema_of_text", {}
    for name, slot in (form.properties or {}).items():
        if slot.enum is not None and slot.type != "string":
            yield ("output_format", "schema", name, "type"), "enum_not_string", {"slot": name, "type": slot.type}
    metric, fitting = task.success_criteria.primary_metric, FITTING_METRICS[task.task_type]
    if metric not in fitting:
        data = {"metric": metric, "task_type": task.task_type, "allowed": list(fitting)}
        yield ("success_criteria", "primary_metric"), "metric_unfit", data


def _training(task: TaskFile) -> Iterator[Finding]:
    training = task.training
    if not training.base_model.strip():
        yield ("training", "base_model"), "no_base_model", {}
    if training.base_model.startswith("starter/") and training.base_model != STARTER_MODEL:
        yield ("training", "base_model"), "unknown_starter", {"value": training.base_model, "known": STARTER_MODEL}
    if training.quantization == "4bit" and training.lora is None:
        yield ("training", "quantization"), "quantization_without_lora", {}
    if training.stages is not None and not training.stages:
        yield ("training", "stages"), "no_stages", {}
    if training.stages and training.stages[0].method != training.method:
        data = {"method": training.method, "first": training.stages[0].method}
        yield ("training", "stages"), "stages_start_differs", data
    if training.seeds > 1 and training.folds > 1:
        yield ("training", "folds"), "seeds_and_folds", {"seeds": training.seeds, "folds": training.folds}


def _execution(task: TaskFile) -> Iterator[Finding]:
    host = task.execution.host
    if task.execution.type == "remote_ssh" and not (host or "").strip():
        yield ("execution", "host"), "host_missing", {}
    if host and (host.startswith("-") or re.search(r"[\s;|&$`<>\"'\\]", host)):  # it will stand on a command line one day
        yield ("execution", "host"), "host_form", {"value": host}


def _versioning(task: TaskFile) -> Iterator[Finding]:
    strategy, naming = task.versioning.strategy, task.versioning.naming
    if not is_version_name(task.version, strategy):
        data = {"version": task.version, "strategy": strategy, "examples": _VERSION_EXAMPLES[strategy]}
        yield ("version",), "version_unfit", data
    if code := naming_problem(naming):
        yield ("versioning", "naming"), code, {"naming": naming}


def _not_built(task: TaskFile, hardware: HasCuda | None) -> Iterator[Finding]:
    if task.execution.type == "remote_ssh":
        yield ("execution", "type"), "remote_not_built", {"host": task.execution.host or "?"}
    if task.task_type != "classification":
        yield ("task_type",), "task_type_not_built", {"task_type": task.task_type}
    methods = [task.training.method, *(stage.method for stage in task.training.stages or [])]
    for method in dict.fromkeys(methods):
        if method not in BUILT_METHODS:
            yield ("training", "method"), "method_not_built", {"method": method, "built": list(BUILT_METHODS)}
    if len(task.training.stages or []) > 1:
        yield ("training", "stages"), "stages_not_built", {"count": len(task.training.stages or [])}
    if "sft" in methods and task.training.lora is None:
        yield ("training", "lora"), "full_tuning_not_built", {}
    yield from _targets_not_built(task)
    if task.training.quantization == "4bit" and hardware is not None and not hardware.has_cuda:
        yield ("training", "quantization"), "qlora_needs_cuda", {}


def _targets_not_built(task: TaskFile) -> Iterator[Finding]:
    """A classification is trained where every slot of its answer has labels; the baseline learns one slot."""
    if task.task_type != "classification" or task.output_format.type != "json" or not task.targets:
        return
    for name in [name for name in task.output_format.properties or {} if name not in task.targets]:
        yield ("output_format", "schema", name), "free_slot_not_built", {"slot": name}
    if task.training.method == "baseline" and len(task.targets) > 1:
        yield ("output_format", "schema"), "baseline_slots_not_built", {"slots": [name or "" for name in task.targets]}


def _base_model(task: TaskFile, folder: Path | None) -> Iterator[tuple[Level, Finding]]:
    model, path = task.training.base_model.strip(), ("training", "base_model")
    if not model or model.startswith("starter/") or task.training.method == "baseline":
        return
    if _is_folder(Path(model)) or (folder and _is_folder(folder / model)):
        return
    if _HUB_ID.fullmatch(model):
        yield "warning", (path, "model_from_hub", {"model": model, "starter": STARTER_MODEL})
    else:
        yield "error", (path, "model_folder_missing", {"model": model, "starter": STARTER_MODEL})


def _is_folder(path: Path) -> bool:
    try:
        return path.expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):  # a name too long, no home for ~, a link to itself
        return False
