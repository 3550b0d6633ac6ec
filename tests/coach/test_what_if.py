"""What would change the advice is asked of the rules, not written down: each change is tried again here."""

from __future__ import annotations

import pytest

from coach import what_if
from coach.answers import Answers
from coach.hardware import Hardware
from coach.interview import with_answer
from coach.plan_difference import signature_of
from coach.recommendation import DataFacts, recommend
from coach.telling_questions import most_telling
from coach.what_if import MOST_CHANGES, what_would_change

CPU = Hardware()
RTX = Hardware(gpu_name="RTX 4090", vram_gb=24, peak_tflops=165, gpu_count=1)


def answers(rows=500, kind="classification", **topics) -> Answers:
    document = {
        "task": {"type": kind, "language": "zh-TW", "labels": ["正面", "負面", "中立"] if kind == "classification" else None},
        "resources": {"labelled_rows": rows},
    }
    for topic, fields in topics.items():
        document[topic] = document.get(topic, {}) | fields
    return Answers.model_validate(document)


def changes(said, facts=None, machine=CPU):
    return what_would_change(said, facts, machine, recommend(said, facts, machine))


def kinds(found):
    return [change.kind for change in found]


def test_fewer_rows_are_named_at_the_very_row_where_the_plan_turns():
    found = next(change for change in changes(answers(500)) if change.kind == "fewer_rows")
    rows = found.change.data["rows"]
    plan = signature_of(recommend(answers(500), None, CPU))
    assert signature_of(recommend(answers(rows), None, CPU)) != plan
    assert signature_of(recommend(answers(rows + 1), None, CPU)) == plan


def test_a_smaller_card_is_named_at_the_size_where_four_bits_begin():
    found = next(change for change in changes(answers(), machine=RTX) if change.kind == "smaller_gpu")
    vram = found.change.data["vram"]
    for gigabytes, peft in ((vram, "qlora"), (vram + 1, "lora")):
        machine = Hardware(gpu_name=None, vram_gb=float(gigabytes), peak_tflops=60)
        assert recommend(answers(), None, machine).peft == peft
    assert "QLoRA" in found.becomes.say("en")


def test_without_a_card_the_least_that_would_change_something_is_named_and_with_one_its_absence():
    assert "gpu" in kinds(changes(answers())) and "no_gpu" in kinds(changes(answers(), machine=RTX))


def test_pairs_count_for_generation_and_are_named_with_the_number_that_brings_dpo():
    found = next(change for change in changes(answers(300, "generation")) if change.kind == "more_pairs")
    assert found.change.data["pairs"] == 500 and "DPO" in found.becomes.say("en")


def test_the_smallest_class_is_named_with_the_rows_that_end_the_skew():
    facts = DataFacts(500, {"中立": 250, "負面": 195, "正面": 55})
    found = next(change for change in changes(answers(), facts) if change.kind == "skew")
    assert "正面" in found.change.say("zh-TW") and found.change.data["rows"] == 84  # 250 / 84 is the first ratio below 3


def test_a_target_out_of_reach_is_given_one_that_is_not_and_one_in_reach_is_left_alone():
    facts = DataFacts(500, {"a": 250, "b": 250}, baseline_macro_f1=0.6, baseline_accuracy=0.6)
    high = answers(success={"threshold": 0.9})
    found = next(change for change in changes(high, facts) if change.kind == "target")
    lowered = recommend(with_answer(high, "success.threshold", found.change.data["score"]), facts, CPU)
    assert "within reach" in lowered.headline.say("en")
    assert "target" not in kinds(changes(answers(success={"threshold": 0.5}), facts))


def test_a_short_deadline_matters_where_labelling_has_yet_to_begin():
    assert "deadline" in kinds(changes(answers(20))) and "deadline" not in kinds(changes(answers(500)))


@pytest.mark.parametrize("rows", [None, 0, 30, 120, 500, 5000, 150_000])
@pytest.mark.parametrize("kind", ["classification", "extraction", "generation"])
@pytest.mark.parametrize("machine", [CPU, RTX])
def test_at_most_five_nearest_first_each_to_another_plan_in_both_languages(rows, kind, machine):
    found = changes(answers(rows, kind, success={"threshold": 0.9}), machine=machine)
    assert len(found) <= MOST_CHANGES and [one.distance for one in found] == sorted(one.distance for one in found)
    for language in ("zh-TW", "en"):
        said = [one.becomes.say(language) for one in found]
        assert len(set(said)) == len(said) and all(one.change.say(language) for one in found)


def test_no_more_than_a_few_dozen_plans_are_tried(monkeypatch):
    tried = []
    monkeypatch.setattr(what_if, "recommend", lambda *asked: tried.append(asked) or recommend(*asked))
    facts = DataFacts(500, {"中立": 250, "負面": 195, "正面": 55})
    changes(answers(success={"threshold": 0.9}), facts, RTX)
    assert 10 < len(tried) <= 150  # a dozen probes, each narrowed down by halving


def test_the_questions_that_matter_most_are_rows_and_machine_and_a_question_that_changes_nothing_is_not_named():
    found = [question.key for question in most_telling(Answers(), None, CPU)]
    assert found == ["resources.labelled_rows", "resources.gpu"]
    known = answers(500, resources={"gpu": "none"}, success={"primary_metric": "macro_f1", "threshold": 0.5})
    assert most_telling(known, None, CPU) == []


def test_the_target_at_which_the_baseline_is_enough_no_more_is_named():
    facts = DataFacts(1000, {"a": 500, "b": 500}, 300, baseline_macro_f1=0.95, baseline_accuracy=0.95)
    for threshold, kind in ((0.9, "target_higher"), (0.95, "target_lower")):
        said = answers(1000, success={"primary_metric": "macro_f1", "threshold": threshold}, task={"labels": ["a", "b"]})
        found = next(change for change in changes(said, facts) if change.kind == kind)
        target = found.change.data["score"]
        methods = [
            [stage.method for stage in recommend(with_answer(said, "success.threshold", value), facts, CPU).stages]
            for value in (round(target - 0.01, 2), target, round(target + 0.01, 2))
        ]
        before, there, after = methods
        enough = ["baseline", "sft"]
        if kind == "target_lower":
            assert "would mostly meet the target" in found.becomes.say("en")
        assert (before, there) == (enough, ["sft"]) if kind == "target_higher" else (there, after) == (enough, ["sft"])


def test_more_rows_alone_do_not_end_what_the_baseline_is_enough_for():
    facts = DataFacts(1000, {"a": 500, "b": 500}, 300, baseline_macro_f1=0.97, baseline_accuracy=0.97)
    said = answers(1000, success={"primary_metric": "macro_f1", "threshold": 0.85}, task={"labels": ["a", "b"]})
    assert "more_rows" not in kinds(changes(said, facts))
