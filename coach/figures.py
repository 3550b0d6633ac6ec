"""The three numbers of a finished version that decide: its score, the distance to the target, and what stands nearest in the way.

Reads a verdict and results. What they mean in a sentence is `verdict.py`'s; how they are drawn is the page's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coach.comparison import Comparison
from coach.metric_words import metric_words
from coach.sentence import Sentence, sentence
from coach.system_comparison import SystemComparison
from coach.verdict import Verdict

NOTHING = "—"


@dataclass(frozen=True)
class Figure:
    """A number with what it is and a note that belongs to it."""

    label: Sentence
    value: str
    note: Sentence


def figures(verdict: Verdict, results: Mapping[str, Any]) -> tuple[Figure, Figure, Figure]:
    """Score with interval; distance to the target; the best baseline where it is not clearly beaten, else the weakest class."""
    return _score(verdict), _distance(verdict), _in_the_way(verdict, results)


def _score(verdict: Verdict) -> Figure:
    label = sentence("ui.evaluate.figure.score", metric=metric_words(verdict.metric))
    if verdict.low is None or verdict.high is None:
        return Figure(label, f"{verdict.value:.3f}", sentence("ui.evaluate.figure.no_interval"))
    return Figure(label, f"{verdict.value:.3f}", sentence("ui.evaluate.figure.interval", low=verdict.low, high=verdict.high))


def _distance(verdict: Verdict) -> Figure:
    if verdict.threshold is None:
        return Figure(sentence("ui.evaluate.figure.distance"), NOTHING, sentence("ui.evaluate.figure.no_target"))
    distance = verdict.value - verdict.threshold
    note = sentence("ui.evaluate.figure.target", threshold=verdict.threshold)
    return Figure(sentence("ui.evaluate.figure.distance"), f"{distance:+.3f}", note)


def _in_the_way(verdict: Verdict, results: Mapping[str, Any]) -> Figure:
    best = max(verdict.baselines, key=lambda found: found.score, default=None)
    weakest = weakest_class(results)
    if best is not None and (best.beaten != "yes" or weakest is None):
        note = sentence("ui.evaluate.figure.over_baseline", difference=verdict.value - best.score)
        return Figure(sentence("ui.evaluate.figure.baseline", name=best.label), f"{best.score:.3f}", note)
    if weakest is None:
        return Figure(sentence("ui.evaluate.figure.no_baseline"), NOTHING, sentence("ui.evaluate.figure.nothing"))
    label, scores = weakest
    if count := _alike(results):
        note = sentence("ui.evaluate.figure.alike_note", count=count)
        return Figure(sentence("ui.evaluate.figure.alike"), f"{scores['f1']:.3f}", note)
    note = sentence("ui.evaluate.figure.recall", recall=float(scores.get("recall") or 0.0), rows=int(scores["support"]))
    return Figure(sentence("ui.evaluate.figure.weakest", label=label), f"{scores['f1']:.3f}", note)


def weakest_class(results: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """The class with rows in the test whose F1 is lowest; None where results list no classes."""
    with_rows = [(label, scores) for label, scores in (results.get("per_class") or {}).items() if scores.get("support")]
    return min(with_rows, key=lambda pair: pair[1]["f1"], default=None)


def _alike(results: Mapping[str, Any]) -> int:
    """How many classes there are where all of them have one F1, so that none is the weakest; else 0."""
    scores = [scores["f1"] for scores in (results.get("per_class") or {}).values() if scores.get("support")]
    return len(scores) if len(scores) > 1 and min(scores) == max(scores) else 0


def iteration_figures(name: str, verdict: Verdict, change: Comparison | None) -> tuple[Figure, Figure, Figure]:
    """Score with interval; what it gained over the version it came from; distance to the target."""
    label = sentence("ui.iterate.figure.score", version=name, metric=metric_words(verdict.metric))
    score = _score(verdict)
    return Figure(label, score.value, score.note), _gain(change), _distance(verdict)


def system_figures(found: SystemComparison) -> tuple[Figure, Figure, Figure]:
    """The version, the system in use today, and the difference with its interval, all on the rows in common."""
    compared, metric = found.comparison, metric_words(found.comparison.metric)
    rows = sentence("ui.systems.figure.rows", rows=found.rows)
    version = sentence("ui.systems.figure.version", version=compared.second, metric=metric)
    system = sentence("ui.systems.figure.system", system=found.system, metric=metric)
    return (
        Figure(version, f"{compared.overall.after:.3f}", rows),
        Figure(system, f"{found.system_score:.3f}", rows),
        _gain(compared),
    )


def _gain(change: Comparison | None) -> Figure:
    if change is None or change.overall.difference is None:
        return Figure(sentence("ui.iterate.figure.gain_none"), NOTHING, sentence("ui.iterate.figure.nothing_before"))
    interval = change.overall.interval
    note = sentence("ui.iterate.figure.few_shared", rows=change.shared_rows)
    if interval is not None:
        part = "" if change.same_test_rows and not change.relabelled else "_of_part"
        note = sentence(f"ui.iterate.figure.gain_interval{part}", low=interval.low, high=interval.high, rows=change.shared_rows)
    return Figure(sentence("ui.iterate.figure.gain", first=change.first), f"{change.overall.difference:+.3f}", note)
