"""A tiny real training: fixed loss values, documents in the contract's shape, stop, resume, failure, the lock."""

import json
import math
import shutil

import pytest
from filelock import FileLock

from coach.errors import CoachError, DataError, ModelError, TrainingError, WorkspaceError
from coach.workspace import Task, freeze_version
from tests.conftest import NOW
from tests.training.small_task import make_version, task_file
from training import checkpoints
from training.event_log import read_events
from training.run_callback import RunCallback
from training.run_status import run_status
from training.run_view import RunView, fold
from training.worker import run

LOSSES = [5.5352, 5.5567, 5.4961, 5.3375, 5.2341, 5.1050]  # the first step's is the untrained model's own


@pytest.fixture(autouse=True)
def in_float32(monkeypatch):
    """The same numbers on every processor."""
    import torch

    import training.device
    import training.preparing

    monkeypatch.setattr(
        training.preparing, "choose_device", lambda: training.device.Device("cpu", torch.float32, "device.cpu_fp32")
    )


def state(version):
    return run_status(version.events_path, version.lock_path, now=0.0).state


def view(version):
    return fold(RunView(), read_events(version.events_path))


def test_a_training_has_the_losses_it_had_when_it_was_right(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    assert run(version, now=now) == "finished"
    losses = [event["loss"] for event in view(version).steps]
    assert len(losses) == 12
    assert losses[:6] == pytest.approx(LOSSES, abs=2e-3)
    assert losses[-1] < losses[0] - 0.4


def test_a_finished_run_leaves_every_document_and_takes_its_best_step(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model, epochs=6))
    run(version, now=now)
    results = version.results()
    assert results["rows"] == {"train": 24, "valid": 9, "test": 12} and results["split"] == "test"
    assert results["macro_f1"] == results["primary_metric"]["value"]
    assert results["best_checkpoint"]["step"] == view(version).best_eval["step"]
    assert results["baseline"]["tfidf"].keys() == {"macro_f1", "accuracy"}
    assert results["cost"]["tokens_per_s"] > 0 and results["cost"]["peak_memory_bytes"] > 10**7
    predictions = [json.loads(line) for line in version.predictions_path.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in predictions] == [f"r-test-{index:04d}" for index in range(12)]
    assert all(math.isclose(sum(row["scores"].values()), 1.0, abs_tol=1e-3) for row in predictions)
    lineage = version.lineage()
    assert lineage["model"]["adapter_path"] == "versions/v1/model" and lineage["changes"] == ["First version"]
    assert lineage["decision"]["verdict"] in ("met", "close", "far")
    assert version.model_info()["trainable_parameters"] > 0
    names = {path.name for path in version.model_folder.iterdir()}
    assert "adapter_model.safetensors" in names and not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)
    assert not version.checkpoints_folder.exists() and state(version) == "finished"


