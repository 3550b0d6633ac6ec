"""The training page over logs of real runs: every state a calm sentence with what to do, and the numbers that decide."""

from __future__ import annotations

import json
import shutil
import time

import pytest
from filelock import FileLock

from coach.text import text
from coach.version_folder import Version
from coach.workspace import Task
from pages.ui import live_run as live_run_module
from pages.ui import run_header
from tests.pages.conftest import EXAMPLE, LANGUAGES, ROOT, as_read, numbers, words
from tests.training.small_task import make_version, task_file
from training.checkpoints import NEEDED
from training.clock import local_now
from training.run_status import run_status
from training.worker import run

RUNS = ROOT / "tests" / "data" / "runs"


def events_of(name, until=None):
    lines = (RUNS / f"{name}.jsonl").read_bytes().split(b"\n")
    return [json.loads(line) for line in lines if line.endswith(b"}")][:until]


def write_log(version, events, ended_s_ago=None):
    """The events as the version's log; with `ended_s_ago` their times are moved so that the last came that long ago."""
    shift = 0.0 if ended_s_ago is None else time.time() - ended_s_ago - events[-1]["t"]
    lines = [json.dumps({**event, "t": event["t"] + shift}, ensure_ascii=False) + "\n" for event in events]
    version.events_path.write_text("".join(lines), encoding="utf-8")


def keep_checkpoint(version, step):
    folder = version.checkpoints_folder / str(step)
    folder.mkdir(parents=True)
    for name in NEEDED:
        (folder / name).touch()


@pytest.fixture
def task(workspace) -> Task:
    """The example task with its version frozen, nothing trained yet."""
    folder = workspace / "tickets"
    shutil.copytree(EXAMPLE, folder)
    for name in ("events.jsonl", "results.json", "predictions.jsonl", "model_info.json", "lineage.yaml"):
        (folder / "versions" / "v1" / name).unlink(missing_ok=True)
    return Task.open(folder)


@pytest.fixture
def version(task) -> Version:
    return task.version("v1")


@pytest.fixture
def held(version):
    """Somebody trains the version: its lock is held."""
    with FileLock(version.lock_path):
        yield version


def has(at, key):
    return any(button.key == f"tickets.train.{key}" for button in at.button)


def press(at, key):
    at.button(key=f"tickets.train.{key}").click().run()


def say(key, language, **data):
    return text(f"ui.train.{key}", language, **data)


def charts(at):
    return [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]


# --- before a run --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_task_without_a_version_says_where_to_begin(language, ready_task, open_page):
    at = open_page("5_train.py", ready_task, language)
    assert not at.exception and say("none.todo", language) in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_version_that_was_never_trained_can_be_started(language, task, open_page, monkeypatch):
    asked = []
    monkeypatch.setattr(run_header, "start_training", lambda task, now: asked.append(task.name))
    at = open_page("5_train.py", task, language)
    assert not at.exception and say("state.new", language, version="v1") in words(at)
    press(at, "start")
    assert asked == ["tickets"]


def test_where_task_yaml_names_another_version_there_is_no_start_button(task, open_page):
    path = task.folder / "task.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("version: v1", "version: v2"), encoding="utf-8")
    at = open_page("5_train.py", task, "en")
    assert not has(at, "start") and say("start.elsewhere", "en", other="v2", version="v1") in words(at)


def test_a_start_that_is_refused_is_said_in_three_beats(task, open_page, monkeypatch):
    from coach.errors import WorkspaceError

    def refuse(task, now):
        raise WorkspaceError("training.running_already", version="v1")

    monkeypatch.setattr(run_header, "start_training", refuse)
    at = open_page("5_train.py", task, "en")
    press(at, "start")
    assert not at.exception and text("errors.training.running_already.found", "en", version="v1") in words(at)


