"""What to think of another method, base model or way of training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from coach.choices import PREFERENCE_METHODS
from coach.estimate import SAFE_SHARE, STARTER_ID, main_memory_gb
from coach.forecast import forecast
from coach.gain import gain_of
from coach.metric_words import metric_words
from coach.opinions.trial import Opinion, Trial
from coach.recommendation.method import FULL_TUNING_ROWS, PAIRS_TO_TRY
from coach.reference_data import model_or_unknown
from coach.sentence import Data, Sentence, sentence
from coach.situation import TOO_FEW_ROWS
from coach.task_check import blockers
from coach.text_kind import kind_of

SLOWER_FROM = 1.5  # judgement: what is worth a word


def of_method(trial: Trial) -> Iterator[Opinion]:
    wanted, s = trial.wanted.method, trial.situation
    yield from _blocked(trial, "training.method")
    if wanted in PREFERENCE_METHODS:
        if s.task_type != "generation":
            yield Opinion("risk", sentence("opinion.method.preference_of_labels"), "preference-data")
        elif s.pairs < PAIRS_TO_TRY:
            yield Opinion("risk", sentence("opinion.method.few_pairs", pairs=s.pairs, least=PAIRS_TO_TRY), "preference-data")
    if wanted == "prompt":
        yield Opinion("cost", sentence("opinion.method.prompt"), "gpt4ner")
    if wanted == "baseline" and trial.plan.trains:
        yield _baseline_alone(trial)
    if wanted == "sft" and s.learnable_rows is not None and s.learnable_rows < TOO_FEW_ROWS:
        yield Opinion(
            "risk", sentence("opinion.method.too_few_rows", rows=s.learnable_rows, limit=TOO_FEW_ROWS), "defaults-by-size"
        )
    if wanted == "sft" and trial.plan.method == "baseline" and trial.plan.trains:
        yield Opinion("fine", sentence("opinion.method.without_footing"), "defaults-by-size")


def _baseline_alone(trial: Trial) -> Opinion:
    found = forecast(trial.situation, ["baseline"], model_or_unknown(trial.wanted.base_model))
    if found.expected is None or trial.plan.forecast.expected is None:
        return Opinion("cost", sentence("opinion.method.baseline"), "tfidf-curves")
    data: Data = {"metric": metric_words(found.metric), "score": found.expected, "advised": trial.plan.forecast.expected}
    return Opinion("cost", Sentence("opinion.method.baseline_scores", dict(data)), "tfidf-curves")


def of_base_model(trial: Trial) -> Iterator[Opinion]:
    s, model, former = trial.situation, model_or_unknown(trial.wanted.base_model), model_or_unknown(trial.advised.base_model)
    yield from _memory(trial)
    if not s.machine.has_cuda and (needed := main_memory_gb(model, bf16=s.machine.cpu_bf16)) > s.machine.ram_gb:
        yield Opinion("risk", sentence("opinion.memory.main_memory", needed=needed, ram=s.machine.ram_gb), "design")
    if s.machine.has_cuda and not s.machine.bf16 and not model.fp16_safe:
        yield Opinion("risk", sentence("opinion.base_model.float16", gpu=s.machine.gpu_name or "GPU"), "float16-nan")
    if model.params_b is None and model.shape is None:
        yield Opinion("cost", sentence("opinion.base_model.unknown"), "our-practice")
        return
    times = (model.params_b or 1.0) / (former.params_b or 1.0)
    kind = kind_of(s)
    gain = gain_of(model, kind).mean - gain_of(former, kind).mean
    if not s.machine.has_cuda and times > SLOWER_FROM:
        yield Opinion("risk", sentence("opinion.base_model.slow_cpu", times=times), "design")
    elif s.machine.has_cuda and times > SLOWER_FROM:
        yield Opinion("cost", sentence("opinion.base_model.slower", times=times), "train-time")
    if gain:
        key = "opinion.base_model.stronger" if gain > 0 else "opinion.base_model.weaker"
        yield Opinion("fine" if gain > 0 else "cost", Sentence(key, {"share": abs(gain)}), "forecast-priors")
    if s.language not in model.languages:
        yield Opinion("cost", sentence("opinion.base_model.language"), "model-table")
    if model.gated:
        yield Opinion("cost", sentence("opinion.base_model.gated", licence=model.licence), "model-catalogue")
    if former.id == STARTER_ID and model.id != STARTER_ID:
        yield Opinion("fine", sentence("opinion.base_model.download"), "model-catalogue")


def of_peft(trial: Trial) -> Iterator[Opinion]:
    yield from _blocked(trial, "training.lora", "training.quantization")
    yield from _memory(trial)
    if trial.wanted.peft == "none" and trial.rows < FULL_TUNING_ROWS:
        data = {"rows": trial.rows, "limit": FULL_TUNING_ROWS, "gb": trial.memory(trial.wanted)}
        yield Opinion("risk", Sentence("opinion.peft.full", dict(data)), "lora-without-regret")
    if trial.wanted.peft == "qlora" and trial.advised.peft == "lora" and trial.situation.machine.has_cuda:
        saved = trial.memory(replace(trial.wanted, peft="lora")) - trial.memory(trial.wanted)
        yield Opinion("cost", sentence("opinion.peft.qlora", saved=max(0.0, saved)), "qlora-loss")


def _memory(trial: Trial) -> Iterator[Opinion]:
    """Where not even one row at a time fits the card: said with the numbers, and with 4 bits where these would do."""
    machine, needed = trial.situation.machine, trial.memory(trial.wanted)
    if not machine.has_cuda or not trial.wanted.trains or needed <= SAFE_SHARE * (machine.vram_gb or 0.0):
        return
    smaller = trial.memory(replace(trial.wanted, peft="qlora"))
    fits = trial.wanted.peft != "qlora" and smaller <= SAFE_SHARE * (machine.vram_gb or 0.0)
    data = {"needed": needed, "vram": machine.vram_gb, "smaller": smaller, "way": sentence(f"advice.peft.{trial.wanted.peft}")}
    yield Opinion("risk", Sentence("opinion.memory.qlora_fits" if fits else "opinion.memory.too_large", dict(data)), "vram")


def _blocked(trial: Trial, *paths: str) -> Iterator[Opinion]:
    """What this release cannot run, of the places of task.yaml that the choice stands in."""
    for problem in blockers(trial.task(), hardware=trial.situation.machine):
        if problem.path in paths and problem.level == "error":
            yield Opinion("not_yet", Sentence(problem.key, problem.data))
