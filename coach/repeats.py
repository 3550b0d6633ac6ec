"""Several runs of one version: which they are, where they lie, and what they come to together.

A version with `seeds` or `folds` above 1 is trained several times. The first run is the version's own; each further one has a folder
`versions/vN/repeats/<name>/` in the shape of a version's. Owns names, folders and the arithmetic; training them is `training/repeats.py`'s.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach.metric_words import metric_words
from coach.sentence import Sentence, sentence
from coach.task_schema import TaskFile, Training
from coach.version_folder import Version

FOLDER = "repeats"
NAME = re.compile(r"(seed|fold)-\d{1,10}")
SEEDS = 2**32
SCORES = ("primary_metric", "accuracy", "macro_f1")


@dataclass(frozen=True)
class PlannedRun:
    """One of the `runs` of a version, counted from 1, the version's own. `fold` counts from 1 too; None where seeds are repeated."""

    number: int
    runs: int
    seed: int
    fold: int | None = None

    @property
    def name(self) -> str:
        """The name of its folder: `seed-43`, `fold-2`."""
        return f"seed-{self.seed}" if self.fold is None else f"fold-{self.fold}"

    @property
    def which(self) -> str:
        """What tells it from the others, in the words of task.yaml."""
        return self.name.replace("-", " ")


def planned_runs(training: Training) -> list[PlannedRun]:
    """Every run of a version, its own first. A method that trains nothing has that one alone: all others would answer the same."""
    if training.method != "sft":
        return [PlannedRun(1, 1, training.seed)]
    if training.folds > 1:
        return [PlannedRun(fold, training.folds, training.seed, fold) for fold in range(1, training.folds + 1)]
    return [PlannedRun(place + 1, training.seeds, (training.seed + place) % SEEDS) for place in range(training.seeds)]


def config_of(config: TaskFile, planned: PlannedRun) -> TaskFile:
    """The recipe of one run by itself."""
    alone = {"seed": planned.seed, "seeds": 1, "folds": 1}
    return config.model_copy(update={"training": config.training.model_copy(update=alone)})


@dataclass(frozen=True)
class Repeat(Version):
    """A further run of a version, a folder in the shape of a version's. Who trains the version holds its lock and obeys its stop file."""

    @property
    def owner(self) -> Version:
        return Version(self.folder.parents[1])

    @property
    def lock_path(self) -> Path:
        return self.owner.lock_path

    @property
    def stop_path(self) -> Path:
        return self.owner.stop_path


def repeats_folder(version: Version) -> Path:
    return version.folder / FOLDER


def repeat_called(version: Version, name: str) -> Repeat:
    """The repeat of `version` by its folder's name, which a log from elsewhere may hold. Raises ValueError for one that is none."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a repeat")
    return Repeat(repeats_folder(version) / name)


def task_folder(version: Version) -> Path:
    """The folder of the task a version, or a repeat of one, belongs to."""
    return (version.owner if isinstance(version, Repeat) else version).folder.parents[1]


# --- together ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spread:
    """Of a score over several runs: `sd` is the sample standard deviation, None of a single run."""

    runs: int
    mean: float
    sd: float | None
    lowest: float
    highest: float


def spread(values: Iterable[float | None]) -> Spread | None:
    """Mean and spread of the values there are; None where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    sd = statistics.stdev(known) if len(known) > 1 else None
    return Spread(len(known), statistics.fmean(known), sd, min(known), max(known))


def together(runs: Sequence[tuple[PlannedRun, Mapping[str, Any]]]) -> dict[str, Any]:
    """`repeats` of results.json: each run's scores on the test rows, from its own results, then mean and spread of each score."""
    scored = [(planned, _scores(results)) for planned, results in runs]
    spreads = {name: spread(scores[name] for _, scores in scored) for name in SCORES}
    return {
        "metric": next((results["primary_metric"].get("name") for _, results in runs if results.get("primary_metric")), None),
        "runs": [{"name": planned.name, "seed": planned.seed, "fold": planned.fold, **scores} for planned, scores in scored],
        **{name: _document(found) for name, found in spreads.items()},
    }


def repeats_sentence(results: Mapping[str, Any]) -> Sentence | None:
    """Mean and spread of the primary metric over a version's runs; None where it has but one."""
    found = results.get("repeats") or {}
    score, runs = found.get("primary_metric"), found.get("runs") or []
    if not score or score.get("standard_deviation") is None:
        return None
    kind = "seeds" if runs[0].get("fold") is None else "folds"
    numbers = {
        "mean": score["mean"],
        "spread": score["standard_deviation"],
        "lowest": score["lowest"],
        "highest": score["highest"],
    }
    return sentence(f"repeats.result.{kind}", runs=len(runs), metric=metric_words(found.get("metric") or ""), **numbers)


def _scores(results: Mapping[str, Any]) -> dict[str, float | None]:
    primary = (results.get("primary_metric") or {}).get("value")
    return {"primary_metric": primary, "accuracy": results.get("accuracy"), "macro_f1": results.get("macro_f1")}


def _document(found: Spread | None) -> dict[str, Any] | None:
    if found is None:
        return None
    sd = None if found.sd is None else round(found.sd, 4)
    return {
        "mean": round(found.mean, 4),
        "standard_deviation": sd,
        "lowest": found.lowest,
        "highest": found.highest,
        "runs": found.runs,
    }
