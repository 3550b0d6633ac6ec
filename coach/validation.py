"""Holding a read document against a pydantic model: every fault at once, each with its line and the nearest known key.

Models are checked strictly; what people write loosely but clearly (`1e-5`, labels 0 and 1, yes as a label, a bare date) is first
read the way the field asks for. What is allowed is the models' to say.
"""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process

from coach.problems import Problem, errors_in, readable_path, refuse, shown
from coach.task_schema import SLUG_PATTERN
from coach.text import has_text
from coach.yaml_document import KeyPath, YamlDocument, YamlValue

M = TypeVar("M", bound=BaseModel)
MAX_ROUNDS = 12  # each round rereads what the last one complained about; deeper nesting shows up only once the outside is right
_NAMES_ELSEWHERE = {  # what the same thing is called in transformers, peft and everyday speech
    "rank": "r", "lora_r": "r", "lora_alpha": "alpha", "lora_dropout": "dropout", "lr": "learning_rate", "batch": "batch_size",
    "num_train_epochs": "epochs", "num_epochs": "epochs", "max_length": "max_seq_tokens", "max_seq_length": "max_seq_tokens",
    "model": "base_model", "metric": "primary_metric", "target": "threshold", "properties": "schema",
    "lr_scheduler_type": "scheduler",
}  # fmt: skip
MANY_DIGITS_FROM = 1e6  # from here on `:g` would write 1e+09
NEAR_ENOUGH = 60  # rapidfuzz ratio, 0 to 100: `lerning_rate` has 96, `lr` against `learning_rate` 27

_KINDS = {
    "string_type": "text", "string_unicode": "text", "int_type": "whole_number", "int_from_float": "whole_number",
    "float_type": "number", "finite_number": "number", "bool_type": "yes_no", "datetime_type": "time",
    "list_type": "list", "dict_type": "mapping", "model_type": "mapping",
}  # fmt: skip
_LIMITS = {
    "greater_than": ("gt", ">"), "greater_than_equal": ("ge", "≥"), "less_than": ("lt", "<"), "less_than_equal": ("le", "≤"),
    "too_long": ("max_length", "≤"), "too_short": ("min_length", "≥"),
}  # fmt: skip


def validate(document: YamlDocument, model: type[M], *, drop_unknown: bool = False, key: str = "document.problems") -> M:
    """The document as `model`. Raises InvalidDocument, under the error `key`, with every problem found.

    `drop_unknown` is for what programs write: keys of a newer version are passed over.
    """
    instance, problems = examine(document, model, drop_unknown=drop_unknown)
    refuse(key, errors_in(problems), name=document.name)
    assert instance is not None
    return instance


def examine(document: YamlDocument, model: type[M], *, drop_unknown: bool = False) -> tuple[M | None, list[Problem]]:
    """The document as `model`, or None, and every problem, in the order of their lines."""
    values = copy.deepcopy(document.mapping)
    for _ in range(MAX_ROUNDS):
        try:
            instance, faults = model.model_validate(values, strict=True), []
        except ValidationError as error:
            instance, faults = None, error.errors(include_url=False)
        if not _reread(values, faults, document, drop_unknown=drop_unknown):
            break
    problems = [*document.problems, *_problems(faults, values, document, model)]
    return instance, sorted(problems, key=lambda problem: problem.line or 0)


def _reread(values: dict[str, YamlValue], faults: Sequence[ErrorDetails], document: YamlDocument, *, drop_unknown: bool) -> bool:
    """Changes the values complained about that can be read as the field asks; whether any was."""
    changed: set[KeyPath] = set()
    for fault in faults:
        path = _path_in(values, fault["loc"])
        if not path or path in changed:  # one of several kinds has already claimed the value
            continue
        holder, key = _at(values, path[:-1]), path[-1]
        if fault["type"] == "extra_forbidden" and drop_unknown:
            del holder[key]
            changed.add(path)
        elif reading := _REREAD.get(fault["type"]):
            reread = reading(holder[key], document.texts.get(path))
            if type(reread) is not type(holder[key]):
                holder[key] = reread
                changed.add(path)
    return bool(changed)


def _as_text(value: YamlValue, written: str | None) -> YamlValue:
    return value if value is None or written is None else written


def _as_number(kind: Callable[[str], float]) -> Callable[[YamlValue, str | None], YamlValue]:
    def read(value: YamlValue, written: str | None) -> YamlValue:
        if isinstance(value, bool) or not isinstance(value, str | float):
            return value
        try:
            number = float(unicodedata.normalize("NFKC", value)) if isinstance(value, str) else value
            return kind(str(number)) if kind is float else int(number) if number.is_integer() else value
        except (ValueError, OverflowError):
            return value

    return read


def _as_time(value: YamlValue, written: str | None) -> YamlValue:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value.strip())
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day)
    except ValueError:
        pass
    return value


_REREAD: dict[str, Callable[[YamlValue, str | None], YamlValue]] = {
    "string_type": _as_text, "literal_error": _as_text, "float_type": _as_number(float), "int_type": _as_number(int),
    "int_from_float": _as_number(int), "datetime_type": _as_time,
}  # fmt: skip


