"""The early look at the validation rows: shown like an evaluation, and nothing is judged, kept or stopped for by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

import training.fine_tuning
from coach.diagnosis import diagnose
from coach.errors import CoachError
from tests.training.small_task import make_version, task_file
from tests.training.test_hard_times import notices, poisoned_at, view
from training.evidence import evidence_on
from training.run_callback import without_gain
from training.worker import run

LONG = {"batch_size": 1, "epochs": 3}  # 72 steps, evaluated every 24, an early look at 4


def scripted(monkeypatch, scores):
    """The evaluations come out as given, in their order."""
    real, left = training.fine_tuning._validate, iter(scores)

    def validate(*arguments):
        value = next(left)
        found = real(*arguments)
        return replace(found, value=value, fields={**found.fields, "value": value})

    monkeypatch.setattr(training.fine_tuning, "_validate", validate)


def looked_at(version):
    return [event["step"] for event in view(version).evals]


def test_it_is_neither_the_best_nor_counted_by_patience(tmp_path, tiny_model, now, monkeypatch):
    scripted(monkeypatch, [0.6, 0.5, 0.9, 0.95])
    version = make_version(tmp_path / "letters", task_file(tiny_model, **LONG, early_stopping={"patience": 1}))
    assert run(version, now=now) == "finished"
    assert looked_at(version) == [4, 24, 48, 72] and [event["best"] for event in view(version).evals] == [False, True, True, True]
    assert version.results()["best_checkpoint"]["step"] == 72 and version.results()["end_reason"] == "completed"
    of_the_machine = ("N03", "N06", "N07")  # its load may change at any step
    assert not [event for event in view(version).notices if event.get("step") == 4 and event["code"] not in of_the_machine]


def test_its_score_makes_no_finding_after_the_training(tmp_path, tiny_model, now, monkeypatch):
    scripted(monkeypatch, [0.9, 0.5, 0.6, 0.7])
    version = make_version(tmp_path / "letters", task_file(tiny_model, **LONG))
    assert run(version, now=now) == "finished"
    evidence = evidence_on(version, version.results())
    assert [event["step"] for event in evidence.evals] == [24, 48, 72]
    assert "D01" not in [finding.code for finding in diagnose(evidence).findings]


def test_a_training_that_diverges_with_nothing_but_it_has_failed(tmp_path, tiny_model, now, monkeypatch):
    poisoned_at(monkeypatch, 8)
    version = make_version(tmp_path / "letters", task_file(tiny_model, **LONG))
    with pytest.raises(CoachError) as raised:
        run(version, now=now)
    assert raised.value.key == "training.diverged" and looked_at(version) == [4]
    assert version.results() is None and not notices(version, "N08")


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ([], 0),
        ([0.5], 0),
        ([0.5, 0.5], 1),
        ([0.5, 0.505, 0.52], 0),
        ([0.5, 0.4, None, 0.45], 3),
        ([None, None], 2),
        ([None, 0.3], 0),
    ],
)
def test_patience_counts_evaluations_in_a_row_without_a_gain(values, count):
    assert without_gain([{"value": value} for value in values], 0.01) == count
