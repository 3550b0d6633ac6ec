"""What may lie behind a version's score: findings, each with a code, the numbers that show it, and one experiment to try next.

Reads results, evaluation and step events, and class counts that are handed in. Says what a figure may mean and leaves the
decision to the reader. Thresholds: evidence.md 6.1 unless another source is named. A later issue deepens it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coach.class_findings import imbalance, leaning, small_in_test, weak_classes
from coach.finding import COUNTED, Bars, Curve, Evidence, Finding, Level, Sureness, bars
from coach.metric_words import metric_words
from coach.row_findings import drift, hard_labels, label_noise, near_copies, sure_and_wrong, weak_lengths
from coach.sentence import Data, Sentence, sentence
from coach.statistics import wilson_interval
from coach.task_comments import LORA_LR_LOW, LORA_LR_USUAL
from coach.text import Language
from coach.verdict import TOP_SCORE, BaselineVerdict, Verdict, judge

FALLS_FOR = 2  # evaluations below the best at the end
FALL_MORE_THAN = 0.01  # metric points; a smaller fall is the noise of a validation set of some hundred rows
LOSS_WORTH_A_WORD = 0.05  # nats a token; a validation loss below it is next to nothing, whatever its relative rise
LOSS_RISE = 0.02  # relative rise of the validation loss above its lowest (as training/notices.py)
FORMAT_FAILURES = 0.02
SLOW_FALL = 0.05  # training loss that fell by less than this share
FLAT_GAIN = 0.005  # metric points over the last three evaluations
FLATTERED = ("copies_flatter", "mostly_copies", "copies_at_least")
ONE_TRAINING = Sureness("medium", "one_training")
FEWEST_EVALS, FEWEST_STEPS = 4, 40
LOSS_WINDOW = 10
WIDE_HALF_INTERVAL = 0.05  # as in the plan's caution: a version .05 better cannot be told from chance


@dataclass(frozen=True)
class Diagnosis:
    """The state first, then the findings in the order in which to act on them."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def flattered(self) -> Finding | None:
        """What makes the score larger than it would be on texts never seen, by all that is known."""
        return next((found for found in self.findings if found.name in FLATTERED), None)

    def closing(self) -> Sentence:
        """One change at a time, so that an effect has one cause; or that nothing has to be changed."""
        if not self.findings:
            return sentence("diagnosis.nothing_found")
        to_act_on = any(found.level == "warning" for found in self.findings)
        return sentence("diagnosis.one_change" if to_act_on else "diagnosis.only_notes")

    def as_json(self, language: Language) -> dict[str, Any]:
        return {
            "verdict": self.verdict.as_json(language),
            "findings": [finding.as_json(language) for finding in self.findings],
            "closing": self.closing().say(language),
        }


Look = Callable[[Evidence], list[Finding]]


def diagnose(evidence: Evidence) -> Diagnosis:
    """The verdict and every finding, notes last. Raises WorkspaceError where results have no primary metric."""
    found = [finding for look in LOOKS for finding in look(evidence)]
    verdict = replace(judge(evidence.results), flattered=any(finding.name in FLATTERED for finding in found))
    return Diagnosis(verdict, tuple(sorted(found, key=lambda finding: finding.level == "info")))


def format_failures(evidence: Evidence) -> list[Finding]:
    """D04: more than 2 % of the freely written answers stand outside the format, and that has to be acted on first.

    At a learning rate that is too low for LoRA that is the cause. Else it matters only where answers are not chosen among labels;
    where they are, `format_not_learnt` notes it later.
    """
    share = _outside(evidence)
    if not share:
        return []
    if evidence.learning_rate is not None and evidence.learning_rate <= LORA_LR_LOW:
        data: Data = {"share": share, "rate": f"{evidence.learning_rate:g}", "usual": LORA_LR_USUAL}
        return [Finding("D04", "format_low_rate", "warning", data, COUNTED, bars("share", outside=share))]
    if _chosen(evidence):
        return []
    data = {"share": share, "limit": FORMAT_FAILURES}
    return [Finding("D04", "format", "warning", data, COUNTED, bars("share", outside=share, outside_from=FORMAT_FAILURES))]


