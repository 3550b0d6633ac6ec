"""What the cheap baseline says of rows it has not seen, in seconds: out-of-fold answers and probabilities of one round of folds.

The same features, models and scores as `baseline.py`, which takes its time and is what a run is compared with; here texts are
taken apart once for all folds, the search is one round on fewer rows, and what the models learn from is packed closer. Knows
nothing of files or tasks' folders.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
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
from training.evaluation.metrics import classification_report

SEARCH_ROWS = 2_000  # the choice is made on so many; scores lie flat around the best C
DENSE_ROWS = 800  # up to so many rows, a small dense matrix is quicker than long documents' many features
Choice = tuple[float, ClassWeight]
Labels = NDArray[Any]
Matrix = Any  # sparse, or an array


def out_of_fold(rows: Sequence[Row], task: TaskFile, *, seed: int) -> list[str]:
    """A label for each row from a baseline that has not seen it; the same each time.

    C and class weight are those that score best for the task's metric, on these very rows or on SEARCH_ROWS drawn from them. Needs
    two classes and a class of two rows, as the caller has seen to.
    """
    target, labels = next(iter(task.targets.items()))
    truth = np.array([label_of(row, target) for row in rows], dtype=object)
    primary = task.success_criteria.primary_metric
    metric = primary if primary in CLASSIFICATION_METRICS else "macro_f1"
    choices = [(strength, weight) for strength in STRENGTHS for weight in CLASS_WEIGHTS]
    # One thread: the solver's vectors are short, a second thread mostly waits.
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        counts = _counts([text_of(row) for row in rows], task.language)
        searched = np.sort(np.random.default_rng(seed % 2**32).permutation(len(rows))[:SEARCH_ROWS])
        found = _predictions(counts[searched], truth[searched], choices, seed)
        best = max(choices, key=lambda choice: _score(truth[searched], found[choice], labels, metric))
        if len(searched) < len(rows):
            found = _predictions(counts, truth, [best], seed)
    return [str(label) for label in found[best]]


def out_of_fold_probabilities(
    texts: Sequence[str], truth: Sequence[str], language: str, *, choice: Choice, seed: int
) -> tuple[list[str], NDArray[np.float64]]:
    """The classes by name, and what a baseline that has not seen a row gives each: [rows, classes], 0 to 1; the same each time.

    Every class needs FOLDS rows, as the caller has seen to.
    """
    known, names = np.array(truth, dtype=object), sorted(set(truth))
    found = np.zeros((len(known), len(names)))
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        counts = _counts(texts, language)
        for inside, outside in folds_of(known, known, FOLDS, seed):
            features, held_out = _fold(counts[inside], counts[outside])
            found[outside] = model_for(*choice).fit(features, known[inside]).predict_proba(held_out)
    return names, found


def _counts(texts: Sequence[str], language: str) -> csr_matrix:
    """How often each feature stands in each text, taken apart as `baseline.py` does."""
    return CountVectorizer(analyzer=vectorizer_for(language).build_analyzer()).fit_transform(texts).tocsr()


def _predictions(counts: csr_matrix, truth: Labels, choices: Sequence[Choice], seed: int) -> dict[Choice, Labels]:
    """Out-of-fold labels of every choice."""
    found = {choice: truth.copy() for choice in choices}
    for inside, outside in folds_of(truth, truth, max(2, min(FOLDS, min(Counter(truth).values()))), seed):
        if len(set(truth[inside])) < 2:
            for given in found.values():
                given[outside] = truth[inside][0]
            continue
        features, held_out = _fold(counts[inside], counts[outside])
        for (strength, weight), given in found.items():
            given[outside] = model_for(strength, weight).fit(features, truth[inside]).predict(held_out)
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


def _score(truth: Labels, predicted: Labels, labels: Sequence[str], metric: str) -> float:
    return classification_report(list(truth), list(predicted), labels).metric(metric)
