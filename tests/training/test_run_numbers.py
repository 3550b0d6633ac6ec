"""The three numbers and the leading sentence, over logs of real runs and small made-up evaluations."""

import json
from pathlib import Path

import pytest

from coach.task_schema import SuccessCriteria
from coach.version_folder import Version
from training.data.rows import find_rows
from training.event_log import read_events
from training.leading_notice import said_of
from training.run_numbers import ClassScores, baselines, class_scores, run_numbers, shown_evaluation, weakest_class
from training.run_report import notice_sentence
from training.run_view import RunView, fold

RUNS = Path(__file__).parents[1] / "data" / "runs"
CRITERIA = SuccessCriteria.model_validate({"threshold": 0.8, "baseline": {"name": "words", "score": 0.52}})


def view(name, until=None):
    return fold(RunView(), read_events(RUNS / f"{name}.jsonl")[:until])


def view_after(name, step):
    events = read_events(RUNS / f"{name}.jsonl")
    last = max(place for place, event in enumerate(events) if event.get("step", step + 1) <= step)
    return fold(RunView(), events[: last + 1])


def test_while_a_run_lives_its_latest_evaluation_is_shown_and_afterwards_the_best():
    healthy = view("healthy")
    assert shown_evaluation(healthy, alive=True)["step"] == 48
    assert shown_evaluation(healthy, alive=False)["step"] == 30


def test_before_the_first_evaluation_there_is_nothing_to_show():
    assert shown_evaluation(view("healthy", until=8), alive=True) is None


def test_numbers_of_a_healthy_run(tmp_path):
    healthy = view_after("healthy", 18)
    evaluation = shown_evaluation(healthy, alive=True)
    found = run_numbers(evaluation, healthy, CRITERIA, class_scores(Version(tmp_path), evaluation))
    assert (found.step, found.metric, found.value, found.rows) == (18, "macro_f1", 0.452381, 9)
    assert found.baseline == ("words", 0.52) and found.gap == pytest.approx(-0.0676, abs=1e-4)
    assert found.distance == pytest.approx(-0.3476, abs=1e-4)
    assert found.weakest.label == "cherry" and found.weakest.recall == 0.0
    assert (found.weakest.taken_for, found.weakest.taken, found.weakest.recognised, found.weakest.support) == ("berry", 3, 0, 3)


def test_without_target_and_baseline_there_is_no_distance_and_no_gap():
    bare = fold(RunView(), [{"type": "eval", "step": 1, "metric": "macro_f1", "value": 0.5}])
    found = run_numbers(bare.evals[0], bare, SuccessCriteria(), None)
    assert found.baseline is None and found.gap is None and found.distance is None and found.weakest is None


def test_baselines_are_those_of_the_primary_metric():
    healthy = view("healthy")
    assert baselines(healthy, CRITERIA) == {"TF-IDF": pytest.approx(1 / 6), "words": 0.52}
    assert baselines(healthy, SuccessCriteria(primary_metric="weighted_f1")) == {}


def scores(counts, f1):
    labels = [f"c{number}" for number in range(len(f1))]
    per_class = {
        label: {"precision": 0.0, "recall": 0.0, "f1": value, "support": sum(row)}
        for label, value, row in zip(labels, f1, counts)
    }
    return ClassScores(per_class, labels, counts)


def test_a_class_without_rows_is_never_the_weakest():
    assert weakest_class(scores([[5, 1, 0], [0, 0, 0]], [0.9, 0.0])).label == "c0"
    assert weakest_class(scores([[0, 0, 0], [0, 0, 0]], [0.0, 0.0])) is None


def test_a_class_taken_for_nothing_allowed_is_said_to_be_taken_for_no_label():
    found = weakest_class(scores([[1, 0, 4], [0, 5, 0]], [0.2, 1.0]))
    assert found.taken_for is None and found.taken == 4


def test_a_class_recognised_throughout_is_taken_for_nothing():
    found = weakest_class(scores([[5, 0, 0], [0, 5, 0]], [1.0, 1.0]))
    assert found.taken_for is None and found.taken == 0


def test_classes_of_one_f1_are_said_to_be_alike():
    assert weakest_class(scores([[5, 0, 0], [0, 5, 0]], [1.0, 1.0])).alike == 2
    assert weakest_class(scores([[5, 0, 0], [1, 4, 0]], [0.9, 0.8])).alike == 0
    assert weakest_class(scores([[5, 0, 0], [0, 0, 0]], [1.0, 0.0])).alike == 0, "one class with rows is alike to none"


