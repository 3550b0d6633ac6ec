"""The path says what the rules did: one way taken in each group, at every size, for every task and machine."""

from __future__ import annotations

import itertools

import pytest

from coach.answers import Answers
from coach.decision_path import decision_path
from coach.hardware import Hardware
from coach.recommendation import DataFacts, recommend, situation_of

A100 = Hardware(gpu_name="A100 80GB", vram_gb=80, peak_tflops=312, gpu_count=1)
TINY = Hardware(gpu_name="old", vram_gb=1, peak_tflops=5, gpu_count=1)
SIZES = [None, 0, 1, 49, 50, 99, 100, 199, 200, 499, 500, 1999, 2000, 9999, 10_000, 99_999, 100_000]
SHORT = {"sft": "SFT", "baseline": "TF-IDF baseline", "prompt": "few-shot prompting", "dpo": "DPO"}


CPU = Hardware()


def case(rows, kind="classification", machine=CPU, facts=None, pairs=0, threshold=None, **needs):
    document = {
        "task": {
            "type": kind,
            "language": needs.pop("language", "zh-TW"),
            "labels": ["a", "b"] if kind == "classification" else None,
        },
        "resources": {"labelled_rows": rows, "preference_pairs": pairs},
        "success": {"primary_metric": "macro_f1", "threshold": threshold},
        "needs": needs,
    }
    answers = Answers.model_validate(document)
    plan = recommend(answers, facts, machine)
    return plan, decision_path(situation_of(answers, facts, machine), plan)


def taken(nodes, group):
    return [node for node in nodes if node.group == group and node.taken]


@pytest.mark.parametrize(
    ("kind", "machine"), itertools.product(["classification", "extraction", "generation"], [CPU, A100, TINY])
)
def test_the_way_taken_is_the_plans_at_every_size(kind, machine):
    for rows in SIZES:
        plan, nodes = case(rows, kind, machine)
        (method,), (model,) = taken(nodes, "method"), taken(nodes, "base_model")
        said = method.outcome.say("en")
        expected = ", then ".join(SHORT[stage.method] for stage in plan.stages)
        assert said.startswith("full fine-tuning" if plan.peft == "none" and plan.trains else expected), rows
        assert model.outcome.say("en") == plan.base_model
        if plan.lora and "r=" in said:
            assert f"r={plan.lora.r}" in said, rows


def test_what_comes_before_the_end_was_answered_no_and_what_comes_after_was_not_asked():
    _, nodes = case(500)
    method = [node.answer for node in nodes if node.group == "method"]
    end = method.index("yes")
    assert set(method[:end]) == {"no"} and set(method[end + 1 :]) == {"not_asked"} and end + 1 < len(method)


def test_the_common_trees_thresholds_stand_in_it_with_what_they_say():
    _, nodes = case(1200)
    questions = [node.question.say("en") for node in nodes]
    assert [said for said in questions if said in {f"Fewer than {limit} rows?" for limit in ("100", "500", "2,000")}] == [
        "Fewer than 100 rows?", "Fewer than 500 rows?", "Fewer than 2,000 rows?",
    ]  # fmt: skip
    (node,) = taken(nodes, "method")
    assert "r=32 to 64" in node.common.say("en")


def test_small_classes_and_pairs_end_the_path_where_they_decide():
    _, nodes = case(300, facts=DataFacts(300, {"a": 293, "b": 7}))
    assert "Half of the classes" in taken(nodes, "method")[0].question.say("en")
    enough = DataFacts(300, {"a": 150, "b": 150}, 300, baseline_macro_f1=0.97, baseline_accuracy=0.97)
    plan, nodes = case(300, facts=enough, threshold=0.8)
    assert "TF-IDF baseline on your rows expected" in taken(nodes, "method")[0].question.say("en")
    assert taken(nodes, "method")[0].outcome.say("en") == "TF-IDF baseline, then SFT" and plan.stages[0].method == "baseline"
    _, nodes = case(300, "generation", pairs=500)
    assert "preference pairs" in taken(nodes, "method")[0].question.say("en")


@pytest.mark.parametrize(
    ("needs", "question"),
    [
        ({"tooling": True}, "Tool support"),
        ({"light_deployment": True}, "Light"),
        ({}, "Chinese"),
        ({"language": "en"}, "Another language"),
    ],
)
def test_the_need_that_chose_the_model_is_the_one_lit(needs, question):
    _, nodes = case(500, machine=A100, **needs)
    assert taken(nodes, "base_model")[0].question.say("en").startswith(question)
