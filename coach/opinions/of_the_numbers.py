"""What to think of another rank, learning rate, number of epochs, batch or balance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from coach.choices import PREFERENCE_METHODS
from coach.opinions.trial import Level, Opinion, Trial
from coach.recommendation.hyperparameters import FEWEST_STEPS, short_rate
from coach.reference_data import model_or_unknown
from coach.sentence import Sentence, sentence
from coach.situation import TRAIN_SHARE
from coach.task_comments import hyperparameter_comments

USUAL_RATE = {"lora": (1e-4, 5e-4), "full": (1e-5, 1e-4), "preference": (1e-6, 2e-5)}  # evidence.md 1.1, 1.3
ALPHA_TO_RANK = (1.0, 4.0)  # evidence.md 1.1: alpha = r or 2r is usual; the factor multiplies every step
EXTRA_GB_FROM = 0.5  # judgement: what is worth a word
_COMMENT_SOURCE = {
    "lora_lr_low": "lr-too-low", "lora_lr_high": "tinker-sweep", "lora_lr_diverges": "tinker-sweep", "full_lr_high": "trl-peft",
    "epochs_many": "defaults-by-size", "epochs_many_no_stop": "defaults-by-size", "lora_batch_large": "lora-without-regret",
}  # fmt: skip


def of_lora_r(trial: Trial) -> Iterator[Opinion]:
    more = trial.memory(trial.wanted) - trial.memory(replace(trial.wanted, lora_r=trial.advised.lora_r))
    data = {"rows": trial.rows, "advised": trial.advised.lora_r, "gb": more}
    if trial.wanted.lora_r > trial.advised.lora_r:
        level: Level = "cost" if more >= EXTRA_GB_FROM else "fine"
        key = (
            "opinion.lora_r.higher_memory"
            if more >= EXTRA_GB_FROM and trial.situation.machine.has_cuda
            else "opinion.lora_r.higher"
        )
        yield Opinion(level, Sentence(key, dict(data)), "tinker-sweep")
    else:
        yield Opinion("fine", Sentence("opinion.lora_r.lower", dict(data)), "tinker-sweep")


def of_lora_alpha(trial: Trial) -> Iterator[Opinion]:
    low, high = ALPHA_TO_RANK
    ratio = trial.wanted.lora_alpha / trial.wanted.lora_r
    key = "low" if ratio < low else "high" if ratio > high else "usual"
    yield Opinion("fine" if key == "usual" else "risk", sentence(f"opinion.lora_alpha.{key}", ratio=ratio), "defaults-by-size")


def of_learning_rate(trial: Trial) -> Iterator[Opinion]:
    said = list(_remarked(trial, "learning_rate"))
    yield from said
    kind = "preference" if trial.wanted.method in PREFERENCE_METHODS else "full" if trial.wanted.peft == "none" else "lora"
    low, high = USUAL_RATE[kind]
    rate, data = trial.wanted.learning_rate, {"low": short_rate(low), "high": short_rate(high)}
    tried = model_or_unknown(trial.wanted.base_model).learning_rate_oversampled
    if tried is not None and trial.wanted.balance == "oversample" and tried < rate <= high:
        yield Opinion("cost", sentence("opinion.learning_rate.repeated", tried=short_rate(tried)), "rates-tried")
    elif low <= rate <= high:
        source = "defaults-by-size" if kind != "preference" else "trl-peft"
        yield Opinion("fine", Sentence("opinion.learning_rate.usual", dict(data)), source)
    elif not said:
        level: Level = "cost" if rate < low else "risk"
        yield Opinion(
            level, Sentence(f"opinion.learning_rate.{'lower' if rate < low else 'higher'}", dict(data)), "defaults-by-size"
        )


def of_epochs(trial: Trial) -> Iterator[Opinion]:
    yield from _remarked(trial, "epochs")
    yield from _few_steps(trial)
    if trial.wanted.epochs > trial.advised.epochs:
        yield Opinion("cost", sentence("opinion.epochs.longer", times=trial.wanted.epochs / trial.advised.epochs), "train-time")
    else:
        yield Opinion("fine", sentence("opinion.epochs.shorter"), "defaults-by-size")


def of_batch_size(trial: Trial) -> Iterator[Opinion]:
    yield from _remarked(trial, "batch_size")
    yield from _few_steps(trial)
    if trial.wanted.batch_size < trial.advised.batch_size:
        yield Opinion("fine", sentence("opinion.batch_size.smaller"), "lora-without-regret")
    elif trial.wanted.peft == "none":
        yield Opinion("fine", sentence("opinion.batch_size.larger_full"), "defaults-by-size")
    else:
        yield Opinion("fine", sentence("opinion.batch_size.larger"), "lora-without-regret")


def of_balance(trial: Trial) -> Iterator[Opinion]:
    skewed = trial.situation.is_skewed
    if trial.wanted.balance == "none":
        said, source = ("none_skewed", "oversampling-tried") if skewed else ("none", "imbalance")
        yield Opinion("risk" if skewed else "fine", sentence(f"opinion.balance.{said}"), source)
    elif not skewed:
        yield Opinion("cost", sentence("opinion.balance.not_needed"), "imbalance")
    if trial.wanted.balance == "class_weights":
        fused = trial.situation.machine.has_cuda
        yield Opinion("cost" if fused else "fine", sentence(f"opinion.balance.weights{'_cuda' if fused else ''}"), "imbalance")


def _remarked(trial: Trial, key: str) -> Iterator[Opinion]:
    """The remarks that task.yaml would draw at `training.<key>`, in words without file names, with a source a reader can open."""
    rows = None if trial.situation.learnable_rows is None else round(trial.rows * TRAIN_SHARE)
    for level, (path, code, data) in hyperparameter_comments(trial.task(), rows):
        if path == ("training", key):
            words = {name: word for name, word in data.items() if name != "source"}
            if key == "learning_rate":
                words |= {name: short_rate(float(words[name])) for name in ("found", "low", "high", "limit") if name in words}
            said = Sentence(f"opinion.remark.{code}", words)
            yield Opinion("risk" if level == "warning" else "cost", said, _COMMENT_SOURCE[code])


def _few_steps(trial: Trial) -> Iterator[Opinion]:
    advised = trial.rows * TRAIN_SHARE * trial.advised.epochs / trial.advised.batch_size
    if trial.steps < min(FEWEST_STEPS, advised):
        yield Opinion("risk", sentence("opinion.few_steps", steps=round(trial.steps), least=FEWEST_STEPS), "defaults-by-size")
