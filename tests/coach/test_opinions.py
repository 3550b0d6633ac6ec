"""What the coach thinks of other choices: each judgement at its boundary, with a source that exists."""

from __future__ import annotations

import pytest

from coach.answers import Answers
from coach.choices import CHOICES, advised_settings
from coach.hardware import Hardware
from coach.opinions import opinion
from coach.recommendation import DataFacts, recommend, situation_of
from coach.reference_data import models, sources

CPU = Hardware()
A100 = Hardware(gpu_name="A100 80GB", vram_gb=80, peak_tflops=312, gpu_count=1)
RTX8 = Hardware(gpu_name="RTX 4060", vram_gb=8, peak_tflops=30, gpu_count=1)
T4 = Hardware(gpu_name="T4", vram_gb=16, bf16=False, peak_tflops=65, gpu_count=1)
TRIED = {
    "method": ("sft", "dpo", "orpo", "kto", "prompt", "baseline"),
    "base_model": (*(row.id for row in models()), "/models/own"),
    "peft": ("lora", "qlora", "none"),
    "lora_r": (1, 8, 64, 1024),
    "lora_alpha": (4, 16, 32, 512),
    "learning_rate": (1e-6, 1e-5, 7e-5, 2e-4, 7e-4, 3e-3),
    "epochs": (0.5, 1, 3, 20),
    "batch_size": (1, 8, 64, 512),
    "balance": ("none", "oversample", "class_weights"),
    "strategy": ("semantic", "date", "hybrid"),
    "retention": (1, 3, 30),
    "deployment": ("huggingface", "ollama", "api", "local"),
}


def thinks(choice, value, *, rows=500, machine=A100, kind="classification", facts=None, beside=None, **topics):
    document = {"task": {"type": kind, "language": "zh-TW"}, "resources": {"labelled_rows": rows}, **topics}
    answers = Answers.model_validate(document)
    plan, situation = recommend(answers, facts, machine), situation_of(answers, facts, machine)
    others = advised_settings(plan, situation).with_values(beside) if beside else None
    return opinion(plan, choice, value, situation, others)


@pytest.mark.parametrize("rows", [None, 0, 30, 120, 500, 150_000])
@pytest.mark.parametrize("kind", ["classification", "extraction", "generation"])
@pytest.mark.parametrize("machine", [CPU, A100, RTX8, T4])
def test_every_value_of_every_choice_has_an_opinion_in_both_languages_with_a_known_source(rows, kind, machine):
    assert set(TRIED) == set(CHOICES)
    for choice, values in TRIED.items():
        for value in values:
            found = thinks(choice, value, rows=rows, kind=kind, machine=machine)
            assert found.said.say("zh-TW") and found.said.say("en"), (choice, value)
            assert found.source is None or found.source in sources()


def test_the_coachs_own_values_are_fine():
    answers = Answers.model_validate({"task": {"type": "classification"}, "resources": {"labelled_rows": 500}})
    plan, situation = recommend(answers, None, A100), situation_of(answers, None, A100)
    own = advised_settings(plan, situation)
    assert {opinion(plan, choice, own.value(choice), situation).level for choice in CHOICES} == {"fine"}


@pytest.mark.parametrize(
    ("rate", "level", "said"),
    [
        (1e-5, "risk", "1e-5 is low"),
        (7e-5, "cost", "slow to learn"),
        (1e-4, "fine", "workable"),
        (7e-4, "risk", "7e-4 is high"),
        (3e-3, "risk", "diverge"),
    ],
)
def test_learning_rates_with_lora(rate, level, said):
    found = thinks("learning_rate", rate)
    assert found.level == level and said in found.said.say("en") and found.source in sources()


