"""The first `task.yaml` of a task: what the answers say, trained as the plan says.

Owns the default input template and the reading of "JSON" from a described answer. Reads no data: labels and columns come in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coach.answers import Answers
from coach.estimate import STARTER_ID
from coach.intents import intents, stands_in
from coach.plan import Plan
from coach.task_schema import TaskFile
from coach.text import Language, text
from coach.versioning import next_version

LABELS_IN_PROMPT = 20  # more labels than this would be most of the prompt
DEFAULT_PROPERTY = "label"
_PROPERTY = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]*)(?![A-Za-z0-9_])")
_NOT_PROPERTIES = {
    "json",
    "one",
    "of",
    "the",
    "a",
    "an",
    "in",
    "with",
    "field",
    "key",
    "is",
    "are",
    "as",
    "and",
    "or",
    "format",
    "object",
    "its",
    "string",
    "be",
    "to",
}


def draft_task(
    answers: Answers, plan: Plan, *, name: str, labels: Sequence[str], placeholders: Sequence[str], now: datetime
) -> TaskFile:
    """The task as the coach writes it. `labels`: for a classification; `placeholders`: `text` and what stands beside it."""
    task = answers.task
    task_type = task.type or "classification"
    language: Language = "zh-TW" if (task.language or "zh").startswith("zh") else "en"
    strategy = plan.versioning.strategy
    document: dict[str, Any] = {
        "task_name": name,
        "title": answers.title,
        "version": next_version([], strategy, now.date()),
        "task_type": task_type,
        "domain": task.domain or "general",
        "language": task.language or "zh-TW",
        "input_template": input_template(task_type, language, placeholders, labels, short=plan.base_model == STARTER_ID),
        "output_format": _output_format(answers, labels if task_type == "classification" else []),
        "data": {"source": "data_source.yaml" if answers.resources.data_path else None},
        "training": _training(plan),
        "success_criteria": _success(answers, plan),
        "execution": _execution(answers, plan),
        "versioning": _versioning(plan),
        "created": now,
        "updated": now,
    }
    return TaskFile.model_validate(document)


def default_placeholders(answers: Answers) -> list[str]:
    """`text`, with `entity` before it where the described input names one (words: `placeholders` in intents.yaml)."""
    described = " ".join(filter(None, [answers.task.input, answers.business.problem if not answers.task.input else None]))
    beside = [name for name, words in intents().placeholders.items() if any(stands_in(word, described) for word in words)]
    return [*beside, "text"]


def input_template(task_type: str, language: Language, placeholders: Sequence[str], labels: Sequence[str], *, short: bool) -> str:
    """What the model reads: an instruction unless `short`, a line a placeholder, and the word the answer follows.

    Short for the starter model, which is a base model and pays for every token on the processor.
    """
    lines = [] if short else [text(f"template.{task_type}.instruction", language, labels=_listed(labels, language))]
    for name in placeholders:
        known = name in ("text", "entity", "title")
        lines.append(
            text(f"template.field.{name}", language) if known else name + (": " if language == "en" else "：") + "{" + name + "}"
        )
    return "\n".join([*filter(None, lines), text(f"template.{task_type}.answer", language)])


def json_property(answers: Answers) -> str | None:
    """The property's name where the described answer is JSON (`JSON，sentiment 為三類之一`: sentiment), else None."""
    described = answers.task.output or ""
    if not any(stands_in(word, described) for word in intents().json_answer):
        return None
    names = [
        name
        for name in _PROPERTY.findall(described)
        if name.lower() not in _NOT_PROPERTIES and name not in (answers.task.labels or [])
    ]
    return names[0] if names else DEFAULT_PROPERTY


def _output_format(answers: Answers, labels: Sequence[str]) -> dict[str, Any]:
    name = json_property(answers)
    if name is None:
        return {"type": "text", **({"enum": list(labels)} if labels else {})}
    return {"type": "json", "schema": {name: {"type": "string", **({"enum": list(labels)} if labels else {})}}}


def _training(plan: Plan) -> dict[str, Any]:
    """The plan's numbers. Baseline first: this version runs it, and the challenger's numbers stand ready for the next."""
    training: dict[str, Any] = {"base_model": plan.base_model, "method": plan.method}
    if plan.method != "baseline" and len(plan.stages) > 1:
        training["stages"] = [stage.as_json() for stage in plan.stages]
    if plan.lora:
        training["lora"] = {"r": plan.lora.r, "alpha": plan.lora.alpha}
    if plan.peft == "qlora":
        training["quantization"] = "4bit"
    numbers = {"epochs": plan.epochs, "learning_rate": plan.learning_rate, "batch_size": plan.batch_size}
    return {**training, **{name: value for name, value in numbers.items() if value is not None}, "balance": plan.balance}


def _success(answers: Answers, plan: Plan) -> dict[str, Any]:
    success = answers.success
    criteria: dict[str, Any] = {"primary_metric": plan.forecast.metric, "threshold": success.threshold}
    if success.baseline_name or success.baseline_score is not None:
        criteria["baseline"] = {"name": success.baseline_name or "baseline", "score": success.baseline_score}
    return criteria


def _execution(answers: Answers, plan: Plan) -> dict[str, Any]:
    """On the remote machine where this version trains there; the baseline and the starter model need none."""
    remote = answers.resources.gpu == "remote" and plan.method not in ("baseline", "prompt") and plan.base_model != STARTER_ID
    return {"type": "remote_ssh", "host": answers.resources.host} if remote else {"type": "local"}


def _versioning(plan: Plan) -> dict[str, Any]:
    versioning = plan.versioning
    return {
        "strategy": versioning.strategy,
        "naming": versioning.naming,
        "retention": versioning.retention,
        "deploy_target": plan.deployment,
    }


def _listed(labels: Sequence[str], language: Language) -> str:
    """The labels as the instruction lists them, braces doubled so that they stay text; nothing where they are too many."""
    if not 0 < len(labels) <= LABELS_IN_PROMPT:
        return ""
    listed = ("、" if language == "zh-TW" else ", ").join(labels).replace("{", "{{").replace("}", "}}")
    return f"（{listed}）" if language == "zh-TW" else f" ({listed})"
