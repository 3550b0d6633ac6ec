"""The one sentence that stands over a plan: what there is, what is advised, and whether the target is in reach."""

from __future__ import annotations

from coach.metric_words import metric_words
from coach.recommendation.draft import Draft
from coach.reference_data import method_row
from coach.sentence import Sentence, sentence


def headline(draft: Draft) -> Sentence:
    """With `{rows}` rows and this machine, do that; the target is likely, possible, unlikely."""
    s = draft.situation
    rows = (
        sentence("advice.headline.rows", rows=s.learnable_rows)
        if s.learnable_rows is not None
        else sentence("advice.headline.rows_unknown")
    )
    machine = sentence("advice.headline.gpu", vram=s.machine.vram_gb) if s.machine.has_cuda else sentence("advice.headline.cpu")
    data = {"rows": rows, "machine": machine, "does": _does(draft), "target": _target(draft)}
    return Sentence("advice.headline.whole", data)


def _does(draft: Draft) -> Sentence:
    names = [sentence("advice.method.name", name=method_row(method).name) for method in draft.methods]
    if not draft.trains:
        return Sentence("advice.headline.without_training", {"methods": list(names)})
    way = sentence(f"advice.peft.{draft.peft}")
    return Sentence("advice.headline.training", {"methods": list(names), "model": draft.model.id, "way": way})


def _target(draft: Draft) -> Sentence:
    found, threshold = draft.forecast, draft.situation.answers.success.threshold
    data = {"metric": metric_words(found.metric), "low": found.low, "high": found.high, "threshold": threshold}
    if draft.target == "none":
        return Sentence(
            "advice.headline.target_none" if found.low is not None else "advice.headline.nothing_foretold", dict(data)
        )
    return Sentence(f"advice.headline.target_{draft.target}", dict(data))
