"""The rules: each at its boundary, each row of the specification's tables, and the plan's JSON shape."""

import json
from dataclasses import replace

import pytest

from coach.answers import Answers, parse_answers
from coach.estimate import STARTER_ID
from coach.hardware import Hardware
from coach.plan_lines import plan_lines
from coach.recommendation import DataFacts, recommend
from coach.recommendation.base_model import LLAMAS, PHI_MINI, QWEN_2B, QWEN_4B, THINKERS
from coach.recommendation.data import SYNTHETIC_TO_REAL
from coach.reference_data import method_book, model_row, sources

NO_GPU = Hardware()
A100 = Hardware(gpu_name="A100 80GB", vram_gb=80, bf16=True, peak_tflops=312, gpu_count=1)
T4 = Hardware(gpu_name="T4", vram_gb=16, bf16=False, peak_tflops=65, gpu_count=1)
KEYS = [
    "method",
    "peft",
    "base_model",
    "lora",
    "learning_rate",
    "epochs",
    "batch_size",
    "stages",
    "balance",
    "augmentation",
    "versioning",
    "deployment",
    "reasons",
    "alternatives",
    "warnings",
    "forecast",
    "estimate",
]


def answers(rows=500, kind="classification", labels=("正面", "負面", "中立"), **topics) -> Answers:
    document = {
        "task": {"name": "news", "type": kind, "language": "zh-TW", "labels": list(labels) if kind == "classification" else None},
        "resources": {"labelled_rows": rows},
    }
    for topic, fields in topics.items():
        document[topic] = document.get(topic, {}) | fields
    return Answers.model_validate(document)


def plan(*args, machine=NO_GPU, facts=None, **kwargs):
    return recommend(answers(*args, **kwargs), facts, machine)


def methods(found):
    return [stage.method for stage in found.stages]


def rules(found):
    return {advice.rule for advice in found.reasons}


def because(found, rule, language="en"):
    return next(advice.because.say(language) for advice in found.reasons if advice.rule.startswith(rule))


def warning_keys(found):
    return {warning.key.removeprefix("warnings.") for warning in found.warnings}


# --- the shape -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [None, 0, 12, 120, 500, 5000, 200_000])
@pytest.mark.parametrize("task", ["classification", "extraction", "generation"])
@pytest.mark.parametrize("machine", [NO_GPU, T4, A100])
def test_every_plan_has_exactly_the_keys_of_the_contract_in_both_languages(rows, task, machine):
    found = plan(rows, task, machine=machine, success={"threshold": 0.8}, resources={"preference_pairs": 1200})
    for language in ("zh-TW", "en"):
        document = json.loads(json.dumps(found.as_json(language), allow_nan=False))
        assert list(document) == KEYS
        assert document["method"] == document["stages"][0]["method"]
        assert document["peft"] in ("lora", "qlora", "none")
        assert document["lora"] is None or set(document["lora"]) == {"r", "alpha"}
        assert set(document["forecast"]) == {"metric", "low", "expected", "high", "basis"}
        assert set(document["estimate"]) == {"vram_gb", "minutes", "basis"}
        assert len(document["alternatives"]) >= 2
        assert all(set(other) == {"option", "cost", "gain", "when"} for other in document["alternatives"])
        assert all(set(reason) == {"rule", "because", "source"} and all(reason.values()) for reason in document["reasons"])
        assert found.headline.say(language)


def test_every_reason_names_a_source_that_is_in_the_list():
    everything = [
        plan(rows, task, machine=machine, resources={"preference_pairs": pairs}, needs={need: True})
        for rows in (0, 30, 120, 400, 1500, 9000, 150_000)
        for task in ("classification", "extraction", "generation")
        for machine in (NO_GPU, T4, A100)
        for pairs in (0, 100, 600)
        for need in ("reasoning", "tooling", "light_deployment", "alignment")
    ]
    named = {advice.source for found in everything for advice in found.reasons}
    assert named <= set(sources()) and len(named) > 10


