"""What the coach thinks of a choice made otherwise: fine, at a cost, a risk, or not to be run yet; each with its source.

Judges one value beside the other choices as they stand. Uses the remarks on task.yaml (`task_comments.py`), what is built
(`task_check.py`) and the estimates; never changes anything.
"""

from __future__ import annotations

from dataclasses import replace

from coach.choices import OF_TRAINING, STRUCTURE, Choice, ChoiceValue, Settings, advised_settings, same
from coach.opinions.of_the_model import of_base_model, of_method, of_peft
from coach.opinions.of_the_numbers import of_balance, of_batch_size, of_epochs, of_learning_rate, of_lora_alpha, of_lora_r
from coach.opinions.of_versions import of_deployment, of_retention, of_strategy
from coach.opinions.trial import LEVELS, Judge, Level, Opinion, Trial
from coach.plan import Plan
from coach.sentence import sentence
from coach.situation import Situation

__all__ = ["LEVELS", "Level", "Opinion", "opinion"]

MOST_SENTENCES = 2
JUDGES: dict[Choice, Judge] = {
    "method": of_method,
    "base_model": of_base_model,
    "peft": of_peft,
    "lora_r": of_lora_r,
    "lora_alpha": of_lora_alpha,
    "learning_rate": of_learning_rate,
    "epochs": of_epochs,
    "batch_size": of_batch_size,
    "balance": of_balance,
    "strategy": of_strategy,
    "retention": of_retention,
    "deployment": of_deployment,
}


def opinion(plan: Plan, choice: Choice, value: ChoiceValue, situation: Situation, beside: Settings | None = None) -> Opinion:
    """What the coach thinks of `value`, beside the other choices (the plan's own, unless others are given).

    The gravest that can be said decides the level; at most two sentences are said, the gravest first.
    """
    others = beside or advised_settings(plan, situation)
    if choice in OF_TRAINING and not others.trains:  # judged as it would act once something is trained
        others = replace(others, method="sft")
    wanted = others.with_values({choice: value})
    advised = advised_settings(plan, situation, {name: wanted.value(name) for name in STRUCTURE})
    trial = Trial(plan, situation, advised_settings(plan, situation) if choice in STRUCTURE else advised, wanted)
    found = sorted(JUDGES[choice](trial), key=lambda said: -LEVELS.index(said.level))[:MOST_SENTENCES]
    if same(value, trial.advised.value(choice)) and not any(said.level == "not_yet" for said in found):
        return Opinion("fine", sentence("opinion.as_advised"))
    if not found:
        return Opinion("fine", sentence("opinion.fine", value=str(value)), "our-practice")
    if len(found) == 1:
        return found[0]
    both = sentence("opinion.joined", first=found[0].said, second=found[1].said)
    return Opinion(found[0].level, both, found[0].source or found[1].source)