def test_a_finished_version_is_not_trained_again(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    run(version, max_steps=2, now=now)
    assert version.results()["max_steps"] == 2
    before = version.events_path.read_bytes()
    with pytest.raises(WorkspaceError) as raised:
        run(version, now=now)
    assert raised.value.key == "training.finished_already" and version.events_path.read_bytes() == before


class StopAt:
    """Puts the stop file down when a step is reached, as a person would."""

    def __init__(self, version, step):
        self.version, self.step = version, step

    def __call__(self, event):
        if event["type"] == "step" and event["step"] == self.step:
            self.version.stop_path.touch()


def test_a_stopped_run_resumes_and_ends_with_the_losses_of_one_that_was_not(tmp_path, tiny_model, now):
    whole = make_version(tmp_path / "whole" / "letters", task_file(tiny_model))
    run(whole, now=now)
    version = make_version(tmp_path / "parts" / "letters", task_file(tiny_model))
    assert run(version, now=now, listener=StopAt(version, 8)) == "stopped"
    assert state(version) == "stopped" and checkpoints.latest(version.checkpoints_folder) == 8
    with pytest.raises(WorkspaceError, match="resume"):
        run(version, now=now)
    assert run(version, resume=True, now=now) == "finished"
    assert not version.stop_path.exists()
    steps, expected = view(version).steps, view(whole).steps
    assert [event["step"] for event in steps] == list(range(1, 13))
    assert [event["loss"] for event in steps] == pytest.approx([event["loss"] for event in expected], abs=1e-4)
    assert [event["tokens"] for event in steps] == [event["tokens"] for event in expected]
    assert version.results()["macro_f1"] == whole.results()["macro_f1"]


def test_nothing_to_resume_is_said(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    with pytest.raises(WorkspaceError) as raised:
        run(version, resume=True, now=now)
    assert raised.value.key == "training.nothing_to_resume"


def test_two_workers_do_not_train_one_version(tmp_path, tiny_model, now, monkeypatch):
    monkeypatch.setattr("training.worker.LOCK_WAIT_S", 0.2)
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    with FileLock(version.lock_path), pytest.raises(WorkspaceError) as raised:
        run(version, now=now)
    assert raised.value.key == "training.running_already" and not version.events_path.exists()


def test_a_model_that_is_not_there_fails_in_three_sentences_in_the_log(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tmp_path / "nowhere"))
    with pytest.raises(ModelError):
        run(version, now=now)
    end = view(version).terminal
    assert end["type"] == "failed" and end["class"] == "ModelError" and end["key"] == "model.no_such_folder"
    assert end["message"] and end["hint"] and "ModelError" in end["traceback"]


def test_a_loss_that_is_no_number_ends_the_run_with_a_reason(tmp_path, tiny_model, now):
    from tests.tiny_model import save_damaged_copy

    damaged = save_damaged_copy(tiny_model, tmp_path / "damaged")
    version = make_version(tmp_path / "letters", task_file(damaged))
    with pytest.raises(TrainingError):
        run(version, now=now)
    last = view(version)
    assert last.terminal["key"] == "training.diverged" and last.terminal["data"] == {"step": 1}
    assert last.steps[-1]["loss"] is None and "loss" in last.steps[-1]["not_finite"]


def test_memory_running_out_is_said_as_such(tmp_path, tiny_model, now, monkeypatch):
    from training.methods.completion_loss import CompletionLossTrainer

    def too_much(*arguments, **named):
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: not enough memory: you tried to allocate 8 GB"
        )

    monkeypatch.setattr(CompletionLossTrainer, "compute_loss", too_much)
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    with pytest.raises(CoachError) as raised:
        run(version, now=now)
    assert raised.value.key == "training.out_of_memory" and view(version).terminal["key"] == "training.out_of_memory"


def test_a_display_that_fails_does_not_end_the_training(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model, epochs=1))

    def broken(event):
        raise BrokenPipeError

    assert run(version, now=now, listener=broken) == "finished"


def test_an_error_we_did_not_foresee_is_logged_in_both_languages_and_fits_a_line(tmp_path, tiny_model, now, monkeypatch):
    monkeypatch.setattr(
        "training.fine_tuning.write_adapter", lambda *arguments: (_ for _ in ()).throw(RuntimeError("x" * 70_000))
    )
    version = make_version(tmp_path / "letters", task_file(tiny_model, epochs=1))
    with pytest.raises(RuntimeError):
        run(version, now=now)
    end = view(version).terminal
    assert (
        end["type"] == "failed" and end["key"] == "training.unexpected" and end["data"]["problem"].startswith("RuntimeError: xxx")
    )


class Killed(BaseException):
    """The process is gone: nothing more is written."""


@pytest.mark.parametrize("early", [False, True])
def test_killed_after_the_last_step_a_resume_only_finishes_what_is_left(tmp_path, tiny_model, now, monkeypatch, early):
    patience = {"patience": 1, "min_delta": 0.9} if early else None
    task = task_file(tiny_model, epochs=4, early_stopping=patience)
    whole = make_version(tmp_path / "whole" / "letters", task)
    run(whole, now=now)
    version = make_version(tmp_path / "killed" / "letters", task)

    def kill(*arguments, **named):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("training.fine_tuning.write_verdict", kill)
        patched.setattr("training.single_run._write_failure", lambda *arguments: None)
        with pytest.raises(Killed):
            run(version, now=now)
    assert state(version) == "interrupted"
    assert run(version, resume=True, now=now) == "finished"
    assert [event["step"] for event in view(version).steps] == [event["step"] for event in view(whole).steps]
    assert version.predictions_path.read_bytes() == whole.predictions_path.read_bytes()
    assert version.results()["end_reason"] == whole.results()["end_reason"] == ("early_stopping" if early else "completed")