def test_the_same_answers_give_the_same_plan():
    assert plan(500, machine=A100) == plan(500, machine=A100)


# --- the decision tree ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (0, ["prompt"]),
        (1, ["baseline"]),
        (49, ["baseline"]),
        (50, ["baseline", "sft"]),
        (199, ["baseline", "sft"]),
        (200, ["sft"]),
        (499, ["sft"]),
        (500, ["sft"]),
        (1999, ["sft"]),
        (2000, ["sft"]),
        (99_999, ["sft"]),
        (100_000, ["sft"]),
    ],
)
def test_the_number_of_rows_decides_the_method_of_a_classification(rows, expected):
    assert methods(plan(rows)) == expected


@pytest.mark.parametrize(("rows", "expected"), [(0, ["prompt"]), (49, ["prompt"]), (50, ["sft"]), (199, ["sft"]), (200, ["sft"])])
@pytest.mark.parametrize("task", ["extraction", "generation"])
def test_other_tasks_prompt_below_fifty_rows_and_train_from_there(task, rows, expected):
    assert methods(plan(rows, task)) == expected


def test_under_fifty_rows_prompting_stands_among_the_alternatives_of_the_baseline():
    found = plan(49)
    assert found.method == "baseline" and found.peft == "none" and found.lora is None and found.learning_rate is None
    assert any("prompt" in other.option.say("en") for other in found.alternatives)


def test_where_half_of_the_classes_have_fewer_than_eight_rows_nothing_is_trained():
    labels = [f"class {n}" for n in range(20)]
    assert methods(plan(159, labels=labels)) == ["baseline"]
    assert "method.too_few_per_class" in rules(plan(159, labels=labels))
    assert methods(plan(160, labels=labels)) == ["baseline", "sft"]
    assert methods(plan(300, facts=DataFacts(300, {"a": 293, "b": 7}))) == ["baseline"]
    assert methods(plan(300, facts=DataFacts(300, {"a": 292, "b": 8}))) == ["sft"]


