"""The one sentence that stands over a plan: what there is, what is advised, and whether the target is in reach."""

from __future__ import annotations

from collections.abc import Sequence

from coach.metric_words import metric_words
from coach.own_baseline import score_on_new_wordings
from coach.recommendation.draft import Draft
from coach.recommendation.method import baseline_is_enough
from coach.reference_data import method_row
from coach.sentence import Sentence, sentence
from coach.task_schema import Method


def headline(draft: Draft) -> Sentence:
    """With `{rows}` rows and this machine, do that; the target is likely, possible, unlikely."""
    s = draft.situation
    rows = (
        sentence("advice.headline.rows", rows=s.learnable_rows)
        if s.learnable_rows is not None
        else sentence("advice.headline.rows_unknown")
    )
    without = "cpu" if s.answers.resources.gpu == "none" else "cpu_here"  # nobody has said so: it is what this machine has
    machine = (
        sentence("advice.headline.gpu", vram=s.machine.vram_gb) if s.machine.has_cuda else sentence(f"advice.headline.{without}")
    )
    data = {"rows": rows, "machine": machine, "does": _does(draft), "target": _target(draft)}
    return Sentence("advice.headline.whole", data)


def _does(draft: Draft) -> Sentence:
    methods = _in_order(draft.methods, alone=not draft.trains)
    if not draft.trains:
        return sentence("advice.headline.without_training", methods=methods)
    if draft.methods == ["baseline", "sft"]:  # two versions, one after the other: said so, for the first trains nothing
        key = "baseline_is_enough" if baseline_is_enough(draft.situation) else "two_versions"
        return sentence(f"advice.headline.{key}", model=draft.model.id, way=sentence(f"advice.peft.{draft.peft}"))
    return sentence("advice.headline.training", methods=methods, model=draft.model.id, way=sentence(f"advice.peft.{draft.peft}"))


def _in_order(methods: Sequence[Method], *, alone: bool) -> Sentence:
    """First this, then that; a single method is said to come first only where it is the whole advice for now."""
    first, *rest = [_named(method) for method in methods]
    said = sentence("advice.headline.first", name=first) if rest or alone else first
    for following in rest:
        said = sentence("advice.headline.then", before=said, name=following)
    return said


def _named(method: Method) -> Sentence:
    """A method's name; Chinese puts a space between its own characters and a Latin name."""
    name = method_row(method).name
    return sentence("advice.headline.latin_name" if name.texts["zh-TW"][0].isascii() else "advice.method.name", name=name)


def _target(draft: Draft) -> Sentence:
    found, threshold = draft.forecast, draft.situation.answers.success.threshold
    data = {"metric": metric_words(found.metric), "low": found.low, "high": found.high, "threshold": threshold}
    if draft.target == "none":
        return Sentence(
            "advice.headline.target_none" if found.low is not None else "advice.headline.nothing_foretold", dict(data)
        )
    alike = "_alike" if draft.target == "likely" and _is_of_known_wordings(draft) else ""
    return Sentence(f"advice.headline.target_{draft.target_words}{alike}", dict(data))


def _is_of_known_wordings(draft: Draft) -> bool:
    """Whether the baseline, kept from wordings it has seen, stays below the target: what is foretold is a score on seen ones."""
    apart, threshold = score_on_new_wordings(draft.situation), draft.situation.answers.success.threshold
    return apart is not None and threshold is not None and apart < threshold