@pytest.mark.parametrize("damage", ["optimizer.pt", "averaged.safetensors", "adapter_model.safetensors", "trainer_state.json"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_it(tmp_path, tiny_model, now, damage):
    version = make_version(tmp_path / "letters", task_file(tiny_model, epochs=3, early_stopping=None))
    run(version, now=now, listener=StopAt(version, 14))
    kept = checkpoints.steps(version.checkpoints_folder)
    assert len(kept) == 2 and kept[-1] == 14
    (version.checkpoints_folder / "14" / damage).write_bytes(b"torn")
    (version.checkpoints_folder / "99").mkdir()
    assert run(version, resume=True, now=now) == "finished"
    assert [event["from_step"] for event in read_events(version.events_path) if event["type"] == "resumed"] == [kept[0]]


def test_when_no_checkpoint_can_be_read_it_is_said_which_folder_to_remove(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    run(version, now=now, listener=StopAt(version, 3))
    (version.checkpoints_folder / "3" / "optimizer.pt").write_bytes(b"torn")
    with pytest.raises(WorkspaceError) as raised:
        run(version, resume=True, now=now)
    assert raised.value.key == "training.checkpoint_damaged"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"output": "date"}, "row_label"),
        ({"output": {"fruit": "apple"}}, "row_label"),
        ({"input": {"other": "x"}}, "row_input"),
    ],
)
def test_a_row_that_does_not_fit_is_found_before_the_training(tmp_path, tiny_model, now, change, key):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    path = version.split_path("test")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows[:-1], {**rows[-1], **change}]), encoding="utf-8")
    with pytest.raises(DataError) as raised:
        run(version, now=now)
    assert raised.value.key == f"training.{key}" and view(version).steps == ()


def test_a_base_model_without_all_its_weights_is_refused(tmp_path, tiny_model, now):
    import shutil

    folder = shutil.copytree(tiny_model, tmp_path / "more-layers")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["num_hidden_layers"] = 4
    config.pop("layer_types", None)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    version = make_version(tmp_path / "letters", task_file(folder))
    with pytest.raises(ModelError) as raised:
        run(version, now=now)
    assert raised.value.key == "model.weights_missing"


