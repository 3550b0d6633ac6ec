"""One set of test rows that judged several versions: counted by its content, and said with what luck is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coach.history import entry_of
from coach.looks import looked_often, looks_at
from coach.text import LANGUAGES
from tests.pages.judged_versions import every, finish, make_task


@pytest.fixture
def entries(tmp_path):
    task = make_task(tmp_path / "news", rows=300)
    return [entry_of(finish(task, f"v{number}", every(number + 2))) for number in (1, 2, 3, 4)]


def test_versions_judged_by_the_same_rows_are_counted_and_others_are_not(entries):
    assert looks_at(entries, entries[0]) == 4
    other = replace(entries[3], test_hash="0" * 64)
    unfinished = replace(entries[2], state="unfinished", verdict=None)
    assert looks_at([*entries[:2], unfinished, other], entries[0]) == 2 and looks_at([*entries[:3], other], other) == 1
    assert looks_at([replace(entry, test_hash=None) for entry in entries], replace(entries[0], test_hash=None)) == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_from_the_third_look_on_it_is_said_with_what_luck_is_worth(entries, language):
    assert looked_often(entries[:2], entries[0]) is None
    said = looked_often(entries[:3], entries[2])
    assert said.key == "looks.often_by_luck" and "3" in said.say(language) and f"{said.data['luck']:.3f}" in said.say(language)
    without = replace(entries[2], verdict=replace(entries[2].verdict, low=None, high=None))
    assert looked_often(entries[:3], without).key == "looks.often"


def test_the_luck_is_that_of_the_highest_of_so_many_draws(entries):
    verdict = replace(entries[0].verdict, low=0.7, high=0.7 + 2 * 1.96 * 0.1)
    said = looked_often(entries, replace(entries[0], verdict=verdict))
    drawn = np.random.default_rng(0).normal(scale=0.1, size=(200_000, 4)).max(axis=1).mean()
    assert said.data["luck"] == pytest.approx(drawn, abs=0.003)
