"""Checkpoint folders: which of them count, and that none counts half."""

import os

import pytest

from training import checkpoints


def make(folder, names=checkpoints.NEEDED):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"{}")
    return folder


@pytest.fixture
def kept(tmp_path):
    for step in (2, 4, 6):
        make(tmp_path / str(step))
    return tmp_path


@pytest.mark.parametrize("missing", checkpoints.NEEDED)
def test_a_checkpoint_without_one_of_its_files_is_none(kept, missing):
    (kept / "6" / missing).unlink()
    assert checkpoints.steps(kept) == [2, 4]


def test_only_the_best_and_the_latest_are_kept_and_nothing_of_a_broken_write(kept):
    make(checkpoints.written(kept, 8), ["optimizer.pt"])
    checkpoints.prune(kept, {2, 6})
    assert sorted(path.name for path in kept.iterdir()) == ["2", "6"]


def test_a_checkpoint_whose_removal_is_cut_off_no_longer_counts(kept, monkeypatch):
    """Its files go one after the other: had only those gone that a resume can do without, it would pass for a whole one."""

    def cut_off(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "unlink", cut_off)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.prune(kept, {6})
    monkeypatch.undo()
    assert checkpoints.steps(kept) == [6]
    checkpoints.prune(kept, {6})
    assert [path.name for path in kept.iterdir()] == ["6"]


def test_a_checkpoint_that_cannot_be_removed_is_left_for_the_next_time(kept, monkeypatch):
    def refuse(*arguments, **named):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        checkpoints.prune(kept, {6})
    assert checkpoints.steps(kept) == [2, 4, 6]


def test_a_damaged_checkpoint_of_the_same_step_makes_way(kept):
    (kept / "6" / "rng_state.pth").unlink()
    make(checkpoints.written(kept, 6), [*checkpoints.NEEDED, *checkpoints.UNWANTED])
    assert checkpoints.accept(kept, 6) == kept / "6"
    assert checkpoints.steps(kept) == [2, 4, 6]
    assert {path.name for path in (kept / "6").iterdir()} == set(checkpoints.NEEDED)
