"""What can be said of a disappointing score before anything of it has been seen: how little it tells, and what to look at first."""

from __future__ import annotations

from coach.first_sentence import FirstSentence
from coach.sentence import Sentence, sentence
from coach.statistics import wilson_interval
from coach.task_schema import CLASSIFICATION_METRICS

TEST_ROWS = 100  # of a test set as small as people often have


def first_trouble(said: FirstSentence) -> list[Sentence]:
    """Nothing for a sentence that tells of no trouble, or of a task that has no classes."""
    has_classes = said.known.get("task.type") in (None, "classification") and said.metric in (None, *CLASSIFICATION_METRICS)
    if said.road != "diagnose" or not has_classes:
        return []
    looks = sentence("first_words.three_looks")
    if said.score is None:
        return [looks]
    span = wilson_interval(round(said.score * TEST_ROWS), TEST_ROWS)
    return [
        sentence("first_words.score_alone", score=f"{100 * said.score:.4g}%", rows=TEST_ROWS, low=span.low, high=span.high),
        looks,
    ]