def format_not_learnt(evidence: Evidence) -> list[Finding]:
    """D04 as a note: scores do not suffer, for the product chooses among the labels."""
    share = _outside(evidence)
    if not share or not _chosen(evidence) or format_failures(evidence):
        return []
    return [Finding("D04", "format_not_learnt", "info", {"share": share}, COUNTED, bars("share", outside=share))]


def _outside(evidence: Evidence) -> float | None:
    """The share of freely written answers outside the format, None where that is no cause for a word."""
    share = float(evidence.results.get("invalid_rate") or 0.0)
    return share if share > FORMAT_FAILURES else None


def _chosen(evidence: Evidence) -> bool:
    """Whether the version's answers are chosen among labels: then results have scores by class."""
    return bool(evidence.results.get("per_class"))


def overfitting(evidence: Evidence) -> list[Finding]:
    """D01: the metric ends below its best for two evaluations, or the validation loss rises while the training loss falls."""
    values = [(event["step"], float(event["value"])) for event in evidence.evals if event.get("value") is not None]
    if len(values) > FALLS_FOR:
        best_step, best = max(values, key=lambda pair: pair[1])
        tail = [value for step, value in values if step > best_step]
        if len(tail) >= FALLS_FOR and max(tail[-FALLS_FOR:]) < best - FALL_MORE_THAN:
            data: Data = {"best": best, "step": best_step, "last": values[-1][1], "last_step": values[-1][0]}
            sure = _sure_of_a_move(best - values[-1][1], best, evidence)
            level: Level = "info" if sure.grade == "low" else "warning"
            return [Finding("D01", "overfitting", level, data, sure, Curve("metric", evidence.evals))]
    losses = [(event["step"], float(event["loss"])) for event in evidence.evals if event.get("loss") is not None]
    if len(losses) < 3:
        return []
    step, lowest = min(losses, key=lambda pair: pair[1])
    training = [float(event["loss"]) for event in evidence.steps if event.get("loss") is not None and event["step"] > step]
    if losses[-1][1] <= max(lowest * (1 + LOSS_RISE), LOSS_WORTH_A_WORD) or not _falls(training):
        return []
    picture = Curve("loss", evidence.evals, evidence.steps)
    turned: Data = {"lowest": lowest, "step": step, "last": losses[-1][1]}
    return [Finding("D01", "loss_turning", "info", turned, ONE_TRAINING, picture)]


def flat(evidence: Evidence) -> list[Finding]:
    """D05: the training loss hardly fell, or the metric gained nothing in the last three evaluations."""
    losses = [float(event["loss"]) for event in evidence.steps if event.get("loss") is not None]
    if len(losses) >= FEWEST_STEPS:
        first, last = sum(losses[:LOSS_WINDOW]) / LOSS_WINDOW, sum(losses[-LOSS_WINDOW:]) / LOSS_WINDOW
        if first > 0 and (first - last) / first < SLOW_FALL:
            picture = Curve("loss", evidence.evals, evidence.steps)
            return [Finding("D05", "flat_loss", "warning", {"first": first, "last": last}, COUNTED, picture)]
    values = [float(event["value"]) for event in evidence.evals if event.get("value") is not None]
    if len(values) >= FEWEST_EVALS and max(values[-3:]) - max(values[:-3]) < FLAT_GAIN and not overfitting(evidence):
        best: Data = {"value": max(values), "evaluations": 3, "rows": _valid_rows(evidence)}
        name = "at_the_top" if max(values) >= TOP_SCORE else "flat_metric"
        return [Finding("D05", name, "info", best, _sure_of_no_gain(max(values), evidence), Curve("metric", evidence.evals))]
    return []


