"""How versions are named and how many are kept: the specification's strategy table and its table of deployment targets."""

from __future__ import annotations

from collections.abc import Callable

from coach.plan import Advice, VersionPlan
from coach.sentence import Data, Sentence, sentence
from coach.situation import Situation
from coach.task_schema import DeployTarget, VersionStrategy

NAMING: dict[VersionStrategy, str] = {"semantic": "{task}-v{n}", "date": "{task}-{date}", "hybrid": "{task}-{version}"}
FITTING: dict[DeployTarget, VersionStrategy] = {
    "huggingface": "semantic",
    "ollama": "semantic",
    "api": "date",
    "local": "semantic",
}
DEFAULT_RETENTION = 3  # the specification's example
StrategyRule = Callable[[Situation], tuple[VersionStrategy, Advice] | None]


def choose_versioning(s: Situation) -> tuple[VersionPlan, list[Advice]]:
    """Strategy, pattern of names and number of versions kept, with reasons."""
    strategy, advice = next(found for rule in STRATEGY_RULES if (found := rule(s)) is not None)
    retention = s.answers.versioning.retention or DEFAULT_RETENTION
    what = sentence("advice.versioning.retention_what", count=retention)
    kept = "retention_as_said" if s.answers.versioning.retention else "retention"
    keeps = Advice(
        "versioning", f"versioning.{kept}", what, sentence(f"advice.versioning.{kept}", count=retention), "specification"
    )
    return VersionPlan(strategy, NAMING[strategy], retention), [advice, keeps]


def as_said(s: Situation) -> tuple[VersionStrategy, Advice] | None:
    """The person's own choice; where the table of targets has another, that is said."""
    said = s.answers.versioning.strategy
    if said is None:
        return None
    target = s.answers.versioning.deploy_target
    differs = target is not None and FITTING[target] != said and said != "hybrid"
    data: Data = {
        "strategy": sentence(f"advice.versioning.name.{said}"),
        "target": sentence(f"advice.deployment.name.{target or 'local'}"),
        "fitting": sentence(f"advice.versioning.name.{FITTING[target or 'local']}"),
    }
    return _chosen(said, "as_said_though" if differs else "as_said", data)


def api_service(s: Situation) -> tuple[VersionStrategy, Advice] | None:
    """An API that is retrained as data comes in: names with a date."""
    return _chosen("date", "api_service") if s.answers.versioning.deploy_target == "api" else None


def regular_retraining(s: Situation) -> tuple[VersionStrategy, Advice] | None:
    """Data keep coming and many versions follow: order and time both count, hence hybrid names."""
    said = s.answers
    if (
        said.resources.more_data != "continuous"
        or said.versioning.iterations != "many"
        or said.versioning.deploy_target not in (None, "local")
    ):
        return None
    return _chosen("hybrid", "regular_retraining")


def semantic(s: Situation) -> tuple[VersionStrategy, Advice]:
    """The specification's recommendation: v1, v2, v2.1."""
    said = s.answers.versioning.iterations
    is_said = said is not None and "versioning.iterations" not in s.answers.assumed
    return _chosen("semantic", "semantic_once" if said == "once" else "semantic" if is_said else "semantic_assumed")


STRATEGY_RULES: tuple[StrategyRule, ...] = (as_said, api_service, regular_retraining, semantic)


def _chosen(strategy: VersionStrategy, rule: str, data: Data | None = None) -> tuple[VersionStrategy, Advice]:
    what = sentence("advice.versioning.what", strategy=sentence(f"advice.versioning.name.{strategy}"))
    return strategy, Advice(
        "versioning", f"versioning.{rule}", what, Sentence(f"advice.versioning.{rule}", dict(data or {})), "specification"
    )
