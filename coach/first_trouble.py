"""What can be said of a disappointing score before anything of it has been seen: how little it tells, and what to look at first.

And, once figures are there, that they come to another score than the one that was said.
"""

from __future__ import annotations

import re

from coach.first_sentence import FirstSentence
from coach.metric_words import metric_words
from coach.sentence import Sentence, sentence
from coach.statistics import wilson_interval
from coach.task_schema import CLASSIFICATION_METRICS
from coach.verdict import Verdict

TEST_ROWS = 100  # of a test set as small as people often have
SAME_SCORE = 0.005  # as people round
_TEST_ROWS_SAID = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,7})\s*(?:筆|則|條|句)?\s*(?:的)?\s*(?:測試|test\b)", re.IGNORECASE)


def first_trouble(said: FirstSentence) -> list[Sentence]:
    """Nothing for a sentence that tells of no trouble, or of a task that has no classes."""
    has_classes = said.known.get("task.type") in (None, "classification") and said.metric in (None, *CLASSIFICATION_METRICS)
    if said.road != "diagnose" or not has_classes:
        return []
    looks = sentence("first_words.three_looks")
    if said.score is None:
        return [looks]
    tested = _TEST_ROWS_SAID.search(said.text)
    named = int(tested[1].replace(",", "")) if tested else 0
    rows, key = (named, "score_alone_here") if named else (TEST_ROWS, "score_alone")
    span = wilson_interval(round(said.score * rows), rows)
    alone = sentence(f"first_words.{key}", score=f"{100 * said.score:.4g}%", rows=rows, low=span.low, high=span.high)
    return [alone, looks]


def another_score(verdict: Verdict, said: float | None) -> Sentence | None:
    """Where the figures come to another score than the one `said`."""
    if said is None or abs(verdict.value - said) <= SAME_SCORE:
        return None
    return sentence("first_words.another_score", said=said, value=verdict.value, metric=metric_words(verdict.metric))
