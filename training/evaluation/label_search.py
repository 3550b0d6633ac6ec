"""Best-first search for the likeliest label of each row, over the trie of allowed labels.

Pure: knows no model and no tokens. What a node says is put in, which node to ask next comes out. A node's log-probability is the sum
of the choices that led to it, each normalised over the allowed children only; a further choice can only lower it, so it bounds every
label behind the node, and a row is done once no open node stands above its best label. Until then that label may still be beaten.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.evaluation.label_trie import NOWHERE, Branching

ALWAYS_OPENED = 11
"""Choices beyond the first up to which all are opened and every label gets its score: a dozen labels never have more."""


class LabelSearch:
    """The search of several rows at once. Every label starts unscored; the first choice is to be told first, for all rows."""

    def __init__(self, rows: int, choices: Sequence[Branching]) -> None:
        self._choices = choices
        self._open_all = len(choices) - 1 <= ALWAYS_OPENED
        labels = max((max(choice.labels) for choice in choices), default=0) + 1
        self.log_probs: NDArray[np.float32] = np.full((rows, labels), np.nan if choices else 0.0, dtype=np.float32)
        self._open = np.full((rows, len(choices)), -np.inf, dtype=np.float32)
        if choices:
            self._open[:, 0] = 0.0

    def tell(self, rows: NDArray[np.int64], choice: int, log_probs: NDArray[np.float32]) -> None:
        """What the model gives the children of one choice, [rows, children]; closes the choice in those rows."""
        at = self._choices[choice]
        reached = self._open[rows, choice][:, None] + log_probs
        labels, further = np.array(at.labels), np.array(at.next_choices)
        ends = labels != NOWHERE
        self.log_probs[np.ix_(rows, labels[ends])] = reached[:, ends]
        self._open[np.ix_(rows, further[~ends])] = _lowest_for_nan(reached[:, ~ends])  # weights that are no numbers open nothing
        self._open[rows, choice] = -np.inf

    def wanted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(rows, choices): for each row that is not done, in order, the open choice with the highest bound."""
        if not self._choices:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        choices = self._open.argmax(axis=1)
        bound = self._open.max(axis=1)
        beaten = np.isfinite(bound) if self._open_all else bound > self._scored().max(axis=1)
        rows = np.flatnonzero(beaten)
        return rows, choices[rows]

    def best(self) -> NDArray[np.int64]:
        """The likeliest label of each row; the first where the model's answers are no numbers."""
        return self._scored().argmax(axis=1)

    def _scored(self) -> NDArray[np.float32]:
        return _lowest_for_nan(self.log_probs)


def _lowest_for_nan(log_probs: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(np.isnan(log_probs), np.float32(-np.inf), log_probs)
