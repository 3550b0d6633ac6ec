"""task_summary.yaml: made from answers, edited by a person, read back."""

from pathlib import Path

import pytest

from coach.answers import Answers, Business, Resources, Success, TaskAnswers, read_answers
from coach.constraints import constraints_of, recognise
from coach.problems import InvalidDocument
from coach.task_summary import TaskSummary, apply_summary, parse_summary, read_summary, summarize, summary_to_yaml, write_summary

FOLDER = Path(__file__).parent.parent / "data" / "example-task"

AS_SPECIFIED = """
# 任務摘要（由教練產生）
task_summary:
  name: parcel-mood
  type: classification
  domain: logistics

  goal: |
    判斷收件人留言對送貨的態度，
    供每週檢討使用。

  constraints:
    - 資料量: 500 筆已標註
    - GPU: 遠端 A100 x1
    - 時程: 2 週內上線

  success_criteria:
    primary_metric: macro_f1
    threshold: 0.80
    baseline: rule_based_0.65

  versioning:
    strategy: semantic       # semantic | date | hybrid
    deploy_target: huggingface
    retention: 3            # 保留版本數
"""


def test_document_in_the_specifications_shape_is_read_as_it_stands():
    summary = parse_summary(AS_SPECIFIED)
    assert summary.constraints == ["資料量: 500 筆已標註", "GPU: 遠端 A100 x1", "時程: 2 週內上線"]
    assert summary.success_criteria.baseline == "rule_based_0.65"
    answers = apply_summary(Answers(), summary)
    assert (answers.resources.labelled_rows, answers.resources.gpu, answers.resources.gpu_name) == (500, "remote", "A100")
    assert (answers.resources.gpu_count, answers.business.deadline_weeks) == (1, 2)
    assert (answers.success.baseline_name, answers.success.baseline_score) == ("rule_based", 0.65)


def test_what_is_written_is_in_that_shape_too():
    lines = [line.split("#")[0].rstrip().replace("0.80", "0.8") for line in AS_SPECIFIED.splitlines()]
    expected = "\n".join(line for line in lines if line)
    written = summary_to_yaml(parse_summary(AS_SPECIFIED))
    assert written.strip() == expected


def test_example_is_read_and_agrees_with_its_answers():
    summary, answers = read_summary(FOLDER / "task_summary.yaml"), read_answers(FOLDER / "answers.yaml")
    assert apply_summary(answers, summary) == answers
    assert summarize(answers, "zh-TW", earlier=summary) == summary
    assert parse_summary(summary_to_yaml(summary)) == summary


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_summary_of_answers_says_the_same_when_read_back(language):
    answers = read_answers(FOLDER / "answers.yaml")
    summary = summarize(answers, language)
    assert summary.goal and answers.business.problem in summary.goal
    assert apply_summary(answers, parse_summary(summary_to_yaml(summary))) == answers


def test_summary_of_nothing_is_an_empty_document():
    assert parse_summary(summary_to_yaml(summarize(Answers()))) == TaskSummary()


def test_edited_goal_and_free_constraints_survive_a_new_summary():
    answers = Answers(resources=Resources(labelled_rows=300))
    edited = TaskSummary(
        goal="我們自己寫的目標", constraints=["資料量: 400 筆", "不可以連外網", "預算: 一萬：先簽呈", "GPU：跟隔壁組借"]
    )
    answers = apply_summary(answers, parse_summary(summary_to_yaml(edited)))
    again = summarize(answers, "zh-TW", earlier=edited)
    assert answers.resources.labelled_rows == 400 and again.goal == "我們自己寫的目標"
    assert again.constraints == ["資料量: 400 筆已標註", "不可以連外網", "預算: 一萬：先簽呈", "GPU：跟隔壁組借"]


def test_what_a_person_changes_is_no_longer_assumed():
    answers = Answers(
        resources=Resources(gpu="remote", gpu_name="A100", vram_gb=80), assumed=["resources.gpu_name", "resources.gpu"]
    )
    after = apply_summary(answers, TaskSummary(constraints=["GPU: 遠端 RTX 4090"]))
    assert after.assumed == ["resources.gpu"]
    assert after.resources.gpu_name == "RTX 4090" and after.resources.vram_gb is None  # the memory was another card's


def test_leaving_something_out_of_the_summary_keeps_the_answer():
    answers = Answers(task=TaskAnswers(domain="finance"), business=Business(deadline_weeks=3), success=Success(threshold=0.7))
    assert apply_summary(answers, TaskSummary()) == answers


