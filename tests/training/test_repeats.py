"""A version of several seeds or folds: each run in its own log, all together in results.json, and nothing lost where it is cut off."""

import json
import os
import statistics
import subprocess
import sys
import weakref
from collections import Counter
from pathlib import Path

import pytest

from coach.errors import CoachError
from coach.repeats import repeat_called
from coach.task_file import read_task_file
from coach.version_folder import SPLITS, Version
from tests.conftest import NOW
from tests.training.cut_off import SETTINGS, assert_the_same, everything_in, go_on, make_it_repeatable, state, view
from tests.training.killed_repeats import KILLED_BEFORE
from tests.training.small_task import make_task, make_version, rows, task_file
from training import checkpoints, fine_tuning, single_run
from training.data.rows import read_rows
from training.data.source import data_source_to_yaml, source_document
from training.evaluation.metrics import classification_report
from training.event_log import read_events
from training.new_version import new_version
from training.run_reader import RunReader, time_left_s
from training.run_report import failure_lines, result_lines, status_document, status_lines
from training.run_status import run_status
from training.worker import run

ROOT = Path(__file__).parents[2]
SEEDS = {**SETTINGS, "seeds": 3}


@pytest.fixture(autouse=True)
def repeatable(monkeypatch):
    make_it_repeatable(monkeypatch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tiny_model):
    """Three seeds, trained without a break."""
    version = make_version(tmp_path_factory.mktemp("whole") / "letters", task_file(tiny_model, **SEEDS))
    with pytest.MonkeyPatch.context() as patch:
        make_it_repeatable(patch)
        assert go_on(version) == "finished"
    return version


def kinds(version):
    return [event["type"] for event in read_events(version.events_path)]


def macro_f1(version):
    """Computed from the answers of the test rows alone."""
    answers = [json.loads(line) for line in version.predictions_path.read_text(encoding="utf-8").splitlines()]
    labels = next(iter(version.config.targets.values()))
    return classification_report([row["actual"] for row in answers], [row["predicted"] for row in answers], labels).macro_f1


def assert_same_repeats(version, whole):
    assert version.results()["repeats"] == whole.results()["repeats"]
    for name in ("seed-43", "seed-44"):
        found, expected = repeat_called(version, name), repeat_called(whole, name)
        assert found.predictions_path.read_bytes() == expected.predictions_path.read_bytes()
        assert [event["step"] for event in view(found).steps] == [event["step"] for event in view(expected).steps]
        losses = [[event["loss"] for event in view(of).steps] for of in (found, expected)]
        assert losses[0] == pytest.approx(losses[1], abs=1e-5)


# --- seeds ---------------------------------------------------------------------------------------------------------------------


def test_each_seed_has_its_own_folder_with_its_own_events_from_start_to_end(whole):
    assert sorted(path.name for path in (whole.folder / "repeats").iterdir()) == ["seed-43", "seed-44"]
    for seed in (43, 44):
        repeat = repeat_called(whole, f"seed-{seed}")
        assert kinds(repeat)[0] == "started" and kinds(repeat)[-1] == "finished" and kinds(repeat).count("step") == 6
        assert repeat.config.training == whole.config.training.model_copy(update={"seed": seed, "seeds": 1})
        assert all(repeat.split_path(part).read_bytes() == whole.split_path(part).read_bytes() for part in SPLITS)
        assert not repeat.checkpoints_folder.exists() and not repeat.model_folder.exists()
        assert not list(repeat.folder.rglob(".*"))
    assert kinds(whole).count("step") == 6 and kinds(whole).count("finished") == 1
    named = [event for event in read_events(whole.events_path) if event.get("name") == "repeats"]
    assert [(event["repeat"], event["number"], event["runs"]) for event in named] == [("seed-43", 2, 3), ("seed-44", 3, 3)]
    assert not whole.checkpoints_folder.exists() and (whole.model_folder / "adapter_model.safetensors").is_file()