def test_above_fifty_labels_the_classes_come_from_the_file_the_event_names(tmp_path):
    version = Version(tmp_path / "v1")
    (tmp_path / "v1" / "evals").mkdir(parents=True)
    fields = {"rows": 1, "per_class": {"a": {}}, "confusion_matrix": {"labels": ["a"], "counts": [[1, 0]]}}
    (tmp_path / "v1" / "evals" / "9.json").write_text(json.dumps(fields), encoding="utf-8")
    (tmp_path / "secret.json").write_text(json.dumps(fields), encoding="utf-8")
    assert class_scores(version, {"step": 9, "path": "evals/9.json"}).labels == ["a"]
    for path in ("../secret.json", "evals/../../secret.json", "evals/8.json", None, 3):
        assert class_scores(version, {"step": 9, "path": path}) is None


def test_a_damaged_scores_file_is_no_scores(tmp_path):
    version = Version(tmp_path)
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "9.json").write_text("[", encoding="utf-8")
    assert class_scores(version, {"step": 9, "path": "evals/9.json"}) is None


# --- the sentence --------------------------------------------------------------------------------------------------------------


def said(run, alive=True):
    return said_of(run, shown_evaluation(run, alive=alive), alive=alive)


def test_a_warning_of_the_latest_look_is_said_before_its_good_news():
    found = said(view_after("healthy", 12))
    assert found.lead["code"] == "D04" and [notice["code"] for notice in found.others] == ["N01"]


def test_what_an_earlier_look_noticed_is_past():
    found = said(view("healthy"))
    assert found.lead["step"] == 48 and found.lead["level"] == "warning"
    assert [notice["step"] for notice in found.earlier] == sorted((notice["step"] for notice in found.earlier), reverse=True)
    assert found.earlier and all(notice["step"] < 48 for notice in found.earlier)


def test_an_ended_run_says_the_warnings_of_the_step_it_kept_and_no_good_news():
    found = said(view("healthy"), alive=False)
    assert [(notice["step"], notice["code"]) for notice in (found.lead, *found.others)] == [(30, "D04")]
    assert len(found.earlier) == len(view("healthy").notices) - 1


def test_news_of_the_machine_never_comes_before_a_judgement():
    notice = {"type": "notice", "level": "info", "message_key": "k", "data": {}}
    events = [
        {"type": "eval", "step": 5, "value": 0.5},
        {**notice, "step": 6, "code": "N03"},
        {**notice, "step": 5, "code": "N01"},
    ]
    assert said(fold(RunView(), events)).lead["code"] == "N01"


def test_news_of_the_threads_never_leads_and_is_one_line():
    change = {"type": "notice", "level": "info", "code": "N03", "message_key": "notice.threads_fewer"}
    events = [
        {"type": "eval", "step": 5, "value": 0.5},
        *({**change, "step": step, "data": {"before": 2, "after": step % 2 + 1}} for step in range(6, 16)),
    ]
    found = said(fold(RunView(), events))
    assert found.lead is None and found.others == ()
    (line,) = found.earlier
    assert "10" in notice_sentence(line, "en") and "改過 10 次，現在是 2" in notice_sentence(line, "zh-TW")
    (single,) = said(fold(RunView(), events[:2])).earlier
    assert single["message_key"] == "notice.threads_fewer"


def test_a_run_without_notices_has_no_lead():
    assert said(RunView()).lead is None


# --- rows behind the samples ---------------------------------------------------------------------------------------------------


def test_rows_are_found_by_id_and_broken_lines_are_passed_over(tmp_path):
    path = tmp_path / "valid.jsonl"
    lines = [
        "{",
        "[]",
        '{"id": "r-1", "input": {"text": "a\\u2028b"}, "output": "x"}',
        '{"id": "r-2", "input": {"text": 3}, "output": "y"}',
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = find_rows(path, {"r-1", "r-2", "r-3"})
    assert found["r-1"].input == {"text": "a\u2028b"} and found["r-2"].input == {"text": "3"} and len(found) == 2
    assert find_rows(path, {"r-2"}, within=3) == {} and find_rows(tmp_path / "none.jsonl", {"r-1"}) == {}
