"""Which spellings are one label: spaces, also between Chinese characters, case and full-width forms do not make a new class.

Owns that one rule, for the audit that reports variants and the build that merges them into the declared label.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from training.data.row_ids import same_text

_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")


def canonical_labels(counts: Mapping[str, int], allowed: Sequence[str] | None) -> dict[str, str | None]:
    """Each written label to the label it stands for: the declared one of that spelling, or None where none is.

    Without declared labels the spelling used most often stands for its variants. Declared labels that differ only by case or
    spaces are told apart exactly.
    """
    if allowed is not None:
        by_form = Counter(_form(label) for label in allowed)
        declared = {_form(label): label for label in allowed if by_form[_form(label)] == 1}
        return {label: label if label in allowed else declared.get(_form(label)) for label in counts}
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for label, count in counts.items():
        spellings[_form(label)][label.strip()] += count
    return {label: spellings[_form(label)].most_common(1)[0][0] for label in counts}


def _form(label: str) -> str:
    """What all spellings of a label have in common: 「物 流」 is 「物流」."""
    return _BETWEEN_HAN.sub("", same_text(label))
