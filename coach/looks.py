"""How often one set of test rows has judged: each finished version is a look, and the best of several looks is partly luck.

Counts documents that are there. What a score is worth by itself is `verdict.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from coach.history import Entry
from coach.sentence import Sentence, sentence
from coach.statistics import normal_quantile

WORTH_A_WORD = 3  # judgement: with two versions the comparison itself says how sure it is
_TWO_SIDED_95 = 2 * 1.96


def looks_at(entries: Sequence[Entry], focus: Entry) -> int:
    """How many finished versions were judged by the very test rows that judged `focus`."""
    return sum(entry.finished and entry.test_hash == focus.test_hash for entry in entries) if focus.test_hash else 0


def looked_often(entries: Sequence[Entry], focus: Entry) -> Sentence | None:
    """What to know once these test rows have been looked at WORTH_A_WORD times; None before.

    The highest of k equally good versions lies above their level by about Φ⁻¹((k − .375) ÷ (k + .25)) standard errors on average (Blom
    1958) where they err independently; versions judged by the same rows err together, and less comes of it.
    """
    count, verdict = looks_at(entries, focus), focus.verdict
    if count < WORTH_A_WORD or verdict is None:
        return None
    if verdict.low is None or verdict.high is None:
        return sentence("looks.often", count=count)
    error = (verdict.high - verdict.low) / _TWO_SIDED_95
    luck = error * normal_quantile((count - 0.375) / (count + 0.25))
    return sentence("looks.often_by_luck", count=count, luck=luck)
