"""Asking a trained version with the base model beside it: the same prompt, the adapter off, and on again."""

import threading

import pytest
from filelock import FileLock

from coach.hardware import Hardware
from tests.conftest import NOW
from tests.pages.judged_versions import every, finish, make_task
from tests.training import small_task
from training.asking import askable, beside, in_the_way, open_both
from training.predicting import open_version
from training.worker import run

QUESTION = {"text": "b2r5"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_model):
    version = small_task.make_version(tmp_path_factory.mktemp("asking") / "letters", small_task.task_file(tiny_model))
    run(version, now=lambda: NOW)
    return version


@pytest.fixture(scope="module")
def prompted(tmp_path_factory, tiny_model):
    file = small_task.task_file(tiny_model, method="prompt")
    version = small_task.make_version(tmp_path_factory.mktemp("prompted") / "letters", file)
    run(version, now=lambda: NOW)
    return version


def test_the_base_answers_as_the_untrained_model_does_and_the_version_as_it_did_in_its_test(trained, prompted):
    ask = open_both(trained)
    found = ask(QUESTION)
    assert found.base.scores[None] == pytest.approx(open_version(prompted)([QUESTION])[0].scores[None], abs=2e-3)
    assert found.trained.scores[None] == pytest.approx(open_version(trained)([QUESTION])[0].scores[None], abs=2e-3)
    assert found.trained.scores != found.base.scores
    assert ask(QUESTION).trained == found.trained  # the adapter is on again


def test_two_who_ask_at_once_get_the_answers_each_would_get_alone(trained):
    ask = open_both(trained)
    alone, found = ask(QUESTION), []
    threads = [threading.Thread(target=lambda: found.append(ask(QUESTION))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(answer.trained.output == alone.trained.output for answer in found)
    assert all(answer.base.scores[None] == pytest.approx(alone.base.scores[None], abs=2e-3) for answer in found)


def test_a_prompt_version_is_the_base_model_and_has_none_beside_it(prompted):
    assert beside(prompted.config) == "is_base" and open_both(prompted)(QUESTION).base is None


def test_a_baseline_has_no_base_model(tmp_path):
    config = finish(make_task(tmp_path / "news", method="baseline", lora=None), "v1", every(3)).config
    assert beside(config) == "no_base"


def test_a_version_can_be_asked_once_it_is_finished_and_its_weights_are_there(tmp_path, trained, tiny_model):
    assert askable(trained) == "yes"
    assert askable(finish(make_task(tmp_path / "news"), "v1", every(3))) == "no_weights"
    assert askable(small_task.make_version(tmp_path / "letters", small_task.task_file(tiny_model))) == "unfinished"


def test_a_training_on_a_small_machine_or_a_gpu_goes_before_a_question(tmp_path, trained):
    other = finish(make_task(tmp_path / "news"), "v1", every(3))
    small, large, gpu = Hardware(cores=2), Hardware(cores=32), Hardware(cores=32, vram_gb=24.0)
    assert in_the_way(trained, [other], small) is None
    with FileLock(other.lock_path):
        assert in_the_way(trained, [other], small) == other
        assert in_the_way(trained, [other], gpu) == other
        assert in_the_way(trained, [other], large) is None
