"""The share of the baseline's errors that fine-tuning removes on a task not seen yet, from trainings on other corpora.

`python bench/gain_prior.py` prints the rows for coach/catalog/methods.yaml, of every kept case (forecast_cases.json).
"""

from __future__ import annotations

import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.corpora import CORPORA
from bench.forecast_cases import KEPT, seen_gain_of
from coach.gain import SeenGain
from coach.text_kind import TextKind

Gains = Mapping[str, list[SeenGain]]  # by corpus
NOT_ENGLISH = False  # of texts in another language both corpora are about feeling


def kind_of(corpus: str) -> TextKind:
    """As the coach tells kinds apart; what is not English stays together."""
    english = CORPORA[corpus].language == "en"
    return TextKind(english, CORPORA[corpus].is_feeling if english else NOT_ENGLISH)


def gains_of(cases: Iterable[dict[str, Any]]) -> dict[str, list[SeenGain]]:
    found = defaultdict(list)
    for one in cases:
        found[one["case"]["corpus"]].append(seen_gain_of(one))
    return dict(found)


def prior(gains: Gains, kind: TextKind) -> tuple[float, float]:
    """Mean and deviation of a share on a new corpus of `kind`: the mean of its corpora's means, and a deviation as large, beside the
    errors that remain, as all kinds together have it. Raises ValueError where no corpus is of that kind.
    """
    kinds: dict[TextKind, list[str]] = defaultdict(list)
    for corpus in gains:
        kinds[kind_of(corpus)].append(corpus)
    if not kinds[kind]:
        raise ValueError(f"no corpus like {kind}")
    left = {each: 1 - _mean_of_means(gains, corpora) for each, corpora in kinds.items()}
    relative = [[_beside(gains[corpus], left[each]) for corpus in corpora] for each, corpora in kinds.items()]
    return 1 - left[kind], left[kind] * _spread(relative, len(kinds[kind]))


@dataclass(frozen=True)
class _Relative:
    """The errors that remained in each training of a corpus, over what its kind has on average; `noise`: the variance that test rows
    and luck account for, which a forecast counts by itself.
    """

    values: list[float]
    noise: float

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)


def _beside(found: list[SeenGain], left: float) -> _Relative:
    return _Relative([(1 - one.share) / left for one in found], statistics.fmean((one.error / left) ** 2 for one in found))


def _spread(kinds: list[list[_Relative]], corpora: int) -> float:
    """How far a training on a corpus beside `corpora` of its kind lies off: corpora from their kind, trainings from their corpus.

    By components of variance (one-way analysis of variance): a corpus's mean varies with its few trainings too, which is no difference
    between corpora; it counts once, in the mean of the kind.
    """
    every = [one for corpora_of in kinds for one in corpora_of]
    trainings = _pooled_variance([one.values for one in every])
    of_a_mean = trainings * statistics.fmean(1 / len(one.values) for one in every)
    across = max(0.0, _pooled_variance([[one.mean for one in corpora_of] for corpora_of in kinds]) - of_a_mean)
    within = max(0.0, trainings - statistics.fmean(one.noise for one in every))
    return math.sqrt(across * (1 + 1 / corpora) + of_a_mean / corpora + within)


def _pooled_variance(groups: Iterable[list[float]]) -> float:
    several = [group for group in groups if len(group) > 1]
    return sum((len(group) - 1) * statistics.variance(group) for group in several) / sum(len(group) - 1 for group in several)


def _mean_of_means(gains: Gains, corpora: list[str]) -> float:
    return statistics.fmean(statistics.fmean(one.share for one in gains[corpus]) for corpus in corpora)


def main() -> None:
    gains = gains_of(KEPT.all().values())
    for kind in dict.fromkeys(map(kind_of, gains)):
        mean, deviation = prior(gains, kind)
        of_kind = {corpus: [one.share for one in found] for corpus, found in gains.items() if kind_of(corpus) == kind}
        corpora = {corpus: (round(statistics.fmean(found), 2), len(found)) for corpus, found in of_kind.items()}
        print(kind, f"mean {mean:.2f} deviation {deviation:.2f}", corpora)


if __name__ == "__main__":
    main()
