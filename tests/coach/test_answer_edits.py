"""One answer at a time into a folder others write to as well: reading, faults, merging, and two answers to one question."""

import threading
import time

import pytest

from coach.answer_edits import _NUMBER, LONGEST_NUMBER, OPEN, Held, assumed_for, fault_of, held, read_answer, save_answer
from coach.answers import Answers, parse_answers
from coach.constraints import recognise
from coach.errors import DocumentError
from coach.interview import load_questions, question_of
from coach.interview_progress import asked_questions, interview_figures, progress_of, spoken
from coach.workspace import create_task

QUESTIONS = {question.key: question for question in load_questions()}


@pytest.fixture
def task(tmp_path):
    return create_task(tmp_path, "letters")


@pytest.mark.parametrize(
    ("key", "written", "read"),
    [
        ("success.threshold", "0.8", 0.8),
        ("success.threshold", "80%", 0.8),
        ("success.threshold", "九成", 0.9),
        ("success.threshold", "八成五", 0.85),
        ("success.threshold", "9成", 0.9),
        ("business.deadline_weeks", "九成", "九成"),
        ("business.deadline_weeks", "下個月", 4.3),
        ("success.threshold", "0,9", 0.9),
        ("success.threshold", "0,875", 0.875),
        ("success.threshold", "87,5 %", 0.875),
        ("business.deadline_weeks", "1,5", 1.5),
        ("business.deadline_weeks", "1,200", 1200.0),
        ("resources.labelled_rows", "1,2", 1.2),
        ("success.threshold", "８０％", 0.8),
        ("resources.labelled_rows", "1,200", 1200),
        ("resources.labelled_rows", "12.5", 12.5),
        ("resources.labelled_rows", "很多", "很多"),
        ("business.problem", "  分信  ", "分信"),
        ("business.problem", "   ", None),
        ("task.labels", "正面、負面, 中立；", ["正面", "負面", "中立"]),
        ("task.labels", "yes, really\nno\n", ["yes, really", "no"]),
        ("success.needs_explanation", False, False),
    ],
)
def test_what_a_person_writes_is_read_as_the_field_asks(key, written, read):
    assert read_answer(QUESTIONS[key], written) == read


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("success.threshold", 7.0, "out_of_range"),
        ("resources.labelled_rows", "很多", "wrong_type"),
        ("resources.labelled_rows", 12.5, "wrong_type"),
        ("resources.labelled_rows", -1, "out_of_range"),
        ("task.labels", ["正面"], "few_labels"),
        ("task.labels", ["正面", "正面"], "duplicate_labels"),
        ("task.name", "Not A Slug", "bad_slug"),
        ("business.problem", "x" * 4001, "text_too_long"),
    ],
)
def test_a_value_that_cannot_be_taken_is_said_in_both_languages(key, value, code):
    fault = fault_of(key, value)
    assert fault is not None and fault.code == code
    assert fault.said("zh-TW") != fault.said("en") and key not in fault.said("en")


def test_a_number_out_of_range_is_shown_as_it_was_written():
    assert "7.0" not in fault_of("success.threshold", 7.0).said("zh-TW")


@pytest.mark.parametrize(
    ("key", "value"), [("success.threshold", 0.8), ("task.labels", ["a", "b"]), ("title", "信"), ("task.labels", None)]
)
def test_a_sound_value_and_an_open_field_have_no_fault(key, value):
    assert fault_of(key, value) is None


def test_two_people_answering_different_questions_lose_nothing(task):
    assert save_answer(task, "business.problem", Held("分信"), seen=OPEN) is None
    assert save_answer(task, "success.threshold", Held(0.8), seen=OPEN) is None
    answers = task.answers()
    assert (answers.business.problem, answers.success.threshold, answers.task.name) == ("分信", 0.8, "letters")


