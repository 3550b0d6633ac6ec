"""A version of several seeds on the pages: where it stands while they are trained, and what came of them."""

from __future__ import annotations

import json

import pytest
from filelock import FileLock

from coach.repeats import planned_runs, repeat_called, together
from coach.text import text
from coach.workspace import Task
from pages.ui import run_header
from tests.pages.conftest import LANGUAGES, words
from tests.pages.judged_versions import every, finish, make_task
from tests.pages.test_train import events_of, has, keep_checkpoint, press, say, write_log

PLACE = {"zh-TW": "重複 2 / 3（seed 43），第 18 / 48 步", "en": "Repeat 2 of 3 (seed 43), step 18 of 48"}
WHERE = {"number": 2, "runs": 3, "which": "seed 43"}


@pytest.fixture
def task(workspace) -> Task:
    """Version v1 of three seeds, finished, with what two repeats have added."""
    task = make_task(workspace / "tickets")
    version = finish(task, "v1", every(3), seeds=3)
    own = version.results()
    scores = [own] + [{**own, "primary_metric": {"name": "macro_f1", "value": score}, "macro_f1": score} for score in (0.6, 0.7)]
    version.write_results({**own, "repeats": together(list(zip(planned_runs(version.config.training), scores, strict=True)))})
    return task


@pytest.fixture
def in_second(task):
    """The same in the middle of its second run: its own is over, the repeat's log ends at step 18."""
    version = task.version("v1")
    version.results_path.unlink()
    own = events_of("healthy")[:-1]
    repeats = {"type": "phase", "name": "repeats", "repeat": "seed-43", "number": 2, "runs": 3, "t": own[-1]["t"] + 1}
    write_log(version, [{**own[0], "runs": 3}, *own[1:], repeats], ended_s_ago=1)
    second = repeat_called(version, "seed-43")
    second.folder.mkdir(parents=True)
    events = events_of("healthy")
    until = next(place for place, event in enumerate(events) if event["type"] == "step" and event["step"] == 18)
    write_log(second, events[: until + 1], ended_s_ago=1)
    return version


def bar(at):
    (found,) = at.get("progress")
    return found.proto


def runs_table(at):
    return next(frame.value for frame in at.dataframe if "name" in frame.value.columns)


@pytest.mark.parametrize("language", LANGUAGES)
def test_while_a_repeat_is_trained_the_line_says_which_and_how_far(language, in_second, task, open_page):
    with FileLock(in_second.lock_path):
        at = open_page("5_train.py", task, language)
        assert not at.exception
        said = bar(at).text.replace("\\", "")
        assert PLACE[language] in said and say("left.unknown", language) not in said
        assert bar(at).value == pytest.approx(100 * (1 + 18 / 48) / 3, abs=1)
        assert say("state.running_repeats", language, **WHERE) in words(at)
        assert say("matrix", language, step=30) in words(at), "the step the first run kept, not its last"
        assert say("stop.kept_repeats", language, version="v1") in words(at)
        press(at, "stop")
    assert in_second.stop_path.exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_version_stopped_in_a_repeat_is_resumed_there(language, in_second, task, open_page, monkeypatch):
    asked = []
    monkeypatch.setattr(run_header, "resume_training", lambda version: asked.append(version.name))
    with in_second.events_path.open("a", encoding="utf-8") as log:
        log.write(json.dumps({"v": 1, "seq": 999, "t": 1.9e9, "type": "stopped", "step": 18, "repeat": "seed-43"}) + "\n")
    keep_checkpoint(in_second, 48)
    at = open_page("5_train.py", task, language)
    assert not at.exception and PLACE[language] in bar(at).text.replace("\\", "")
    assert say("state.stopped_repeats", language, **WHERE) in words(at)
    assert say("resume.repeat", language, **WHERE) in words(at)
    press(at, "resume")
    assert asked == ["v1"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_worker_gone_in_a_repeat_leaves_a_sentence_and_a_button(language, in_second, task, open_page):
    keep_checkpoint(in_second, 48)
    at = open_page("5_train.py", task, language)
    assert not at.exception and has(at, "resume")
    assert say("state.interrupted_repeats", language, **WHERE) in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ["5_train.py", "6_evaluate.py"])
def test_a_finished_version_shows_mean_and_spread_and_each_run(page, language, task, open_page):
    at = open_page(page, task, language)
    assert not at.exception
    found = task.version("v1").results()["repeats"]
    score = found["primary_metric"]
    assert f"{score['mean']:.3f} ± {score['standard_deviation']:.3f}" in words(at)
    assert text("repeats.about.seeds", language, first="seed 42") in words(at)
    table = runs_table(at)
    assert list(table["name"]) == ["seed 42", "seed 43", "seed 44"]
    assert list(table["macro_f1"])[1:] == [0.6, 0.7]


@pytest.mark.parametrize("page", ["5_train.py", "6_evaluate.py"])
def test_a_version_of_one_run_shows_no_table_of_runs(page, workspace, open_page):
    task = make_task(workspace / "tickets")
    finish(task, "v1", every(3))
    at = open_page(page, task, "en")
    assert not at.exception and not [frame for frame in at.dataframe if "name" in frame.value.columns]


def test_damaged_repeats_are_told_on_the_evaluation_and_leave_the_training_page_whole(task, open_page):
    version = task.version("v1")
    version.write_results({**version.results(), "repeats": {"runs": []}})
    at = open_page("6_evaluate.py", task, "en")
    assert not at.exception and "repeats.runs" in words(at)
    at = open_page("5_train.py", task, "en")
    assert not at.exception and say("title", "en", version="v1") in words(at)