def test_the_results_together_are_what_each_runs_answers_say(whole):
    found = whole.results()["repeats"]
    runs = [whole, repeat_called(whole, "seed-43"), repeat_called(whole, "seed-44")]
    scores = [macro_f1(each) for each in runs]
    assert len(set(scores)) > 1, "seeds that do not differ would show nothing"
    assert [run["macro_f1"] for run in found["runs"]] == pytest.approx(scores, abs=1e-4)
    assert [(run["name"], run["seed"], run["fold"]) for run in found["runs"]] == [
        (f"seed-{seed}", seed, None) for seed in (42, 43, 44)
    ]
    assert found["macro_f1"]["mean"] == pytest.approx(statistics.fmean(scores), abs=2e-4)
    assert found["macro_f1"]["standard_deviation"] == pytest.approx(statistics.stdev(scores), abs=2e-4)
    assert (found["macro_f1"]["lowest"], found["macro_f1"]["highest"]) == pytest.approx((min(scores), max(scores)), abs=1e-4)
    assert found["metric"] == "macro_f1" and found["primary_metric"] == found["macro_f1"]
    assert whole.results()["macro_f1"] == pytest.approx(scores[0], abs=1e-4)  # the version's own are the first run's


@pytest.mark.parametrize("seed", [42, 44])
def test_a_seed_among_others_scores_as_it_does_alone(seed, whole, tmp_path, tiny_model):
    alone = make_version(tmp_path / "letters", task_file(tiny_model, **SETTINGS, seed=seed))
    assert go_on(alone) == "finished"
    among = whole if seed == 42 else repeat_called(whole, f"seed-{seed}")
    assert among.predictions_path.read_bytes() == alone.predictions_path.read_bytes()
    assert [event["loss"] for event in view(among).steps] == [event["loss"] for event in view(alone).steps]


def test_the_model_of_one_run_is_gone_before_the_next_is_loaded(tmp_path, tiny_model, monkeypatch):
    loaded, still_there, real = [], [], fine_tuning.prepare

    def watched(*arguments):
        still_there.append([model() for model in loaded if model() is not None])
        ready = real(*arguments)
        loaded.append(weakref.ref(ready.loaded.model))
        return ready

    monkeypatch.setattr(fine_tuning, "prepare", watched)
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SEEDS))
    assert run(version, max_steps=2, now=lambda: NOW) == "finished"
    assert still_there == [[], [], []]
    assert repeat_called(version, "seed-44").results()["max_steps"] == 2


def test_what_trains_nothing_runs_once(tmp_path, tiny_model):
    version = make_version(tmp_path / "letters", task_file(tiny_model, method="baseline", seeds=3))
    assert go_on(version) == "finished" and "repeats" not in version.results() and not (version.folder / "repeats").exists()


# --- stopped, killed, failed ---------------------------------------------------------------------------------------------------


class StopInRepeat:
    """Puts the version's stop file down at a step of the second run."""

    def __init__(self, version, step):
        self.version, self.step, self.repeat = version, step, None

    def __call__(self, event):
        self.repeat = event.get("repeat", self.repeat)
        if self.repeat == "seed-43" and event["type"] == "step" and event["step"] == self.step:
            self.version.stop_path.touch()


def test_stopped_in_the_second_run_it_goes_on_there(whole, tmp_path, tiny_model):
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SEEDS))
    assert run(version, listener=StopInRepeat(version, 3), now=lambda: NOW) == "stopped"
    second = repeat_called(version, "seed-43")
    assert state(version) == "stopped" and view(version).terminal["checkpoint"] == "repeats/seed-43/checkpoints/3"
    assert checkpoints.latest(second.checkpoints_folder) == 3 and view(second).terminal["type"] == "stopped"
    assert "repeats" not in version.results()
    steps_before = [event for event in read_events(version.events_path) if event["type"] == "step"]
    with pytest.raises(CoachError) as raised:
        run(version, now=lambda: NOW)
    assert raised.value.key == "training.resume_instead"
    assert run(version, resume=True, now=lambda: NOW) == "finished"
    assert [event for event in read_events(version.events_path) if event["type"] == "step"] == steps_before
    assert kinds(second).count("resumed") == 1 and kinds(second).count("started") == 1
    assert_the_same(version, whole, "stopped in the second run")
    assert_same_repeats(version, whole)


def test_a_stop_asked_for_in_the_closing_test_comes_before_the_next_run(whole, tmp_path, tiny_model):
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SEEDS))

    def stop(event):
        if event["type"] == "phase" and event["name"] == "evaluating":
            version.stop_path.touch()

    assert run(version, listener=stop, now=lambda: NOW) == "stopped"
    assert not (version.folder / "repeats").exists() and view(version).terminal["repeat"] == "seed-43"
    assert go_on(version) == "finished"
    assert_same_repeats(version, whole)


