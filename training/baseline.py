"""The cheap baseline every language model has to beat: TF-IDF and logistic regression on the same rows.

Owns its features and its search. It learns from the training rows, as the language model does, and searches by cross-validation
within them. Knows nothing of files or folders.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from coach.errors import DataError
from coach.task_schema import CLASSIFICATION_METRICS, TaskFile
from training.data.rows import Row
from training.data.split import label_of
from training.evaluation.metrics import ClassificationScores, ClassScore, classification_report

ClassWeight = Literal["balanced"] | None
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # C; evidence 2.2 used 10, the news sample chooses 0.3 to 3
CLASS_WEIGHTS: tuple[ClassWeight, ...] = (None, "balanced")
FOLDS = 5
REPEATS = 3  # one round of folds chooses by luck: on 8 draws of 500 headlines three rounds gave .612 macro-F1, one .607
REPEATS_UP_TO_ROWS = 2_000  # beyond, one round is steady enough, and long
MAX_FEATURES = 200_000
NARROWED_UP_TO_ROWS = 2_000  # a square of them stands in memory
_OWN = 1e-8  # rows may be equal, and a Cholesky factor wants them told apart
_NO_SPACES = ("zh", "ja", "th", "km", "lo", "my")  # languages written without spaces between words


Answers = dict[tuple[float, ClassWeight], NDArray[Any]]


@dataclass(frozen=True)
class Choice:
    """What the search settled on, and its cross-validated score (None where there was nothing to search with)."""

    C: float
    class_weight: ClassWeight
    score: float | None


@dataclass(frozen=True)
class BaselineScores:
    """The baseline on the test rows, and what the search chose. `predictions` has one label per test row."""

    macro_f1: float
    accuracy: float
    per_class: dict[str, ClassScore]
    C: float
    class_weight: ClassWeight
    cross_validated: float | None
    predictions: list[str]
    seconds: float
    scores: ClassificationScores
    choice: Choice

    def to_results(self) -> dict[str, Any]:
        """What results.json says of it."""
        return {"macro_f1": round(self.macro_f1, 4), "accuracy": round(self.accuracy, 4)}


@dataclass(frozen=True)
class FittedBaseline:
    """A baseline that has learnt from its rows. Never stored: it would have to be unpickled, and is fitted again in seconds."""

    choice: Choice
    vectorizer: TfidfVectorizer
    model: LogisticRegression

    def predict(self, rows: Sequence[Row]) -> list[str]:
        return [str(label) for label in self.model.predict(self._features(rows))]

    def probabilities(self, rows: Sequence[Row]) -> list[dict[str, float]]:
        """Each row's probability of every label that was seen in training."""
        names = [str(name) for name in self.model.classes_]
        found = self.model.predict_proba(self._features(rows))
        return [{name: round(float(share), 6) for name, share in zip(names, shares, strict=True)} for shares in found]

    def _features(self, rows: Sequence[Row]) -> Any:
        return self.vectorizer.transform([text_of(row) for row in rows])


def fit_baseline(train: Sequence[Row], task: TaskFile, *, seed: int, like: Choice | None = None) -> FittedBaseline:
    """Chooses C and class weight by 5-fold stratified cross-validation (three rounds) on `train` for the task's primary metric,
    fits on all of it; with `like`, takes over a choice made before.

    Characters 1–2 for languages without spaces, words 1–2 for others; a row's text is its placeholder values joined by newlines;
    the task's first target is what is predicted. Classes with fewer than 5 rows mean fewer folds. Raises DataError for fewer than
    two classes.
    """
    target = next(iter(task.targets))
    texts, truth = [text_of(row) for row in train], [label_of(row, target) for row in train]
    if len(set(truth)) < 2:
        raise DataError("data.one_class", label=truth[0] if truth else "", count=len(truth))
    # One thread: the solver's vectors are short, a second thread mostly waits (207 to 477 s instead of 6 on a busy machine).
    with threadpool_limits(1, user_api="blas"):
        chosen = like or _search(texts, truth, task, seed)
        return FittedBaseline(chosen, *_fitted(texts, truth, task.language, chosen))


def train_baseline(
    train: Sequence[Row], test: Sequence[Row], task: TaskFile, *, seed: int, like: Choice | None = None
) -> BaselineScores:
    """`fit_baseline` on `train`, scored on `test`. Raises DataError as it does, ValueError without test rows."""
    started = time.perf_counter()
    target, labels = next(iter(task.targets.items()))
    fitted = fit_baseline(train, task, seed=seed, like=like)
    predictions = fitted.predict(test)
    scores = classification_report([label_of(row, target) for row in test], predictions, labels)
    return BaselineScores(
        macro_f1=scores.macro_f1,
        accuracy=scores.accuracy,
        per_class=scores.per_class,
        C=fitted.choice.C,
        class_weight=fitted.choice.class_weight,
        cross_validated=fitted.choice.score,
        predictions=predictions,
        seconds=time.perf_counter() - started,
        scores=scores,
        choice=fitted.choice,
    )