# --- while it runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_running_version_shows_step_numbers_and_the_coachs_warning_first(language, held, task, open_page):
    events = events_of("healthy")
    at_18 = next(place for place, event in enumerate(events) if event["type"] == "checkpoint" and event["step"] == 18)
    write_log(held, events[: at_18 + 2], ended_s_ago=1)
    at = open_page("5_train.py", task, language)
    assert not at.exception
    shown = words(at)
    (bar,) = at.get("progress")
    assert "19 / 48" in bar.proto.text if language == "zh-TW" else "Step 19 of 48" in bar.proto.text
    assert numbers(at) == ["0.452", "0.248", "F1 0.00"]
    assert at.metric[2].label.endswith("cherry") and "berry" in at.metric[2].delta
    assert text("notice.never_predicted", language, **{"class": "cherry", "rows": 3}) in shown
    assert len(charts(at)) == 2  # the loss is drawn once its tab is open
    at.session_state[f"{task.name}.train.curves"] = text("ui.train.tab.loss", language)
    assert len(charts(at.run())) == 3


def test_an_early_look_is_shown_and_not_praised(held, task, open_page):
    events = events_of("healthy")
    first = next(place for place, event in enumerate(events) if event["type"] == "eval")
    every = {"evaluate_every": 5 * events[first]["step"]}  # so that this one is the early look
    begun = [{**event, **every} if event.get("name") == "training" else event for event in events[: first + 1]]
    write_log(held, begun, ended_s_ago=1)
    at = open_page("5_train.py", task, "en")
    assert not at.exception and say("state.running_early", "en") in words(at) and len(charts(at)) == 2
    write_log(held, events[: first + 1], ended_s_ago=1)
    assert say("state.running_early", "en") not in words(open_page("5_train.py", task, "en"))


def test_the_table_has_every_class_with_its_four_scores(held, task, open_page):
    write_log(held, events_of("healthy", 60), ended_s_ago=1)
    at = open_page("5_train.py", task, "en")
    table = next(frame.value for frame in at.dataframe if "f1" in frame.value.columns)
    assert list(table["class"]) == ["apple", "berry", "cherry"]
    assert list(table.iloc[1]) == ["berry", 1.0, 0.6667, 0.8, 3]


@pytest.mark.parametrize("language", LANGUAGES)
def test_stopping_says_what_is_kept_and_then_that_a_checkpoint_comes_first(language, held, task, open_page):
    write_log(held, events_of("healthy", 30), ended_s_ago=1)
    at = open_page("5_train.py", task, language)
    assert say("stop.kept", language, version="v1") in words(at) and not held.stop_path.exists()
    press(at, "stop")
    assert held.stop_path.exists() and not has(at, "stop")
    assert at.button(key="tickets.train.stopping").disabled
    (bar,) = at.get("progress")
    assert bar.proto.text.startswith(say("line.stopping", language, where="").split("·")[0].strip())


def test_a_model_prepared_for_the_first_time_shows_how_far_it_is(held, task, open_page):
    loading = {"type": "phase", "name": "loading", "stage": "convert", "done": 5, "total": 20, "t": 1.8e9}
    write_log(held, [*events_of("healthy", 2), loading], ended_s_ago=1)
    at = open_page("5_train.py", task, "en")
    (bar,) = at.get("progress")
    assert (bar.proto.value, bar.proto.text) == (
        25,
        text("cli.training.stage.convert", "en").replace("(", "\\(").replace(")", "\\)"),
    )
    assert say("state.running_preparing", "en") in words(at) and not at.metric


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_worker_that_says_nothing_is_reported_as_silent(language, held, task, open_page):
    write_log(held, events_of("healthy", 30), ended_s_ago=90)
    at = open_page("5_train.py", task, language)
    assert say("state.silent", language) in words(at)


def test_a_run_without_a_step_for_long_is_reported_as_stalled(held, task, open_page):
    events = events_of("healthy", 30)
    write_log(held, [*events, {"type": "heartbeat", "t": events[-1]["t"] + 500}], ended_s_ago=1)
    at = open_page("5_train.py", task, "en")
    assert say("state.stalled", "en") in words(at) and at.get("popover")


@pytest.mark.parametrize(("alive", "every"), [(True, 1.0), (False, None)])
def test_the_page_polls_once_a_second_while_the_run_lives_and_not_afterwards(alive, every, version, task, open_page, monkeypatch):
    intervals = []

    def fragment(function, run_every):
        if function.__module__ == live_run_module.__name__:  # the home page polls too
            intervals.append(run_every)
        return function

    monkeypatch.setattr(live_run_module.st, "fragment", fragment)
    write_log(version, events_of("healthy", 30 if alive else None), ended_s_ago=1)
    lock = FileLock(version.lock_path)
    if alive:
        lock.acquire()
    try:
        open_page("5_train.py", task, "en")
    finally:
        lock.release()
    assert intervals == [every]


