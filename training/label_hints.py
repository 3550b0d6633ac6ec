"""What people's answers tell of the labels a file should hold. Owns which of their answers count; reads no file."""

from __future__ import annotations

from coach.answer_edits import LABELS_KEY
from coach.answers import Answers
from coach.interview import answer_of

_WORDS = ("title", "business.problem", "task.output", "task.example.output")


def said_labels(answers: Answers) -> tuple[str, ...] | None:
    """The labels people have named; those that the file has given do not judge the file."""
    return tuple(answers.task.labels) if answers.task.labels and LABELS_KEY not in answers.from_file else None


def said_words(answers: Answers) -> str:
    """People's own words about the task, in which labels may stand."""
    return "\n".join(str(word) for key in _WORDS if (word := answer_of(key, answers)))