def test_a_baseline_that_is_expected_to_meet_the_target_comes_first_whatever_the_rows():
    def advised(score, threshold, rows=1000, test_rows=300, kind="classification", apart=None):
        facts = DataFacts(rows, {"a": rows // 2, "b": rows // 2}, test_rows, baseline_macro_f1=score, baseline_accuracy=score)
        facts = replace(facts, baseline_apart=apart)
        return plan(rows, kind, facts=facts, labels=("a", "b"), success={"primary_metric": "macro_f1", "threshold": threshold})

    found = advised(0.97, 0.85)
    assert methods(found) == ["baseline", "sft"] and "method.baseline_is_enough" in rules(found)
    assert "0.970" in because(found, "method.baseline_is_enough") and "once it meets the target you can stop" in found.reasons[
        0
    ].because.say("en")
    assert "begin with the TF-IDF baseline" in found.headline.say("en") and "先用 TF-IDF 基準" in found.headline.say("zh-TW")
    assert found.lora is not None and found.learning_rate, "what the second version would be trained with is there"
    assert methods(advised(0.86, 0.85)) == ["sft"], "not by a score that meets the target little more often than not"
    assert methods(advised(0.88, 0.85)) == ["baseline", "sft"], "three times in four is worth the seconds"
    seen_alone = advised(0.97, 0.85, apart=0.6)
    assert methods(seen_alone) == ["sft"], "not by wordings it has seen"
    assert "within reach" not in seen_alone.headline.say("en") and "on new ones" in seen_alone.headline.say("en")
    assert "within reach" in advised(0.9, 0.88, apart=0.87).headline.say("en"), "nothing is lost on new wordings there"
    assert methods(advised(0.97, 0.85, apart=0.9)) == ["baseline", "sft"]
    assert methods(advised(0.97, None)) == ["sft"], "nobody can say what is enough without a target"
    assert methods(advised(0.97, 0.85, kind="extraction")) == ["sft"]
    assert methods(advised(0.97, 0.85, rows=30)) == ["baseline"], "too few rows are too few"


def test_rows_of_like_wording_are_said_with_the_score_that_new_wordings_may_bring():
    def said(**facts):
        found = plan(500, facts=DataFacts(500, {"a": 250, "b": 250}, baseline_macro_f1=0.92, baseline_accuracy=0.92, **facts))
        return {warning.key: warning.say("en") for warning in found.warnings}

    scored = said(alike_rows=300, compared_rows=500, baseline_apart=0.59)["warnings.rows_alike_scored"]
    assert "300" in scored and "0.92" in scored and "0.59" in scored
    assert "warnings.rows_alike" in said(alike_rows=300, compared_rows=500)
    for harmless in ({}, {"alike_rows": 7, "compared_rows": 500}, {"alike_rows": 4, "compared_rows": 20},
                     {"alike_rows": 300, "compared_rows": 500, "baseline_apart": 0.9}):  # fmt: skip
        assert not [key for key in said(**harmless) if "alike" in key]


def test_one_tiny_class_among_many_is_a_warning_and_no_stop():
    found = plan(500, facts=DataFacts(500, {"a": 300, "b": 195, "c": 5}))
    assert methods(found) == ["sft"] and "tiny_classes" in warning_keys(found)
    assert found.augmentation == "small_classes"


def test_rows_in_the_file_count_and_not_rows_as_said():
    found = plan(500, facts=DataFacts(120, {"a": 60, "b": 60}))
    assert methods(found) == ["baseline", "sft"] and "rows_differ" in warning_keys(found)


@pytest.mark.parametrize(("rows", "spec"), [(99, "below 100"), (150, "below 500"), (499, "below 500"), (500, "below 2000")])
def test_the_reason_says_what_the_specification_has_at_this_size(rows, spec):
    assert spec in because(plan(rows), "method.")


def test_from_two_thousand_rows_both_opinions_on_full_fine_tuning_are_said():
    said = because(plan(2000, machine=A100), "method.many_rows")
    assert "common rule of thumb by row count" in said and "full fine-tuning" in said and "published results" in said
    assert plan(2000, machine=A100).peft == "lora"


def test_full_fine_tuning_only_from_a_hundred_thousand_rows_and_where_it_fits():
    assert plan(99_999, machine=A100).peft == "lora"
    assert plan(100_000, machine=A100).peft == "none"
    assert plan(100_000, machine=T4).peft != "none"
    huge = plan(100_000, machine=A100)
    assert huge.lora is None and huge.learning_rate == pytest.approx(2e-5)


def test_unknown_rows_are_planned_for_and_said():
    found = plan(None)
    assert methods(found) == ["sft"] and "rows_unknown" in warning_keys(found)
    assert found.forecast.low is None and found.estimate.minutes is None


# --- preference pairs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "expected", "rule"),
    [
        (499, ["sft"], "method.few_pairs"),
        (500, ["sft", "dpo"], "method.preference_pairs.try"),
        (999, ["sft", "dpo"], "method.preference_pairs.try"),
        (1000, ["sft", "dpo"], "method.preference_pairs.recommend"),
    ],
)
def test_pairs_bring_dpo_after_sft_for_generation_only(pairs, expected, rule):
    found = plan(300, "generation", resources={"preference_pairs": pairs})
    assert methods(found) == expected and rule in rules(found)


def test_the_preference_stage_has_its_own_rate_and_the_specifications_orpo_is_named():
    found = plan(300, "generation", resources={"preference_pairs": 1000})
    assert found.stages[1].learning_rate == pytest.approx(5e-6)
    assert "ORPO" in because(found, "method.dpo_before_orpo")
    assert any("ORPO" in other.option.say("en") for other in found.alternatives)


@pytest.mark.parametrize("task", ["classification", "extraction"])
def test_pairs_in_a_task_with_right_answers_stay_sft_and_the_reason_is_said(task):
    found = plan(600, task, resources={"preference_pairs": 5000})
    assert methods(found) == ["sft"]
    said = because(found, "method.pairs_in_a_label_task")
    assert "Common advice" in said and "ORPO" in said and "SFT" in said


def test_alignment_without_pairs_asks_for_pairs():
    assert "method.alignment_without_pairs" in rules(plan(600, "generation", needs={"alignment": True}))
    assert "method.alignment_of_labels" in rules(plan(600, needs={"alignment": True}))


# --- the model table -----------------------------------------------------------------------------------------------------------


def test_without_a_gpu_the_starter_model_is_taken_with_its_own_numbers():
    found, row = plan(500), model_row(STARTER_ID)
    assert found.base_model == STARTER_ID and found.peft == "lora"
    assert (found.learning_rate, found.epochs) == (row.learning_rate, row.epochs)
    assert found.estimate.vram_gb is None and found.estimate.minutes > 0


def test_where_small_classes_are_oversampled_the_starter_model_learns_more_slowly_and_says_why():
    even, skewed = (plan(400, facts=DataFacts(400, counts)) for counts in ({"a": 200, "b": 200}, {"a": 320, "b": 80}))
    assert (even.balance, even.learning_rate) == ("none", 3e-4) and (skewed.balance, skewed.learning_rate) == ("oversample", 1e-4)
    said = because(skewed, "hyperparameters.learning_rate.oversampled")
    assert all(rate in said for rate in ("1e-5", "3e-4", "1e-4"))
    larger = (
        plan(400, machine=A100, facts=DataFacts(400, counts)).learning_rate
        for counts in ({"a": 200, "b": 200}, {"a": 320, "b": 80})
    )
    assert len(set(larger)) == 1, "nothing of the kind was measured with other models"


@pytest.mark.parametrize(
    ("topics", "expected", "named"),
    [
        ({}, QWEN_4B, "Qwen3-4B"),
        ({"needs": {"light_deployment": True}}, QWEN_2B, "Phi-4"),
        ({"needs": {"light_deployment": True}, "task": {"language": "en"}}, PHI_MINI, "Phi-4"),
        ({"needs": {"tooling": True}}, LLAMAS[0], "Llama-3.3"),
        ({"task": {"language": "en"}}, QWEN_4B, "published comparisons"),
    ],
)
def test_each_need_of_the_specifications_model_table_leads_to_a_model_that_can_be_tuned(topics, expected, named):
    found = plan(500, machine=A100, **topics)
    assert found.base_model == expected
    assert named in because(found, "base_model.")


def test_reasoning_takes_a_distilled_r1_for_generation_and_no_thinking_for_labels():
    writing = plan(500, "generation", machine=A100, needs={"reasoning": True})
    assert writing.base_model == THINKERS[0] and "DeepSeek-R1" in because(writing, "base_model.reasoning")
    labels = plan(500, machine=A100, needs={"reasoning": True})
    assert labels.base_model == QWEN_4B and "base_model.no_thinking_for_labels" in rules(labels)


@pytest.mark.parametrize(
    ("vram", "model", "peft"),
    [(80, QWEN_4B, "lora"), (16, QWEN_4B, "lora"), (12, QWEN_4B, "qlora"), (8, QWEN_4B, "qlora"), (1, STARTER_ID, "lora")],
)
def test_memory_decides_between_16_and_4_bits_and_smaller_models(vram, model, peft):
    found = plan(500, machine=Hardware(gpu_name="RTX", vram_gb=vram, peak_tflops=60))
    assert (found.base_model, found.peft) == (model, peft)
    if model != STARTER_ID:
        assert found.estimate.vram_gb <= vram


def test_a_card_without_bfloat16_gets_no_model_that_breaks_in_float16():
    for need in ({}, {"light_deployment": True}, {"tooling": True}):
        found = plan(500, machine=T4, needs=need)
        assert model_row(found.base_model).fp16_safe
    assert "base_model.float16_only" in rules(plan(500, machine=T4))


def test_the_answers_overrule_the_machine_the_coach_runs_on():
    assert plan(500, machine=A100, resources={"gpu": "none"}).base_model == STARTER_ID
    remote = plan(500, machine=NO_GPU, resources={"gpu": "remote", "gpu_name": "A100", "vram_gb": 80})
    assert remote.base_model == QWEN_4B and "not_built" in warning_keys(remote)


# --- the numbers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "r", "batch"),
    [(199, 16, 4), (200, 16, 8), (999, 16, 8), (1000, 16, 16), (1999, 16, 16), (2000, 32, 16), (9999, 32, 16), (10_000, 64, 16)],
)
def test_rank_and_batch_follow_the_table_and_alpha_is_twice_the_rank(rows, r, batch):
    found = plan(rows, machine=A100)
    assert (found.lora.r, found.lora.alpha, found.batch_size) == (r, 2 * r, batch)


