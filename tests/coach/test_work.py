"""When a training is evaluated."""

from __future__ import annotations

import pytest

from coach.work import Schedule


def due(schedule: Schedule) -> list[int]:
    return [step for step in range(1, schedule.total + 1) if schedule.is_due(step)]


def test_the_first_classes_are_seen_long_before_the_first_regular_evaluation():
    schedule = Schedule.of(total=222, steps_per_epoch=74, evaluations_per_epoch=2)
    assert due(schedule) == [7, 37, 74, 111, 148, 185, 222]
    assert (schedule.evaluations, schedule.regular_evaluations, schedule.early_look) == (7, 6, 7)


@pytest.mark.parametrize(
    "total, steps_per_epoch, expected",
    [(19, 19, [10, 19]), (45, 30, [15, 30, 45]), (1, 1, [1])],
)
def test_where_that_one_is_near_there_is_no_early_look(total: int, steps_per_epoch: int, expected: list[int]):
    schedule = Schedule.of(total, steps_per_epoch, evaluations_per_epoch=2)
    assert due(schedule) == expected
    assert schedule.evaluations == len(expected) == schedule.regular_evaluations


@pytest.mark.parametrize("total", [8, 20, 200])
@pytest.mark.parametrize("every", [1, 7, 20, 64])
def test_as_many_are_counted_as_come(total: int, every: int):
    schedule = Schedule(total, every)
    assert len(due(schedule)) == schedule.evaluations


def test_a_training_that_ends_before_it_has_no_early_look():
    assert due(Schedule(total=3, evaluate_every=40)) == [3]


def test_a_run_of_a_release_without_an_early_look_has_none():
    assert due(Schedule(total=60, evaluate_every=30, looks_early=False)) == [30, 60]
