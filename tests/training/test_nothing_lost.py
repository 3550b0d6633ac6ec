"""Cut off anywhere, a training goes on: nothing half-written counts, no step comes twice, and the model is the one it would have been.

One training on a watched disk (tests/faults.py) gives the order of all its writes and, before each of them, a copy of the folder: what
`kill -9` would have left there. What a power cut leaves follows from the order: everything is flushed before the rename it counts from.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from coach.errors import CoachError
from coach.version_folder import Version
from tests.faults import no_room, watched_disk
from tests.training.cut_off import (
    SETTINGS,
    Whole,
    assert_nothing_counts_half,
    assert_the_same,
    go_on,
    make_it_repeatable,
    state,
    view,
)
from tests.training.small_task import make_version, task_file
from training import checkpoints

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="a descriptor's file is read from /proc")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def repeatable(monkeypatch):
    make_it_repeatable(monkeypatch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tiny_model):
    folder = tmp_path_factory.mktemp("whole")
    version = make_version(folder / "letters", task_file(tiny_model, **SETTINGS))

    def keep(index, operation):
        shutil.copytree(version.folder, folder / "copies" / f"{index}")

    with pytest.MonkeyPatch.context() as patch, watched_disk(version.folder, keep) as disk:
        make_it_repeatable(patch)
        assert go_on(version) == "finished"
    return Whole(version, disk.operations, folder / "copies")


# --- the order of writes -------------------------------------------------------------------------------------------------------


def places(whole, kind, ending, data=b""):
    """Where in the order `kind` was done to a path that ends so; of a rename it is the new name."""
    return [
        index
        for index, found in enumerate(whole.operations)
        if found.kind == kind and str(found.target or found.path).endswith(ending) and data in found.data
    ]


def test_every_rename_comes_after_its_files_are_on_the_disk_and_before_anything_that_counts_on_it(whole):
    operations = whole.operations
    counting = [index for index, found in enumerate(operations) if found.kind == "rename" and "removed-" not in str(found.target)]
    assert len(counting) == 3 + 1 + 4, [whole.named(index) for index in counting]
    for index in counting:
        source, target = operations[index].path, operations[index].target
        copy = whole.copies / f"{index}" / source.relative_to(whole.version.folder)
        written = [source / path.relative_to(copy) for path in copy.rglob("*")] if copy.is_dir() else []
        for path in (source, *written):
            flushed = [at for at in range(index) if operations[at].kind == "flush" and operations[at].path == path]
            changed = [at for at in range(index) if operations[at].kind in ("open", "save") and operations[at].path == path]
            assert flushed and (not changed or changed[-1] < flushed[-1]), f"{whole.named(index)}: {path.name} is not flushed"
        following = operations[index + 1]
        assert (following.kind, following.path) == ("flush", target.parent), whole.named(index)


@pytest.mark.parametrize("step", [2, 4, 6])
def test_a_checkpoint_counts_after_the_log_up_to_it_and_before_the_one_it_replaces_goes(whole, step):
    [counts] = places(whole, "rename", f"/checkpoints/{step}")
    [said] = places(whole, "append", "events.jsonl", f'"path": "checkpoints/{step}"'.encode())
    last_line = max(index for index in places(whole, "append", "events.jsonl") if index < counts)
    assert any(last_line < index < counts for index in places(whole, "flush", "events.jsonl")) and counts < said
    if step > 2:
        [gone] = places(whole, "rename", f"removed-{step - 2}")
        assert (
            said < gone < min(index for index, found in enumerate(whole.operations) if f"removed-{step - 2}/" in str(found.path))
        )


def test_the_last_event_comes_after_all_it_promises_and_is_on_the_disk_before_the_checkpoints_go(whole):
    names = ("/model", "model_info.json", "predictions.jsonl", "results.json", "lineage.yaml")
    order = [place for name in names for place in places(whole, "rename", name)]
    order += [*places(whole, "append", "events.jsonl", b'"finished"'), max(places(whole, "flush", "events.jsonl"))]
    order += places(whole, "remove", "checkpoints/6/trainer_state.json")
    assert len(order) == 8 and order == sorted(order)


# --- cut off between any two writes --------------------------------------------------------------------------------------------


def test_wherever_it_is_cut_off_nothing_half_written_counts(whole, tmp_path):
    for index in range(len(whole.operations)):
        assert_nothing_counts_half(whole.cut_before(index, tmp_path), whole.named(index))


def around(operations):
    """Before and after each rename, within the events that decide something, and a spread of the rest."""
    deciding = (b'"started"', b'"eval"', b'"checkpoint"', b'"finished"')
    for index, found in enumerate(operations):
        decides = any(b'"type": ' + kind in found.data for kind in deciding)
        if "rename" in (found.kind, operations[index - 1].kind) or decides or index % 24 == 8:
            yield index


def test_wherever_it_is_cut_off_it_goes_on_to_the_same_model(whole, tmp_path):
    resumed = started = 0
    for index in around(whole.operations):
        version = whole.cut_before(index, tmp_path)
        if state(version) != "finished":
            kept = checkpoints.latest(version.checkpoints_folder)
            resumed, started = resumed + (kept is not None), started + (kept is None)
            assert go_on(version) == "finished"
            assert_the_same(version, whole.version, whole.named(index))
    assert resumed > 20 and started > 3


# --- killed for real -----------------------------------------------------------------------------------------------------------


def test_killed_ten_times_at_random_it_goes_on_to_the_same_model(tmp_path, tiny_model):
    """The process itself, by `kill -9`: as a worker, as the command line, as a server with the training in a thread."""
    settings = {**SETTINGS, "epochs": 8, "early_stopping": None}
    for name in ("whole", "killed"):
        make_version(tmp_path / name / "letters", task_file(tiny_model, **settings))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COACH_CACHE": str(tmp_path), "COACH_WORKSPACE": str(tmp_path)}
    command = [sys.executable, "-m", "tests.training.killed_runs", str(tmp_path), "10"]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert found.returncode == 0, found.stderr
    lives = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    assert [life["ended"] for life in lives] == [0] + [-9] * 10 + [0], lives
    assert {life["as"] for life in lives[1:-1]} == {"worker", "command line", "server"}
    killed, uncut = (Version(tmp_path / name / "letters" / "versions" / "v1") for name in ("killed", "whole"))
    assert_the_same(killed, uncut, f"{lives}")
    assert view(killed).attempt >= 5


# --- a full disk ---------------------------------------------------------------------------------------------------------------

FULL_AT = [  # in the order they come, so that one version meets them all
    ("append", "events.jsonl", b'"phase"'),
    ("append", "events.jsonl", b'"step"'),
    ("append", "events.jsonl", b'"eval"'),
    ("append", "events.jsonl", b'"sample"'),
    ("mkdir", "checkpoint-2", b""),
    ("save", "checkpoint-2/adapter_model.safetensors", b""),
    ("save", "checkpoint-2/optimizer.pt", b""),
    ("open", "checkpoint-2/trainer_state.json", b""),
    ("save", "checkpoint-2/averaged.safetensors", b""),
    ("flush", "events.jsonl", b""),
    ("flush", "checkpoint-2/optimizer.pt", b""),
    ("rename", "checkpoint-2", b""),
    ("append", "events.jsonl", b'"checkpoint"'),
    ("append", "events.jsonl", b'"resumed"'),
    ("save", ".model.writing/adapter_model.safetensors", b""),
    ("open", ".model.writing/adapter_config.json", b""),
    ("rename", ".model.writing", b""),
    ("open", ".tmp", b""),
    ("flush", ".tmp", b""),
    ("rename", ".tmp", b""),
]
AT_THE_LAST_EVENT = ("append", "events.jsonl", b'"finished"')  # for which room is kept


class FullDisk:
    """Full from the first operation of a kind on, until the attempt has ended; what the log keeps in reserve is the only room left."""

    def __init__(self, kind, ending, data):
        self.is_it = lambda found: found.kind == kind and str(found.path).endswith(ending) and data in found.data
        self.is_full = self.has_given_back = False

    def __call__(self, index, operation):
        met, needs_room = not self.is_full and self.is_it(operation), operation.kind in ("open", "append", "save", "mkdir")
        self.is_full = self.is_full or met
        if self.is_full and operation.kind == "remove" and operation.path.name == ".events.reserve":
            self.has_given_back = True
        if not self.is_full or not (met or needs_room) or (operation.kind == "append" and self.has_given_back):
            return
        if operation.kind == "save":
            raise as_the_library_says_it(operation.path)
        raise no_room(operation.path)

    def usage(self, path):
        return namedtuple("usage", "total used free")(10**9, 0, 0 if self.is_full else 10**9)


def as_the_library_says_it(path):
    from safetensors import SafetensorError

    if path.suffix == ".safetensors":
        return SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    return RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 192 vs 86")


def test_a_full_disk_is_said_at_every_kind_of_write_and_with_room_it_goes_on_to_the_same_model(
    whole, tmp_path, tiny_model, monkeypatch
):
    version = make_version(tmp_path / "letters", task_file(tiny_model, **SETTINGS))
    for full_at in FULL_AT:
        disk = FullDisk(*full_at)
        with monkeypatch.context() as patch, watched_disk(version.folder, disk), pytest.raises(CoachError) as raised:
            patch.setattr(shutil, "disk_usage", disk.usage)
            pytest.fail(f"{go_on(version)} in spite of {full_at}")
        assert disk.is_full and raised.value.key in ("training.disk_full", "workspace.disk_full"), full_at
        assert all(raised.value.lines("zh-TW")), full_at
        assert state(version) == "failed" and view(version).terminal["key"] == raised.value.key, full_at
        assert_nothing_counts_half(version, str(full_at))
    with watched_disk(version.folder, FullDisk(*AT_THE_LAST_EVENT)) as disk:
        assert go_on(version) == "finished"
    assert any(found.kind == "remove" and found.path.name == ".events.reserve" for found in disk.operations)
    assert_the_same(version, whole.version, "after a full disk")