def test_the_learning_rate_is_named_beside_the_specifications():
    small, large = plan(500, machine=A100), plan(500, "generation", machine=A100, needs={"reasoning": True})
    assert small.learning_rate == pytest.approx(2e-4) and large.learning_rate == pytest.approx(1e-4)
    said = because(small, "hyperparameters.learning_rate")
    assert "1e-5" in said and "20 times" in said
    assert "spec_learning_rate" in warning_keys(small)


def test_few_rows_get_epochs_enough_for_a_hundred_steps_within_the_table():
    found = plan(60, machine=A100)
    steps = found.epochs * 0.7 * 60 / found.batch_size
    assert found.epochs == 10 and steps >= 100
    assert plan(190, machine=A100).epochs == 5
    assert plan(500, machine=A100).epochs == 4 and plan(1500, machine=A100).epochs == 3 and plan(20_000, machine=A100).epochs == 2


def test_the_tables_bands_meet_without_a_gap():
    limits = [band.below for band in method_book().lora_by_rows]
    assert limits[-1] is None and limits[:-1] == sorted(limits[:-1])


# --- the rows ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counts", "balance"), [({"a": 299, "b": 100}, "none"), ({"a": 300, "b": 100}, "oversample")])
def test_three_to_one_is_where_oversampling_begins(counts, balance):
    found = plan(400, facts=DataFacts(sum(counts.values()), counts))
    assert found.balance == balance
    assert ("data.metric_for_skew" in rules(found)) == (balance == "oversample")


