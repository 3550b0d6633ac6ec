"""The estimate a run begins with, the same beside what then came, and what a run leaves for the next estimate."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coach.hardware import this_machine
from tests.training.small_task import make_version, task_file
from training import expectation as expecting
from training.event_log import read_events
from training.expectation import came, expectation, keep_what_it_took, learn
from training.measurements import measured
from training.run_estimate import work_of
from training.run_report import result_lines
from training.run_view import RunView, fold
from training.worker import run

ESTIMATE = {"minutes": [3.0, 5.0], "memory_gb": [2.2, 2.6], "memory_of": "ram", "measured": None}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COACH_CACHE", str(tmp_path / "cache"))


def view(*, own_process=True, steps=4, total=4, estimate=ESTIMATE):
    events = [
        {"type": "started", "t": 0.0, "attempt": 1, "worker": {"own_process": own_process}, "estimate": estimate},
        {"type": "phase", "t": 20.0, "name": "training", "total_steps": total},
        {"type": "step", "t": 240.0, "step": steps, "loss": 1.0},
        {"type": "finished", "t": 246.0},
    ]
    return fold(RunView(), events)


RESULTS = {"cost": {"peak_memory_bytes": int(2.3 * 2**30)}}


def test_what_was_expected_stands_beside_what_came_in_both_languages():
    found = came(view(), RESULTS)
    assert found.say("en") == "Expected 3 to 5 minutes and 2.2 to 2.6 GB; took 4.1 minutes and 2.3 GB."
    assert found.say("zh-TW") == "開始前估計 3–5 分鐘、2.2–2.6 GB；實際 4.1 分鐘、2.3 GB。"


def test_in_a_server_the_memory_is_said_to_be_the_whole_servers():
    assert "the whole server" in came(view(own_process=False), RESULTS).say("en")
    on_gpu = {**ESTIMATE, "memory_of": "gpu"}
    assert "server" not in came(view(own_process=False, estimate=on_gpu), RESULTS).say("en")


def test_an_early_end_is_said_and_memory_that_nobody_knows_is_left_out():
    assert came(view(steps=2), RESULTS).say("en").endswith("Training ended at step 2 of 4.")
    told = replace(view(), notices=({"type": "notice", "code": "N03", "step": 2},))
    assert came(told, RESULTS).say("en").endswith("its time does not go into later estimates.")
    assert came(view(), {}).say("en") == "Expected 3 to 5 minutes and 2.2 to 2.6 GB; took 4.1 minutes."


@pytest.mark.parametrize("estimate", [None, {}, {"minutes": "soon", "memory_gb": [1, 2]}, {"minutes": [1], "memory_gb": [1, 2]}])
def test_a_log_without_an_estimate_or_with_another_shape_says_nothing(estimate):
    assert came(view(estimate=estimate), RESULTS) is None


def test_an_unfinished_run_says_nothing():
    assert came(fold(RunView(), [{"type": "started", "t": 0.0, "estimate": ESTIMATE}]), None) is None


def test_the_time_of_a_resumed_run_is_that_of_all_its_attempts():
    events = [
        {"type": "started", "t": 0.0, "attempt": 1, "estimate": ESTIMATE},
        {"type": "step", "t": 60.0, "step": 1},
        {"type": "stopped", "t": 61.0},
        {"type": "resumed", "t": 1000.0, "attempt": 2, "from_step": 1},
        {"type": "finished", "t": 1030.0},
    ]
    found = fold(RunView(), events)
    assert found.took_s == 91.0 and found.estimate == ESTIMATE
    assert fold(found, [{"type": "started", "t": 2000.0, "attempt": 3}]).estimate is None


def test_rows_that_do_not_fit_or_an_unknown_model_leave_no_estimate(tmp_path, tiny_model):
    assert expectation(make_version(tmp_path / "a", task_file("somebody/unknown-model")), None) is None
    version = make_version(tmp_path / "b", task_file(tiny_model))
    assert expectation(version, None)["minutes"][1] > 0
    row = {"id": "r-1", "input": {"text": "x"}, "output": {"no": "label"}}
    path = version.split_path("train")
    path.unlink()
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert expectation(version, None) is None


def test_a_run_freezes_its_estimate_says_it_beside_what_came_and_leaves_what_it_took(tmp_path, tiny_model, now, monkeypatch):
    monkeypatch.setattr("training.device.Threads.adjust", lambda self: None)  # other work beside the tests may call for fewer
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    assert run(version, now=now) == "finished"
    events = read_events(version.events_path)
    assert events[0]["estimate"]["minutes"] and events[0]["worker"]["own_process"] is True
    [line] = [line for line in result_lines(version, "en") if line.startswith("Expected")]
    assert "took" in line
    known = measured(version.config.training, this_machine(), work_of(version.config, version.data_folder))
    assert known.how == "run" and {"training", "answering", "loading"} <= set(known.factors)


def test_a_few_steps_or_threads_that_changed_teach_nothing(tmp_path, tiny_model):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    begun = [{"type": "started", "t": 0.0}, {"type": "phase", "t": 1.0, "name": "training"}]
    steps = [{"type": "step", "t": 2.0 + place, "step": place + 1} for place in range(8)]
    assert not learn(version, [*begun, *steps[:3]])
    assert not learn(version, [*begun, {"type": "notice", "t": 1.0, "code": "N03"}, *steps])
    assert learn(version, [*begun, *steps])


def test_what_goes_wrong_in_keeping_is_no_reason_for_a_finished_run_to_fail(tmp_path, tiny_model, monkeypatch):
    def broken(*_):
        raise RuntimeError("not today")

    monkeypatch.setattr(expecting, "learn", broken)
    keep_what_it_took(make_version(tmp_path / "letters", task_file(tiny_model)))