def test_a_rate_too_high_for_oversampled_rows_is_said_where_it_was_measured():
    skewed = DataFacts(400, {"a": 320, "b": 80})
    found = thinks("learning_rate", 3e-4, machine=CPU, facts=skewed)
    assert found.level == "cost" and found.source == "rates-tried" and "1e-4" in found.said.say("en")
    assert thinks("learning_rate", 1e-4, machine=CPU, facts=skewed).level == "fine"
    assert thinks("learning_rate", 3e-4, machine=CPU, facts=skewed, beside={"balance": "none"}).level == "fine"
    assert thinks("learning_rate", 3e-4, facts=skewed).level == "fine", "of other models nothing is known"


def test_the_common_examples_rate_is_right_for_full_fine_tuning_and_enough_in_a_long_run():
    assert thinks("learning_rate", 1e-5, beside={"peft": "none"}).level == "fine"
    assert thinks("learning_rate", 1e-5, rows=50_000).level == "cost"


def test_full_fine_tuning_with_300_rows_cannot_run_yet_and_would_not_pay():
    found = thinks("peft", "none", rows=300)
    assert found.level == "not_yet" and "not expected to beat LoRA" in found.said.say("en")


def test_an_8b_model_in_16_bits_on_8_gb_runs_out_of_memory_and_in_4_bits_the_numbers_are_said():
    found = thinks("base_model", "Qwen/Qwen3-8B", machine=RTX8, beside={"peft": "lora"})
    assert found.level == "risk" and "the GPU has 8 GB" in found.said.say("en") and found.source == "vram"
    assert thinks("base_model", "Qwen/Qwen3-8B", machine=A100).level == "cost"


def test_four_bits_need_a_card_and_cost_a_little_where_16_fit():
    assert thinks("peft", "qlora", machine=CPU).level == "not_yet"
    assert thinks("peft", "qlora", machine=A100).level == "cost"


@pytest.mark.parametrize("method", ["dpo", "orpo", "kto"])
def test_a_method_that_is_not_built_says_so_and_what_it_lacks(method):
    found = thinks("method", method)
    assert found.level == "not_yet" and "not trained yet" in found.said.say("en") and "Preference" in found.said.say("en")


def test_a_method_is_weighed_against_the_rows_there_are():
    found = thinks("method", "sft", kind="generation", rows=300)
    assert found.level == "fine"
    assert thinks("method", "baseline").level == "cost" and thinks("method", "sft", rows=30).level == "risk"


def test_a_larger_model_without_a_card_and_one_that_breaks_in_float16_are_risks():
    assert thinks("base_model", "Qwen/Qwen3-4B-Instruct-2507", machine=CPU).level == "risk"
    assert "NaN" in thinks("base_model", "google/gemma-3-1b-it", machine=T4).said.say("en")
    assert thinks("base_model", "/models/own").level == "cost"


def test_epochs_and_batches_that_leave_too_few_steps_are_risks():
    assert "steps" in thinks("epochs", 1).said.say("en") and thinks("epochs", 1).level == "risk"
    assert thinks("batch_size", 64, beside={"peft": "none"}).source == "defaults-by-size"  # LoRA's reasons are LoRA's
    assert thinks("batch_size", 64).level == "risk" and thinks("epochs", 8).level == "cost"


def test_leaving_skewed_classes_alone_is_a_risk_and_balancing_even_ones_costs_a_little():
    skewed = DataFacts(500, {"a": 450, "b": 50})
    assert thinks("balance", "none", facts=skewed).level == "risk"
    assert thinks("balance", "class_weights", facts=skewed, machine=CPU).level == "fine"
    assert thinks("balance", "oversample", facts=DataFacts(500, {"a": 250, "b": 250})).level == "cost"


def test_names_of_versions_are_held_against_where_they_go():
    assert thinks("strategy", "date", versioning={"deploy_target": "huggingface"}).level == "cost"
    assert thinks("deployment", "api").level == "cost" and thinks("deployment", "ollama").level == "fine"
    assert thinks("retention", 1).level == "risk" and thinks("retention", 5).level == "fine"