def test_skew_as_said_counts_without_a_file_and_the_file_overrules_it():
    assert plan(400, resources={"class_balance": "skewed"}).balance == "oversample"
    even = DataFacts(400, {"a": 200, "b": 200})
    assert plan(400, resources={"class_balance": "skewed"}, facts=even).balance == "none"


def test_the_news_sample_gets_macro_f1_and_oversampling():
    found = plan(500, facts=DataFacts(500, {"正面": 55, "中立": 250, "負面": 195}))
    assert found.balance == "oversample" and found.forecast.metric == "macro_f1"
    assert "11%" in because(found, "data.skewed")


def test_accuracy_with_skewed_classes_draws_a_warning():
    skewed = DataFacts(400, {"a": 320, "b": 80})
    assert "accuracy_hides" in warning_keys(plan(400, facts=skewed, success={"primary_metric": "accuracy"}))
    assert "accuracy_hides" not in warning_keys(plan(400, facts=skewed, success={"primary_metric": "macro_f1"}))


@pytest.mark.parametrize(
    ("rows", "counts", "augmentation"),
    [
        (199, {"a": 100, "b": 99}, "all_classes"),
        (200, {"a": 100, "b": 100}, "none"),
        (300, {"a": 281, "b": 19}, "small_classes"),
        (300, {"a": 280, "b": 20}, "none"),
    ],
)
def test_made_up_rows_below_two_hundred_or_for_classes_below_twenty(rows, counts, augmentation):
    assert plan(rows, facts=DataFacts(rows, counts)).augmentation == augmentation


