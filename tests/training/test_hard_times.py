"""Memory that runs out in the middle of a step, and a training that leads nowhere."""

import pytest
import torch
from safetensors.torch import load_file

from coach.errors import TrainingError
from tests.training.small_task import make_version, task_file
from training.event_log import read_events
from training.methods.completion_loss import CompletionLossTrainer
from training.run_callback import RunCallback
from training.run_view import RunView, fold
from training.worker import run

FULL = RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: not enough memory: you tried to allocate 8 GB")


@pytest.fixture(autouse=True)
def in_float32(monkeypatch):
    import training.device
    import training.preparing

    device = training.device.Device("cpu", torch.float32, "device.cpu_fp32")
    monkeypatch.setattr(training.preparing, "choose_device", lambda: device)


def view(version):
    return fold(RunView(), read_events(version.events_path))


def notices(version, code):
    return [event for event in read_events(version.events_path) if event["type"] == "notice" and event["code"] == code]


def memory_for(monkeypatch, fits):
    """Steps whose batch does not fit fail as torch does: after part of the gradient has been added already."""
    real = CompletionLossTrainer.compute_loss

    def limited(self, model, inputs, *args, **kwargs):
        loss = real(self, model, inputs, *args, **kwargs)
        if not fits(inputs):
            loss.backward()
            raise FULL
        return loss

    monkeypatch.setattr(CompletionLossTrainer, "compute_loss", limited)


@pytest.mark.parametrize("batch_size", [8, 16])  # one micro-batch a step, and two
def test_without_memory_for_a_batch_it_is_computed_in_parts_and_learns_the_same(
    batch_size, tmp_path, tiny_model, now, monkeypatch
):
    task = task_file(tiny_model, batch_size=batch_size, balance="class_weights")
    whole = make_version(tmp_path / "whole", task)
    run(whole, now=now)
    memory_for(monkeypatch, lambda inputs: len(inputs["input_ids"]) <= 3)
    parts = make_version(tmp_path / "parts", task)
    assert run(parts, now=now) == "finished"
    assert [(event["data"]["before"], event["data"]["rows"], event["step"]) for event in notices(parts, "N06")] == [
        (8, 4, 1),
        (4, 2, 1),
    ]
    for ours, theirs in zip(view(parts).steps, view(whole).steps, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-4) and ours["tokens"] == theirs["tokens"]
        assert ours["grad_norm"] == pytest.approx(theirs["grad_norm"], rel=1e-3)
    assert parts.results()["macro_f1"] == whole.results()["macro_f1"]


def test_where_a_single_row_does_not_fit_it_says_how_much_of_it_does(tmp_path, tiny_model, now, monkeypatch):
    memory_for(monkeypatch, lambda inputs: inputs["input_ids"].shape[1] <= 8)
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    with pytest.raises(TrainingError) as raised:
        run(version, now=now)
    assert raised.value.key == "training.row_too_long" and raised.value.data["fitted"] == raised.value.data["tokens"] // 2
    assert [event["data"]["rows"] for event in notices(version, "N06")] == [2, 1]
    assert "max_seq_tokens" in view(version).terminal["hint"]


def poisoned_at(monkeypatch, step):
    """After that many steps the trained weights are no numbers, as a step that was far too long leaves them."""
    real = RunCallback.on_step_end

    def poison(self, args, state, control, **kwargs):
        real(self, args, state, control, **kwargs)
        if state.global_step == step:
            for parameter in kwargs["model"].parameters():
                if parameter.requires_grad:
                    parameter.data.fill_(float("nan"))

    monkeypatch.setattr(RunCallback, "on_step_end", poison)


def test_a_loss_that_is_no_number_goes_back_to_the_best_step(tmp_path, tiny_model, now, monkeypatch):
    poisoned_at(monkeypatch, 8)
    version = make_version(tmp_path / "letters", task_file(tiny_model, epochs=3))
    assert run(version, now=now) == "finished"
    last, results = view(version), version.results()
    assert last.terminal["reason"] == results["end_reason"] == "diverged"
    assert last.terminal["best_step"] == results["best_checkpoint"]["step"] == 6
    assert last.steps[-1]["step"] == 9 and last.steps[-1]["loss"] is None
    assert [event["message_key"] for event in notices(version, "D09")] == ["notice.not_a_number"]
    assert notices(version, "N08")[0]["data"] == {"best": 6}
    weights = load_file(version.model_folder / "adapter_model.safetensors")
    assert all(torch.isfinite(value).all() for value in weights.values())


def test_a_loss_above_its_start_goes_back_to_the_best_step(tmp_path, tiny_model, now, monkeypatch):
    real = CompletionLossTrainer.compute_loss

    def rising(self, *args, **kwargs):  # the tiny model's own cannot: its random output layer bounds it near where it begins
        return real(self, *args, **kwargs) + (2.0 if self.state.global_step >= 26 else 0.0)

    monkeypatch.setattr(CompletionLossTrainer, "compute_loss", rising)
    version = make_version(tmp_path / "letters", task_file(tiny_model, epochs=9))
    assert run(version, now=now) == "finished"
    losses = [event["loss"] for event in view(version).steps]
    assert view(version).terminal["reason"] == "diverged" and len(losses) < 54
    (notice,) = notices(version, "D09")
    assert notice["message_key"] == "notice.above_start"
    assert notice["data"]["last"] == pytest.approx(sum(losses[-10:]) / 10, abs=1e-3)
    assert notice["data"]["last"] > notice["data"]["first"] + 0.2
