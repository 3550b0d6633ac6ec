"""The allowed labels as a trie of tokens: where the model has a choice, and which labels each choice leads to.

Pure; knows no model. A node matters only where it branches: along a chain of single children the probability within the allowed
labels is 1, so nothing has to be computed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Branching:
    """A place of choice: `path` is the token ids from the answer's start, `children` the allowed next ids.

    `choice_of[i]` is the index of the child that label i takes here, or -1 where label i does not pass.
    """

    path: tuple[int, ...]
    children: tuple[int, ...]
    choice_of: tuple[int, ...]


def branchings(labels: Sequence[Sequence[int]], end: int) -> list[Branching]:
    """Every branching node, the root first, then by depth.

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
    found = []
    for path in sorted(nodes, key=len):
        children = nodes[path]
        if len(children) < 2:
            continue
        choice = [-1] * len(sequences)
        for position, passing in enumerate(children.values()):
            for index in passing:
                choice[index] = position
        found.append(Branching(path, tuple(children), tuple(choice)))
    return found
