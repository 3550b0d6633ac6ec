"""What the cheap baseline says of rows it has not seen, in seconds: out-of-fold answers and probabilities of one round of folds.

The same features, models and scores as `baseline.py`, which takes its time and is what a run is compared with; here texts are
taken apart once for all folds, the search is one round on fewer rows, and what the models learn from is packed closer. Knows
nothing of files or tasks' folders.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.sparse import csc_matrix, csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from threadpoolctl import threadpool_limits

from coach.task_schema import CLASSIFICATION_METRICS, TaskFile
from training.baseline import (
    CLASS_WEIGHTS,
    FOLDS,
    MAX_FEATURES,
    STRENGTHS,
    ClassWeight,
    folds_of,
    model_for,
    text_of,
    vectorizer_for,
)
from training.data.rows import Row
from training.data.split import label_of
from training.evaluation.metrics import ClassificationScores, classification_report

SEARCH_ROWS = 2_000  # the choice is made on so many; scores lie flat around the best C
DENSE_ROWS = 800  # up to so many rows, a small dense matrix is quicker than long documents' many features
Choice = tuple[float, ClassWeight]
Labels = NDArray[Any]
Matrix = Any  # sparse, or an array


@dataclass(frozen=True)
class CountedRows:
    """Rows taken apart: `counts` [rows, features] says how often each feature stands in each text, `truth` holds their labels.

    `groups`: a number for each row, where rows of one number must not be learnt from when another of them is asked.
    """

    counts: csr_matrix
    truth: Labels
    labels: Sequence[str]
    metric: str
    groups: NDArray[Any] | None = None

    def folds(self, seed: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        return folds_of(self.truth, self.truth, max(2, min(FOLDS, min(Counter(self.truth).values()))), seed, self.groups)

    def report(self, predicted: Sequence[str] | Labels) -> ClassificationScores:
        return classification_report(list(self.truth), list(predicted), self.labels)

    def __getitem__(self, places: NDArray[Any]) -> CountedRows:
        groups = None if self.groups is None else self.groups[places]
        return CountedRows(self.counts[places], self.truth[places], self.labels, self.metric, groups)


def counted(rows: Sequence[Row], task: TaskFile, target: str | None = None) -> CountedRows:
    """Texts taken apart as `baseline.py` does, once for all that is asked of them; of several targets the first, unless one is named."""
    target = target if target in task.targets else next(iter(task.targets))
    analyzer = vectorizer_for(task.language).build_analyzer()
    primary = task.success_criteria.primary_metric
    return CountedRows(
        counts=CountVectorizer(analyzer=analyzer).fit_transform([text_of(row) for row in rows]).tocsr(),
        truth=np.array([label_of(row, target) for row in rows], dtype=object),
        labels=task.targets[target],
        metric=primary if primary in CLASSIFICATION_METRICS else "macro_f1",
    )


def out_of_fold(rows: CountedRows, *, seed: int) -> tuple[list[str], Choice]:
    """A label for each row from a baseline that has not seen it, and the C and class weight chosen; the same each time.

    Chosen are those that score best for the task's metric, on these very rows or on SEARCH_ROWS drawn from them. Needs two classes
    and a class of two rows, as the caller has seen to.
    """
    choices = [(strength, weight) for strength in STRENGTHS for weight in CLASS_WEIGHTS]
    with single_threaded():
        searched = rows[np.sort(np.random.default_rng(seed % 2**32).permutation(len(rows.truth))[:SEARCH_ROWS])]
        found = _predictions(searched, choices, seed)
        best = max(choices, key=lambda choice: searched.report(found[choice]).metric(rows.metric))
        if len(searched.truth) < len(rows.truth):
            found = _predictions(rows, [best], seed)
    return [str(label) for label in found[best]], best


def score_apart(rows: CountedRows, choice: Choice, groups: Sequence[int], *, seeds: Sequence[int]) -> float:
    """The mean score, by the task's metric, where no row of a group is learnt from when another of it is asked."""
    apart = replace(rows, groups=np.array(groups))
    with single_threaded():
        scores = [apart.report(_predictions(apart, [choice], seed)[choice]).metric(rows.metric) for seed in seeds]
    return float(np.mean(scores))


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread: the solver's vectors are short, a second thread mostly waits. Warnings of fits that stop early are no news."""
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def predictions_of(counts: csr_matrix, truth: Labels, held_out: csr_matrix, choices: Sequence[Choice]) -> dict[Choice, Labels]:
    """What each choice, learnt from `counts` and `truth`, answers for `held_out`."""
    if len(set(truth)) < 2 or not counts.nnz:  # one class, or not a word in any text: nothing to learn
        usual = Counter(truth).most_common(1)[0][0]
        return {choice: np.full(held_out.shape[0], usual, dtype=object) for choice in choices}
    features, asked = _fold(counts, held_out)
    return {choice: model_for(*choice).fit(features, truth).predict(asked) for choice in choices}


