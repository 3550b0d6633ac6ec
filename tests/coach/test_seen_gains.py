"""What finished versions in a workspace scored beside the baseline, as forecasts are sharpened with it."""

import json

import pytest

from coach.seen_gains import gains_beside
from tests.pages.judged_versions import every, finish, make_task


def with_baseline(version, **scores):
    results = json.loads(version.results_path.read_text(encoding="utf-8"))
    results["baseline"] = {**(results.get("baseline") or {}), "tfidf": {"macro_f1": 0.5, "accuracy": 0.6, **scores}}
    version.results_path.write_text(json.dumps(results), encoding="utf-8")
    return results


def test_own_versions_and_those_of_neighbours_are_told_apart(tmp_path):
    task, other = make_task(tmp_path / "news", rows=90), make_task(tmp_path / "mail", rows=60)
    mine = with_baseline(finish(task, "v1", every(3)))
    with_baseline(finish(other, "v1", every(4)))
    found = gains_beside(task, "macro_f1")
    assert sorted((gain.own, gain.test_rows) for gain in found) == [(False, 60), (True, 90)]
    (own,) = (gain for gain in found if gain.own)
    assert (own.score, own.baseline) == (mine["macro_f1"], 0.5)
    assert [gain.baseline for gain in gains_beside(task, "accuracy")] == [0.6, 0.6]


def test_a_version_without_a_baseline_or_that_is_one_says_nothing(tmp_path):
    task = make_task(tmp_path / "news")
    finish(task, "v1", every(3))
    with_baseline(finish(task, "v2", every(3), method="baseline"))
    assert gains_beside(task, "macro_f1") == ()


@pytest.mark.parametrize("damage", ["{", '{"macro_f1": "high"}', '{"macro_f1": NaN}'])
def test_damage_is_passed_over(tmp_path, damage):
    task = make_task(tmp_path / "news")
    first, second = finish(task, "v1", every(3)), finish(task, "v2", every(4))
    with_baseline(first)
    with_baseline(second)
    assert len(gains_beside(task, "macro_f1")) == 2
    second.results_path.write_text(damage, encoding="utf-8")
    assert len(gains_beside(task, "macro_f1")) == 1
