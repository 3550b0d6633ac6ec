"""Memory that runs out while rows are answered: in an evaluation of a run, in its final test, and in a trained version asked."""

import json

import pytest
import torch
from transformers import LlamaForCausalLM

from coach.errors import TrainingError
from tests.conftest import NOW
from tests.training.small_task import make_version, task_file
from tests.training.test_hard_times import FULL, notices, view
from training.backends.plain import PlainBackend
from training.device import Device
from training.evaluation.at_once import AtOnce
from training.memory import is_out_of_memory
from training.predicting import open_version
from training.run_callback import RunCallback
from training.worker import run

INPUTS = [{"text": f"{'abc'[index % 3]}{index}{'x' * (index % 5)}"} for index in range(11)]


def memory_for(monkeypatch, *, rows=None, tokens=None):
    """Answers (not training steps) of more rows, or of longer ones, fail as torch does, after the model has computed already."""
    real = LlamaForCausalLM.forward
    asked = []

    def limited(self, *args, **kwargs):
        found = real(self, *args, **kwargs)
        if torch.is_inference_mode_enabled():
            shape = kwargs["input_ids"].shape
            asked.append(shape[0])
            if (rows and shape[0] > rows) or (tokens and shape[1] > tokens):
                raise FULL
        return found

    monkeypatch.setattr(LlamaForCausalLM, "forward", limited)
    return asked


def predictions(version):
    return [json.loads(line) for line in version.predictions_path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module", autouse=True)
def _in_float32():
    with pytest.MonkeyPatch.context() as patch:
        for place in ("training.preparing.choose_device", "training.device.choose_device"):
            patch.setattr(place, lambda: Device("cpu", torch.float32, "device.cpu_fp32"))
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_model, _in_float32):
    """A version trained with all the memory it wants."""
    version = make_version(tmp_path_factory.mktemp("whole") / "letters", task_file(tiny_model))
    assert run(version, now=lambda: NOW) == "finished"
    return version


def assert_same_run(version, whole):
    for ours, theirs in zip(view(version).evals, view(whole).evals, strict=True):
        assert (ours["step"], ours["value"], ours["confusion_matrix"]) == (
            theirs["step"],
            theirs["value"],
            theirs["confusion_matrix"],
        )
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-4)
    assert [event["raw"] for event in view(version).samples] == [event["raw"] for event in view(whole).samples]
    for ours, theirs in zip(predictions(version), predictions(whole), strict=True):
        assert {**ours, "scores": pytest.approx(ours["scores"], abs=1e-4)} == theirs
    assert version.results()["macro_f1"] == whole.results()["macro_f1"]


def test_an_evaluation_without_memory_for_its_rows_gives_the_same_answers_with_fewer_at_once(
    tmp_path, tiny_model, now, monkeypatch, trained
):
    asked = memory_for(monkeypatch, rows=3)
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    assert run(version, now=now) == "finished"
    assert_same_run(version, trained)
    assert [rows for rows in asked if rows > 3][:2] == [9, 5]
    assert sum(rows > 3 for rows in asked) == 4  # twice scoring, twice decoding: later ones remember what fitted
    (said,) = notices(version, "N06")
    assert (said["message_key"], said["data"]) == ("notice.fewer_answered", {"before": 9, "rows": 3})
    assert said["step"] == view(version).evals[0]["step"]


def test_a_final_test_without_memory_for_its_rows_gives_the_same_answers(tmp_path, tiny_model, now, monkeypatch, trained):
    asked = memory_for(monkeypatch, rows=9)  # as many as are evaluated while it trains; the test split has 12
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    assert run(version, now=now) == "finished"
    assert_same_run(version, trained)
    assert 12 in asked
    (said,) = notices(version, "N06")
    assert said["data"] == {"before": 12, "rows": 6} and said["step"] == view(version).steps[-1]["step"]


def test_a_base_model_asked_without_memory_for_its_rows_says_so_once(tmp_path, tiny_model, now, monkeypatch):
    whole = make_version(tmp_path / "whole", task_file(tiny_model, method="prompt"))
    run(whole, now=now)
    memory_for(monkeypatch, rows=4)
    version = make_version(tmp_path / "letters", task_file(tiny_model, method="prompt"))
    assert run(version, now=now) == "finished"
    assert_same_run(version, whole)
    assert [event["data"] for event in notices(version, "N06")] == [{"before": 12, "rows": 3}]


