"""Rows as token ids for one tokenizer: prompts, answers, the label tokens a scorer may choose from, and what was cut.

Joins `render.py` (text) and a tokenizer; refuses to know models and devices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coach.errors import DataError
from coach.task_schema import TaskFile
from training.data.render import answer_segments, chat_prompt, labels_of, prompt_of
from training.data.rows import Row
from training.evaluation.label_trie import Branching, branchings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

AUTO_LIMIT_TOKENS = 1024
"""The longest row `max_seq_tokens: auto` keeps whole; longer ones are cut (counted, and said in a notice)."""

Labels = Mapping[str | None, str]


@dataclass(frozen=True)
class EncodedRow:
    """Token ids of one row: `prompt` [p], `answer` [a] with its ending."""

    prompt: list[int]
    answer: list[int]
    cut: bool

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.answer)


class RowEncoder:
    """Encodes rows of one task with one tokenizer. `max_tokens` bounds prompt and answer together."""

    def __init__(self, task: TaskFile, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> None:
        self.task = task
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.ending = self._ids(chat_prompt(tokenizer, "-")[1])
        self._label_ids = {
            target: [self._ids(_as_written(task, target, label)) for label in labels] for target, labels in task.targets.items()
        }
        self.longest_answer = max(len(self.answer_ids(self._longest_labels())), 1)

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _longest_labels(self) -> dict[str | None, str]:
        return {
            target: labels[max(range(len(labels)), key=lambda place: len(self._label_ids[target][place]))]
            for target, labels in self.task.targets.items()
        }

    def prompt_ids(self, values: Mapping[str, str]) -> tuple[list[int], bool]:
        """The prompt's ids and whether it was cut to leave room for the longest answer. Template text is never cut, values are."""
        room = self.max_tokens - self.longest_answer
        ids = self._prompt_ids(values)
        if len(ids) <= room:
            return ids, False
        values = dict(values)
        while len(ids) > room:
            name = max(values, key=lambda key: len(values[key]), default=None)
            if name is None or not values[name]:
                raise DataError("data.template_too_long", tokens=len(ids), room=room)
            kept = self._ids(values[name])[: -(len(ids) - room)]
            shorter = self.tokenizer.decode(kept) if kept else ""
            values[name] = shorter if len(shorter) < len(values[name]) else values[name][:-1]
            ids = self._prompt_ids(values)
        return ids, True

    def _prompt_ids(self, values: Mapping[str, str]) -> list[int]:
        before, _ = chat_prompt(self.tokenizer, prompt_of(self.task, values))
        has_marks = bool(getattr(self.tokenizer, "chat_template", None))
        return list(self.tokenizer(before, add_special_tokens=not has_marks)["input_ids"])

    def answer_ids(self, labels: Labels) -> list[int]:
        """The whole answer, its ending included: segment by segment, so that a label's tokens do not depend on its neighbours."""
        ids: list[int] = []
        for segment in answer_segments(self.task, labels):
            ids += self._ids(segment.text)
        return ids + self.ending

    def lead_ids(self, target: str | None, labels: Labels) -> list[int]:
        """What stands between the prompt and `target`'s label, earlier targets filled from `labels`."""
        ids: list[int] = []
        for segment in answer_segments(self.task, {name: labels.get(name, "") for name in self.task.targets}):
            if segment.is_label and segment.target == target:
                return ids
            ids += self._ids(segment.text)
        raise KeyError(target)

    def choices(self, target: str | None) -> list[Branching]:
        """The places of choice among `target`'s labels, in token ids. Raises DataError where two labels have the same tokens."""
        after = self._after(target)
        try:
            return branchings(self._label_ids[target], after)
        except ValueError as error:
            raise DataError("data.labels_same_tokens", labels=", ".join(self.task.targets[target])) from error

    def _after(self, target: str | None) -> int:
        blank = dict.fromkeys(self.task.targets, "")
        segments = answer_segments(self.task, blank)
        place = next(index for index, segment in enumerate(segments) if segment.is_label and segment.target == target)
        following = self._ids(segments[place + 1].text) if place + 1 < len(segments) else self.ending
        return following[0]

    def encode(self, row: Row) -> EncodedRow:
        prompt, cut = self.prompt_ids(row.input)
        return EncodedRow(prompt, self.answer_ids(labels_of(self.task, row)), cut)


def _as_written(task: TaskFile, target: str | None, label: str) -> str:
    labels = {name: (label if name == target else "") for name in task.targets}
    return next(part.text for part in answer_segments(task, labels) if part.is_label and part.target == target)


def longest_row_tokens(task: TaskFile, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row]) -> int:
    """Tokens of the longest prompt with room for the longest answer, whichever its own is: every prompt is asked with that room."""
    encoder = RowEncoder(task, tokenizer, max_tokens=10**9)
    return max((len(encoder.prompt_ids(row.input)[0]) for row in rows), default=1) + encoder.longest_answer


def choose_max_tokens(task: TaskFile, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row], context: int | None) -> int:
    """`max_seq_tokens`, or for `auto` the longest row up to AUTO_LIMIT_TOKENS; never beyond the model's context."""
    wanted = task.training.max_seq_tokens
    limit = min(longest_row_tokens(task, tokenizer, rows), AUTO_LIMIT_TOKENS) if wanted == "auto" else int(wanted)
    return min(limit, context) if context else limit


def training_columns(encoded: Sequence[EncodedRow], weights: Sequence[float] | None = None) -> dict[str, list[Any]]:
    """Columns for the trainer: `input_ids` [n][s], `labels` [n][s] (-100 over the prompt), `length` [n], `row_weight` [n] if given."""
    columns: dict[str, list[Any]] = {
        "input_ids": [row.prompt + row.answer for row in encoded],
        "labels": [[-100] * len(row.prompt) + row.answer for row in encoded],
        "length": [row.length for row in encoded],
    }
    if weights is not None:
        columns["row_weight"] = list(weights)
    return columns
