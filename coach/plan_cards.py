"""The plan laid out for a reader: three numbers, then a card for each choice with the reasons that led to it.

Owns which choices stand together and which reasons belong to them. Drawing is the page's.
"""

from __future__ import annotations

from dataclasses import dataclass

from coach.advised import Advised
from coach.choices import Choice, ChoiceValue
from coach.decision_path import methods_in_order
from coach.figures import NOTHING, Figure
from coach.metric_words import metric_words
from coach.plan import Advice
from coach.recommendation.hyperparameters import short_rate
from coach.reference_data import method_row
from coach.sentence import Sentence, sentence
from coach.task_schema import Method
from coach.text import Language

MINUTES_IN_AN_HOUR = 60
_CARDS: tuple[
    tuple[str, tuple[Choice, ...], tuple[str, ...]], ...
] = (  # name, choices, beginnings of the rules that explain them
    ("method", ("method",), ("method.",)),
    ("base_model", ("base_model", "peft"), ("base_model.",)),
    ("lora", ("lora_r", "lora_alpha"), ("hyperparameters.rank", "hyperparameters.no_lora")),
    ("learning_rate", ("learning_rate",), ("hyperparameters.learning_rate",)),
    ("epochs", ("epochs",), ("hyperparameters.epochs",)),
    ("batch_size", ("batch_size",), ("hyperparameters.batch",)),
    ("data", ("balance",), ("data.",)),
    ("versioning", ("strategy", "retention"), ("versioning.",)),
    ("deployment", ("deployment",), ("deployment.",)),
)


@dataclass(frozen=True)
class Card:
    """`choices` are those that matter here; `reasons` begin with the one that decided."""

    name: str
    choices: tuple[Choice, ...]
    reasons: tuple[Advice, ...]


def cards(advised: Advised) -> list[Card]:
    """A card for each choice there is; cards of numbers only where something is trained."""
    found = []
    for name, choices, beginnings in _CARDS:
        mattering = tuple(choice for choice in choices if advised.chosen.matters(choice, trains=advised.trains))
        reasons = tuple(advice for advice in advised.reasons if advice.rule.startswith(beginnings))
        if mattering:
            found.append(Card(name, mattering, reasons))
    return found


def figures(advised: Advised, language: Language) -> tuple[Figure, Figure, Figure]:
    """The forecast against the target, the time, the memory: of what was chosen."""
    return _score(advised), _time(advised, language), _memory(advised, language)


def chosen_sentence(advised: Advised, choice: Choice) -> Sentence:
    """What stands in the folder; of several methods that follow each other, all of them."""
    methods = [stage.method for stage in advised.plan.stages]
    if choice == "method" and len(methods) > 1 and advised.chosen.method == methods[0]:
        return sentence("advice.method.two_versions") if methods == ["baseline", "sft"] else methods_in_order(methods)
    return value_sentence(choice, advised.chosen.value(choice))


def value_sentence(choice: Choice, value: ChoiceValue) -> Sentence:
    """A choice's value as a reader sees it: a method by its name, a rate as people write it."""
    if choice == "method":
        method: Method = value  # type: ignore[assignment]
        return sentence("advice.method.name", name=method_row(method).name)
    if choice in ("peft", "balance"):
        return sentence(f"advice.{choice}.{value}")
    if choice in ("strategy", "deployment"):
        return sentence(f"advice.{'versioning' if choice == 'strategy' else 'deployment'}.name.{value}")
    shown = short_rate(float(value)) if choice == "learning_rate" else f"{value:g}" if isinstance(value, float) else str(value)
    return sentence("advice.plain", said=shown)


def _score(advised: Advised) -> Figure:
    found, target = advised.forecast, advised.answers.success.threshold
    label = sentence("ui.recommend.figure.score", metric=metric_words(found.metric))
    if found.expected is None:
        note = (
            sentence("ui.recommend.figure.no_forecast")
            if target is None
            else sentence("ui.recommend.figure.only_target", target=target)
        )
        return Figure(label, NOTHING, note)
    span = sentence("ui.recommend.figure.range", low=found.low, high=found.high)
    key = "range_and_target" if target is not None else "range_without_target"
    note = sentence(f"ui.recommend.figure.{key}", span=span, target=target)
    if _is_of_the_second(advised):
        note = sentence("ui.recommend.figure.score_second", note=note)
    return Figure(label, f"{found.expected:.2f}", note)


def _is_of_the_second(advised: Advised) -> bool:
    """Whether the first version runs the baseline, so that score and time are those of the one after it."""
    return advised.trains and advised.chosen.method == "baseline"


def _time(advised: Advised, language: Language) -> Figure:
    span, label = advised.estimate.minutes_range, sentence("ui.recommend.figure.time")
    if span is None:
        key = "time_unknown" if advised.trains else "nothing_trained"
        return Figure(label, NOTHING, sentence(f"ui.recommend.figure.{key}"))
    low, high = span
    if high >= 2 * MINUTES_IN_AN_HOUR:
        said = sentence("ui.recommend.figure.hours", low=low / MINUTES_IN_AN_HOUR, high=high / MINUTES_IN_AN_HOUR)
    else:
        said = sentence("ui.recommend.figure.minutes", low=low, high=high)
    where = "on_gpu" if advised.situation.machine.has_cuda and advised.trains else "on_cpu"
    note = sentence(f"ui.recommend.figure.{where}", gpu=advised.situation.machine.gpu_name or "GPU")
    if _is_of_the_second(advised):
        note = sentence("ui.recommend.figure.second_version", where=note)
    return Figure(label, said.say(language), note)


def _memory(advised: Advised, language: Language) -> Figure:
    span, machine = advised.estimate.vram_range, advised.situation.machine
    label = sentence("ui.recommend.figure.memory")
    if span is None:
        return _main_memory(advised, language)
    key = "available" if machine.vram_gb and span[0] <= machine.vram_gb else "too_little"
    note = sentence(f"ui.recommend.figure.{key}", vram=machine.vram_gb)
    return Figure(label, sentence("ui.recommend.figure.gigabytes", low=span[0], high=span[1]).say(language), note)


def _main_memory(advised: Advised, language: Language) -> Figure:
    """What the training takes of main memory where it is done on the processor, against what this machine has."""
    machine, span = advised.situation.machine, advised.estimate.ram_range
    if span is None:
        note = sentence(f"ui.recommend.figure.{'no_gpu_needed' if machine.has_cuda else 'no_gpu'}", ram=machine.ram_gb)
        return Figure(sentence("ui.recommend.figure.memory"), sentence("ui.recommend.figure.none").say(language), note)
    key = "fits" if span[1] <= machine.ram_gb else "tight" if span[0] <= machine.ram_gb else "short"
    note = sentence(f"ui.recommend.figure.main_memory_{key}", ram=machine.ram_gb)
    said = sentence("ui.recommend.figure.gigabytes", low=span[0], high=span[1])
    return Figure(sentence("ui.recommend.figure.main_memory"), said.say(language), note)
