"""From a row to what the model reads and writes: prompt text, answer text, and which part of the answer is the label.

Owns the rule that makes training, scoring and predicting agree: an answer is a sequence of segments (fixed text, label, fixed text …),
each tokenised on its own, so that a label has the same tokens wherever it stands. Refuses to know models; `tokens.py` joins the two.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coach.task_schema import TaskFile
from training.data.rows import Output, Row


@dataclass(frozen=True)
class Segment:
    """A piece of an answer: fixed text (`target` unset), or the label of one target."""

    text: str
    target: str | None = None
    is_label: bool = False


def prompt_of(task: TaskFile, values: Mapping[str, str]) -> str:
    """The input template with a row's values; values are put in as they are, braces inside them included."""
    parts: list[str] = []
    for literal, name, _, _ in string.Formatter().parse(task.input_template):
        parts += [literal, "" if name is None else str(values.get(name, ""))]
    return "".join(parts).rstrip("\n")


def answer_segments(task: TaskFile, labels: Mapping[str | None, str]) -> list[Segment]:
    """The answer for `labels` (target to label): one label, or the JSON object in the schema's order with labels marked."""
    if task.output_format.type == "text":
        return [Segment(labels[None], None, is_label=True)]
    segments: list[Segment] = []
    opening = "{"
    for name in task.output_format.properties or {}:
        segments.append(Segment(f'{opening}{json.dumps(name, ensure_ascii=False)}: "'))
        segments.append(Segment(json.dumps(labels[name], ensure_ascii=False)[1:-1], name, is_label=True))
        opening = '", '
    segments.append(Segment('"}'))
    return segments


def labels_of(task: TaskFile, row: Row) -> dict[str | None, str]:
    """The row's labels by target: `{None: "正面"}` for text, `{"sentiment": "正面"}` for JSON."""
    return labels_of_output(task, row.output)


def labels_of_output(task: TaskFile, output: Output) -> dict[str | None, str]:
    if isinstance(output, str):
        return dict.fromkeys(task.targets, output)
    return {target: str(output[target]) for target in task.targets if target is not None}


def output_of(task: TaskFile, labels: Mapping[str | None, str]) -> Output:
    """The other way round: what a prediction with these labels is, in the task's output format."""
    if task.output_format.type == "text":
        return labels[None]
    return {name: labels[name] for name in task.output_format.properties or {}}


def parse_answer(task: TaskFile, raw: str) -> Output | None:
    """What a freely decoded answer says, or None where it stands outside the format (no JSON, unknown key, unknown label)."""
    text = raw.strip()
    if task.output_format.type == "text":
        return text if text in task.targets[None] else None
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    if not isinstance(answer, dict) or set(answer) != set(task.targets):
        return None
    known = all(answer[name] in labels for name, labels in task.targets.items() if name is not None)
    return answer if known else None


def chat_prompt(tokenizer: object, prompt: str) -> tuple[str, str]:
    """(what stands before the answer, what ends it) as this tokenizer's model was taught.

    A model with a chat template gets its own turn marks, thinking off; a base model gets the prompt as it is, and its end-of-text token.
    """
    if not getattr(tokenizer, "chat_template", None):
        return prompt, tokenizer.eos_token  # type: ignore[attr-defined]
    turns: Sequence[dict[str, str]] = [{"role": "user", "content": prompt}]
    apply = tokenizer.apply_chat_template  # type: ignore[attr-defined]
    before = apply(turns, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    mark = "\u2402answer\u2403"
    whole = apply([*turns, {"role": "assistant", "content": mark}], tokenize=False, enable_thinking=False)
    ending = whole.split(mark, 1)[1]
    return before, ending.rstrip("\n") or tokenizer.eos_token  # type: ignore[attr-defined]