def _path_in(values: YamlValue, loc: Sequence[str | int]) -> KeyPath:
    """pydantic's location as far as the document goes, without the names of union branches it puts in."""
    path: list[str | int] = []
    here: YamlValue = values
    for step in loc:
        known = step in here if isinstance(here, dict) else isinstance(here, list) and isinstance(step, int) and step < len(here)
        if known:
            here = here[step]
            path.append(step)
    return tuple(path)


def _at(values: YamlValue, path: KeyPath) -> Any:
    for step in path:
        values = values[step]
    return values


def _problems(
    faults: Sequence[ErrorDetails], values: dict[str, YamlValue], document: YamlDocument, model: type[BaseModel]
) -> list[Problem]:
    """One problem a place: where a field may be one of several kinds, pydantic complains once for each."""
    found: dict[KeyPath, Problem] = {}
    for fault in faults:
        path = _path_in(values, fault["loc"])
        if fault["type"] == "missing":
            path = (*path, fault["loc"][-1])
        problem = _problem(fault, path, document, model)
        if path not in found or (found[path].code == "wrong_type" and problem.code != "wrong_type"):
            found[path] = problem
    return list(found.values())


def _problem(fault: ErrorDetails, path: KeyPath, document: YamlDocument, model: type[BaseModel]) -> Problem:
    kind, context = fault["type"], dict(fault.get("ctx") or {})
    data: dict[str, Any] = {"value": shown(document.texts.get(path, fault.get("input")))}
    where, line = readable_path(path), document.line_of(path)
    if kind == "extra_forbidden":
        return _unknown_key(path, line, model)
    if kind == "missing":
        return Problem(where, line, "missing", {"key": str(path[-1])})
    if kind == "literal_error":
        code = "method_not_allowed" if path[-2:] == ("training", "method") else "not_allowed"
        return Problem(where, line, code, data | {"allowed": re.findall(r"'([^']*)'", str(context.get("expected")))})
    if kind in _KINDS:
        return Problem(where, line, *_wrong_type(fault, _KINDS[kind], data))
    if kind in _LIMITS:
        name, sign = _LIMITS[kind]
        code = "wrong_length" if "length" in name else "out_of_range"
        return Problem(where, line, code, data | {"limit": f"{sign} {_limit(context[name])}"})
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return Problem(where, line, "bad_slug" if pattern == SLUG_PATTERN else "bad_form", data | {"pattern": pattern})
    if has_text(f"problems.{kind}"):
        return Problem(where, line, kind, data | {name: _plain(value) for name, value in context.items()})
    return Problem(where, line, "unusable", data | {"reason": fault["msg"].removeprefix("Value error, ")})


def _wrong_type(fault: ErrorDetails, expected: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    value = fault.get("input")
    if value is None:
        return "no_value", {"expected": expected}
    if isinstance(value, list | dict):
        return "wrong_kind", {"expected": expected, "kind": "list" if isinstance(value, list) else "mapping"}
    return "wrong_type", data | {"expected": expected}


def _limit(value: float) -> str:
    return f"{value:,.0f}" if value >= MANY_DIGITS_FROM else f"{value:g}"


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | list) else str(value)


def _unknown_key(path: KeyPath, line: int | None, model: type[BaseModel]) -> Problem:
    key, where = str(path[-1]), readable_path(path)
    known, here, wanted = _known_keys(model), path[:-1], _comparable(key)
    section = _section_like(known, here)
    wanted = wanted if wanted in section else _NAMES_ELSEWHERE.get(wanted, wanted)
    for parent, names in known.items():  # the right key in the wrong section
        if parent != here and wanted in names and wanted not in section:
            return Problem(where, line, "unknown_key", {"key": key, "nearest": readable_path((*parent, wanted))})
    if best := process.extractOne(wanted, section, scorer=fuzz.ratio, score_cutoff=NEAR_ENOUGH):
        return Problem(where, line, "unknown_key", {"key": key, "nearest": best[0]})
    return Problem(where, line, "unknown_key_no_match", {"key": key, "known": list(section)})


def _comparable(key: str) -> str:
    return unicodedata.normalize("NFKC", key).strip().lower().replace("-", "_").replace(" ", "_")


def _section_like(known: dict[KeyPath, tuple[str, ...]], here: KeyPath) -> tuple[str, ...]:
    """The keys of the section at `here`, where a part of its path is a name of the user's (`*` in the model)."""
    for path, names in known.items():
        if len(path) == len(here) and all(a in ("*", b) for a, b in zip(path, here, strict=True)):
            return names
    return ()


@cache
def _known_keys(model: type[BaseModel]) -> dict[KeyPath, tuple[str, ...]]:
    """Every section of `model` by its path (`*` for list places and free names), with the keys it knows, as people write them."""
    known: dict[KeyPath, tuple[str, ...]] = {}

    def visit(section: type[BaseModel], path: KeyPath) -> None:
        known[path] = tuple(field.alias or name for name, field in section.model_fields.items())
        for name, field in section.model_fields.items():
            look(field.annotation, (*path, field.alias or name))

    def look(annotation: Any, path: KeyPath) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            visit(annotation, path)
            return
        origin = getattr(annotation, "__origin__", None)
        for argument in get_args(annotation):
            look(argument, (*path, "*") if origin in (list, dict) else path)

    visit(model, ())
    return known
