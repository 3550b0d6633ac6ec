"""What can be said of a disappointing score before anything of it has been seen: how little it tells, and what to look at first."""

from __future__ import annotations

from coach.first_sentence import FirstSentence
from coach.sentence import Sentence, sentence
from coach.statistics import wilson_interval

TEST_ROWS = 100  # of a test set as small as people often have


def first_trouble(said: FirstSentence) -> list[Sentence]:
    """Nothing for a sentence that tells of no trouble."""
    if said.road != "diagnose":
        return []
    looks = sentence("first_words.three_looks")
    if said.score is None:
        return [looks]
    span = wilson_interval(round(said.score * TEST_ROWS), TEST_ROWS)
    return [sentence("first_words.score_alone", score=said.score, rows=TEST_ROWS, low=span.low, high=span.high), looks]