def test_killed_again_and_again_in_its_repeats_it_ends_with_the_same_scores(tmp_path, tiny_model):
    for name in ("whole", "killed"):
        make_version(tmp_path / name / "letters", task_file(tiny_model, **SEEDS))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COACH_CACHE": str(tmp_path), "COACH_WORKSPACE": str(tmp_path)}
    command = [sys.executable, "-m", "tests.training.killed_repeats", str(tmp_path)]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    lives = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    assert [life["ended"] for life in lives] == [0] + [-9] * len(KILLED_BEFORE) + [0], lives
    killed, uncut = (Version(tmp_path / name / "letters" / "versions" / "v1") for name in ("killed", "whole"))
    assert_the_same(killed, uncut, f"{lives}")
    assert_same_repeats(killed, uncut)
    assert everything_in(killed) == everything_in(uncut)
    assert kinds(killed).count("step") == 6, "the version's own run was trained once"


def test_a_repeat_that_fails_is_named_and_the_rest_is_trained_after_the_cause_is_gone(whole, tmp_path, tiny_model, monkeypatch):
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SEEDS))
    real = fine_tuning.prepare

    def failing(run_folder, *arguments):
        if run_folder.name == "seed-44":
            raise RuntimeError("DefaultCPUAllocator: not enough memory")
        return real(run_folder, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(fine_tuning, "prepare", failing)
        with pytest.raises(CoachError) as raised:
            run(version, now=lambda: NOW)
    assert raised.value.key == "training.repeat_failed"
    assert state(version) == "failed" and state(repeat_called(version, "seed-44")) == "failed"
    for language, words in (("en", "Run 3 of 3 (seed 44)"), ("zh-TW", "第 3 次訓練（共 3 次，seed 44）")):
        lines = failure_lines(view(version).terminal, language)
        cause = failure_lines(view(repeat_called(version, "seed-44")).terminal, language)
        assert words in lines[0] and cause[0] in lines[0] and cause[2] in lines[2]
        assert raised.value.lines(language) == lines
    assert go_on(version) == "finished"
    assert_same_repeats(version, whole)
    assert kinds(repeat_called(version, "seed-43")).count("started") == 1


def test_an_error_nobody_foresaw_in_a_repeat_keeps_its_words_and_its_traceback(tmp_path, tiny_model, monkeypatch):
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SEEDS))
    real = single_run.carried_out

    def failing(folder, *arguments):
        if folder.name == "seed-43":
            raise KeyError("lost in the repeat")
        return real(folder, *arguments)

    monkeypatch.setattr("training.repeats.carried_out", failing)
    with pytest.raises(CoachError, match="lost in the repeat"):
        run(version, max_steps=2, now=lambda: NOW)
    assert "lost in the repeat" in view(version).terminal["traceback"]


# --- folds ---------------------------------------------------------------------------------------------------------------------


def folded(folder, tiny_model, **training):
    return new_version(make_task(folder, task_file(tiny_model, **training)), "v1", NOW)


def test_every_row_validates_in_exactly_one_fold_and_the_test_rows_stay(tmp_path, tiny_model):
    version = folded(tmp_path / "letters", tiny_model, folds=3, **{**SETTINGS, "epochs": 1})
    assert go_on(version) == "finished"
    runs = [version, repeat_called(version, "fold-2"), repeat_called(version, "fold-3")]
    everything = {row["id"] for part in ("train", "valid") for row in rows(part)}
    parts = [{part: read_rows(each.split_path(part)) for part in SPLITS} for each in runs]
    validated = [row.id for found in parts for row in found["valid"]]
    assert sorted(validated) == sorted(everything)
    for found in parts:
        ids = {part: [row.id for row in found[part]] for part in SPLITS}
        assert sorted(ids["train"] + ids["valid"]) == sorted(everything)
        texts = [{row.input["text"] for row in found[part]} for part in SPLITS]
        assert not texts[0] & texts[1] and not texts[0] & texts[2] and not texts[1] & texts[2]
    assert len({each.split_path("test").read_bytes() for each in runs}) == 1
    for each, found in zip(runs, parts, strict=True):
        assert each.results()["rows"] == {part: len(found[part]) for part in SPLITS}
        assert set(Counter(row.output for row in found["valid"]).values()) <= {3, 4}  # of 11 rows a class
    assert [run["name"] for run in version.results()["repeats"]["runs"]] == ["fold-1", "fold-2", "fold-3"]
    assert {read_task_file(each.config_path).training.seed for each in runs} == {42}
    assert version.snapshot()["splits"]["valid"]["rows"] == len(parts[0]["valid"]) and version.changed_splits() == []
    working = read_rows(version.folder.parents[1] / "data" / "valid.jsonl")
    assert len(working) == 9, "the task's own parts stay as they are"