def test_a_trained_version_answers_the_same_with_fewer_rows_at_once(monkeypatch, trained):
    whole = open_version(trained)(INPUTS)
    asked = memory_for(monkeypatch, rows=2)
    ask = open_version(trained)
    for _ in range(2):
        found = ask(INPUTS)
        assert [answer.output for answer in found] == [answer.output for answer in whole]
        for ours, theirs in zip(found, whole, strict=True):
            assert ours.scores[None] == pytest.approx(theirs.scores[None], abs=1e-4)
    assert [rows for rows in asked if rows > 2] == [11, 6, 3]


def test_a_row_that_does_not_fit_alone_is_told_with_what_would_and_shorter_ones_are_still_answered(monkeypatch, trained):
    ask = open_version(trained)
    (short,) = ask(INPUTS[:1])
    memory_for(monkeypatch, tokens=6)
    with pytest.raises(TrainingError) as raised:
        ask([{"text": "a" * 40}])
    assert raised.value.key == "training.answered_row_too_long"
    tokens, fitted = raised.value.data["tokens"], raised.value.data["fitted"]  # the text is cut to what it was trained with
    assert fitted == tokens // 2 <= 6 < tokens
    (again,) = ask(INPUTS[:1])
    assert again.output == short.output and again.scores[None] == pytest.approx(short.scores[None], abs=1e-6)


def test_where_nothing_fits_it_says_that_not_even_one_row_does(monkeypatch, trained):
    ask = open_version(trained)
    memory_for(monkeypatch, tokens=1)
    with pytest.raises(TrainingError) as raised:
        ask(INPUTS[:1])
    assert raised.value.key == "training.no_memory_to_answer"


@pytest.mark.parametrize("limit", [{"tokens": 2}, {"rows": 3}])
def test_an_evaluation_that_ran_out_of_memory_leaves_no_hook_and_no_lent_weights(limit, tmp_path, tiny_model, now, monkeypatch):
    models, seen = [], []
    load, evaluate = PlainBackend.load, RunCallback._evaluate

    def kept(self, *args, **kwargs):
        models.append(load(self, *args, **kwargs))
        return models[-1]

    def trained_weights():
        return {name: value.detach().clone() for name, value in models[0].model.named_parameters() if value.requires_grad}

    def watched(self, step, control):
        before = trained_weights()
        try:
            evaluate(self, step, control)
        finally:
            after = trained_weights()
            assert all(torch.equal(before[name], after[name]) for name in before)
            hooked = [module for module in models[0].model.modules() if module._forward_pre_hooks]
            seen.append(len(hooked))

    monkeypatch.setattr(PlainBackend, "load", kept)
    monkeypatch.setattr(RunCallback, "_evaluate", watched)
    memory_for(monkeypatch, **limit)
    version = make_version(tmp_path / "letters", task_file(tiny_model))
    if "rows" in limit:
        assert run(version, now=now) == "finished" and seen == [0, 0]
        return
    with pytest.raises(TrainingError):
        run(version, now=now)
    assert seen == [0] and view(version).terminal["key"] == "training.no_memory_to_answer"


def test_batches_are_halved_until_they_fit_and_stay_so():
    tried, told = [], []
    at_once = AtOnce(40)
    at_once.on_fewer = lambda before, now: told.append((before, now))

    def compute(indices, prompts):
        tried.append(len(indices))
        if len(indices) > 3:
            raise FULL
        return sum(len(prompt) for prompt in prompts)

    prompts = [[1] * length for length in (4, 5, 1, 3, 5, 5, 5, 2)]
    found = list(at_once.each(prompts, compute))
    assert found == [([1, 4], 10), ([5, 6], 10), ([0, 3], 7), ([7, 2], 3)]
    assert tried == [8, 4, 2, 2, 2, 2] and told == [(8, 2)]
    list(at_once.each(prompts, compute))
    assert tried[6:] == [2, 2, 2, 2]


def test_rows_counted_one_by_one_keep_their_order():
    def compute(indices, prompts):
        if len(indices) > 2:
            raise FULL
        return [len(prompt) for prompt in prompts]

    found = list(AtOnce(16, counts_one=True).each([[1] * length for length in (2, 9, 4, 1, 7)], compute))
    assert found == [([0, 1], [2, 9]), ([2, 3], [4, 1]), ([4], [7])]


def test_another_error_is_not_taken_for_memory():
    def compute(indices, prompts):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        list(AtOnce(40).each([[1]], compute))


@pytest.mark.parametrize(
    ("error", "out"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (FULL, True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("the column is called out of memory"), False),
    ],
)
def test_memory_that_ran_out_is_told_from_other_errors(error, out):
    assert is_out_of_memory(error) is out
