import errno
import os
from types import SimpleNamespace

import pytest
from huggingface_hub import errors

from coach.errors import ModelError
from training import base_model
from training.base_model import HubModel, download, look_up, resolve_base_model


class Hub:
    """A hub that answers with one model, or raises."""

    def __init__(self, answer):
        self.answer = answer

    def model_info(self, model_id, files_metadata):
        assert files_metadata
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def response(status):
    import httpx

    return httpx.Response(status, request=httpx.Request("GET", "http://hub.invalid/x"))


def test_a_local_folder_is_taken_as_it_is(tiny_model):
    assert resolve_base_model(str(tiny_model)) == tiny_model


def test_a_relative_folder_starts_from_the_task(tiny_model):
    assert resolve_base_model(tiny_model.name, near=tiny_model.parent) == tiny_model.parent / tiny_model.name


@pytest.mark.parametrize(("missing", "key"), [("config.json", "not_a_model"), ("model.safetensors", "no_safetensors")])
def test_a_folder_that_is_no_model_is_told_what_it_lacks(tiny_model, tmp_path, missing, key):
    import shutil

    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    (folder / missing).unlink()
    with pytest.raises(ModelError) as raised:
        resolve_base_model(str(folder))
    assert raised.value.key == f"model.{key}"


@pytest.mark.parametrize("source", ["./nowhere", "/nowhere/at/all", "~/nowhere", "justaname", "../../no-such-place"])
def test_a_path_that_leads_nowhere_is_not_asked_of_the_hub(source):
    with pytest.raises(ModelError) as raised:
        resolve_base_model(source)
    assert raised.value.key == "model.no_such_folder"


def test_the_hub_tells_size_licence_and_revision():
    siblings = [SimpleNamespace(rfilename=name, size=size) for name, size in
                (("model.safetensors", 900), ("config.json", 10), ("pytorch_model.bin", 10**9), ("tokenizer.json", 90))]  # fmt: skip
    found = look_up("a/b", Hub(SimpleNamespace(sha="abc", siblings=siblings, tags=["x", "license:apache-2.0"])))
    assert found == HubModel("a/b", "abc", 1000, "apache-2.0")


@pytest.mark.parametrize(
    ("raised_by_hub", "key"),
    [
        (errors.GatedRepoError("gated", response=response(403)), "gated"),
        (errors.RepositoryNotFoundError("none", response=response(404)), "unknown"),
        (errors.HFValidationError("bad"), "bad_id"),
        (errors.OfflineModeIsEnabled("offline"), "unreachable"),
        (ConnectionError("no route"), "unreachable"),
        (errors.HfHubHTTPError("busy", response=response(503)), "unreachable"),
    ],
)
def test_each_refusal_of_the_hub_is_a_sentence(raised_by_hub, key):
    with pytest.raises(ModelError) as raised:
        look_up("a/b", Hub(raised_by_hub))
    assert raised.value.key == f"model.{key}" and len(raised.value.lines("en")) == 3


def test_without_a_hub_a_model_id_is_an_unreachable_model():
    with pytest.raises(ModelError) as raised:
        resolve_base_model("Qwen/Qwen3-4B")
    assert raised.value.key == "model.unreachable" and "Qwen/Qwen3-4B" in str(raised.value)


def test_a_download_larger_than_the_disk_is_refused_before_it_starts(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *a, **k: asked.append(a))
    with pytest.raises(ModelError) as raised:
        download(HubModel("a/b", "main", 10**18, None), cache=tmp_path)
    assert raised.value.key == "model.disk_full" and asked == []


def test_a_download_brings_safetensors_only_and_reports_bytes(tmp_path, tiny_model, monkeypatch):
    seen = {}

    def fetch(model_id, *, revision, cache_dir, allow_patterns, tqdm_class):
        seen.update(model_id=model_id, revision=revision, patterns=allow_patterns)
        bar = tqdm_class(total=100, unit="B")
        bar.update(60)
        bar.close()
        return str(tiny_model)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    reports = []
    found = download(HubModel("a/b", "abc", 10, None), lambda *report: reports.append(report), cache=tmp_path)
    assert found == tiny_model and seen["revision"] == "abc" and reports == [("download", 60, 100)]
    assert not any(".bin" in pattern or ".py" in pattern or ".pt" in pattern for pattern in seen["patterns"])
    assert seen["patterns"] == base_model.WANTED_FILES


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("at", ["pathlib.Path.mkdir", "huggingface_hub.snapshot_download"])
def test_a_hub_cache_that_cannot_be_written_is_said_with_its_place(tmp_path, monkeypatch, at, code):
    def refuse(*arguments, **named):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(at, refuse)
    with pytest.raises(ModelError) as raised:
        download(HubModel("a/b", "main", 1, None), cache=tmp_path)
    assert raised.value.key == "model.cache_unwritable" and raised.value.data["path"] == str(tmp_path)
