"""Answers that do not go together are told apart from those that do, and said with what follows."""

import pytest

from coach.answers import Answers
from coach.contradictions import RULES, contradictions
from coach.text import LANGUAGES

SOUND = {
    "business": {"deadline_weeks": 4},
    "task": {"type": "classification", "labels": ["a", "b", "c"]},
    "resources": {"labelled_rows": 500, "class_balance": "skewed", "more_data": "some", "data_format": "csv"},
    "success": {"primary_metric": "macro_f1", "threshold": 0.8, "baseline_score": 0.65},
    "needs": {"reasoning": True, "max_latency_ms": 5000},
}
CASES = {
    "deadline_is_near": {"business": {"deadline_weeks": 0.2}},
    "pairs_for_a_classification": {"resources": {**SOUND["resources"], "preference_pairs": 300}},
    "fewer_rows_than_classes_need": {"resources": {**SOUND["resources"], "labelled_rows": 23}},
    "no_rows_and_no_more": {"resources": {"labelled_rows": 0, "more_data": "none"}},
    "metric_hides_small_classes": {"success": {**SOUND["success"], "primary_metric": "accuracy"}},
    "target_is_met_today": {"success": {**SOUND["success"], "baseline_score": 0.8}},
    "reasoning_at_once": {"needs": {"reasoning": True, "max_latency_ms": 300}},
    "full_tuning_of_few_rows": {"business": {"problem": "來信分三類，想做 full fine-tuning"}},
    "model_larger_than_the_card": {
        "business": {"problem": "想用 Qwen3-4B-Instruct-2507，16 位元"},
        "resources": {**SOUND["resources"], "vram_gb": 8},
    },
    "model_too_large_for_the_card": {
        "business": {"problem": "use Qwen3-8B in 16 bit"},
        "resources": {**SOUND["resources"], "gpu_name": "RTX 3070", "vram_gb": 8},
    },
}


def found(**changed):
    return contradictions(Answers.model_validate({**SOUND, **changed}))


def test_answers_that_go_together_and_none_at_all_contradict_nothing():
    assert found() == [] and contradictions(Answers()) == []


def test_every_rule_has_its_case_here():
    assert {rule.__name__ for rule in RULES} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_each_is_found_alone_and_said_in_both_languages(name):
    (one,) = found(**CASES[name])
    assert one.name == name
    said = {language: one.said.say(language) for language in LANGUAGES}
    assert all(len(sentence) > 40 for sentence in said.values()) and said["en"] != said["zh-TW"]


def test_other_answers_to_the_same_contradiction_are_said_anew():
    (one,), (other,) = found(**CASES["reasoning_at_once"]), found(needs={"reasoning": True, "max_latency_ms": 200})
    assert one.signature != other.signature
    assert one.signature == found(**CASES["reasoning_at_once"])[0].signature


def test_a_rank_below_the_limit_is_none():
    assert found(resources={**SOUND["resources"], "labelled_rows": 24}) == []
    assert found(resources={"labelled_rows": 500, "data_format": "none", "more_data": "none"}) == []
    assert (
        found(
            success={**SOUND["success"], "primary_metric": "accuracy"},
            resources={**SOUND["resources"], "class_balance": "balanced"},
        )
        == []
    )