def _sure_of_a_move(move: float, score: float, evidence: Evidence) -> Sureness:
    """Of a rise or fall on the validation rows in one training: never high, and low within what a score on so few rows varies by."""
    found = _noise(score, evidence)
    if found is None:
        return ONE_TRAINING
    return Sureness("medium", "beyond_noise", found) if move > found["noise"] else Sureness("low", "within_noise", found)


def _sure_of_no_gain(score: float, evidence: Evidence) -> Sureness:
    """That a score stands still: a gain smaller than the noise of the validation rows would not have shown."""
    found = _noise(score, evidence)
    if found is None:
        return ONE_TRAINING
    return Sureness("low" if found["noise"] > WIDE_HALF_INTERVAL else "medium", "no_gain_within", found)


def _noise(score: float, evidence: Evidence) -> dict[str, float] | None:
    """What a share measured on so many validation rows varies by; None where they are not known, or `score` is no share."""
    rows = _valid_rows(evidence)
    if not rows or not 0 <= score <= 1:
        return None
    around = wilson_interval(round(score * rows), rows)
    return {"rows": rows, "noise": (around.high - around.low) / 2}


def _valid_rows(evidence: Evidence) -> int | None:
    rows = (evidence.results.get("rows") or {}).get("valid")
    return int(rows) if rows and rows > 0 else None


def baseline_ahead(evidence: Evidence) -> list[Finding]:
    """D03: the cheap baseline scores as high or higher on the primary metric."""
    verdict = judge(evidence.results)
    version: Data = {"metric": metric_words(verdict.metric), "value": verdict.value}
    ahead = [found for found in verdict.baselines if found.beaten == "no"]
    own = (sentence("diagnosis.bar.version"), verdict.value)
    return [
        Finding(
            "D03",
            _name_of_being_behind(verdict, found),
            "warning",
            {**version, "name": found.label, "score": found.score},
            _sure_of_being_behind(verdict, found),
            Bars("score", (own, (found.label, found.score))),
        )
        for found in ahead
    ]


def _name_of_being_behind(verdict: Verdict, found: BaselineVerdict) -> str:
    if verdict.is_level_with(found):
        return "baseline_level"
    return "baseline_within" if verdict.is_within_chance(found) else "baseline_ahead"


def _sure_of_being_behind(verdict: Verdict, found: BaselineVerdict) -> Sureness:
    """By the version's own interval: what the baseline answered to each row is not at hand."""
    if verdict.is_level_with(found):
        return Sureness("medium", "level")
    if verdict.high is None:
        return Sureness("medium", "no_interval")
    return Sureness("medium", "interval_below") if verdict.high < found.score else Sureness("low", "interval_holds")


def few_test_rows(evidence: Evidence) -> list[Finding]:
    """D06: the interval is wider than ±.05."""
    verdict = judge(evidence.results)
    if verdict.low is None or verdict.high is None or not verdict.test_rows:
        return []
    half = (verdict.high - verdict.low) / 2
    if half <= WIDE_HALF_INTERVAL:
        return []
    needed = round(verdict.test_rows * (half / WIDE_HALF_INTERVAL) ** 2)
    data: Data = {"rows": verdict.test_rows, "needed": needed, "wanted": WIDE_HALF_INTERVAL}
    data |= {"value": verdict.value, "low": verdict.low, "high": verdict.high, "width": verdict.high - verdict.low}
    picture = bars("score", low=verdict.low, measured=verdict.value, high=verdict.high)
    return [Finding("D06", "few_test_rows", "info", data, COUNTED, picture)]


LOOKS: tuple[Look, ...] = (
    format_failures, label_noise, near_copies, weak_classes, leaning, imbalance, drift, overfitting, flat, weak_lengths, baseline_ahead,
    sure_and_wrong, hard_labels, format_not_learnt, small_in_test, few_test_rows,
)  # fmt: skip


def _falls(losses: Sequence[float]) -> bool:
    """Whether the second half lies below the first."""
    half = len(losses) // 2
    return half >= 2 and sum(losses[half:]) / (len(losses) - half) < sum(losses[:half]) / half
