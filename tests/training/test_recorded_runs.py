"""The fold and the notices over logs of real runs (tests/tools/record_runs.py made them)."""

import json
from pathlib import Path

import pytest

from training.event_log import EventTail, read_events
from training.run_status import run_status
from training.run_view import RunView, fold

RUNS = Path(__file__).parents[1] / "data" / "runs"
NAMES = ["healthy", "overfit", "diverged", "interrupted", "resumed", "torn"]
REQUIRED = {
    "started": {"attempt", "version", "worker"},
    "resumed": {"attempt", "from_step", "worker"},
    "phase": {"name"},
    "step": {"step", "total", "epoch", "loss", "learning_rate", "grad_norm", "tokens", "elapsed_s"},
    "eval": {"step", "split", "loss", "metric", "value", "best", "rows", "per_class", "confusion_matrix"},
    "sample": {"step", "id", "actual", "predicted", "raw"},
    "checkpoint": {"step", "path", "metric_value"},
    "heartbeat": set(),
    "notice": {"code", "level", "message_key", "data"},
    "finished": {"best_step", "reason", "results"},
    "stopped": {"step"},
    "failed": {"class", "message", "hint", "traceback"},
}


def view(name):
    return fold(RunView(), read_events(RUNS / f"{name}.jsonl"))


def codes(name):
    return {notice["code"] for notice in view(name).notices}


@pytest.mark.parametrize("name", NAMES)
def test_every_event_has_the_contracts_keys_and_a_running_number(name):
    events = read_events(RUNS / f"{name}.jsonl")
    assert [event["seq"] for event in events] == list(range(len(events)))
    for event in events:
        assert REQUIRED[event["type"]] <= event.keys(), event["type"]
        assert event["v"] == 1 and event["t"] > 1.7e9


@pytest.mark.parametrize("name", NAMES)
def test_steps_rise_by_one_and_never_double(name):
    numbers = [event["step"] for event in view(name).steps]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_a_matrix_counts_the_rows_of_its_classes(name):
    for event in view(name).evals:
        matrix = event["confusion_matrix"]
        assert [sum(row) for row in matrix["counts"]] == [event["per_class"][label]["support"] for label in matrix["labels"]]
        assert all(len(row) == len(matrix["labels"]) + 1 for row in matrix["counts"])


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("healthy", "finished"),
        ("overfit", "finished"),
        ("diverged", "failed"),
        ("interrupted", "interrupted"),
        ("resumed", "finished"),
        ("torn", "interrupted"),
    ],
)
def test_each_run_ends_as_it_did(name, state, tmp_path):
    assert run_status(RUNS / f"{name}.jsonl", tmp_path / "worker.lock", now=0.0).state == state


def test_the_healthy_run_learns_and_its_best_step_is_an_evaluated_one():
    healthy = view("healthy")
    assert healthy.steps[-1]["loss"] < healthy.steps[0]["loss"] - 0.5
    assert healthy.best_eval["value"] == max(event["value"] for event in healthy.evals)
    assert healthy.terminal["best_step"] == healthy.best_eval["step"] and healthy.baseline.keys() == {"macro_f1", "accuracy"}
    assert "D01" not in codes("healthy")


def test_the_overfit_run_is_noticed_while_it_trains():
    assert "D01" in codes("overfit")


def test_the_diverged_run_says_why_and_keeps_the_number_that_was_none():
    diverged = view("diverged")
    assert diverged.terminal["key"] == "training.diverged"
    assert diverged.steps[-1]["loss"] is None and "loss" in diverged.steps[-1]["not_finite"]


def test_the_resumed_run_has_two_attempts_and_one_curve():
    resumed = view("resumed")
    assert resumed.attempt == 2 and resumed.steps[-1]["step"] == resumed.total_steps
    assert {event["_attempt"] for event in resumed.steps} == {1, 2}


def test_the_torn_line_is_waited_for_not_counted():
    tail = EventTail(RUNS / "torn.jsonl")
    whole = read_events(RUNS / "interrupted.jsonl")
    assert tail.poll() == whole[:-1] and tail.torn == 0
    raw = (RUNS / "torn.jsonl").read_bytes()
    with pytest.raises(ValueError):
        json.loads(raw[tail.offset :])
