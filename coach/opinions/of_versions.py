"""What to think of other names for versions, of how many are kept, and of where the model goes."""

from __future__ import annotations

from collections.abc import Iterator

from coach.opinions.trial import Level, Opinion, Trial
from coach.recommendation.versioning import FITTING
from coach.sentence import Sentence, sentence

MANY_VERSIONS = 10  # judgement: adapters are small, merged models are not


def of_strategy(trial: Trial) -> Iterator[Opinion]:
    target, strategy = trial.wanted.deployment, trial.wanted.strategy
    if FITTING[target] != strategy and strategy != "hybrid":
        where = sentence(f"advice.deployment.name.{target}")
        yield Opinion("cost", sentence("opinion.strategy.unfit", target=where, fitting=_named(FITTING[target])), "specification")
    yield Opinion("cost" if strategy == "date" else "fine", sentence(f"opinion.strategy.{strategy}"), "specification")


def of_retention(trial: Trial) -> Iterator[Opinion]:
    count = trial.wanted.retention
    key = "one" if count == 1 else "many" if count > MANY_VERSIONS else "usual"
    level: Level = "risk" if count == 1 else "cost" if key == "many" else "fine"
    yield Opinion(level, sentence(f"opinion.retention.{key}", count=count), "specification")


def of_deployment(trial: Trial) -> Iterator[Opinion]:
    target, strategy = trial.wanted.deployment, trial.wanted.strategy
    if FITTING[target] != strategy and strategy != "hybrid":
        said = sentence("opinion.deployment.unfit", strategy=_named(strategy), fitting=_named(FITTING[target]))
        yield Opinion("cost", said, "specification")
    else:
        yield Opinion("fine", sentence("opinion.deployment.fits"), "specification")


def _named(strategy: str) -> Sentence:
    return sentence(f"advice.versioning.name.{strategy}")