def test_without_a_validation_part_training_is_refused(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    version.split_path("valid").unlink()
    version.split_path("valid").touch()
    with pytest.raises(DataError) as raised:
        run(version, now=now)
    assert raised.value.key == "data.no_valid_part"


def test_a_json_task_with_two_placeholders_trains(tmp_path, tiny_model, now):
    from coach.task_schema import TaskFile
    from coach.workspace import freeze_version
    from tests.conftest import NOW
    from tests.training.small_task import make_task, rows

    plain = task_file(tiny_model, epochs=1, balance="oversample").model_dump(mode="json", by_alias=True)
    plain["input_template"] = "{entity} in {text}"
    plain["output_format"] = {"type": "json", "schema": {"fruit": {"enum": ["apple", "berry", "cherry"]}}}
    task = make_task(tmp_path / "letters", TaskFile.model_validate(plain))
    for part in ("train", "valid", "test"):
        changed = [{**row, "input": {**row["input"], "entity": "E"}, "output": {"fruit": row["output"]}} for row in rows(part)]
        path = task.data_folder / f"{part}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    version = freeze_version(task, "v1", NOW)
    assert run(version, now=now) == "finished"
    first = json.loads(version.predictions_path.read_text(encoding="utf-8").splitlines()[0])
    assert set(first["predicted"]) == {"fruit"} and set(first["scores"]) == {"fruit"}


@pytest.mark.parametrize("method", ["baseline", "prompt"])
def test_versions_without_training_are_judged_the_same_way(tmp_path, tiny_model, now, method):
    version = make_version(tmp_path / "letters", task_file(tiny_model, method=method))
    assert run(version, now=now) == "finished"
    assert version.results()["primary_metric"]["name"] == "macro_f1" and version.lineage()["model"]["adapter_path"] is None
    from training.predicting import open_version

    [answer] = open_version(version)([{"text": "a1"}])
    assert answer.output in ("apple", "berry", "cherry")


# --- a version deleted while it trains -----------------------------------------------------------------------------------------


class DeleteOnce:
    """Removes the version's folder, as a person would, and makes a new one of its name where `anew`."""

    def __init__(self, version, anew, when):
        self.version, self.anew, self.when, self.done = version, anew, when, False

    def __call__(self, event):
        if not self.done and self.when(event):
            shutil.rmtree(self.version.folder)
            if self.anew:
                freeze_version(Task.open(self.version.folder.parents[1]), "v1", NOW)
            self.done = True


def everything_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_it_ends_and_writes_nothing(version, deletion, now):
    frozen = everything_in(version.folder)
    with pytest.raises(WorkspaceError) as raised:
        run(version, now=now, listener=deletion)
    assert deletion.done and raised.value.key == "training.version_gone"
    assert version.folder.exists() == deletion.anew
    if deletion.anew:
        assert everything_in(version.folder) == frozen


def phase(name):
    return lambda event: event["type"] == "phase" and event["name"] == name


@pytest.mark.parametrize("anew", [False, True], ids=["gone", "made anew"])
@pytest.mark.parametrize("moment", ["baseline", "loading", "training", "step", "sample", "evaluating"])
def test_a_deleted_version_ends_at_its_next_step_and_leaves_no_trace(tmp_path, tiny_model, now, moment, anew):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    when = (lambda event: event["type"] == moment) if moment in ("step", "sample") else phase(moment)
    assert_it_ends_and_writes_nothing(version, DeleteOnce(version, anew, when), now)


@pytest.mark.parametrize("anew", [False, True], ids=["gone", "made anew"])
def test_a_version_deleted_just_before_a_checkpoint_gets_none(tmp_path, tiny_model, now, monkeypatch, anew):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    deletion = DeleteOnce(version, anew, lambda event: event is None)
    real = RunCallback._out_of_patience  # the last thing asked before a checkpoint
    monkeypatch.setattr(RunCallback, "_out_of_patience", lambda callback: (deletion(None), real(callback))[1])
    frozen = everything_in(version.folder)
    with pytest.raises(WorkspaceError) as raised:
        run(version, now=now)
    assert raised.value.key == "training.version_gone" and version.folder.exists() == anew
    assert not anew or everything_in(version.folder) == frozen


@pytest.mark.parametrize("method", ["baseline", "prompt"])
def test_a_deleted_version_gets_no_results_of_another_method_either(tmp_path, tiny_model, now, method):
    version = make_version(tmp_path / "letters", task_file(tiny_model, method=method))
    assert_it_ends_and_writes_nothing(version, DeleteOnce(version, True, phase("evaluating")), now)


def test_a_version_that_is_gone_before_it_begins_is_not_brought_back(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    shutil.rmtree(version.folder)
    with pytest.raises(WorkspaceError) as raised:
        run(version, now=now)
    assert raised.value.key == "training.version_gone" and not version.folder.exists()


def test_what_went_wrong_is_raised_also_where_it_cannot_be_logged(tmp_path, tiny_model, now, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    version = make_version(tmp_path / "letters", task_file(tmp_path / "nowhere"))
    monkeypatch.setattr("training.single_run._write_failure", full)
    with pytest.raises(ModelError):
        run(version, now=now)


# --- a stop before the first step ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "moment"), [("sft", "baseline"), ("sft", "loading"), ("prompt", "baseline"), ("prompt", "loading")]
)
def test_a_stop_asked_before_the_first_step_needs_none_and_the_version_can_be_started_again(
    tmp_path, tiny_model, now, method, moment
):
    version = make_version(tmp_path / "letters", task_file(tiny_model, epochs=1, method=method))

    def stop(event):
        if phase(moment)(event):
            version.stop_path.touch()

    assert run(version, now=now, listener=stop) == "stopped"
    end = view(version)
    assert (end.terminal["reason"], end.terminal["checkpoint"], end.steps) == ("asked", None, ())
    assert end.phase == moment and checkpoints.latest(version.checkpoints_folder) is None
    assert run(version, now=now) == "finished"


def test_a_resumed_run_stopped_while_it_loads_keeps_its_checkpoint(tmp_path, tiny_model, now):
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    run(version, now=now, listener=StopAt(version, 3))

    def stop(event):
        if phase("loading")(event):
            version.stop_path.touch()

    assert run(version, now=now, resume=True, listener=stop) == "stopped"
    assert view(version).terminal["checkpoint"] == "checkpoints/3" and view(version).step == 3
    assert run(version, now=now, resume=True) == "finished"