def text_of(row: Row) -> str:
    """All placeholder values of a row as one text."""
    return "\n".join(row.input.values())


def vectorizer_for(language: str) -> TfidfVectorizer:
    characters = language.lower().startswith(_NO_SPACES)
    words = {} if characters else {"token_pattern": r"(?u)\b\w+\b"}  # one-letter words too
    return TfidfVectorizer(
        analyzer="char" if characters else "word",
        **words,
        ngram_range=(1, 2),
        sublinear_tf=True,
        min_df=1,  # 2 costs two points of accuracy on 500 headlines
        max_features=MAX_FEATURES,
    )


def model_for(strength: float, weight: ClassWeight) -> LogisticRegression:
    return LogisticRegression(C=strength, class_weight=weight, max_iter=300)


def _fitted(
    texts: Sequence[str], truth: Sequence[str], language: str, chosen: Choice
) -> tuple[TfidfVectorizer, LogisticRegression]:
    vectorizer = vectorizer_for(language)
    features = vectorizer.fit_transform(texts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return vectorizer, model_for(chosen.C, chosen.class_weight).fit(features, truth)


def _search(texts: Sequence[str], truth: Sequence[str], task: TaskFile, seed: int) -> Choice:
    """The choice whose out-of-fold predictions score best, a round of folds taken together, the mean over rounds.

    Taken together because a fold may hold no row of a small class. Of equal scores the smaller C wins.
    """
    folds = max(2, min(FOLDS, min(Counter(truth).values())))
    if max(Counter(truth).values()) < 2:
        return Choice(1.0, "balanced", None)
    everything, known = np.array(texts, dtype=object), np.array(truth, dtype=object)
    repeats = REPEATS if len(truth) <= REPEATS_UP_TO_ROWS else 1
    answers: Answers = {(C, w): np.empty((repeats, len(truth)), dtype=object) for C in STRENGTHS for w in CLASS_WEIGHTS}
    for repeat in range(repeats):
        for inside, outside in folds_of(everything, known, folds, seed + repeat):
            _predict_fold(everything, known, inside, outside, task.language, answers, repeat)
    labels = next(iter(task.targets.values()))
    primary = task.success_criteria.primary_metric
    metric = primary if primary in CLASSIFICATION_METRICS else "macro_f1"
    scored = {
        choice: sum(classification_report(truth, list(round_), labels).metric(metric) for round_ in given) / repeats
        for choice, given in answers.items()
    }
    C, weight = max(answers, key=lambda choice: scored[choice])
    return Choice(C, weight, scored[C, weight])


def folds_of(
    texts: NDArray[Any], truth: NDArray[Any], folds: int, seed: int, groups: NDArray[Any] | None = None
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Rows of one group stay in one fold, where there are groups enough for it."""
    kind = StratifiedKFold if groups is None or len(set(groups)) < folds else StratifiedGroupKFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds is expected here
        found = kind(folds, shuffle=True, random_state=seed % 2**32).split(texts, truth, groups)
        return [(inside, outside) for inside, outside in found if len(inside) and len(outside)]


def _predict_fold(
    texts: NDArray[Any],
    truth: NDArray[Any],
    inside: NDArray[Any],
    outside: NDArray[Any],
    language: str,
    answers: Answers,
    repeat: int,
) -> None:
    """Fills in the answers of every choice for the rows `outside`, learnt from the rows `inside`."""
    if len(set(truth[inside])) < 2:
        for given in answers.values():
            given[repeat, outside] = truth[inside][0]
        return
    vectorizer = vectorizer_for(language)
    features, held_out = vectorizer.fit_transform(texts[inside]), vectorizer.transform(texts[outside])
    if features.shape[0] < min(features.shape[1], NARROWED_UP_TO_ROWS):
        features, held_out = _narrowed(features, held_out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for weight in CLASS_WEIGHTS:
            model = model_for(STRENGTHS[0], weight)
            model.set_params(warm_start=True)  # each C begins where the one before it ended: half the time
            for C in STRENGTHS:
                answers[C, weight][repeat, outside] = model.set_params(C=C).fit(features, truth[inside]).predict(held_out)


def _narrowed(features: Any, held_out: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """The same rows in as many columns as there are rows to learn from: (rows, rows) and (held out, rows).

    Every product between two rows stays what it was, and a regression with an L2 penalty sees nothing of its rows but those products
    (the representer theorem: Schölkopf, Herbrich and Smola 2001), so it answers as on the wide features, which are ten to fifty times
    as many. Together with the warm start: 500 headlines in 1.2 s instead of 5.1, 1,600 rows of 50 labels in 24 s instead of 224.
    """
    products = (features @ features.T).toarray()
    products[np.diag_indices_from(products)] += _OWN
    narrow = cholesky(products, lower=True, overwrite_a=True)
    return narrow, solve_triangular(narrow, (features @ held_out.T).toarray(), lower=True).T
