"""Whether two plans are one, and in which choices another differs. Pure."""

from __future__ import annotations

from typing import Any

from coach.decision_path import methods_in_order
from coach.plan import Plan
from coach.sentence import Sentence, sentence

Signature = tuple[Any, ...]
BASELINE_RULE = "method.baseline_is_enough"  # its reason is said with it: a simpler method for more rows would be a riddle


def signature_of(plan: Plan) -> Signature:
    """What counts as another plan: methods, model, way of training, balance, names. Numbers that follow from these do not."""
    methods = tuple(stage.method for stage in plan.stages)
    return methods, plan.base_model, plan.peft, plan.balance, plan.versioning.strategy


def what_is_new(former: Plan, other: Plan) -> Sentence:
    """The choices of `other` that differ, in words."""
    parts: list[Sentence] = []
    if [stage.method for stage in former.stages] != [stage.method for stage in other.stages]:
        methods = methods_in_order([stage.method for stage in other.stages])
        enough = any(reason.rule == BASELINE_RULE for reason in other.reasons)
        parts.append(sentence("what_if.new.baseline_enough", methods=methods) if enough else methods)
    if former.base_model != other.base_model and other.trains:
        parts.append(sentence("what_if.new.base_model", model=other.base_model))
    if former.peft != other.peft and former.trains and other.trains:
        parts.append(sentence(f"advice.peft.{other.peft}"))
    if former.balance != other.balance and former.trains and other.trains:
        parts.append(sentence(f"advice.balance.{other.balance}"))
    if former.versioning.strategy != other.versioning.strategy:
        parts.append(sentence("what_if.new.strategy", strategy=sentence(f"advice.versioning.name.{other.versioning.strategy}")))
    return Sentence("what_if.becomes", {"parts": parts or [sentence("what_if.new.base_model", model=other.base_model)]})
