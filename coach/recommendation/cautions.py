"""What a person should hear before agreeing: wishes the figures do not support, differing numbers of the specification, licences.

A caution never changes the plan. Each rule returns one sentence or nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from coach.metric_words import metric_words
from coach.own_baseline import own_baseline, score_on_new_wordings
from coach.recommendation.draft import Draft
from coach.recommendation.hyperparameters import SPEC_LEARNING_RATE, short_rate
from coach.score_noise import score_noise
from coach.sentence import Data, Sentence, sentence
from coach.situation import SHORT_WEEKS, are_many, days_in
from coach.task_check import BUILT_METHODS

Z_95 = 1.96
WANTED_HALF_WIDTH = 0.05  # judgement: with less, a version that is .05 better cannot be told from chance
ROWS_DIFFER_BY = 0.1  # judgement
CONFLICTS_FROM = 0.01  # evidence.md 2.7: label errors of 1 to 20 % are common
SPEC_HOURS = "2–3"  # the specification's sample plan: about 2 to 3 hours on one A100
MINUTES_IN_A_WEEK = 7 * 24 * 60
DEADLINE_SHARE = 0.1  # judgement: several versions, and looking at their errors, have to fit
WEEKS_TO_LABEL = 1.0  # judgement
Caution = Callable[[Draft], Sentence | None]


def cautions(draft: Draft) -> list[Sentence]:
    return [said for rule in CAUTIONS if (said := rule(draft)) is not None]


def type_assumed(draft: Draft) -> Sentence | None:
    return sentence("warnings.type_assumed") if draft.situation.answers.task.type is None else None


def rows_unknown(draft: Draft) -> Sentence | None:
    return sentence("warnings.rows_unknown") if draft.situation.learnable_rows is None else None


def rows_differ(draft: Draft) -> Sentence | None:
    said, facts = draft.situation.answers.resources.labelled_rows, draft.situation.facts
    if said is None or facts is None or abs(said - facts.rows) <= ROWS_DIFFER_BY * max(said, 1):
        return None
    return sentence("warnings.rows_differ", said=said, found=facts.rows)


def target_out_of_reach(draft: Draft) -> Sentence | None:
    """The forecast's expected value, or even its upper end, lies below the target."""
    threshold, found = draft.situation.answers.success.threshold, draft.forecast
    if draft.target not in ("unlikely", "possible") or threshold is None:
        return None
    data: Data = {
        "metric": metric_words(found.metric),
        "threshold": threshold,
        "low": found.low,
        "high": found.high,
        "expected": found.expected,
    }
    return Sentence(f"warnings.target_{draft.target_words}", dict(data))


def test_too_small(draft: Draft) -> Sentence | None:
    """The 95 % interval at the target is wider than ±.05: said with the rows that would narrow it (evidence.md 6.3)."""
    s, threshold = draft.situation, draft.situation.answers.success.threshold
    if threshold is None or not s.test_rows or s.task_type == "generation":
        return None
    half = Z_95 * score_noise(s, threshold, s.test_rows)
    if half <= WANTED_HALF_WIDTH:
        return None
    needed = math.ceil(s.test_rows * (half / WANTED_HALF_WIDTH) ** 2)
    data: Data = {"rows": s.test_rows, "half": half, "needed": needed, "wanted": WANTED_HALF_WIDTH, "threshold": threshold}
    return Sentence("warnings.test_too_small", dict(data))


def accuracy_hides(draft: Draft) -> Sentence | None:
    if not draft.situation.is_skewed or draft.situation.metric not in ("accuracy", "micro_f1", "weighted_f1"):
        return None
    return sentence("warnings.accuracy_hides", metric=metric_words(draft.situation.metric))


def baseline_at_target(draft: Draft) -> Sentence | None:
    success = draft.situation.answers.success
    if success.threshold is None or success.baseline_score is None or success.baseline_score < success.threshold:
        return None
    return sentence("warnings.baseline_at_target", score=success.baseline_score, threshold=success.threshold)


def baseline_above_forecast(draft: Draft) -> Sentence | None:
    score, high = draft.situation.answers.success.baseline_score, draft.forecast.high
    if score is None or high is None or score <= high:
        return None
    return sentence("warnings.baseline_above_forecast", score=score, high=high)


def tiny_classes(draft: Draft) -> Sentence | None:
    small = draft.situation.small_classes
    if not small or not draft.trains:
        return None
    return sentence(
        "warnings.tiny_classes", classes=[f"{name} ({count})" for name, count in list(small.items())[:5]], count=len(small)
    )


def conflicting_labels(draft: Draft) -> Sentence | None:
    facts = draft.situation.facts
    if facts is None or facts.conflicting_rows < max(1.0, CONFLICTS_FROM * facts.rows):
        return None
    return sentence("warnings.conflicting_labels", count=facts.conflicting_rows)


