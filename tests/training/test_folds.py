"""Folds: every row validates once, classes in proportion, no text on both sides, the same whenever it is done again."""

import random
from collections import Counter

import pytest

from coach.errors import DataError
from tests.training.small_task import LABELS, task_file
from training.data.folds import first_fold, later_folds
from training.data.rows import Row

NAMES = list(LABELS.values())


def made(count, *, seed=0, texts=None):
    """Rows of three classes of unequal size; with `texts`, only so many different ones."""
    chance = random.Random(seed)
    return [
        Row(
            f"r-{place}",
            {"text": f"text {place if texts is None else chance.randrange(texts)}"},
            chance.choices(NAMES, [6, 3, 1])[0],
        )
        for place in range(count)
    ]


def folds_of(rows, count):
    """All folds of a version, as a start makes the first and the worker the others."""
    task = task_file("model", folds=count)
    first = first_fold(rows[: len(rows) * 4 // 5], rows[len(rows) * 4 // 5 :], task)
    return [first, *later_folds(first.train, first.valid, task)]


def ids(rows):
    return sorted(row.id for row in rows)


@pytest.mark.parametrize("count", [2, 3, 5, 20])
@pytest.mark.parametrize("seed", range(4))
def test_every_row_validates_once_and_learns_in_all_other_folds(count, seed):
    rows = made(101, seed=seed)
    found = folds_of(rows, count)
    assert len(found) == count
    assert ids([row for fold in found for row in fold.valid]) == ids(rows)
    assert all(ids(fold.train + fold.valid) == ids(rows) for fold in found)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_each_class_has_its_share_in_each_part(count):
    rows = made(101, seed=1)
    sizes = Counter(row.output for row in rows)
    for fold in folds_of(rows, count):
        part = Counter(row.output for row in fold.valid)
        assert all(sizes[name] // count <= part[name] <= -(-sizes[name] // count) for name in NAMES), part


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_one_text_stay_on_one_side(seed):
    for fold in folds_of(made(80, seed=seed, texts=30), 4):
        assert not {row.input["text"] for row in fold.train} & {row.input["text"] for row in fold.valid}


def test_the_cut_is_the_same_again_and_another_with_another_seed():
    rows = made(60)
    assert [ids(fold.valid) for fold in folds_of(rows, 3)] == [ids(fold.valid) for fold in folds_of(list(rows), 3)]
    task = task_file("model", folds=3)
    other = task.model_copy(update={"data": task.data.model_copy(update={"seed": 7})})
    assert ids(first_fold(rows, [], task).valid) != ids(first_fold(rows, [], other).valid)


def test_the_version_validates_on_the_rows_it_was_frozen_with_whatever_they_are():
    rows = made(40)
    later = later_folds(rows[:36], rows[36:], task_file("model", folds=3))
    assert ids([*rows[36:], *later[0].valid, *later[1].valid]) == ids(rows)


def test_rows_of_another_kind_of_answer_are_cut_too():
    rows = [Row(f"r-{place}", {"text": f"t{place}"}, {"mood": NAMES[place % 3]}) for place in range(12)]
    assert ids([row for fold in folds_of(rows, 3) for row in fold.valid]) == ids(rows)


def test_more_folds_than_texts_are_refused():
    with pytest.raises(DataError) as raised:
        first_fold(made(20, texts=3), [], task_file("model", folds=5))
    assert raised.value.key == "data.too_few_for_folds" and raised.value.data["folds"] == 5 and all(raised.value.lines("zh-TW"))
