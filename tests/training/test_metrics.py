"""Scores against scikit-learn's, the shapes in events and results, and answers outside the format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from training.evaluation.metrics import classification_report, codes_of

EXAMPLE = Path(__file__).parents[1] / "data" / "example-task" / "versions" / "v1"
LABELS = ["正面", "負面", "中立", "從未出現"]
OUTSIDE = "(outside)"


def answers(rows: int, seed: int) -> tuple[list[str], list[str | None]]:
    rng = np.random.default_rng(seed)
    actual = [LABELS[code] for code in rng.choice(3, rows, p=[0.1, 0.5, 0.4])]
    predicted = [label if rng.random() < 0.7 else LABELS[rng.integers(3)] for label in actual]
    return actual, [None if rng.random() < 0.05 else label for label in predicted]


@pytest.mark.parametrize("seed", range(5))
def test_every_score_is_scikit_learns(seed: int) -> None:
    actual, predicted = answers(300, seed)
    scores = classification_report(actual, predicted, LABELS)
    given = [label or OUTSIDE for label in predicted]
    for average, value in (("macro", scores.macro_f1), ("micro", scores.micro_f1), ("weighted", scores.weighted_f1)):
        assert value == pytest.approx(f1_score(actual, given, labels=LABELS, average=average, zero_division=0))
    assert scores.accuracy == pytest.approx(accuracy_score(actual, given))
    precision, recall, f1, support = precision_recall_fscore_support(actual, given, labels=LABELS, zero_division=0)
    ours = [scores.per_class[label] for label in LABELS]
    assert [score.precision for score in ours] == pytest.approx(precision)
    assert [score.recall for score in ours] == pytest.approx(recall)
    assert [score.f1 for score in ours] == pytest.approx(f1)
    assert [score.support for score in ours] == list(support)
    assert np.array(scores.counts).tolist() == confusion_matrix(actual, given, labels=[*LABELS, OUTSIDE])[:4].tolist()


def test_without_invalid_answers_micro_f1_is_accuracy() -> None:
    scores = classification_report(["正面", "負面", "負面"], ["正面", "正面", "負面"], LABELS)
    assert scores.micro_f1 == pytest.approx(scores.accuracy)


def test_the_contracts_example_comes_out() -> None:
    labels = ["正面", "負面", "中立"]
    actual = ["正面", "負面", "中立", "負面", "正面", "中立"]
    results = classification_report(actual, [*actual[:5], None], labels).to_results()
    assert (results["macro_f1"], results["accuracy"], results["invalid_rate"]) == (0.8889, 0.8333, 0.1667)
    assert results["confusion_matrix"]["counts"] == [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 1, 1]]
    assert results["per_class"]["中立"] == {"precision": 1.0, "recall": 0.5, "f1": 0.6667, "support": 2}
    event = classification_report(["中立", "正面"], ["中立", "正面"], labels)
    assert round(event.metric("macro_f1"), 2) == 0.67
    assert event.to_event()["confusion_matrix"] == {"labels": labels, "counts": [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]}


def test_shapes_are_those_of_the_example_task() -> None:
    actual, predicted = answers(50, 0)
    scores = classification_report(actual, predicted, LABELS)
    example = json.loads((EXAMPLE / "results.json").read_text(encoding="utf-8"))
    ours = json.loads(json.dumps(scores.to_results()))
    assert set(ours) - {"micro_f1", "weighted_f1"} <= set(example)
    assert set(ours["confusion_matrix"]) == set(example["confusion_matrix"])
    assert ours["confusion_matrix"]["columns"] == example["confusion_matrix"]["columns"]
    assert {tuple(score) for score in ours["per_class"].values()} == {tuple(score) for score in example["per_class"].values()}
    events = [json.loads(line) for line in (EXAMPLE / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    evaluated = next(event for event in events if event["type"] == "eval")
    assert set(scores.to_event()) <= set(evaluated)
    assert set(scores.to_event()["confusion_matrix"]) == set(evaluated["confusion_matrix"])


def test_an_answer_that_is_no_label_counts_as_outside_the_format() -> None:
    scores = classification_report(["正面", "負面"], ["正面", "不知道"], LABELS)
    assert scores.invalid_rate == 0.5
    assert [row[-1] for row in scores.counts] == [0, 1, 0, 0]
    assert codes_of(["負面", "不知道", None], LABELS).tolist() == [1, -1, -1]


@pytest.mark.parametrize(("actual", "predicted"), [([], []), (["正面"], []), (["開心"], ["正面"])])
def test_what_cannot_be_scored_is_refused(actual: list[str], predicted: list[str | None]) -> None:
    with pytest.raises(ValueError):
        classification_report(actual, predicted, LABELS)


def test_scoring_imports_no_heavy_library() -> None:
    code = (
        "import sys, training.evaluation.metrics; print([m for m in ('sklearn', 'scipy', 'pandas', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True)
    assert done.stdout.strip() == "[]"