@pytest.mark.parametrize(
    ("sentence", "fields"),
    [
        ("資料量：５００ 筆已標註", {"resources.labelled_rows": 500}),
        ("資料量: 約 1,200 筆", {"resources.labelled_rows": 1200}),
        ("資料量: 2 千筆", {"resources.labelled_rows": 2000}),
        ("資料量: 1.5萬 筆", {"resources.labelled_rows": 15000}),
        ("Data: 500 labelled rows", {"resources.labelled_rows": 500}),
        ("Data: 2k examples", {"resources.labelled_rows": 2000}),
        ("GPU: 無", {"resources.gpu": "none"}),
        ("GPU: none", {"resources.gpu": "none"}),
        ("GPU: 本地", {"resources.gpu": "local"}),
        ("gpu: remote A100 x1", {"resources.gpu": "remote", "resources.gpu_name": "A100", "resources.gpu_count": 1}),
        ("GPU: 2x RTX 4090 24GB", {"resources.gpu_count": 2, "resources.gpu_name": "RTX 4090", "resources.vram_gb": 24.0}),
        ("GPU: A100", {"resources.gpu_name": "A100"}),
        ("時程: 兩週", {"business.deadline_weeks": 2}),
        ("時程：10 天內上線", {"business.deadline_weeks": 1.4}),
        ("時程: 一個月", {"business.deadline_weeks": 4.3}),
        ("Deadline: live within 2 weeks", {"business.deadline_weeks": 2}),
        ("偏好資料: 200 對", {"resources.preference_pairs": 200}),
        ("延遲: 每筆 200 毫秒內", {"needs.max_latency_ms": 200}),
        ("Latency: 2 s", {"needs.max_latency_ms": 2000}),
        ("資料量: 500 筆，之後每月再多 200 筆", {}),
        ("資料量: 不少", {}),
        ("GPU: 要先跟資訊室申請", {}),
        ("GPU: 遠端 A100 x1，晚上才能用", {}),
        ("時程: 越快越好", {}),
        ("時程: 0 週", {}),
        ("預算: 500 筆", {}),
        ("資料量 500 筆", {}),
        ("", {}),
    ],
)
def test_constraint_is_recognised_whole_or_not_at_all(sentence, fields):
    assert recognise(sentence) == fields


@pytest.mark.parametrize("language", ["zh-TW", "en"])
@pytest.mark.parametrize(
    "gpu", [("none", None, None), ("local", "RTX 3060", 2), ("remote", None, None), ("remote", "H100 PCIe", 8)]
)
def test_every_constraint_the_coach_writes_it_also_recognises(language, gpu):
    place, name, count = gpu
    answers = Answers(resources=Resources(labelled_rows=12345, preference_pairs=7, gpu=place, gpu_name=name, gpu_count=count))
    answers.business.deadline_weeks, answers.needs.max_latency_ms = 1.5, 250
    assert apply_summary(Answers(), TaskSummary(constraints=constraints_of(answers, language))) == answers


def test_baseline_whose_name_ends_in_a_number_stays_a_name():
    answers = apply_summary(Answers(), parse_summary("task_summary: {success_criteria: {baseline: model_2}}"))
    assert (answers.success.baseline_name, answers.success.baseline_score) == ("model_2", None)
    assert summarize(answers).success_criteria.baseline == "model_2"


def test_problems_are_named_with_lines():
    with pytest.raises(InvalidDocument) as caught:
        parse_summary("task_summary:\n  naem: x\n  type: sorting\n  constraints: 很多\n  versioning: {retention: three}\n")
    assert [(p["line"], p["code"]) for p in caught.value.problems] == [
        (2, "unknown_key"), (3, "not_allowed"), (4, "wrong_type"), (5, "wrong_type")]  # fmt: skip


def test_document_without_its_root_says_what_is_missing():
    with pytest.raises(InvalidDocument) as caught:
        parse_summary("name: x\n")
    assert "task_summary" in caught.value.lines("zh-TW")[0]


def test_writing_and_reading_a_file(tmp_path: Path):
    summary = parse_summary(AS_SPECIFIED)
    write_summary(tmp_path / "task_summary.yaml", summary)
    assert read_summary(tmp_path / "task_summary.yaml") == summary


def test_a_number_of_rows_no_file_can_hold_is_not_recognised():
    [rows] = [line for line in constraints_of(Answers.model_validate({"resources": {"labelled_rows": 4321}})) if "321" in line]
    assert recognise(rows) == {"resources.labelled_rows": 4321}
    digits = "4,321" if "4,321" in rows else "4321"
    assert recognise(rows.replace(digits, "9" * 400)) == {}
