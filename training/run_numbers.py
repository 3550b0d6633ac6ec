"""What decides at a glance while a model trains: the score against baseline and target, and the weakest class.

Reads evaluation events and, where they name one, the file their class scores stand in. Says no sentence and draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from coach.errors import WorkspaceError
from coach.task_schema import SuccessCriteria
from coach.version_folder import Version, read_json
from training.events import Event
from training.run_view import RunView

TFIDF = "TF-IDF"  # the baseline every run has; a person's own has the name they gave it


class Scores(TypedDict):
    """Of one class, each 0 to 1, and its rows."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class ClassScores:
    """One evaluation's classes. `counts`: a row for each label; as many columns, and one more for answers outside the format."""

    per_class: Mapping[str, Scores]
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True)
class WeakestClass:
    """The class with rows whose F1 is lowest. `recognised` of its `support` rows got its label.

    `taken_for` is the wrong answer most of the others got, with how many; None where that is no label at all, or none was wrong.
    `alike`: how many classes there are where all have this one F1, so that none is the weakest; else 0.
    """

    label: str
    f1: float
    recall: float
    recognised: int
    support: int
    taken_for: str | None
    taken: int
    alike: int = 0


@dataclass(frozen=True)
class RunNumbers:
    """`gap` is the score minus the best baseline known, `distance` the score minus the target; None where there is none."""

    step: int
    metric: str
    value: float
    rows: int | None
    baseline: tuple[str, float] | None
    gap: float | None
    target: float | None
    distance: float | None
    weakest: WeakestClass | None


def shown_evaluation(view: RunView, *, alive: bool) -> Event | None:
    """The latest evaluation while the run lives, afterwards the best: its weights are the ones kept. None before the first."""
    scored = [event for event in view.evals if event.get("value") is not None]
    if not scored:
        return None
    return scored[-1] if alive or view.best_eval is None else view.best_eval


def baselines(view: RunView, criteria: SuccessCriteria) -> dict[str, float]:
    """What the score has to beat, by name: the run's own cheap baseline on the validation rows, and what the person uses today."""
    found: dict[str, float] = {}
    cheap = view.baseline.get(criteria.primary_metric)
    if cheap is not None:
        found[TFIDF] = float(cheap)
    if criteria.baseline and criteria.baseline.score is not None:
        found[criteria.baseline.name] = criteria.baseline.score
    return found


def run_numbers(evaluation: Event, view: RunView, criteria: SuccessCriteria, scores: ClassScores | None) -> RunNumbers:
    """The numbers of one evaluation with a value."""
    value, target = float(evaluation["value"]), criteria.threshold
    best = max(baselines(view, criteria).items(), key=lambda pair: pair[1], default=None)
    return RunNumbers(
        step=int(evaluation["step"]),
        metric=str(evaluation["metric"]),
        value=value,
        rows=evaluation.get("rows"),
        baseline=best,
        gap=None if best is None else value - best[1],
        target=target,
        distance=None if target is None else value - target,
        weakest=weakest_class(scores) if scores else None,
    )


def class_scores(version: Version, evaluation: Event) -> ClassScores | None:
    """Classes and matrix of an evaluation, from the event or, above 50 labels, from the file it names; None where there are none."""
    fields: Mapping[str, Any] | None = evaluation
    if "per_class" not in evaluation:
        fields = _from_file(version, evaluation.get("path"))
    try:
        matrix = fields["confusion_matrix"]  # type: ignore[index]
        return ClassScores(fields["per_class"], matrix["labels"], matrix["counts"])  # type: ignore[index]
    except (KeyError, TypeError):
        return None


def _from_file(version: Version, path: object) -> Mapping[str, Any] | None:
    """Only from inside `evals/`: the log may come from another machine."""
    if not isinstance(path, str):
        return None
    file = (version.folder / path).resolve()
    if not file.is_relative_to(version.evals_folder.resolve()):
        return None
    try:
        return read_json(file)
    except WorkspaceError:
        return None


def weakest_class(scores: ClassScores) -> WeakestClass | None:
    """The class of lowest F1 among those with rows, the first of equals; None where no class has rows."""
    with_rows = [label for label in scores.labels if scores.per_class[label]["support"]]
    if not with_rows:
        return None
    label = min(with_rows, key=lambda name: scores.per_class[name]["f1"])
    place = list(scores.labels).index(label)
    row = scores.counts[place]
    taken, column = max(((count, -column) for column, count in enumerate(row) if column != place), default=(0, 0))
    is_label = taken > 0 and -column < len(scores.labels)
    return WeakestClass(
        label=label,
        f1=scores.per_class[label]["f1"],
        recall=scores.per_class[label]["recall"],
        recognised=row[place],
        support=scores.per_class[label]["support"],
        taken_for=scores.labels[-column] if is_label else None,
        taken=taken,
        alike=len(with_rows) if len({scores.per_class[name]["f1"] for name in with_rows}) == 1 < len(with_rows) else 0,
    )