def test_many_at_once_lose_nothing(task):
    keys = ["business.problem", "business.current_solution", "task.domain", "task.input", "task.output", "resources.data_path"]
    threads = [threading.Thread(target=save_answer, args=(task, key, Held(key)), kwargs={"seen": OPEN}) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [held(task.answers(), key).value for key in keys] == keys


def test_the_same_question_answered_meanwhile_is_told_and_not_written_over(task):
    save_answer(task, "success.threshold", Held(0.7), seen=OPEN)
    assert save_answer(task, "success.threshold", Held(0.9), seen=OPEN) == Held(0.7)
    assert task.answers().success.threshold == 0.7
    assert save_answer(task, "success.threshold", Held(0.9), seen=Held(0.7)) is None
    assert task.answers().success.threshold == 0.9


def test_the_same_answer_twice_is_no_conflict(task):
    save_answer(task, "success.threshold", Held(0.7), seen=OPEN)
    assert save_answer(task, "success.threshold", Held(0.7), seen=OPEN) is None


def test_not_sure_is_assumed_and_a_later_answer_or_a_clearing_undoes_it(task):
    default = assumed_for(QUESTIONS["success.primary_metric"], task.answers())
    assert default == Held("macro_f1", assumed=True)
    save_answer(task, "success.primary_metric", default, seen=OPEN)
    assert task.answers().assumed == ["success.primary_metric"]
    save_answer(task, "success.primary_metric", Held("accuracy"), seen=default)
    assert task.answers().assumed == [] and task.answers().success.primary_metric == "accuracy"
    save_answer(task, "success.primary_metric", OPEN, seen=Held("accuracy"))
    assert held(task.answers(), "success.primary_metric") == OPEN


def test_not_sure_without_a_default_is_left_aside(task):
    save_answer(task, "success.threshold", assumed_for(QUESTIONS["success.threshold"], Answers()), seen=OPEN)
    assert held(task.answers(), "success.threshold") == Held(None, assumed=True)


def test_an_assumed_value_confirmed_is_an_answer(task):
    save_answer(task, "resources.gpu", Held("none", assumed=True), seen=OPEN)
    save_answer(task, "resources.gpu", Held("none"), seen=Held("none", assumed=True))
    assert task.answers().assumed == []


# --- how far it has come --------------------------------------------------------------------------------------------------------


def test_the_folders_name_is_not_asked():
    assert "task.name" not in [question.key for question in asked_questions(Answers())]


def test_progress_counts_by_topic_and_names_what_is_needed():
    answers = Answers.model_validate(
        {"task": {"type": "classification"}, "resources": {"gpu": "none"}, "assumed": ["resources.gpu"]}
    )
    progress = progress_of(answers)
    assert (progress.topics["task"].answered, progress.topics["resources"].answered, progress.assumed) == (1, 1, 1)
    assert {question.key for question in progress.needed} == {
        "business.problem", "task.labels", "resources.labelled_rows", "success.primary_metric", "success.threshold",
    }  # fmt: skip


@pytest.mark.parametrize("language", ["zh-TW", "en"])
@pytest.mark.parametrize(
    "values", [{}, {"task": {"type": "extraction"}}, {"resources": {"labelled_rows": 12_000, "gpu": "remote"}}]
)
def test_the_coach_always_has_a_sentence_and_three_numbers(values, language):
    answers = Answers.model_validate(values)
    progress = progress_of(answers)
    assert all(said.say(language) for said in spoken(answers, progress))
    for said in (None, 40):
        figures = interview_figures(answers, progress, is_counted=False, said=said)
        assert all(figure.label.say(language) and figure.value and figure.note.say(language) for figure in figures)


def test_a_long_row_of_digits_is_no_number_and_takes_no_time():
    written = "1" * 12_000 + "x"
    began = time.perf_counter()
    assert read_answer(QUESTIONS["resources.labelled_rows"], written) == written
    assert read_answer(QUESTIONS["success.threshold"], "1" * LONGEST_NUMBER + "x") == "1" * LONGEST_NUMBER + "x"
    assert time.perf_counter() - began < 0.05
    assert _NUMBER.fullmatch("1" * 2_000 + "x") is None and time.perf_counter() - began < 0.1, "the pattern itself is linear"


def test_half_a_surrogate_is_replaced_before_it_is_saved(task):
    title = QUESTIONS.get("title") or QUESTIONS["business.problem"]
    said = read_answer(title, "客服\ud800信件")
    assert said == "客服\ufffd信件"
    save_answer(task, "title", Held(said), seen=OPEN)
    assert task.answers().title == said
    assert read_answer(QUESTIONS["task.labels"], "a\udfff、b") == ["a\ufffd", "b"]


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("resources.labelled_rows", "1,000,000,000"),
        ("resources.preference_pairs", "1,000,000,000"),
        ("resources.gpu_count", "10000"),
        ("resources.vram_gb", "100000"),
        ("business.deadline_weeks", "520"),
        ("needs.max_latency_ms", "86,400,000"),
        ("versioning.retention", "1000"),
    ],
)
def test_a_number_nobody_can_mean_is_refused_with_the_limit(key, limit):
    fault = fault_of(key, 1e300)
    assert fault is not None and fault.code == "out_of_range"
    for language in ("zh-TW", "en"):
        assert f"≤ {limit}" in fault.said(language)
    assert fault_of(key, int(limit.replace(",", ""))) is None
    topic, _, name = key.partition(".")
    with pytest.raises(DocumentError):
        parse_answers(f"{topic}:\n  {name}: 1e300\n")


@pytest.mark.parametrize(
    "sentence", ["期限: 9999 週", "GPU: 遠端 A100 999999999GB", "延遲: 99999999 秒", "GPU: A100 x" + "9" * 5000]
)
def test_a_constraint_beyond_a_limit_stays_a_sentence_and_no_answer(sentence):
    assert recognise(sentence) == {}


def test_the_opening_sentence_begins_where_the_questions_do():
    told = Answers.model_validate({"business": {"problem": "客服信件要分類"}})
    first = {name: spoken(answers, progress_of(answers))[0].key for name, answers in (("empty", Answers()), ("told", told))}
    assert first == {"empty": "ui.discover.start", "told": "ui.discover.start_task"}


@pytest.mark.parametrize(
    ("written", "read"), [("Finance", "finance"), ("金融", "finance"), ("Customer support", "support"), ("養蜂", "養蜂")]
)
def test_a_proposed_answer_is_known_by_its_name_in_either_language(written, read):
    assert read_answer(question_of("task.domain"), written) == read