# --- after it ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finished_version_shows_the_step_it_kept(language, version, task, open_page):
    write_log(version, events_of("healthy"))
    at = open_page("5_train.py", task, language)
    assert not at.exception
    assert say("state.finished", language, step=30) in words(at) and say("matrix", language, step=30) in words(at)
    assert numbers(at) == ["1.000", "0.300", "F1 1.00"]
    assert not has(at, "resume") and not has(at, "start")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stopped_version_resumes_from_its_checkpoint(language, version, task, open_page, monkeypatch):
    asked = []
    monkeypatch.setattr(run_header, "resume_training", lambda version: asked.append(version.name))
    events = events_of("resumed")
    write_log(version, events[: next(place for place, event in enumerate(events) if event["type"] == "stopped") + 1])
    keep_checkpoint(version, 9)
    at = open_page("5_train.py", task, language)
    assert say("state.stopped", language, step=9) in words(at) and say("resume.button", language, step=9) in words(at)
    press(at, "resume")
    assert asked == ["v1"]


@pytest.mark.parametrize("log", ["interrupted", "torn"])
@pytest.mark.parametrize("kept", [9, None])
def test_an_interrupted_version_says_whether_there_is_something_to_go_on_from(kept, log, version, task, open_page):
    shutil.copy(RUNS / f"{log}.jsonl", version.events_path)
    if kept:
        keep_checkpoint(version, kept)
    at = open_page("5_train.py", task, "en")
    assert not at.exception
    assert say("state.interrupted" if kept else "state.interrupted_bare", "en", step=kept) in words(at)
    assert has(at, "resume") is bool(kept) and has(at, "start") is not bool(kept)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failed_version_says_why_in_the_readers_language_and_folds_the_traceback(language, version, task, open_page):
    write_log(version, events_of("diverged"))
    at = open_page("5_train.py", task, language)
    assert not at.exception
    for beat in ("found", "expected", "todo"):
        assert text(f"errors.training.diverged.{beat}", language, step=1) in words(at)
    fold = next(expander for expander in at.expander if expander.label == say("technical", language))
    assert "TrainingError" in fold.code[0].value


def test_a_method_without_training_points_to_the_evaluation(version, task, open_page):
    events = [*events_of("healthy", 3), {"type": "finished", "best_step": None, "reason": "completed", "t": 1.8e9}]
    write_log(version, events)
    at = open_page("5_train.py", task, "en")
    assert not at.exception and say("state.finished_plain", "en") in words(at) and not charts(at)


# --- versions, data that would act ---------------------------------------------------------------------------------------------


def second_version(task: Task, events=None) -> Version:
    folder = task.versions_folder / "v2"
    shutil.copytree(task.versions_folder / "v1", folder)
    if events:
        write_log(Version(folder), events)
    return Version(folder)


def test_of_several_versions_the_one_that_trains_is_shown_unless_the_address_names_another(held, task, open_page):
    second_version(task, events_of("healthy"))
    write_log(held, events_of("overfit", 30), ended_s_ago=1)
    shown = open_page("5_train.py", task, "en")
    assert say("title", "en", version="v1") in words(shown)
    named = open_page("5_train.py", task, "en", version="v2")
    assert say("title", "en", version="v2") in words(named)
    assert named.selectbox(key="tickets.train.version").options == ["v2", "v1"]


def test_choosing_a_version_shows_it_and_puts_it_into_the_address(task, open_page):
    second_version(task)
    at = open_page("5_train.py", task, "en")
    at.selectbox(key="tickets.train.version").select("v1").run()
    assert say("title", "en", version="v1") in words(at) and at.query_params["version"] in ("v1", ["v1"])


def test_a_version_that_does_not_exist_is_a_calm_page(task, open_page):
    at = open_page("5_train.py", task, "en", version="v7")
    assert not at.exception
    assert text("errors.workspace.no_such_version.found", "en", name="v7", task="tickets", known="v1") in words(at)