def rows_alike(draft: Draft) -> Sentence | None:
    """Rows that share their wording fall on both sides of the split, and every score on them is one on wordings that are known."""
    facts = draft.situation.facts
    if facts is None or not are_many(facts.alike_rows, facts.compared_rows):
        return None
    data: Data = {"count": facts.alike_rows, "rows": facts.compared_rows, "metric": metric_words(draft.situation.metric)}
    own = own_baseline(draft.situation)
    if own is None or facts.baseline_apart is None:
        return Sentence("warnings.rows_alike", data)
    if score_on_new_wordings(draft.situation) is None:  # they share a wording and little of what decides
        return None
    return Sentence("warnings.rows_alike_scored", {**data, "score": own.score, "apart": facts.baseline_apart})


def deadline(draft: Draft) -> Sentence | None:
    """Training that takes a tenth of the time there is, or labelling that has yet to begin."""
    weeks, rows = draft.situation.answers.business.deadline_weeks, draft.situation.learnable_rows
    if weeks is None:
        return None
    minutes = draft.estimate.minutes_range[1] if draft.estimate.minutes_range else 0.0
    if minutes > DEADLINE_SHARE * weeks * MINUTES_IN_A_WEEK:
        return sentence("warnings.deadline_training", weeks=weeks, hours=minutes / 60)
    if rows is not None and not draft.trains and weeks <= WEEKS_TO_LABEL:
        if weeks <= SHORT_WEEKS:
            return sentence("warnings.deadline_baseline", days=days_in(weeks), rows=rows)
        return sentence("warnings.deadline_labelling", weeks=weeks, rows=rows)
    return None


def spec_learning_rate(draft: Draft) -> Sentence | None:
    if draft.numbers is None or draft.numbers.lora is None:
        return None
    return sentence(
        "warnings.spec_learning_rate", rate=short_rate(draft.numbers.learning_rate), spec=short_rate(SPEC_LEARNING_RATE)
    )


def spec_time(draft: Draft) -> Sentence | None:
    """The specification's sample plan says two to three hours on an A100; the formula says minutes (evidence.md 5.3)."""
    span = draft.estimate.minutes_range
    if not draft.situation.machine.has_cuda or not draft.trains or span is None or span[1] >= 120:
        return None
    return sentence("warnings.spec_time", hours=SPEC_HOURS, low=span[0], high=span[1])


def spec_target(draft: Draft) -> Sentence | None:
    """The specification's sample plan promises macro-F1 above .80; said only where the person took that target over."""
    if draft.situation.answers.success.threshold != 0.8 or draft.target != "unlikely":
        return None
    return sentence("warnings.spec_target")


def licence(draft: Draft) -> Sentence | None:
    if draft.model.licence == "gemma":
        return sentence("warnings.licence_gemma", model=draft.model.id)
    if draft.model.gated:
        return sentence("warnings.licence_gated", model=draft.model.id, licence=draft.model.licence)
    return None


def english_model(draft: Draft) -> Sentence | None:
    if draft.situation.language in draft.model.languages:
        return None
    return sentence("warnings.language_weak", model=draft.model.id)


def small_for_writing(draft: Draft) -> Sentence | None:
    if draft.situation.task_type == "classification" or "starter" not in draft.model.roles:
        return None
    return sentence("warnings.small_for_writing", model=draft.model.id)


def memory_assumed(draft: Draft) -> Sentence | None:
    machine = draft.situation.machine
    if not machine.has_cuda or not machine.assumed:
        return None
    key = "memory_assumed" if "vram_gb" in machine.assumed else "speed_assumed"
    return sentence(f"warnings.{key}", gpu=machine.gpu_name or sentence("estimate.some_gpu"), vram=machine.vram_gb)


def explanation(draft: Draft) -> Sentence | None:
    return sentence("warnings.explanation") if draft.situation.answers.success.needs_explanation and draft.trains else None


def latency(draft: Draft) -> Sentence | None:
    limit = draft.situation.answers.needs.max_latency_ms
    return sentence("warnings.latency", ms=limit) if limit is not None and draft.trains else None


def not_built(draft: Draft) -> Sentence | None:
    """What this release cannot run yet, so that nobody finds out at the start button."""
    s = draft.situation
    missing: list[str | Sentence] = [method for method in draft.methods if method not in BUILT_METHODS]
    if s.task_type != "classification":
        missing.insert(0, sentence(f"advice.task.{s.task_type}"))
    if s.machine.place == "remote" and draft.trains:
        missing.append(sentence("warnings.remote"))
    return (
        Sentence(
            "warnings.not_built",
            {"missing": [item if isinstance(item, Sentence) else Sentence("advice.plain", {"said": item}) for item in missing]},
        )
        if missing
        else None
    )


CAUTIONS: tuple[Caution, ...] = (
    not_built,
    rows_alike,
    type_assumed,
    rows_unknown,
    rows_differ,
    target_out_of_reach,
    spec_target,
    baseline_at_target,
    baseline_above_forecast,
    test_too_small,
    accuracy_hides,
    tiny_classes,
    conflicting_labels,
    deadline,
    spec_learning_rate,
    spec_time,
    licence,
    english_model,
    small_for_writing,
    memory_assumed,
    explanation,
    latency,
)
