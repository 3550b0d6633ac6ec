"""The quick look at what the baseline would score: the same models as the real one, whatever is done to be quick."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from coach.answers import Answers
from tests.training.topic_rows import TOPICS, rows, task
from training import baseline, data_facts, forecast_baseline
from training.baseline import Choice, train_baseline
from training.data.rows import Row
from training.data_facts import look_at_file
from training.evaluation.metrics import classification_report
from training.forecast_baseline import counted, out_of_fold

# Of equally frequent features either may be cut off, for numpy's sort keeps no order: 2 of 180 rows slip on one processor, 4 on another.
TIES = 0.03


@pytest.mark.parametrize("dense_rows", [0, 10_000], ids=["sparse", "dense"])
@pytest.mark.parametrize(("language", "features"), [("en", 200_000), ("zh-TW", 200_000), ("en", 150)])
def test_each_row_gets_the_label_that_the_real_baseline_gives_it(monkeypatch, dense_rows, language, features):
    monkeypatch.setattr(baseline, "MAX_FEATURES", features)
    monkeypatch.setattr(forecast_baseline, "MAX_FEATURES", features)
    monkeypatch.setattr(forecast_baseline, "DENSE_ROWS", dense_rows)
    monkeypatch.setattr(forecast_baseline, "STRENGTHS", (3.0,))
    monkeypatch.setattr(forecast_baseline, "CLASS_WEIGHTS", ("balanced",))
    given, truth = rows(), np.array([row.output for row in rows()])
    real = list(truth)
    for inside, outside in baseline.folds_of(truth, truth, 5, 42):
        choice = Choice(3.0, "balanced", None)
        learnt = train_baseline(
            [given[n] for n in inside], [given[n] for n in outside], task(language=language), seed=42, like=choice
        )
        for place, label in zip(outside, learnt.predictions, strict=True):
            real[place] = label
    quick, _ = out_of_fold(counted(given, task(language=language)), seed=42)
    slips = sum(one != other for one, other in zip(quick, real, strict=True))
    assert slips <= (TIES * len(given) if features == 150 else 0)
    assert 0.5 < np.mean(np.array(quick) == truth) < 1.0  # neither trivial nor hopeless


def test_the_search_takes_the_choice_that_scores_best(monkeypatch):
    def score():
        return classification_report(
            [row.output for row in rows()], out_of_fold(counted(rows(), task()), seed=42)[0], list(TOPICS)
        ).macro_f1

    found, alone = score(), []
    for strength in baseline.STRENGTHS:
        monkeypatch.setattr(forecast_baseline, "STRENGTHS", (strength,))
        alone.append(score())
    assert found == max(alone) > min(alone)


def test_beyond_the_rows_searched_every_row_is_still_predicted_once_and_the_search_stays_small(monkeypatch):
    seen = []
    real = LogisticRegression.fit

    def fit(self, features, truth, *rest):
        seen.append(features.shape[0])
        return real(self, features, truth, *rest)

    monkeypatch.setattr(LogisticRegression, "fit", fit)
    monkeypatch.setattr(forecast_baseline, "SEARCH_ROWS", 60)
    labels, _ = out_of_fold(counted(rows(), task()), seed=42)
    assert len(labels) == 180 and set(labels) <= set(TOPICS)
    assert len(seen) == 5 * 10 + 5 and max(seen[:50]) <= 60 and min(seen[50:]) >= 140


def test_a_class_of_one_row_in_what_is_searched_is_no_obstacle(monkeypatch):
    monkeypatch.setattr(forecast_baseline, "SEARCH_ROWS", 20)
    few = [*rows(90), *(Row(f"x{n}", {"text": f"rare thing {n}"}, "rare") for n in range(2))]
    assert len(out_of_fold(counted(few, task([*TOPICS, "rare"])), seed=1)[0]) == 92


def test_a_file_written_in_turns_has_all_its_classes_in_the_look(tmp_path, monkeypatch):
    """Every n-th row of such a file is of one class, and there was no baseline at all."""
    monkeypatch.setattr(data_facts, "BASELINE_ROWS", 50)
    words = {"好": "滿意推薦", "壞": "失望退貨"}
    lines = [f"{words[label]}第{n}號,{label}" for n in range(100) for label in ["好壞"[n % 2]]]
    (tmp_path / "a.csv").write_text("\n".join(["內文,標註", *lines]), encoding="utf-8")
    facts = look_at_file(tmp_path / "a.csv", Answers.model_validate({"task": {"type": "classification"}})).facts
    assert facts.baseline_accuracy is not None and facts.baseline_accuracy > 0.9
