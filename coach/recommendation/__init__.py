"""From answers to a plan: explicit rules by topic, each with its reason and source.

`recommend` asks them in order. Pure: the same answers, facts and machine give the same plan. Numbers live in catalog/*.yaml,
sentences in catalog/text/; raise RULES_VERSION whenever a plan changes.
"""

from __future__ import annotations

from coach.answers import Answers
from coach.forecast import forecast
from coach.hardware import Hardware
from coach.plan import Plan
from coach.recommendation.alternatives import alternatives
from coach.recommendation.base_model import choose_base_model
from coach.recommendation.cautions import cautions
from coach.recommendation.data import choose_data
from coach.recommendation.deployment import choose_deployment
from coach.recommendation.draft import Draft, estimate_of
from coach.recommendation.headline import headline
from coach.recommendation.hyperparameters import choose_numbers
from coach.recommendation.method import choose_method
from coach.recommendation.versioning import choose_versioning
from coach.situation import DataFacts, Situation, situation_of

__all__ = ["RULES_VERSION", "DataFacts", "Situation", "recommend", "situation_of"]

RULES_VERSION = "2026-11-28"


def recommend(answers: Answers, evidence: DataFacts | None = None, hardware: Hardware | None = None) -> Plan:
    """The plan for `answers`. `evidence`: what the data file showed; `hardware`: this machine, which the answers may overrule."""
    situation = situation_of(answers, evidence, hardware or Hardware())
    stages, reasons = choose_method(situation)
    methods = [stage.method for stage in stages]
    trains = any(method not in ("prompt", "baseline") for method in methods)
    choice = choose_base_model(situation, trains=trains)
    numbers, number_reasons = choose_numbers(situation, choice.model, choice.peft) if trains else (None, [])
    data = choose_data(situation, trains=trains)
    versioning, version_reasons = choose_versioning(situation)
    deployment, deployment_reasons = choose_deployment(situation)
    draft = Draft(
        situation=situation,
        stages=stages,
        model=choice.model,
        peft=choice.peft,
        numbers=numbers,
        data=data,
        forecast=forecast(situation, methods, choice.model),
        estimate=estimate_of(situation, methods, choice.model, choice.peft, numbers, data),
    )
    return Plan(
        stages=stages,
        peft=choice.peft,
        base_model=choice.model.id,
        lora=numbers.lora if numbers else None,
        learning_rate=numbers.learning_rate if numbers else None,
        epochs=numbers.epochs if numbers else None,
        batch_size=numbers.batch_size if numbers else None,
        balance=data.balance,
        augmentation=data.augmentation,
        versioning=versioning,
        deployment=deployment,
        reasons=(*reasons, *choice.reasons, *number_reasons, *data.reasons, *version_reasons, *deployment_reasons),
        alternatives=tuple(alternatives(draft)),
        warnings=tuple(cautions(draft)),
        forecast=draft.forecast,
        estimate=draft.estimate,
        headline=headline(draft),
        rules_version=RULES_VERSION,
    )
