"""What would change the advice: the nearest answers that lead to another plan, found by asking the rules again.

Nothing here knows a threshold: each change is tried, and a number is narrowed down to the first value that flips the plan. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from coach.answers import Answers
from coach.hardware import ASSUMED_VRAM_GB, Hardware
from coach.interview import Answer, with_answer
from coach.plan import Plan
from coach.plan_difference import signature_of, what_is_new
from coach.recommendation import recommend, situation_of
from coach.recommendation.method import baseline_range
from coach.sentence import Sentence, sentence
from coach.situation import DataFacts

MOST_CHANGES = 5
MOST_ROWS, MOST_PAIRS, LARGEST_GPU_GB = 1_000_000, 20_000, 96
NEEDS = ("reasoning", "light_deployment", "tooling", "alignment")
TOGGLE_DISTANCE = 2.0  # judgement: another wish is as far away as four times the rows
NAMES_DISTANCE = 3.5  # judgement: only the names of versions differ
SMALLEST_GPU_GB = round(ASSUMED_VRAM_GB)  # the least a person would buy or borrow for this
TYPE_DISTANCE = 4.0  # another task altogether
FARTHEST_TARGET = 0.15  # a target beyond that is another wish
Asked = tuple[Answers, DataFacts | None, Hardware]


@dataclass(frozen=True)
class Change:
    """One change that flips the plan. `distance` orders them: halvings or doublings of a number, steps for everything else."""

    kind: str
    distance: float
    change: Sentence
    becomes: Sentence


def what_would_change(answers: Answers, facts: DataFacts | None, hardware: Hardware, plan: Plan) -> list[Change]:
    """At most five changes, nearest first, each leading to another plan, no two to the same one."""
    asked = (answers, facts, hardware)
    found: list[Change] = []
    for change in sorted((c for probe in PROBES for c in probe(asked, plan)), key=lambda change: change.distance):
        if all(known.becomes != change.becomes for known in found):
            found.append(change)
    return found[:MOST_CHANGES]


def _flip(kind: str, distance: float, change: Sentence, asked: Asked, plan: Plan) -> Iterator[Change]:
    """The change, if asking again gives another plan."""
    other = recommend(*asked)
    if signature_of(other) != signature_of(plan):
        yield Change(kind, distance, change, what_is_new(plan, other))


def _first_flip(plan: Plan, ask: Callable[[int], Asked], start: int, end: int) -> int | None:
    """The number nearest to `start`, on the way to `end`, whose plan is another one: steps that double, then halving the interval."""
    former, step = start, 1
    direction = 1 if end > start else -1
    while former != end:
        tried = start + direction * min(step, abs(end - start))
        if signature_of(recommend(*ask(tried))) != signature_of(plan):
            return _narrowed(plan, ask, former, tried)
        former, step = tried, step * 2
    return None


def _narrowed(plan: Plan, ask: Callable[[int], Asked], same: int, other: int) -> int:
    while abs(other - same) > 1:
        middle = (same + other) // 2
        if signature_of(recommend(*ask(middle))) == signature_of(plan):
            same = middle
        else:
            other = middle
    return other


def _rows(asked: Asked, plan: Plan) -> Iterator[Change]:
    """Fewer rows, and more."""
    answers, facts, hardware = asked
    rows = situation_of(*asked).learnable_rows
    if rows is None:
        return
    for end, key in ((0, "fewer_rows"), (MOST_ROWS, "more_rows")):
        found = _first_flip(plan, lambda count: (_with_rows(answers, count), _scaled(facts, count), hardware), rows, end)
        if found is not None:
            other = (_with_rows(answers, found), _scaled(facts, found), hardware)
            distance = abs(math.log2((found + 1) / (rows + 1)))
            yield from _flip(key, distance, sentence(f"what_if.{key}", rows=found), other, plan)


def _with_rows(answers: Answers, rows: int) -> Answers:
    pairs = answers.resources.preference_pairs
    changed = with_answer(answers, "resources.labelled_rows", rows)
    return with_answer(changed, "resources.preference_pairs", min(pairs, rows)) if pairs else changed


def _scaled(facts: DataFacts | None, rows: int) -> DataFacts | None:
    """The file with more or fewer rows of the same kind, on which the baseline scores as its learning curve has it."""
    if facts is None:
        return None
    counts = {label: round(count * rows / max(1, facts.rows)) for label, count in facts.class_counts.items()}
    return replace(facts, rows=rows, class_counts=counts, test_rows=None)


def _gpu(asked: Asked, plan: Plan) -> Iterator[Change]:
    """A smaller or larger card, none at all, or the smallest that would change something where there is none."""
    answers, facts, hardware = asked
    machine = situation_of(*asked).machine

    def with_card(gigabytes: int) -> Asked:
        card = {"gpu": "local", "gpu_name": None, "vram_gb": float(gigabytes)}
        return answers.model_copy(update={"resources": answers.resources.model_copy(update=card)}), facts, hardware

    if machine.vram_gb is None:
        found = _first_flip(plan, with_card, SMALLEST_GPU_GB - 1, LARGEST_GPU_GB)
        if found is not None:
            yield from _flip("gpu", TOGGLE_DISTANCE, sentence("what_if.with_gpu", vram=found), with_card(found), plan)
        return
    here = round(machine.vram_gb)
    for end, key in ((1, "smaller_gpu"), (LARGEST_GPU_GB, "larger_gpu")):
        found = _first_flip(plan, with_card, here, end) if here != end else None
        if found is not None:
            distance = abs(math.log2(found / max(1, here)))
            yield from _flip(key, distance, sentence(f"what_if.{key}", vram=found), with_card(found), plan)
    none = with_answer(answers, "resources.gpu", "none")
    yield from _flip("no_gpu", TOGGLE_DISTANCE, sentence("what_if.no_gpu"), (none, facts, hardware), plan)


def _pairs(asked: Asked, plan: Plan) -> Iterator[Change]:
    """Preference pairs: for a task of another type the type has to change too, and that is said."""
    answers, facts, hardware = asked
    is_generation = situation_of(*asked).task_type == "generation"
    if situation_of(*asked).rows is None:
        return  # pairs would be the first rows anybody has spoken of
    base = answers if is_generation else _as_generation(answers)
    alone = recommend(base, facts, hardware)
    have = answers.resources.preference_pairs or 0

    def with_pairs(count: int) -> Asked:
        return with_answer(base, "resources.preference_pairs", count), facts, hardware

    for end, key in ((MOST_PAIRS, "more_pairs"), (0, "fewer_pairs")):
        found = _first_flip(alone, with_pairs, have, end) if have != end else None
        if found is not None and (is_generation or end):
            said = sentence(f"what_if.{key if is_generation else 'pairs_and_generation'}", pairs=found)
            distance = abs(math.log2((found + 1) / (have + 1))) / 2 if is_generation else TYPE_DISTANCE
            yield from _flip(key, distance, said, with_pairs(found), plan)


def _as_generation(answers: Answers) -> Answers:
    return with_answer(with_answer(answers, "task.type", "generation"), "success.primary_metric", None)


def _skew(asked: Asked, plan: Plan) -> Iterator[Change]:
    """More or fewer rows of the smallest class; without counts, the other answer to whether classes are balanced."""
    answers, facts, hardware = asked
    situation = situation_of(*asked)
    if situation.task_type != "classification":
        return
    if facts is None or len(facts.class_counts) < 2:
        other = "balanced" if situation.is_skewed else "skewed"
        changed = with_answer(answers, "resources.class_balance", other)
        yield from _flip("skew", TOGGLE_DISTANCE, sentence(f"what_if.classes_{other}"), (changed, facts, hardware), plan)
        return
    label, count = min(facts.class_counts.items(), key=lambda pair: pair[1])

    def with_smallest(rows: int) -> Asked:
        counts = {**facts.class_counts, label: rows}
        return answers, replace(facts, class_counts=counts, rows=sum(counts.values())), hardware

    end = max(facts.class_counts.values()) if situation.is_skewed else 0
    found = _first_flip(plan, with_smallest, count, end) if count != end else None
    if found is not None:
        key = "class_more" if found > count else "class_fewer"
        distance = abs(math.log2((found + 1) / (count + 1)))
        yield from _flip("skew", distance, sentence(f"what_if.{key}", label=label, rows=found), with_smallest(found), plan)


def _target(asked: Asked, plan: Plan) -> Iterator[Change]:
    """The highest target that the forecast still calls within reach. The plan stays; what may be promised changes."""
    threshold, expected = asked[0].success.threshold, plan.forecast.expected
    if threshold is None or expected is None or expected >= threshold:
        return
    lowered = recommend(with_answer(asked[0], "success.threshold", expected), *asked[1:])
    before, after = plan.headline.data["target"], lowered.headline.data["target"]
    if isinstance(before, Sentence) and isinstance(after, Sentence) and before.key != after.key:
        distance = 10 * (threshold - expected)  # a tenth of a score counts as much as twice the rows
        yield Change("target", distance, sentence("what_if.target", score=expected), sentence("what_if.in_reach"))


def _target_of_the_baseline(asked: Asked, plan: Plan) -> Iterator[Change]:
    """The nearest target at which the cheap baseline is enough no more, or would be."""
    threshold, found = asked[0].success.threshold, baseline_range(situation_of(*asked))
    if threshold is None or found is None:
        return
    enough = math.floor(100 * found.enough_for) / 100
    target = enough if threshold > found.enough_for else enough + 0.01
    if 0 < target < 1 and abs(threshold - target) <= FARTHEST_TARGET:
        key = "target_lower" if target < threshold else "target_higher"
        changed = (with_answer(asked[0], "success.threshold", round(target, 2)), *asked[1:])
        yield from _flip(key, 10 * abs(threshold - target), sentence(f"what_if.{key}", score=target), changed, plan)


def _deadline(asked: Asked, plan: Plan) -> Iterator[Change]:
    """The longest deadline, in whole weeks, at which the coach would speak of time."""
    answers, facts, hardware = asked
    former = {warning.key for warning in plan.warnings}
    for weeks in (8, 4, 2, 1):
        if weeks >= (answers.business.deadline_weeks or math.inf):
            continue
        other = recommend(with_answer(answers, "business.deadline_weeks", weeks), facts, hardware)
        new = next((said for said in other.warnings if said.key.startswith("warnings.deadline") and said.key not in former), None)
        if new is not None:
            yield Change("deadline", TOGGLE_DISTANCE, sentence("what_if.deadline", weeks=weeks), new)
            return


def _wishes(asked: Asked, plan: Plan) -> Iterator[Change]:
    """Needs, language, deployment target and rows that keep coming, each changed alone."""
    answers, facts, hardware = asked
    for name, distance, said in _other_wishes(asked):
        changed = answers
        for key, value in said.items():
            changed = with_answer(changed, key, value)
        yield from _flip(name, distance, Sentence(f"what_if.need.{name}"), (changed, facts, hardware), plan)


def _other_wishes(asked: Asked) -> Iterator[tuple[str, float, dict[str, Answer]]]:
    for name in NEEDS:
        wanted = bool(getattr(asked[0].needs, name))
        yield f"{name}_off" if wanted else name, TOGGLE_DISTANCE, {f"needs.{name}": not wanted}
    language, code = ("en", "en") if situation_of(*asked).language != "en" else ("zh", "zh-TW")
    yield f"language_{language}", TOGGLE_DISTANCE, {"task.language": code}
    yield "api", NAMES_DISTANCE, {"versioning.deploy_target": "api", "versioning.strategy": None}
    coming: dict[str, Answer] = {
        "resources.more_data": "continuous",
        "versioning.iterations": "many",
        "versioning.strategy": None,
    }
    yield "continuous", NAMES_DISTANCE, coming


PROBES: tuple[Callable[[Asked, Plan], Iterator[Change]], ...] = (
    _rows, _gpu, _pairs, _skew, _target, _target_of_the_baseline, _deadline, _wishes,
)  # fmt: skip
