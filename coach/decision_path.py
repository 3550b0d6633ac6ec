"""The decision as a path: which questions were asked in which order, how each was answered, and where that led.

The spine is the common tree by number of rows (100, 500, 2,000); between its thresholds stand the questions our rules ask besides, and
beside each leaf what the common tree has there. Reads a situation and its plan; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from coach.plan import Plan
from coach.recommendation.base_model import MODEL_RULES
from coach.recommendation.method import (
    FEW_ROWS,
    FULL_TUNING_ROWS,
    PAIRS_TO_TRY,
    SPEC_FEW_ROWS,
    SPEC_MANY_ROWS,
    SPEC_SOME_ROWS,
    baseline_is_enough,
)
from coach.reference_data import lora_band
from coach.sentence import Sentence, sentence
from coach.situation import FEW_ROWS_PER_CLASS, TOO_FEW_ROWS, Situation
from coach.task_schema import Method

Answer = Literal["yes", "no", "not_asked"]
Group = Literal["method", "base_model"]


@dataclass(frozen=True)
class Node:
    """One question. `outcome` is where its yes leads; `taken`: it was answered yes and ended the path of its group.

    `common`: what the common tree has at this place, where it has a leaf there.
    """

    group: Group
    question: Sentence
    answer: Answer
    outcome: Sentence
    taken: bool
    common: Sentence | None = None


@dataclass(frozen=True)
class _Asked:
    question: Sentence
    holds: bool
    outcome: Sentence
    common: Sentence | None = None


def decision_path(situation: Situation, plan: Plan) -> list[Node]:
    """Both groups in order, method first. In each exactly one node is taken; those before it say no, those after were not asked."""
    return [*_walked("method", _method_questions(situation, plan)), *_walked("base_model", _model_questions(situation, plan))]


def _walked(group: Group, questions: Iterator[_Asked]) -> Iterator[Node]:
    ended = False
    for asked in questions:
        answer: Answer = "not_asked" if ended else "yes" if asked.holds else "no"
        yield Node(group, asked.question, answer, asked.outcome, answer == "yes", asked.common)
        ended = ended or asked.holds


def _method_questions(s: Situation, plan: Plan) -> Iterator[_Asked]:
    """In the order of the rules (recommendation/method.py)."""
    rows, classification = s.learnable_rows, s.task_type == "classification"
    known = rows if rows is not None else SPEC_MANY_ROWS  # a number the ladder has to be drawn for
    yield _Asked(sentence("path.rows_unknown"), rows is None, methods_in_order(["sft"]))
    yield _Asked(sentence("path.no_rows"), known == 0, methods_in_order(["prompt"]), _common("few"))
    cheap = methods_in_order(["baseline"]) if classification else methods_in_order(["prompt"])
    yield _Asked(_below(TOO_FEW_ROWS), known < TOO_FEW_ROWS, cheap, _common("few"))
    if classification:
        small = 2 * len(s.small_classes) >= len(s.labels) > 0 and bool(s.small_classes)
        yield _Asked(sentence("path.small_classes", limit=FEW_ROWS_PER_CLASS), small, methods_in_order(["baseline"]))
    if s.task_type == "generation":
        yield _Asked(
            sentence("path.pairs", least=PAIRS_TO_TRY), s.pairs >= PAIRS_TO_TRY, methods_in_order(("sft", "dpo")), _common("many")
        )
    if classification:
        first = methods_in_order(("baseline", "sft"))
        yield _Asked(sentence("path.baseline_is_enough"), baseline_is_enough(s) is not None, first)
    for limit, branch in ((SPEC_FEW_ROWS, "few"), (FEW_ROWS, "some"), (SPEC_SOME_ROWS, "some"), (SPEC_MANY_ROWS, "more")):
        methods: tuple[Method, ...] = ("baseline", "sft") if classification and limit <= FEW_ROWS else ("sft",)
        rank = lora_band(min(limit - 1, known)).r
        yield _Asked(_below(limit), known < limit, _with_rank(methods, rank), _common(branch))
    rank = lora_band(max(SPEC_MANY_ROWS, min(known, FULL_TUNING_ROWS - 1))).r
    yield _Asked(_below(FULL_TUNING_ROWS), known < FULL_TUNING_ROWS, _with_rank(("sft",), rank), _common("many"))
    huge = (
        sentence("advice.peft.none")
        if plan.peft == "none" or known < FULL_TUNING_ROWS
        else _with_rank(("sft",), lora_band(known).r)
    )
    yield _Asked(sentence("path.more", limit=f"{FULL_TUNING_ROWS:,}"), True, huge, _common("many"))


def _model_questions(s: Situation, plan: Plan) -> Iterator[_Asked]:
    """In the order of the ladders (recommendation/base_model.py). Each leads to the best model of its ladder, ours to the one that fits."""
    starter = "base_model.too_small_gpu" in {advice.rule for advice in plan.reasons}
    if starter:
        yield _Asked(sentence("path.too_small_gpu", vram=s.machine.vram_gb), True, sentence("path.model", model=plan.base_model))
    decided = starter
    for rule in MODEL_RULES:
        ladder = rule(s)
        holds = ladder is not None and not decided
        decided = decided or holds
        outcome = sentence("path.model", model=plan.base_model) if holds else sentence(f"path.ladder.{rule.__name__}")
        yield _Asked(sentence(f"path.need.{rule.__name__}"), holds, outcome)


def _below(limit: int) -> Sentence:
    return sentence("path.below", limit=f"{limit:,}")


def _common(branch: str) -> Sentence:
    return sentence(f"advice.specification.tree_{branch}")


def methods_in_order(methods: Sequence[Method]) -> Sentence:
    """In short, `SFT`; where several follow each other `TF-IDF baseline, then SFT`."""
    first, *rest = [sentence(f"path.short.{method}") for method in methods]
    for following in rest:
        first = sentence("path.then", first=first, then=following)
    return first


def _with_rank(methods: tuple[Method, ...], rank: int) -> Sentence:
    return sentence("path.with_rank", methods=methods_in_order(methods), r=rank)
