"""How many threads a training takes while others use the processor: fewer at once, more only once it has stayed quiet."""

import pytest

from training import device
from training.device import Threads, threads_for


@pytest.fixture
def threads(monkeypatch):
    monkeypatch.setattr(device.torch, "set_num_threads", lambda number: None)
    return Threads(cores=2)


def settle(threads, *wanted, start=0.0):
    for place, number in enumerate(wanted):
        threads.settle(number, start + 5.0 * place, start + 5.0 * (place + 1))
    return threads.now


def test_half_the_cores_taken_by_others_are_left_to_them():
    assert (threads_for(2, 1.0), threads_for(2, 1.2), threads_for(8, 6.0), threads_for(2, 2.0)) == (2, 1, 2, 1)


def test_threads_go_down_at_the_first_busy_look_and_up_only_after_half_a_minute_of_quiet(threads):
    assert settle(threads, 1) == 1
    assert settle(threads, 2, 2, 2, 2, 2, start=5) == 1
    assert settle(threads, 2, start=30) == 2


def test_a_busy_look_in_between_begins_the_quiet_anew(threads):
    assert settle(threads, 1, 2, 2, 2, 1, 2, 2, 2, 2, 2) == 1
    assert settle(threads, 2, start=50) == 2


def test_news_is_told_once_and_only_of_a_number_that_is_another_one(threads):
    assert threads.news() is None
    settle(threads, 1)
    assert threads.news() == (2, 1) and threads.news() is None
    settle(threads, *[2] * 6, 1, start=5)
    assert threads.news() is None, "up and down again while nobody asked"
