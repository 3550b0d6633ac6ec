"""A sample in the workspace: made once however often it is asked for, found again, and whole enough for the road."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from coach.interview import next_questions
from coach.stages import STAGES, next_stage
from coach.workspace import create_task, list_tasks
from tests.conftest import NOW
from training.sample_task import open_sample, sample_task

SAMPLE = "news-topics"


def test_a_sample_asked_for_again_is_the_same_task_and_another_is_one_more(tmp_path):
    first = open_sample(tmp_path, SAMPLE, now=NOW, rows=30)
    assert open_sample(tmp_path, SAMPLE, now=NOW, rows=30) == first
    second = open_sample(tmp_path, SAMPLE, now=NOW, rows=30, another=True)
    assert [first.name, second.name] == ["news-topics", "news-topics-2"]
    assert sample_task(tmp_path, SAMPLE) == first


def test_two_who_ask_at_once_get_one_task(tmp_path):
    with ThreadPoolExecutor(2) as people:
        found = list(people.map(lambda _: open_sample(tmp_path, SAMPLE, now=NOW, rows=30), range(2)))
    assert found[0] == found[1]
    assert [task.name for task in list_tasks(tmp_path)] == [SAMPLE]


def test_a_task_that_only_bears_the_samples_name_is_not_taken_for_it(tmp_path):
    create_task(tmp_path, SAMPLE)
    assert sample_task(tmp_path, SAMPLE) is None
    assert open_sample(tmp_path, SAMPLE, now=NOW, rows=30).name == "news-topics-2"


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_a_sample_has_an_answer_to_every_question_and_a_sound_task(language, tmp_path):
    task = open_sample(tmp_path, SAMPLE, now=NOW, rows=30, language=language)
    assert next_questions(task.answers()) == []
    example = task.answers().task.example
    assert example and example.input and example.output in (task.answers().task.labels or [])
    assert task.file.task_name == task.name
    assert next_stage(task).id == "confirm"
    assert next(stage for stage in STAGES if stage.id == "train").is_open(task)
