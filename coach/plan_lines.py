"""A plan as lines for a terminal: a sentence and three numbers first, then each choice with its reason and source.

Owns order and layout; the sentences are the plan's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from coach.answers import Answers
from coach.errors import DataError
from coach.figures import NOTHING
from coach.plan import Advice, Plan, Topic
from coach.reference_data import sources
from coach.situation import DataFacts, Look
from coach.text import Language, text

if TYPE_CHECKING:
    from coach.what_if import Change

TOPICS: tuple[Topic, ...] = ("method", "base_model", "hyperparameters", "data", "versioning", "deployment")
SHOWN_LABELS, LABEL_LETTERS = 6, 40


def look_lines(look: Look, answers: Answers, language: Language) -> list[str]:
    """What was seen of the file before the plan; rows whose label the answers do not name are not passed over in silence."""
    facts = look.facts
    said = {"path": look.path.name, "text": ", ".join(look.text_columns), "label": look.label_column or NOTHING}
    lines = [text("cli.coach.plan.looked_at", language, rows=facts.rows, **said)]
    if facts.unnamed_labels:
        count = sum(facts.unnamed_labels.values())
        lines.append(text("cli.coach.plan.unnamed_labels", language, count=count, **_labels(look, answers)))
    return [*lines, ""]


def refuse_unnamed_labels(look: Look, answers: Answers) -> Look:
    """The look as it came. Raises DataError where every label of the file is one that the answers do not name."""
    if look.facts.unnamed_labels and not look.facts.rows:
        column = look.label_column or NOTHING
        raise DataError("data.labels_not_named", path=look.path.name, column=column, **_labels(look, answers))
    return look


def _labels(look: Look, answers: Answers) -> dict[str, str]:
    """As a terminal can show them: a file's labels may be anything."""
    found, named = list(look.facts.unnamed_labels), answers.task.labels or []
    return {"labels": ", ".join(map(_shown, found[:SHOWN_LABELS])), "named": ", ".join(map(_shown, named[:SHOWN_LABELS]))}


def _shown(label: str) -> str:
    said = "".join(sign if sign.isprintable() else " " for sign in label)
    return said if len(said) <= LABEL_LETTERS else f"{said[:LABEL_LETTERS]}…"


def lines_here(plan: Plan, language: Language, answers: Answers, facts: DataFacts | None) -> list[str]:
    """The whole plan, and what would change it on this machine."""
    from coach.hardware import this_machine
    from coach.what_if import what_would_change

    return plan_lines(plan, language, what_would_change(answers, facts, this_machine(), plan))


def plan_lines(plan: Plan, language: Language, changes: Sequence[Change] = ()) -> list[str]:
    """The whole plan in `language`."""
    return [
        plan.headline.say(language),
        "",
        *_three_numbers(plan, language),
        *_reasons(plan, language),
        *_cautions(plan, language),
        *_alternatives(plan, language),
        *_changes(changes, language),
        "",
        text("cli.coach.plan.forecast_basis", language, basis=plan.forecast.basis.say(language)),
        *_more_rows(plan, language),
        text("cli.coach.plan.estimate_basis", language, basis=plan.estimate.basis.say(language)),
        text("cli.coach.plan.rules_version", language, version=plan.rules_version),
    ]


def _three_numbers(plan: Plan, language: Language) -> list[str]:
    found, cost = plan.forecast, plan.estimate
    if found.low is None:
        score = text("cli.coach.plan.score_unknown", language, metric=found.metric)
    else:
        score = text(
            "cli.coach.plan.score", language, metric=found.metric, low=found.low, expected=found.expected, high=found.high
        )
    span = cost.minutes_range
    time = (
        text("cli.coach.plan.time", language, low=span[0], high=span[1])
        if span
        else text("cli.coach.plan.time_unknown", language)
    )
    memory = text("cli.coach.plan.no_gpu", language)
    if cost.vram_range:
        memory = text("cli.coach.plan.memory", language, low=cost.vram_range[0], high=cost.vram_range[1])
    return [f"  {line}" for line in (score, time, memory)]


def _more_rows(plan: Plan, language: Language) -> list[str]:
    growth = plan.forecast.growth
    return [text("cli.coach.plan.growth", language, said=said.say(language)) for said in growth.said] if growth else []


def _reasons(plan: Plan, language: Language) -> Iterator[str]:
    for topic in TOPICS:
        advice = [found for found in plan.reasons if found.topic == topic]
        if advice:
            yield ""
            yield text(f"cli.coach.plan.topic.{topic}", language)
        for before, found in zip([None, *advice], advice, strict=False):
            yield from _one_reason(found, language, is_same=before is not None and before.what == found.what)


def _one_reason(advice: Advice, language: Language, *, is_same: bool) -> list[str]:
    """`is_same`: what is advised stands a reason above."""
    source = sources()[advice.source].citation
    return [
        *([] if is_same else [f"  {advice.what.say(language)}"]),
        f"    {advice.because.say(language)}",
        f"    {text('cli.coach.plan.source', language, source=source)}",
    ]


def _cautions(plan: Plan, language: Language) -> list[str]:
    if not plan.warnings:
        return []
    return ["", text("cli.coach.plan.cautions", language), *(f"  - {warning.say(language)}" for warning in plan.warnings)]


def _alternatives(plan: Plan, language: Language) -> Iterator[str]:
    if not plan.alternatives:
        return
    yield ""
    yield text("cli.coach.plan.alternatives", language)
    for other in plan.alternatives:
        said = other.as_json(language)
        yield f"  - {said['option']}"
        yield f"    {text('cli.coach.plan.cost', language, said=said['cost'])}"
        yield f"    {text('cli.coach.plan.gain', language, said=said['gain'])}"
        yield f"    {text('cli.coach.plan.when', language, said=said['when'])}"


def _changes(changes: Sequence[Change], language: Language) -> Iterator[str]:
    if not changes:
        return
    yield ""
    yield text("cli.coach.plan.changes", language)
    for one in changes:
        yield f"  - {text('cli.coach.plan.change', language, change=one.change.say(language), becomes=one.becomes.say(language))}"