def test_between_two_and_five_hundred_rows_the_specifications_augmentation_is_contradicted_openly():
    said = because(plan(300, facts=DataFacts(300, {"a": 150, "b": 150})), "data.no_augmentation_though_specified")
    assert "below 500" in said and SYNTHETIC_TO_REAL == 3


# --- versions and deployment ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "strategy", "named"),
    [
        ("huggingface", "semantic", "--revision v2"),
        ("ollama", "semantic", ":latest"),
        ("api", "date", "2025-01-07"),
        ("local", "semantic", "no account or server"),
    ],
)
def test_each_row_of_the_deployment_table(target, strategy, named):
    found = plan(500, versioning={"deploy_target": target})
    assert found.deployment == target and found.versioning.strategy == strategy
    assert named in because(found, "deployment.")


def test_rows_that_keep_coming_bring_hybrid_names_and_a_choice_of_ones_own_wins():
    assert plan(500, versioning={"iterations": "many"}, resources={"more_data": "continuous"}).versioning.strategy == "hybrid"
    assert plan(500, versioning={"strategy": "date"}).versioning.strategy == "date"
    api = plan(500, versioning={"strategy": "semantic", "deploy_target": "api"})
    assert api.versioning.strategy == "semantic" and "date" in because(api, "versioning.as_said_though")


def test_names_and_retention_follow_the_strategy_and_the_answers():
    assert plan(500).versioning.naming == "{task}-v{n}" and plan(500).versioning.retention == 3
    assert plan(500, versioning={"strategy": "date"}).versioning.naming == "{task}-{date}"
    assert plan(500, versioning={"strategy": "hybrid", "retention": 5}).versioning.retention == 5


# --- cautions and alternatives -------------------------------------------------------------------------------------------------


def test_a_target_out_of_reach_is_called_unlikely_and_one_in_reach_is_not():
    facts = DataFacts(500, {"a": 250, "b": 250}, baseline_macro_f1=0.6, baseline_accuracy=0.6, test_rows=999)
    high, low = plan(500, facts=facts, success={"threshold": 0.95}), plan(500, facts=facts, success={"threshold": 0.55})
    assert "target_unlikely" in warning_keys(high) and "unlikely" in high.headline.say("en")
    assert not {"target_unlikely", "target_possible"} & warning_keys(low) and "within reach" in low.headline.say("en")


def test_a_small_test_set_is_told_how_many_rows_would_do():
    few = plan(500, success={"threshold": 0.8})
    assert "test_too_small" in warning_keys(few)
    many = plan(500, success={"threshold": 0.8}, facts=DataFacts(500, {"a": 250, "b": 250}, test_rows=999))
    assert "test_too_small" not in warning_keys(many)


@pytest.mark.parametrize(("score", "warned"), [(0.79, False), (0.80, True), (0.85, True)])
def test_a_baseline_at_or_above_the_target_is_questioned(score, warned):
    found = plan(500, success={"threshold": 0.8, "baseline_score": score})
    assert ("baseline_at_target" in warning_keys(found)) == warned


def test_the_specifications_hours_are_held_against_minutes_on_a_gpu():
    found = plan(500, machine=A100)
    assert "spec_time" in warning_keys(found) and found.estimate.minutes < 60
    assert "spec_time" not in warning_keys(plan(500))


def test_a_deadline_is_spoken_of_when_training_or_labelling_does_not_fit():
    assert "deadline_labelling" in warning_keys(plan(20, business={"deadline_weeks": 1}))
    assert "deadline_labelling" not in warning_keys(plan(20, business={"deadline_weeks": 4}))
    assert "deadline_training" in warning_keys(plan(90_000, business={"deadline_weeks": 0.2}))


