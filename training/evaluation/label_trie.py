"""The allowed labels as a trie of tokens: where the model has a choice, and where each choice leads.

Pure; knows no model. A node matters only where it branches: along a chain of single children the probability within the allowed
labels is 1, so nothing has to be computed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NOWHERE = -1


@dataclass(frozen=True)
class Branching:
    """A place of choice: `path` is the token ids from the answer's start, `children` the allowed next ids.

    Child i leads either to one label, whose index is `labels[i]`, or to a further choice, whose place in the list of all branchings
    is `next_choices[i]`; the other of the two is NOWHERE.
    """

    path: tuple[int, ...]
    children: tuple[int, ...]
    labels: tuple[int, ...]
    next_choices: tuple[int, ...]


def branchings(labels: Sequence[Sequence[int]], end: int) -> list[Branching]:
    """Every branching node, the root first, then by depth; none for a single label.

    `labels` are token ids, one sequence a label; `end` is the id that follows a label (closing quote, end of text), so that a label
    that is another's prefix is told apart from it. Raises ValueError where two labels have the same tokens.
    """
    sequences = [(*label, end) for label in labels]
    if len(set(sequences)) != len(sequences):
        raise ValueError("two labels have the same tokens")
    nodes: dict[tuple[int, ...], dict[int, list[int]]] = {}
    for index, sequence in enumerate(sequences):
        for depth, token in enumerate(sequence):
            nodes.setdefault(sequence[:depth], {}).setdefault(token, []).append(index)
    choices = [path for path in sorted(nodes, key=len) if len(nodes[path]) > 1]
    place = {path: index for index, path in enumerate(choices)}
    found = []
    for path in choices:
        ends = [_end(sequences[passing[0]], len(path) + 1, len(passing), place) for passing in nodes[path].values()]
        alone = [passing[0] if end == NOWHERE else NOWHERE for passing, end in zip(nodes[path].values(), ends, strict=True)]
        found.append(Branching(path, tuple(nodes[path]), tuple(alone), tuple(ends)))
    return found


def _end(sequence: tuple[int, ...], depth: int, passing: int, place: dict[tuple[int, ...], int]) -> int:
    """The first choice from `depth` on along `sequence`, which `passing` labels share up to there; NOWHERE for a label alone."""
    if passing == 1:
        return NOWHERE
    while sequence[:depth] not in place:
        depth += 1
    return place[sequence[:depth]]
