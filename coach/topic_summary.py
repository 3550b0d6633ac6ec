"""What the coach has heard of one topic, said back before the next one: an answer a clause, and how many are only assumed.

Owns the order and what is left out; the words are the catalogue's (`interview.heard`), those of options the questions' own.
"""

from __future__ import annotations

from coach.answers import Answers
from coach.interview import Answer, Question, Topic, answer_of, load_questions
from coach.interview_progress import asked_questions
from coach.sentence import Localized, Sentence, Value, sentence

HEARD = frozenset({
    "business.problem", "business.current_solution", "business.dissatisfaction", "business.priority", "business.deadline_weeks",
    "task.type", "task.domain", "task.language", "task.input", "task.output", "task.labels",
    "resources.labelled_rows", "resources.more_data", "resources.class_balance", "resources.preference_pairs", "resources.gpu",
    "resources.gpu_name", "resources.vram_gb", "success.primary_metric", "success.threshold", "success.baseline_name",
    "success.baseline_score", "success.needs_explanation", "versioning.iterations", "versioning.deploy_target", "versioning.retention",
    "versioning.strategy", "needs.light_deployment", "needs.reasoning", "needs.tooling", "needs.alignment", "needs.max_latency_ms",
})  # fmt: skip
MOST_LETTERS = 60  # of an answer said back: it stands in full above
SHOWN_LABELS = 6


def heard(answers: Answers, topic: Topic) -> list[Sentence]:
    """A clause for each answer of the topic, in the order of its questions; nothing for a wish that was denied."""
    asked = [question for question in asked_questions(answers, topic) if question.key in HEARD]
    said = [(question, answer_of(question.key, answers)) for question in asked]
    return [
        Sentence(f"interview.heard.{question.key}", {"value": _value(question, value)})
        for question, value in said
        if _is_said(value)
    ]


def topic_summary(answers: Answers, topic: Topic) -> list[Sentence]:
    """What was heard in one sentence, then how much of it is assumed; empty where nothing was said."""
    clauses = heard(answers, topic)
    if not clauses:
        return []
    keys = {question.key for question in load_questions() if question.topic == topic}
    assumed = sum(key in keys and _is_said(answer_of(key, answers)) for key in answers.assumed)
    said = [sentence("interview.heard_so_far", clauses=clauses)]
    return [*said, *([sentence("interview.heard_assumed", count=assumed)] if assumed else [])]


def _is_said(value: Answer) -> bool:
    return value is not None and value is not False and value != "" and value != []


def _value(question: Question, value: Answer) -> Value:
    if isinstance(value, list):
        shown = value[:SHOWN_LABELS]
        return [*shown, "…"] if len(value) > len(shown) else shown
    if question.options and isinstance(value, str) and value in question.options:
        return Localized(question.options[value])
    if isinstance(value, str):
        line = " ".join(value.split())
        return line if len(line) <= MOST_LETTERS else line[:MOST_LETTERS] + "…"
    return f"{value:g}" if isinstance(value, float) else value
