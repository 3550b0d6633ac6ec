"""The history of versions, the numbers of one that decide, and whether to go on."""

import json
from dataclasses import replace

import pytest

from coach.comparison import compare, judged
from coach.diagnosis import diagnose
from coach.figures import figures, iteration_figures
from coach.finding import Evidence
from coach.history import Entry, entry_of, finished_results, held_against, latest_finished, target_results
from coach.next_step import next_step
from coach.text import LANGUAGES
from coach.verdict import judge
from tests.pages.judged_versions import every, finish, make_task


@pytest.fixture
def versions(tmp_path):
    task = make_task(tmp_path / "news", rows=300)
    return [
        finish(task, "v1", every(3)),
        finish(task, "v2", every(4), balance="oversample", changes="過採樣"),
        finish(task, "v3", every(3, by=2), changes="退一步"),
    ]


def judged_pair(first, second):
    return compare(judged(first, first.results()), judged(second, second.results()), seed=1)


def test_an_entry_says_score_parent_and_the_first_change(versions):
    entry = entry_of(versions[1])
    assert (entry.state, entry.parent, entry.main_change, entry.further_changes) == ("finished", "v1", "過採樣", 1)
    assert entry.verdict.metric == "macro_f1" and entry.created is not None


def test_results_of_an_earlier_attempt_do_not_finish_a_version(versions):
    with versions[0].events_path.open("a", encoding="utf-8") as log:
        log.write(json.dumps({"type": "resumed", "attempt": 2}) + "\n")
    assert finished_results(versions[0]) is None and entry_of(versions[0]).state == "unfinished"


def test_a_file_that_cannot_be_read_makes_the_entry_damaged_and_stops_nothing(versions):
    versions[0].lineage_path.write_text("a: [", encoding="utf-8")
    assert entry_of(versions[0]) == Entry("v1", "damaged")


def test_a_version_is_held_against_its_parent_else_the_finished_one_before(versions):
    entries = [entry_of(version) for version in versions]
    assert latest_finished(entries).name == "v3"
    assert held_against(entries, entries[1]).name == "v1"
    orphan = replace(entries[2], parent=None)
    assert held_against([*entries[:2], orphan], orphan).name == "v2"
    assert held_against(entries, entries[0]) is None


def test_scores_of_a_further_target_stand_under_its_name(versions):
    config = versions[0].config
    assert target_results({"macro_f1": 1}, config, None) == {"macro_f1": 1}
    assert target_results({"targets": {"tone": {"macro_f1": 2}}}, config, "tone") == {"macro_f1": 2}
    assert target_results({}, config, "gone") == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_third_number_is_the_baseline_until_it_is_clearly_beaten(versions, language):
    results = versions[0].results()
    beaten = figures(judge(results), results)[2]
    near = results | {"baseline": {"tfidf": {"macro_f1": results["macro_f1"] - 0.01}}}
    unbeaten = figures(judge(near), near)[2]
    assert {"zh-TW": "最弱類別", "en": "Weakest class"}[language] in beaten.label.say(language)
    assert "TF-IDF" in unbeaten.label.say(language) and "+0.010" in unbeaten.note.say(language)


def test_without_target_interval_baseline_and_classes_the_numbers_say_so(versions):
    results = {"primary_metric": {"name": "accuracy", "value": 0.5}}
    score, distance, way = figures(judge(results), results)
    assert (score.value, distance.value, way.value) == ("0.500", "—", "—")
    assert all(figure.note.say("en") for figure in (score, distance, way))


def test_the_gain_comes_with_its_interval_or_with_the_reason_there_is_none(versions):
    gain = iteration_figures("v2", judge(versions[1].results()), judged_pair(versions[0], versions[1]))[1]
    assert gain.value.startswith("+0.") and "95%" in gain.note.say("en")
    assert iteration_figures("v1", judge(versions[0].results()), None)[1].value == "—"


def said(results, comparison=None):
    return next_step("v2", diagnose(Evidence(results)), comparison).key


def test_one_sentence_says_go_on_or_stop(versions):
    results, pair = versions[1].results(), judged_pair(versions[0], versions[1])
    assert said(results | {"target": {"threshold": 0.2}}) == "next_step.met"
    assert said(results | {"target": {"threshold": results["macro_f1"] - 0.01}}) == "next_step.met_uncertain"
    top = results | {"primary_metric": {"name": "macro_f1", "value": 1.0}}
    assert said(top | {"target": {"threshold": 0.2}}) == "next_step.met_at_the_top"
    crossing = {"target": {"threshold": 0.85}, "confidence_interval": {"low": 0.82, "high": 1.0}}
    assert said(top | crossing) == "next_step.met_uncertain_at_the_top"
    behind = top | {"target": {"threshold": 0.2}, "baseline": {"system in use": {"macro_f1": 0.97}}}
    behind |= {"primary_metric": {"name": "macro_f1", "value": 0.9}, "confidence_interval": {"low": 0.85, "high": 0.95}}
    assert said(behind) == "next_step.behind"
    assert said(results) == "next_step.rows"
    assert said(results, replace(pair, judgement="worse")) == "next_step.worse"
    weak = results | {"invalid_rate": 0.5}
    assert said(weak) == "next_step.try"
    assert said(weak, replace(pair, judgement="cannot_tell")) == "next_step.unclear"


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_where_all_classes_are_alike_none_is_called_the_weakest(language):
    per_class = {name: {"f1": 1.0, "recall": 1.0, "support": 5} for name in ("a", "b")}
    results = {"primary_metric": {"name": "macro_f1", "value": 1.0}, "per_class": per_class}
    alike = figures(judge(results), results)[2]
    assert alike.label.key == "ui.evaluate.figure.alike" and "2" in alike.note.say(language)
    per_class["b"]["f1"] = 0.9
    assert "b" in figures(judge(results), results)[2].label.say(language)