def test_licences_and_what_is_not_built_are_said_beforehand():
    assert "licence_gemma" in warning_keys(plan(500))
    assert "licence_gated" in warning_keys(plan(500, machine=A100, needs={"tooling": True}))
    assert "not_built" in warning_keys(plan(500, "extraction")) and "not_built" not in warning_keys(plan(500))


def test_conflicting_labels_from_one_in_a_hundred_are_said():
    facts = {"class_counts": {"a": 250, "b": 250}}
    assert "conflicting_labels" in warning_keys(plan(500, facts=DataFacts(500, conflicting_rows=5, **facts)))
    assert "conflicting_labels" not in warning_keys(plan(500, facts=DataFacts(500, conflicting_rows=4, **facts)))


def test_the_known_baseline_stands_in_the_alternative_with_its_score():
    found = plan(500, facts=DataFacts(500, {"a": 250, "b": 250}, baseline_macro_f1=0.591))
    assert any("0.59" in other.gain.say("en") for other in found.alternatives)


def test_the_specifications_example_is_answered_with_lora_and_a_higher_rate():
    spec = parse_answers(
        "task: {name: entity-sentiment, type: classification, language: zh-TW, labels: [正面, 負面, 中立]}\n"
        "resources: {labelled_rows: 500, gpu: remote, gpu_name: A100}\n"
        "success: {primary_metric: macro_f1, threshold: 0.8, baseline_score: 0.65}\n"
        "versioning: {strategy: semantic, deploy_target: huggingface, retention: 3}\n"
    )
    found = recommend(spec, None, NO_GPU)
    assert (found.method, found.peft, found.base_model) == ("sft", "lora", QWEN_4B)
    assert found.forecast.low < 0.8 < found.forecast.high
    assert 2 < found.estimate.minutes < 30


def test_full_fine_tuning_is_said_in_words_in_both_languages():
    found = recommend(answers(150_000, resources={"gpu": "local", "vram_gb": 80}), None, NO_GPU)
    assert found.peft == "none" and "hyperparameters.no_lora" in rules(found)
    for language, said in (("zh-TW", "全參數微調，不用 LoRA"), ("en", "all weights, no LoRA")):
        assert any(said in line for line in plan_lines(found, language)) and found.as_json(language)


def test_no_sentence_presumes_a_specification_somebody_has_read():
    for machine in (NO_GPU, A100):
        found = plan(300, machine=machine, success={"threshold": 0.8}, needs={"reasoning": True})
        for language, word in (("zh-TW", "規格"), ("en", "specification")):
            assert [line for line in plan_lines(found, language) if word in line] == []


def headline_of(rows, language, task_type="classification", **resources):
    said = {"task": {"type": task_type}, "resources": {"labelled_rows": rows, "gpu": "none", **resources}}
    return recommend(Answers.model_validate(said), None, NO_GPU).headline.say(language)


def test_methods_that_follow_each_other_are_said_in_their_order_with_the_spaces_right():
    assert "建議先用監督式微調（SFT），再用偏好訓練（DPO）：" in headline_of(1500, "zh-TW", "generation", preference_pairs=3000)
    tuned = headline_of(1500, "en", "generation", preference_pairs=3000)
    assert "supervised fine-tuning (SFT), then preference tuning (DPO), on " in tuned
    assert "建議監督式微調（SFT）：" in headline_of(1500, "zh-TW")
    assert "建議先用 TF-IDF + 邏輯迴歸，暫不訓練" in headline_of(30, "zh-TW")
    assert "start with TF-IDF + logistic regression; no language model" in headline_of(30, "en")
    assert "迴歸、" not in headline_of(150, "zh-TW") and "建議TF" not in headline_of(150, "zh-TW")
