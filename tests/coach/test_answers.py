"""answers.yaml: keys, allowed values, reading and writing."""

from pathlib import Path
from typing import get_args

import pytest

from coach.answers import Answers, DataFormat, answers_to_yaml, metric_name, parse_answers, read_answers, write_answers
from coach.errors import DocumentError, WorkspaceError
from coach.problems import InvalidDocument
from coach.yaml_document import parse_document

EXAMPLE = Path(__file__).parent.parent / "data" / "example-task" / "answers.yaml"


def codes(written: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDocument) as caught:
        parse_answers(written)
    assert caught.value.key == "answers.problems"
    assert all(caught.value.lines("en")) and all(caught.value.lines("zh-TW"))
    return [(problem["path"], problem["code"]) for problem in caught.value.problems]


def test_example_is_read_whole_and_written_back_the_same():
    answers = read_answers(EXAMPLE)
    assert answers.task.labels == ["緊急", "一般", "不急"]
    assert answers.resources.gpu == "none" and answers.success.baseline_score == 0.52
    assert answers.assumed == ["resources.class_balance"]
    written = parse_document(answers_to_yaml(answers), "again").mapping
    assert written == parse_document(EXAMPLE.read_bytes(), "example").mapping
    assert list(written) == ["title", "business", "task", "resources", "success", "versioning", "needs", "assumed"]


def test_every_key_is_optional_and_an_empty_topic_is_an_unanswered_one():
    assert parse_answers("business:\nassumed:\nneeds: {}\n") == Answers()
    assert parse_answers(answers_to_yaml(Answers())) == Answers()


def test_every_allowed_value_is_taken_and_no_other():
    for value in get_args(DataFormat):
        assert parse_answers(f"resources: {{data_format: {value}}}").resources.data_format == value
    assert codes("resources: {data_format: docx}") == [("resources.data_format", "not_allowed")]


@pytest.mark.parametrize(
    ("written", "path", "code"),
    [
        ("business: {deadline_weeks: 0}", "business.deadline_weeks", "out_of_range"),
        ("business: {deadline_weeks: two}", "business.deadline_weeks", "wrong_type"),
        ("business: {priority: 高}", "business.priority", "not_allowed"),
        ("resources: {labelled_rows: -1}", "resources.labelled_rows", "out_of_range"),
        ("resources: {labelled_rows: 10.5}", "resources.labelled_rows", "wrong_type"),
        ("resources: {vram_gb: 0}", "resources.vram_gb", "out_of_range"),
        ("resources: {vram_gb: .inf}", "resources.vram_gb", "wrong_type"),
        ("resources: {vram_gb: true}", "resources.vram_gb", "wrong_type"),
        ("success: {threshold: 80}", "success.threshold", "out_of_range"),
        ("success: {primary_metric: auc}", "success.primary_metric", "not_allowed"),
        ("success: {needs_explanation: perhaps}", "success.needs_explanation", "wrong_type"),
        ("versioning: {retention: 0}", "versioning.retention", "out_of_range"),
        ("task: {name: News Sentiment}", "task.name", "bad_slug"),
        ("task: {name: 新聞}", "task.name", "bad_slug"),
        ("task: {name: ../etc}", "task.name", "bad_slug"),
        (f"task: {{name: {'a' * 64}}}", "task.name", "bad_slug"),
        ("task: {labels: [正面, '正面 ']}", "task.labels", "duplicate_labels"),
        ("task: {labels: [正面, '']}", "task.labels", "empty_label"),
        ("task: {labels: 正面}", "task.labels", "wrong_type"),
        ("task: {language: zh_TW}", "task.language", "bad_form"),
        ("task: [a, b]", "task", "wrong_kind"),
        ("ressources: {gpu: none}", "ressources", "unknown_key"),
        ("resources: {gpu_nam: A100}", "resources.gpu_nam", "unknown_key"),
    ],
)
def test_bad_value_is_a_problem(written, path, code):
    assert codes(written) == [(path, code)]


def test_labels_that_yaml_takes_for_something_else_stay_labels():
    assert parse_answers("task: {labels: [yes, no, 1, 2024-01-01]}").task.labels == ["yes", "no", "1", "2024-01-01"]


@pytest.mark.parametrize(
    ("written", "metric"),
    [("Macro-F1", "macro_f1"), ("F1", "macro_f1"), ("accuracy", "accuracy"), ("BLEU", "bleu"), ("auc", None)],
)
def test_metrics_are_known_by_their_usual_names(written, metric):
    assert metric_name(written) == metric


def test_writing_replaces_the_file_and_refuses_a_folder_that_is_gone(tmp_path: Path):
    path = tmp_path / "answers.yaml"
    write_answers(path, Answers(title="一"))
    write_answers(path, Answers(title="二"))
    assert read_answers(path).title == "二" and [p.name for p in tmp_path.iterdir()] == ["answers.yaml"]
    with pytest.raises(WorkspaceError):
        write_answers(tmp_path / "gone" / "answers.yaml", Answers())


def test_missing_file_is_a_sentence(tmp_path: Path):
    with pytest.raises(DocumentError):
        read_answers(tmp_path / "answers.yaml")


def test_dotted_names_and_labels_in_a_line_are_read_as_ask_prints_them():
    answers = parse_answers(
        "task.type: classification\ntask.labels: 正面、負面, 中立\ntask:\n  domain: news\nbusiness.problem: 看不完\n"
    )
    assert answers.task.type == "classification" and answers.task.domain == "news"
    assert answers.task.labels == ["正面", "負面", "中立"] and answers.business.problem == "看不完"


def test_a_wrong_value_under_a_dotted_name_is_told_with_its_line():
    with pytest.raises(DocumentError) as raised:
        parse_answers("title: x\nresources.gpu: maybe\n")
    assert "2" in raised.value.lines("en")[0] and "resources.gpu" in raised.value.lines("en")[0]