def test_folds_are_refused_where_groups_of_rows_would_be_torn(tmp_path, tiny_model):
    task = make_task(tmp_path / "letters", task_file(tiny_model, folds=3))
    source = source_document(task.file, {"text": "text", "output": "label"}, "raw/letters.csv", now=NOW, group_by="author")
    (task.folder / "data_source.yaml").write_text(data_source_to_yaml(source), encoding="utf-8")
    with pytest.raises(CoachError) as raised:
        new_version(task, "v1", NOW)
    assert raised.value.key == "data.folds_with_groups" and not (task.folder / "versions" / "v1").exists()


# --- seen ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_second(tmp_path, tiny_model):
    """Stopped at step 3 of the second run."""
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SEEDS))
    run(version, listener=StopInRepeat(version, 3), now=lambda: NOW)
    return version


def test_the_status_says_which_repeat_and_how_far(in_second, whole):
    found = run_status(in_second.events_path, in_second.lock_path, 0.0)
    assert found == RunReader(in_second.events_path, in_second.lock_path).read(0.0)
    assert (found.repeat.number, found.repeat.runs, found.repeat.which, found.current.step) == (2, 3, "seed 43", 3)
    assert any("Repeat 2 of 3 (seed 43), step 3 of 6" in line for line in status_lines(in_second, found, "en"))
    assert any("重複 2 / 3（seed 43），第 3 / 6 步" in line for line in status_lines(in_second, found, "zh-TW"))
    document = status_document(in_second, found)
    assert document["repeat"] == {
        "name": "seed-43", "number": 2, "runs": 3, "phase": "training", "step": 3, "total_steps": 6,
    }  # fmt: skip
    done = run_status(whole.events_path, whole.lock_path, 0.0)
    assert done.repeat is None and status_document(whole, done)["repeat"] is None


def test_the_command_line_takes_no_scores_of_the_first_run_for_the_versions(in_second, whole):
    assert not any("0." in line for line in result_lines(in_second, "en"))
    mean = whole.results()["repeats"]["primary_metric"]["mean"]
    assert any("3 seeds" in line and f"{mean:.3f} ±" in line for line in result_lines(whole, "en"))


def cut_to(version, folder, last):
    """A copy of a finished run's log up to the first event for which `last` holds; returns that event's time."""
    for event, line in zip(read_events(version.events_path), version.events_path.read_bytes().splitlines(True), strict=True):
        with (folder / "events.jsonl").open("ab") as log:
            log.write(line)
        if last(event):
            return event["t"]
    raise AssertionError("no such event")


@pytest.fixture
def at_work(whole, tmp_path):
    """The log of a version in the middle of its second run, and the time of its last step."""
    version = Version(tmp_path / "letters" / "versions" / "v1")
    second = repeat_called(version, "seed-43")
    second.folder.mkdir(parents=True)
    cut_to(whole, version.folder, lambda event: event.get("repeat") == "seed-43")
    t = cut_to(repeat_called(whole, "seed-43"), second.folder, lambda event: event["type"] == "step" and event["step"] == 5)
    return version, t


def beat(version, t):
    with version.events_path.open("a") as log:
        log.write(json.dumps({"v": 1, "seq": 900, "t": t, "type": "heartbeat"}) + "\n")


def test_a_repeat_in_which_no_step_comes_is_stalled(at_work):
    from filelock import FileLock

    version, t = at_work
    with FileLock(version.lock_path):
        for now, expected in ((t + 5, "running"), (t + 1000, "stalled")):
            beat(version, now)
            assert run_status(version.events_path, version.lock_path, now).state == expected
            assert RunReader(version.events_path, version.lock_path).read(now).state == expected


def test_the_time_left_counts_the_runs_to_come(at_work):
    version, t = at_work
    found = run_status(version.events_path, version.lock_path, t)
    alone = time_left_s(found.current, t)
    assert alone is not None and time_left_s(found.view, t) is None
    steps = 6 * found.current.median_step_s()
    assert time_left_s(found.view, t, found.repeat) >= alone + steps
