"""The way of the versions so far: gains, rows and time, and when settings are spent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coach.answers import Answers
from coach.comparison import compare, judged
from coach.course import course_of, days_left, smallest_told, tuned_before
from coach.diagnosis import diagnose
from coach.finding import Evidence
from coach.history import Entry, entry_of
from coach.next_step import next_step
from coach.text import LANGUAGES
from coach.verdict import judge
from tests.conftest import NOW
from tests.pages.judged_versions import every, finish, make_task


@pytest.fixture
def task(tmp_path):
    return make_task(tmp_path / "news", rows=90)


@pytest.fixture
def first(task):
    return finish(task, "v1", every(3))


def entries_with(first, *values, **changed):
    verdict = judge(first.results())
    base = entry_of(first)
    return [replace(base, name=f"v{n + 1}", verdict=replace(verdict, value=value), **changed) for n, value in enumerate(values)]


def course(entries, days=None):
    return course_of(entries, entries[-1], None, days)


def test_gains_are_over_the_best_before(first):
    assert course(entries_with(first, 0.60, 0.65, 0.62, 0.66)).gains == pytest.approx((0.05, -0.03, 0.01))


def test_other_test_rows_metrics_and_later_versions_do_not_count(first):
    entries = entries_with(first, 0.60, 0.65, 0.70)
    entries[0] = replace(entries[0], test_hash="other")
    entries[1] = replace(entries[1], verdict=replace(entries[1].verdict, metric="accuracy"))
    assert course(entries).gains == ()
    plain = entries_with(first, 0.60, 0.65, 0.70)
    assert course_of(plain, plain[1], None, None).gains == pytest.approx((0.05,))
    assert course([*plain, Entry("v4", "damaged"), replace(plain[0], name="v5")]).gains[-1] < 0


def test_a_baseline_after_a_fine_tuning_does_not_send_back_to_it(first):
    entries = entries_with(first, 0.7, 0.6, 0.65)
    entries[-1] = replace(entries[-1], method="baseline")
    assert tuned_before(entries, entries[-1]).name == "v1"
    found = diagnose(Evidence({**first.results(), "invalid_rate": 0.5}))
    said = next_step("v3", found, None, "baseline", course(entries))
    assert said.key == "next_step.tuned" and said.data["name"] == "v1" and said.data["score"] == 0.7
    alone = [replace(entry, method="baseline") for entry in entries]
    assert (
        tuned_before(alone, alone[-1]) is None and next_step("v3", found, None, "baseline", course(alone)).key == "next_step.tune"
    )


@pytest.mark.parametrize(("values", "spent"), [((0.6, 0.65), 0), ((0.6, 0.605), 0), ((0.6, 0.605, 0.607), 2), ((0.6, 0.605, 0.62), 0),
                                               ((0.6, 0.7, 0.7, 0.69, 0.705), 3)])  # fmt: skip
def test_settings_are_spent_after_two_versions_that_brought_nothing(first, values, spent):
    assert course(entries_with(first, *values)).spent == spent


def test_then_no_further_setting_is_proposed_unless_the_target_is_met(first):
    results = {**first.results(), "invalid_rate": 0.5}
    found = diagnose(Evidence(results))
    tired = course(entries_with(first, 0.6, 0.6, 0.6))
    assert next_step("v3", found, None, course=tired).key == "next_step.spent"
    assert next_step("v3", found, None).key == "next_step.try"
    met = diagnose(Evidence({**results, "target": {"threshold": 0.2}}))
    assert next_step("v3", met, None, course=tired).key.startswith("next_step.met")
    assert next_step("v3", found, None, "baseline").key == "next_step.tune"
    worse = replace(compare(judged(first, first.results()), judged(first, first.results()), seed=1), judgement="worse")
    assert next_step("v3", found, worse, course=tired).key == "next_step.worse"


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_said_in_few_words_and_not_at_all_once_the_target_is_met(first, language):
    entries = entries_with(first, 0.60, 0.65)
    said = [one.say(language) for one in course(entries, days=3).sentences()]
    assert len(said) == 2 and "+0.050" in said[0] and "3" in said[1]
    ends = [[one.key for one in course(entries, days=days).sentences()][-1] for days in (0, -1)]
    assert ends == ["course.last_day", "course.late"]
    assert len(course(entries, days=30).sentences()) == 1
    met = replace(entries[-1], verdict=replace(entries[-1].verdict, word="met"))
    assert course([entries[0], met], days=1).sentences() == []


def test_the_deadline_counts_from_when_the_task_was_made(task):
    task.save_answers(Answers.model_validate({"business": {"deadline_weeks": 2}}))
    assert days_left(task, NOW) is None  # nobody knows when this task was begun
    task.save_file(task.file.model_copy(update={"created": NOW}))
    assert days_left(task, NOW + timedelta(days=3, hours=1)) == 10
    assert days_left(task, NOW + timedelta(days=20)) == -6


def test_what_test_rows_can_show_is_what_the_evidence_says():
    assert smallest_told(100) == pytest.approx(0.107, abs=0.003)
    assert smallest_told(500) == pytest.approx(0.049, abs=0.002)