def test_labels_that_look_like_markdown_stay_text(held, task, open_page):
    label, elsewhere = "![x](http://e/x.png) $y$ <b>", "![](//a.bc/d)"  # the latter is short enough to be shown whole
    file = held.config_path
    file.write_text(file.read_text(encoding="utf-8").replace("keyword_list", json.dumps(elsewhere)), encoding="utf-8")
    per_class = {
        name: {"precision": 0.0, "recall": 0.0, "f1": score, "support": 2} for name, score in ((label, 0.0), (elsewhere, 0.5))
    }
    matrix = {"labels": [label, elsewhere], "counts": [[0, 2, 0], [2, 0, 0]]}
    evaluation = {
        "type": "eval",
        "step": 1,
        "metric": "macro_f1",
        "value": 0.5,
        "loss": 1.0,
        "best": True,
        "per_class": per_class,
    }
    notice = {"type": "notice", "step": 1, "code": "D02", "level": "warning", "message_key": "notice.never_predicted"}
    moment = {"t": 1.8e9}
    added = [{**evaluation, "confusion_matrix": matrix, **moment}, {**notice, "data": {"class": label, "rows": 2}, **moment}]
    write_log(held, [*events_of("healthy", 5), *added], ended_s_ago=1)
    at = open_page("5_train.py", task, "en")
    assert not at.exception
    raw = [element.value for element in at.markdown] + [element.value for element in at.caption]
    raw += [part for metric in at.metric for part in (metric.label, metric.value, metric.delta, metric.proto.help)]
    assert any("http" in shown for shown in raw)
    score, _, weakest = at.metric
    assert elsewhere in as_read(score.delta), "the baseline's name"
    assert elsewhere in as_read(weakest.delta), "what the weakest class is mostly taken for"
    assert not [shown for shown in raw if "![" in shown or "$y$" in shown or "<b>" in shown]


def test_above_fifty_labels_the_matrix_comes_from_the_file_the_event_names(version, task, open_page):
    labels = [f"c{number}" for number in range(60)]
    counts = [[int(row == column) for column in range(61)] for row in range(60)]
    per_class = {label: {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1} for label in labels}
    version.evals_folder.mkdir()
    document = {"rows": 60, "per_class": per_class, "confusion_matrix": {"labels": labels, "counts": counts}}
    (version.evals_folder / "1.json").write_text(json.dumps(document), encoding="utf-8")
    evaluation = {"type": "eval", "step": 1, "metric": "macro_f1", "value": 1.0, "loss": 1.0, "best": True, "rows": 60}
    write_log(version, [*events_of("healthy", 5), {**evaluation, "path": "evals/1.json", "t": 1.8e9}])
    at = open_page("5_train.py", task, "en")
    assert not at.exception and len(charts(at)) == 2
    table = next(frame.value for frame in at.dataframe if "f1" in frame.value.columns)
    assert len(table) == 60


def test_predictions_stand_beside_the_text_they_are_about(version, task, open_page):
    rows = [{"id": f"r-valid-000{n}", "input": {"text": f"text {n}"}, "output": "apple"} for n in range(3)]
    version.split_path("valid").unlink()
    version.split_path("valid").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    write_log(version, events_of("healthy"))
    at = open_page("5_train.py", task, "en")
    table = next(frame.value for frame in at.dataframe if "raw" in frame.value.columns)
    assert list(table["input"]) == ["text 0", "text 1", "text 2"]
    assert list(table["predicted"]) == ["apple", say("outside", "en"), say("outside", "en")]


@pytest.mark.parametrize("method", ["baseline", "prompt"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_version_that_trains_no_model_is_shown_whole_once_it_has_run_for_real(
    method, language, workspace, tiny_model, open_page
):
    made = make_version(workspace / "letters", task_file(tiny_model, method=method))
    run(made, now=local_now)
    at = open_page("5_train.py", Task.open(workspace / "letters"), language)
    assert not at.exception and run_status(made.events_path, made.lock_path, time.time()).state == "finished"
    assert bool(charts(at)) == (method == "baseline")  # prompting has no evaluation before the test
