"""Where the model goes, and what its versions are called there: the specification's table of deployment targets."""

from __future__ import annotations

from coach.plan import Advice
from coach.sentence import sentence
from coach.situation import Situation
from coach.task_schema import DeployTarget

DEFAULT_TARGET: DeployTarget = "local"


def choose_deployment(s: Situation) -> tuple[DeployTarget, list[Advice]]:
    """The target said, or local; with how the specification names versions there."""
    target = s.answers.versioning.deploy_target or DEFAULT_TARGET
    name = s.answers.task.name or "task"
    rule = f"deployment.{target}" if s.answers.versioning.deploy_target else "deployment.unsaid"
    what = sentence(f"advice.deployment.name.{target}")
    return target, [Advice("deployment", rule, what, sentence(f"advice.{rule}", task=name), "specification")]
