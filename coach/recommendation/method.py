"""Which method, in which order: the specification's decision tree and method table, corrected by evidence.md 0, 1.2 and 4.

The first rule that applies decides; remarks then say what else the person should know of the choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coach.gain import NO_GAIN
from coach.growth import TOP
from coach.own_baseline import own_baseline
from coach.plan import Advice, PlannedStage
from coach.reference_data import method_book, method_row
from coach.score_noise import Z_RANGE
from coach.sentence import Data, Sentence, Value, sentence
from coach.situation import FEW_ROWS_PER_CLASS, TOO_FEW_ROWS, Situation
from coach.task_schema import Method

FEW_ROWS = 200  # evidence.md 1.2: from 50 to here the baseline first, LoRA as challenger
SPEC_FEW_ROWS, SPEC_SOME_ROWS, SPEC_MANY_ROWS = 100, 500, 2000  # the specification's decision tree
MEASURED_OF_THE_BASELINE = ("macro_f1", "accuracy")
FULL_TUNING_ROWS = 100_000  # evidence.md 1.2, 1.1 (Biderman: about 100k pairs)
Z_ENOUGH = 0.674  # three times in four, one-sided: trying costs seconds (judgement)
PAIRS_TO_TRY, PAIRS_TO_RECOMMEND = 500, 1000  # evidence.md 4.4


@dataclass(frozen=True)
class BaselineRange:
    """`score`: cross-validated on the person's rows; `low` to `high` is meant to hold the test score four times out of five.

    `enough_for`: the highest target that it meets three times in four.
    """

    score: float
    low: float
    high: float
    enough_for: float


def baseline_range(s: Situation) -> BaselineRange | None:
    """None for tasks without classes, and where no rows were looked at or they allow no baseline."""
    own = own_baseline(s) if s.task_type == "classification" else None
    found = own.range_with(own.furthest, NO_GAIN) if own else None
    if own is None or found is None:
        return None
    low, expected, high = found
    enough = expected - Z_ENOUGH / Z_RANGE * (expected - low)
    return BaselineRange(own.score, *(min(TOP, max(0.0, value)) for value in (low, high, enough)))


@dataclass(frozen=True)
class MethodChoice:
    stages: tuple[PlannedStage, ...]
    advice: Advice


MethodRule = Callable[[Situation], MethodChoice | None]
Remark = Callable[[Situation], Advice | None]


def choose_method(situation: Situation) -> tuple[tuple[PlannedStage, ...], list[Advice]]:
    """The stages in order, and every reason: the rule that decided, then the remarks."""
    choice = next(choice for rule in METHOD_RULES if (choice := rule(situation)) is not None)
    return choice.stages, [choice.advice, *(advice for remark in METHOD_REMARKS if (advice := remark(situation)) is not None)]


def rows_unknown(s: Situation) -> MethodChoice | None:
    """Nobody has said how many rows there are: supervised tuning, to be looked at again with a number."""
    if s.learnable_rows is not None:
        return None
    return _chosen("rows_unknown", ("sft",), "defaults-by-size")


def no_rows(s: Situation) -> MethodChoice | None:
    """Not one labelled row: only prompting can answer, and the first rows measure it."""
    return _chosen("no_rows", ("prompt",), "few-labels", wanted=FEW_ROWS) if s.learnable_rows == 0 else None


def too_few_rows(s: Situation) -> MethodChoice | None:
    """Fewer than 50 rows: nothing is trained that would not be learnt by heart."""
    if s.learnable_rows is None or s.learnable_rows >= TOO_FEW_ROWS:
        return None
    if s.task_type == "classification":
        return _chosen(
            "too_few_rows.classification", ("baseline",), "defaults-by-size", rows=s.learnable_rows, limit=TOO_FEW_ROWS
        )
    return _chosen("too_few_rows.other", ("prompt",), "gpt4ner", rows=s.learnable_rows, limit=TOO_FEW_ROWS)


def too_few_per_class(s: Situation) -> MethodChoice | None:
    """At least half of the classes have fewer than 8 rows. One small class among many is a warning, not a stop."""
    small = s.small_classes
    if not small or 2 * len(small) < len(s.labels):
        return None
    data: Data = {"count": len(small), "classes": len(s.labels), "limit": FEW_ROWS_PER_CLASS}
    return _chosen("too_few_per_class", ("baseline",), "defaults-by-size", **data)


def preference_pairs(s: Situation) -> MethodChoice | None:
    """A generation task with at least 500 pairs: supervised first, then DPO; from 1,000 it is recommended outright."""
    if s.task_type != "generation" or s.pairs < PAIRS_TO_TRY:
        return None
    rule = "preference_pairs.recommend" if s.pairs >= PAIRS_TO_RECOMMEND else "preference_pairs.try"
    return _chosen(rule, ("sft", "dpo"), "preference-data", pairs=s.pairs, recommend=PAIRS_TO_RECOMMEND)


def baseline_is_enough(s: Situation) -> MethodChoice | None:
    """Three times in four the cheap baseline meets the target on the person's own rows: it comes first, at any number of rows.

    Not where it meets it by wordings it has seen alone (`DataFacts.baseline_apart`).
    """
    found, target = baseline_range(s), s.answers.success.threshold
    if found is None or target is None or found.enough_for < target or s.metric not in MEASURED_OF_THE_BASELINE:
        return None
    if s.facts is not None and s.facts.baseline_apart is not None and s.facts.baseline_apart < target:
        return None
    data: Data = {"score": found.score, "low": found.low, "high": found.high, "target": target}
    return _chosen("baseline_is_enough", ("baseline", "sft"), "tfidf-curves", **data)


def few_rows(s: Situation) -> MethodChoice | None:
    """50 to 199 rows: for classification the baseline first and LoRA as its challenger; otherwise LoRA straight away."""
    if s.learnable_rows is None or s.learnable_rows >= FEW_ROWS:
        return None
    spec = _spec_words(s.learnable_rows)
    if s.task_type == "classification":
        return _chosen("few_rows.classification", ("baseline", "sft"), "defaults-by-size", rows=s.learnable_rows, spec=spec)
    return _chosen("few_rows.other", ("sft",), "defaults-by-size", rows=s.learnable_rows, spec=spec)


def enough_rows(s: Situation) -> MethodChoice | None:
    """200 to 1,999 rows: supervised tuning with LoRA, as the specification says too."""
    if s.learnable_rows is None or s.learnable_rows >= SPEC_MANY_ROWS:
        return None
    return _chosen("enough_rows", ("sft",), "lora-without-regret", rows=s.learnable_rows, spec=_spec_words(s.learnable_rows))


def many_rows(s: Situation) -> MethodChoice | None:
    """2,000 rows and more: still LoRA; the specification names full fine-tuning or preference methods here."""
    rows = s.learnable_rows
    if rows is None:
        return None
    if rows >= FULL_TUNING_ROWS:
        return _chosen("many_rows.huge", ("sft",), "biderman", rows=rows)
    return _chosen("many_rows.large", ("sft",), "lora-without-regret", rows=rows, limit=FULL_TUNING_ROWS)


METHOD_RULES: tuple[MethodRule, ...] = (
    rows_unknown,
    no_rows,
    too_few_rows,
    too_few_per_class,
    preference_pairs,
    baseline_is_enough,
    few_rows,
    enough_rows,
    many_rows,
)


def pairs_in_a_label_task(s: Situation) -> Advice | None:
    """Pairs were given, but the task has one right answer: supervised tuning is the lever."""
    if not s.pairs or s.task_type == "generation":
        return None
    return _remark("pairs_in_a_label_task", "preference-data", pairs=s.pairs, task=sentence(f"advice.task.{s.task_type}"))


def few_pairs(s: Situation) -> Advice | None:
    """A generation task with fewer than 500 pairs: the chosen answers are rows to learn from."""
    if s.task_type != "generation" or not 0 < s.pairs < PAIRS_TO_TRY:
        return None
    return _remark("few_pairs", "preference-data", pairs=s.pairs, least=PAIRS_TO_TRY)


def dpo_before_orpo(s: Situation) -> Advice | None:
    """The specification names ORPO for preference data and DPO for alignment; both are said."""
    if s.task_type != "generation" or s.pairs < PAIRS_TO_TRY:
        return None
    return _remark("dpo_before_orpo", "orpo-or-dpo")


def alignment_without_pairs(s: Situation) -> Advice | None:
    """Alignment is wanted and no pairs are there: they have to be collected first."""
    if not s.answers.needs.alignment or s.pairs:
        return None
    rule = "alignment_without_pairs" if s.task_type == "generation" else "alignment_of_labels"
    return _remark(rule, "preference-data", least=PAIRS_TO_TRY)


def setfit_in_words(s: Situation) -> Advice | None:
    """Few rows a class: SetFit is worth a look, though we do not run it."""
    rows = s.learnable_rows
    if s.task_type != "classification" or rows is None or rows >= FEW_ROWS:
        return None
    return _remark("setfit_in_words", "setfit")


METHOD_REMARKS: tuple[Remark, ...] = (pairs_in_a_label_task, few_pairs, dpo_before_orpo, alignment_without_pairs, setfit_in_words)


def _chosen(rule: str, methods: tuple[Method, ...], source: str, **data: Value) -> MethodChoice:
    what = sentence("advice.method.what", methods=[_name(method) for method in methods])
    because = Sentence(f"advice.method.{rule}", dict(data))
    return MethodChoice(tuple(_stage(method) for method in methods), Advice("method", f"method.{rule}", what, because, source))


def _remark(rule: str, source: str, **data: str | int | Sentence) -> Advice:
    what = Sentence(f"advice.method.{rule}.what", dict(data))
    return Advice("method", f"method.{rule}", what, Sentence(f"advice.method.{rule}.because", dict(data)), source)


def _stage(method: Method) -> PlannedStage:
    preference = method_book().preference
    return (
        PlannedStage(method, preference.learning_rate, preference.epochs)
        if method in ("dpo", "orpo", "kto")
        else PlannedStage(method)
    )


def _name(method: Method) -> Sentence:
    return sentence("advice.method.name", name=method_row(method).name)


def _spec_words(rows: int) -> Sentence:
    """What the specification's decision tree says at this number of rows."""
    branch = next(
        (name for limit, name in ((SPEC_FEW_ROWS, "few"), (SPEC_SOME_ROWS, "some"), (SPEC_MANY_ROWS, "more")) if rows < limit),
        "many",
    )
    return sentence(f"advice.specification.tree_{branch}")
