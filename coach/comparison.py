"""Two versions side by side: what changed in the configuration, what changed in the scores, and how sure that is.

Scores are compared on the test rows both versions answered (paired bootstrap). Reads documents that are there; trains nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

import numpy as np

from coach.answers_given import read_answers_given
from coach.config_changes import ConfigChange, config_changes
from coach.errors import WorkspaceError
from coach.metric_words import metric_words
from coach.paired_test import ALPHA, Answers, Judgement, PairedTest, class_changes, paired_test
from coach.sentence import Data, Sentence, sentence
from coach.statistics import Interval, ScoreName, class_f1, score_of
from coach.task_schema import TaskFile
from coach.text import Language
from coach.verdict import primary_metric
from coach.version_folder import Version

FEWEST_SHARED_ROWS = 20  # below this a bootstrap interval says more about the rows than about the versions
FEW_TEST_ROWS = 200  # below this several cuts or seeds say more than one (evidence.md 6.3)


@dataclass(frozen=True)
class ScoreChange:
    """`interval` is None where too few rows are shared; `significant`: it does not hold zero, or the test behind it says so."""

    name: str
    before: float | None
    after: float | None
    difference: float | None
    interval: Interval | None = None
    test: PairedTest | None = None

    @property
    def significant(self) -> bool:
        if self.test is not None:
            return self.test.significant
        return self.interval is not None and (self.interval.low > 0 or self.interval.high < 0)


@dataclass(frozen=True)
class Comparison:
    first: str
    second: str
    metric: str
    judgement: Judgement
    overall: ScoreChange
    per_class: tuple[ScoreChange, ...]
    config: tuple[ConfigChange, ...]
    shared_rows: int
    same_test_rows: bool
    relabelled: int = 0  # test rows both answered whose label was changed between them

    @property
    def rows_needed(self) -> int | None:
        return self.overall.test.rows_needed if self.overall.test else None

    @property
    def detectable(self) -> float | None:
        return self.overall.test.detectable if self.overall.test else None

    def sentences(self) -> list[Sentence]:
        """The judgement, what would settle it, what got better or worse by class, and what to know of the configurations."""
        found = self.judgement_sentences()
        if (
            self.judgement == "cannot_tell"
            and self.overall.difference
            and self.overall.interval
            and self.shared_rows < FEW_TEST_ROWS
        ):
            found.append(sentence("verdict.compare.several_runs", rows=self.shared_rows))
        found += self.class_sentences()
        if not self.same_test_rows and self.shared_rows >= FEWEST_SHARED_ROWS:
            found.append(sentence("verdict.compare.different_data", rows=self.shared_rows))
        if self.relabelled and self.overall.interval is not None:
            found.append(sentence("verdict.compare.relabelled", count=self.relabelled, rows=self.shared_rows))
        if not self.config:
            found.append(sentence("verdict.compare.same_config"))
        if len(self.config) > 1:
            found.append(sentence("verdict.compare.several_changes", count=len(self.config)))
        return found

    def judgement_sentences(self) -> list[Sentence]:
        """Which is better, and what would settle it where nothing can be told."""
        return [self._judgement(), *self._uncertainty()]

    def class_sentences(self) -> list[Sentence]:
        return [self._class(change) for change in self.per_class if change.significant]

    def as_json(self, language: Language) -> dict[str, Any]:
        document = asdict(self)
        document["overall"]["significant"] = self.overall.significant
        document |= {"rows_needed": self.rows_needed, "detectable": self.detectable}
        for written, change in zip(document["per_class"], self.per_class, strict=True):
            written["significant"] = change.significant
        return {**document, "sentences": [said.say(language) for said in self.sentences()]}

    def _uncertainty(self) -> Iterator[Sentence]:
        """Where nothing can be told: how many test rows would, and what these could have shown."""
        if self.judgement != "cannot_tell" or self.overall.interval is None:
            return
        if self.rows_needed is not None:
            more = self.rows_needed - self.shared_rows
            yield sentence("verdict.compare.rows_needed", needed=self.rows_needed, more=more)
        elif self.overall.difference:
            yield sentence("verdict.compare.too_small")
        if self.detectable is not None:
            yield sentence("verdict.compare.detectable", rows=self.shared_rows, difference=self.detectable)

    def _judgement(self) -> Sentence:
        change = self.overall
        names: Data = {"first": self.first, "second": self.second, "metric": metric_words(self.metric), "rows": self.shared_rows}
        if change.interval is None:
            return Sentence("verdict.compare.unpaired", {**names, "difference": change.difference or 0.0})
        if change.interval.low == change.interval.high == 0:
            return Sentence("verdict.compare.no_difference", names)
        numbers: Data = {"difference": change.difference, "low": change.interval.low, "high": change.interval.high}
        if change.test is not None and change.test.p is not None:
            return Sentence(f"verdict.compare.{self.judgement}_mcnemar", {**names, **numbers, "p": _p_value(change.test.p)})
        return Sentence(f"verdict.compare.{self.judgement}", {**names, **numbers})

    def _class(self, change: ScoreChange) -> Sentence:
        assert change.interval is not None
        key = "class_better" if change.interval.low > 0 else "class_worse"
        data = {"label": change.name, "difference": change.difference, "low": change.interval.low, "high": change.interval.high}
        return Sentence(f"verdict.compare.{key}", dict(data))


@dataclass(frozen=True)
class Judged:
    """One version as it is compared. `answers`: row id to (actual, predicted), None where an answer was outside the format."""

    name: str
    config: TaskFile
    results: Mapping[str, Any]
    answers: Mapping[str, tuple[Any, Any]]


def judged(version: Version, results: Mapping[str, Any]) -> Judged:
    """A version with its results as it is compared. Raises WorkspaceError and DocumentError where a file is damaged."""
    config = version.config
    return Judged(version.name, config, results, read_answers_given(version.predictions_path, next(iter(config.targets), None)))


def compare(first: Judged, second: Judged, *, seed: int) -> Comparison:
    """`second` against `first` on the first one's primary metric. Raises WorkspaceError where the second does not have it.

    Where only a part of the test rows can be compared, both scores are of that part: a difference is one of what stands beside it.
    """
    metric, before = primary_metric(first.results)
    after = second.results.get(metric)
    if not isinstance(after, int | float):
        names = {
            "first": first.name,
            "second": second.name,
            "first_metric": metric,
            "second_metric": primary_metric(second.results)[0],
        }
        raise WorkspaceError("command.different_metrics", **names)
    paired = _paired(first, second)
    overall = ScoreChange(metric, before, float(after), float(after) - before)
    per_class = tuple(_class_changes(first, second, paired, seed))
    if paired is not None and metric in get_args(ScoreName):
        test = paired_test(paired, metric, seed=seed)  # type: ignore[arg-type]
        scores = (before, float(after)) if _are_all(len(paired), first, second) else _scores(paired, metric)  # type: ignore[arg-type]
        overall = ScoreChange(metric, *scores, test.difference, test.interval, test)
    return Comparison(
        first=first.name,
        second=second.name,
        metric=metric,
        judgement=overall.test.judgement if overall.test else "unpaired",
        overall=overall,
        per_class=per_class,
        config=tuple(config_changes(first.config, second.config)),
        shared_rows=len(paired) if paired else len(set(first.answers) & set(second.answers)),
        same_test_rows=set(first.answers) == set(second.answers),
        relabelled=sum(row in second.answers and second.answers[row][0] != actual for row, (actual, _) in first.answers.items()),
    )


def _paired(first: Judged, second: Judged) -> Answers | None:
    """The rows both answered and whose label is the same in both; None where they are too few."""
    labels = list((first.results.get("per_class") or {}).keys())
    code = {label: number for number, label in enumerate(labels)}
    shared = [
        (code[actual], code.get(one, -1), code.get(second.answers[row][1], -1))
        for row, (actual, one) in first.answers.items()
        if row in second.answers and second.answers[row][0] == actual and actual in code
    ]
    if len(shared) < FEWEST_SHARED_ROWS:
        return None
    columns = np.array(shared, dtype=np.int64)
    if not _are_all(len(shared), first, second):
        there = np.unique(columns[:, 0])  # a class without a row to compare has no score there, and no part in the mean
        labels = [labels[number] for number in there]
        columns = np.where(np.isin(columns, there), np.searchsorted(there, columns), -1)
    return Answers(labels, *columns.T)


def _are_all(rows: int, first: Judged, second: Judged) -> bool:
    """Whether so many rows are all that either has."""
    return rows == len(first.answers) == len(second.answers)


def _scores(paired: Answers, metric: ScoreName) -> tuple[float, float]:
    """Both scores on the rows that are compared."""
    return tuple(score_of(paired.actual, answers, metric, len(paired.labels)) for answers in (paired.first, paired.second))  # type: ignore[return-value]


def _class_changes(first: Judged, second: Judged, paired: Answers | None, seed: int) -> Iterator[ScoreChange]:
    """F1 of each class; with an interval where rows are shared."""
    old, new = _f1_of_classes(first), _f1_of_classes(second)
    if paired and not _are_all(len(paired), first, second):
        for scores, answers in ((old, paired.first), (new, paired.second)):
            compared = dict(zip(paired.labels, map(float, class_f1(paired.actual, answers, len(paired.labels))), strict=True))
            scores |= {label: compared.get(label) for label in scores}
    intervals = class_changes(paired, seed=seed) if paired else {}
    for label in [*old, *(label for label in new if label not in old)]:
        was, now = old.get(label), new.get(label)
        gap = now - was if was is not None and now is not None else None
        difference, interval = intervals.get(label, (gap, None))
        yield ScoreChange(label, was, now, difference, interval)


def _f1_of_classes(side: Judged) -> dict[str, float | None]:
    return {label: scores.get("f1") for label, scores in (side.results.get("per_class") or {}).items()}


def _p_value(p: float) -> str:
    """Three digits, and more where these would not tell on which side of the limit it lies."""
    return f"{p:.3f}" if f"{p:.3f}" != f"{ALPHA:.3f}" else f"{p:.5f}"