def out_of_fold_probabilities(rows: CountedRows, *, choice: Choice, seed: int) -> tuple[list[str], NDArray[np.float64]]:
    """The classes by name, and what a baseline that has not seen a row gives each: [rows, classes], 0 to 1; the same each time.

    Every class needs FOLDS rows, as the caller has seen to.
    """
    names = sorted(set(rows.truth))
    found = np.zeros((len(rows.truth), len(names)))
    with single_threaded():
        for inside, outside in rows.folds(seed):
            features, held_out = _fold(rows.counts[inside], rows.counts[outside])
            found[outside] = model_for(*choice).fit(features, rows.truth[inside]).predict_proba(held_out)
    return names, found


def _predictions(rows: CountedRows, choices: Sequence[Choice], seed: int) -> dict[Choice, Labels]:
    """Out-of-fold labels of every choice."""
    found = {choice: rows.truth.copy() for choice in choices}
    for inside, outside in rows.folds(seed):
        answered = predictions_of(rows.counts[inside], rows.truth[inside], rows.counts[outside], choices)
        for choice, given in found.items():
            given[outside] = answered[choice]
    return found


def _fold(inside: csr_matrix, outside: csr_matrix) -> tuple[Matrix, Matrix]:
    """TF-IDF of a fold: features and their weights are those of the rows inside alone."""
    often = np.asarray(inside.sum(axis=0)).ravel()
    known = np.flatnonzero(often)
    if len(known) > MAX_FEATURES:
        known = np.sort(known[np.argsort(-often[known], kind="stable")[:MAX_FEATURES]])
    weights = TfidfTransformer(sublinear_tf=True).fit(inside[:, known])
    features = weights.transform(inside[:, known])
    held_out = weights.transform(outside[:, known])
    if features.shape[0] <= DENSE_ROWS and features.shape[1] > DENSE_ROWS:
        return _as_rows(features, held_out)
    fewer = _fewer(features.tocsc())
    return features @ fewer, held_out @ fewer


def _as_rows(features: csr_matrix, held_out: csr_matrix) -> tuple[Matrix, Matrix]:
    """The same rows in as many dimensions as there are rows: all a model with this penalty can see of them."""
    alike = (features @ features.T).toarray()
    corner = np.linalg.cholesky(alike + 1e-9 * np.eye(len(alike)))  # a little, for rows that have the same features
    return corner, solve_triangular(corner, (features @ held_out.T).toarray(), lower=True).T


def _fewer(features: csc_matrix) -> csr_matrix:
    """A matrix that turns the features which stand in one row only, most of them, into one feature for that row.

    They are turned in their common direction, which leaves lengths, angles and so the fitted predictions as they are.
    """
    is_single = np.diff(features.indptr) == 1
    single, shared = np.flatnonzero(is_single), np.flatnonzero(~is_single)
    places = features.indptr[single]
    owners, values = features.indices[places], features.data[places]
    lengths = np.sqrt(np.bincount(owners, values**2, minlength=features.shape[0]))
    columns = np.concatenate([np.arange(len(shared)), len(shared) + owners])
    entries = np.concatenate([np.ones(len(shared)), values / lengths[owners]])
    shape = (features.shape[1], len(shared) + features.shape[0])
    return csr_matrix((entries, (np.concatenate([shared, single]), columns)), shape=shape)
