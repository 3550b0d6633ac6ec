"""The system in use today: its file in the task's folder, and a version against it on the rows both answered."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from coach.comparison import FEWEST_SHARED_ROWS, Judged, compare
from coach.errors import WorkspaceError
from coach.system_comparison import compare_with_system
from coach.systems import SYSTEMS_FOLDER, keep_system, systems
from coach.task_file import read_task_file
from coach.text import LANGUAGES
from coach.workspace import Task, create_task
from training.evaluation.metrics import classification_report

CONFIG = read_task_file(Path(__file__).parents[1] / "data" / "example-task" / "task.yaml")
LABELS = CONFIG.targets["urgency"]
ROWS = 300


def every(nth, by=1):
    """Answers to ROWS rows of three classes in turn, wrong in every nth."""
    right = {f"r-{place:03d}": LABELS[place % 3] for place in range(ROWS)}
    return {row: (LABELS[(place + by) % 3] if place % nth == 0 else said) for place, (row, said) in enumerate(right.items())}


def version(answers, metric="macro_f1", config=CONFIG):
    given = {row: (LABELS[place % 3], answers[row]) for place, row in enumerate(answers)}
    actual, predicted = zip(*given.values())
    scores = classification_report(actual, predicted, LABELS)
    results = {"primary_metric": {"name": metric, "value": scores.metric(metric)}, **scores.to_results()}
    return Judged("v1", config, results, given)


def said(found, language="en"):
    return " ".join(one.say(language) for one in found.sentences())


# --- judged -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["macro_f1", "accuracy", "micro_f1", "weighted_f1"])
def test_a_system_is_judged_as_a_version_with_the_same_answers_would_be(metric):
    ours, theirs = version(every(7), metric), version(every(3), metric)
    found = compare_with_system(ours, "rules", every(3), seed=7).comparison
    expected = compare(replace(theirs, name="rules"), ours, seed=7)
    assert found.judgement == expected.judgement == "better"
    assert found.overall.test == expected.overall.test and (found.overall.test.p is None) == (metric != "accuracy")
    assert [change.difference for change in found.per_class] == [change.difference for change in expected.per_class]
    assert found.overall.before == pytest.approx(expected.overall.before, abs=1e-4), "results.json has four digits"


def test_scores_are_those_on_the_rows_in_common_alone():
    ours, system = every(7), {row: label for place, (row, label) in enumerate(every(3).items()) if place % 2}
    found = compare_with_system(version(ours), "rules", system, seed=7)
    actual = [LABELS[int(row[2:]) % 3] for row in system]
    expected = [classification_report(actual, [side[row] for row in system], LABELS) for side in (system, ours)]
    assert (found.system_score, found.comparison.overall.after) == pytest.approx([scores.macro_f1 for scores in expected])
    assert [change.before for change in found.comparison.per_class] == pytest.approx(
        [score.f1 for score in expected[0].per_class.values()]
    )
    assert found.rows == 150 and len(found.left_out) == 150 and "150" in said(found)


def test_what_cannot_be_told_says_what_would_tell_and_nothing_of_configurations():
    found = compare_with_system(version(every(7)), "rules", every(6), seed=7)
    assert found.comparison.judgement == "cannot_tell" and "cannot be told" in said(found) and "more test rows" in said(found)
    assert "configuration" not in said(found) and "both versions" not in said(found)


def test_a_version_worse_than_the_system_is_called_worse():
    assert "v1 is worse than rules" in said(compare_with_system(version(every(2)), "rules", every(9), seed=7))


def test_answers_outside_the_classes_and_empty_ones_count_as_wrong_and_are_told_apart():
    system = every(1000) | {"r-001": "不知道", "r-002": "不知道", "r-004": None}
    found = compare_with_system(version(every(7), "accuracy"), "rules", system, seed=7)
    assert found.system_score == pytest.approx(1 - 4 / ROWS) and found.outside == {"不知道": 2} and found.empty == 1
    assert "不知道" in said(found, "zh-TW") and "空的" in said(found, "zh-TW")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figure_that_was_only_stated_stands_beside_the_measured_one(language):
    found = compare_with_system(version(every(7)), "rules", every(3), seed=7)
    assert found.stated.name == "keyword_list" and found.stated.score == 0.52
    assert "0.520" in said(found, language) and f"{found.system_score:.3f}" in said(found, language)
    other = CONFIG.model_copy(
        update={"success_criteria": CONFIG.success_criteria.model_copy(update={"primary_metric": "accuracy"})}
    )
    assert compare_with_system(version(every(7), config=other), "rules", every(3), seed=7).stated is None, (
        "it is on another metric"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_handful_of_rows_measure_is_not_called_what_to_go_by(language):
    def of(rows):
        return said(compare_with_system(version(every(7)), "rules", dict(list(every(3).items())[:rows]), seed=7), language)

    assert all("0.520" not in of(rows) for rows in (1, FEWEST_SHARED_ROWS - 1)) and "0.520" in of(FEWEST_SHARED_ROWS)


def test_its_json_is_json():
    document = json.loads(
        json.dumps(compare_with_system(version(every(7)), "rules", every(3), seed=7).as_json("en"), allow_nan=False)
    )
    assert document["first"] == "rules" and document["judgement"] == "better" and "config" not in document


@pytest.mark.parametrize("metric", ["exact_match", "macro_f1"])
def test_without_a_row_in_common_or_a_class_there_is_no_comparison(metric):
    ours = version(every(7))
    if metric == "exact_match":
        ours = replace(ours, results={**ours.results, "primary_metric": {"name": metric, "value": 0.5}})
    with pytest.raises(WorkspaceError) as caught:
        compare_with_system(ours, "rules", {"r-else": LABELS[0]}, seed=7)
    assert all(len(caught.value.lines(language)) == 3 for language in LANGUAGES)


# --- in the folder --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def task(tmp_path) -> Task:
    return create_task(tmp_path, "letters")


def test_a_system_is_one_line_a_row_in_a_form_any_program_can_write(task):
    kept = keep_system(task, "規則", {"r-1": "緊急", "r-2": None})
    assert kept.path == task.folder / SYSTEMS_FOLDER / "規則.jsonl"
    assert [json.loads(line) for line in kept.path.read_text("utf-8").splitlines()] == [
        {"id": "r-1", "predicted": "緊急"},
        {"id": "r-2", "predicted": None},
    ]
    assert systems(task) == [kept] and kept.predicted() == {"r-1": "緊急", "r-2": None}


def test_a_broken_line_is_said_by_its_number(task):
    kept = keep_system(task, "rules", {"r-1": "緊急"})
    kept.path.write_text('{"id": "r-1", "predicted": "緊急"}\n{"id": "r-2"}\n', encoding="utf-8")
    with pytest.raises(WorkspaceError, match="line 2"):
        kept.predicted()


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "", "x" * 200])
def test_a_name_that_could_lead_elsewhere_is_refused(task, name):
    with pytest.raises(WorkspaceError):
        keep_system(task, name, {"r-1": "緊急"})
    assert not (task.folder / SYSTEMS_FOLDER).exists()


def test_links_are_passed_over_and_never_written_through(task, tmp_path):
    outside = tmp_path / "secret.jsonl"
    outside.write_text("secret", encoding="utf-8")
    (task.folder / SYSTEMS_FOLDER).mkdir()
    (task.folder / SYSTEMS_FOLDER / "rules.jsonl").symlink_to(outside)
    assert systems(task) == []
    assert keep_system(task, "rules", {"r-1": "緊急"}).name == "rules-2" and outside.read_text("utf-8") == "secret"


def test_a_folder_that_is_a_link_is_refused_and_nothing_is_written_through_it(task, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (task.folder / SYSTEMS_FOLDER).symlink_to(outside)
    with pytest.raises(WorkspaceError) as caught:
        keep_system(task, "rules", {"r-1": "緊急"})
    assert all(len(caught.value.lines(language)) == 3 and "elsewhere" not in str(caught.value) for language in LANGUAGES)
    assert list(outside.iterdir()) == [] and systems(task) == []
