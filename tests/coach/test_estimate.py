"""Memory and time before a training starts, held against the published cells of evidence.md 5."""

import pytest

from coach.estimate import (
    STARTER_ID,
    Work,
    estimate_baseline,
    estimate_prompt,
    estimate_training,
    fitting_micro_batch,
    main_memory_gb,
    memory_gb,
    processor_tokens_per_s,
)
from coach.hardware import Hardware
from coach.reference_data import model_row

QWEN = model_row("Qwen/Qwen3-4B")
A100 = Hardware(gpu_name="A100", vram_gb=80, peak_tflops=312, gpu_count=1)


def work(rows=450, epochs=8, tokens=256, batch=16):
    return Work(rows, 50, 50, epochs, batch, tokens, tokens)


def test_the_adapter_of_qwen3_4b_has_the_66_million_parameters_of_the_tinker_table():
    assert QWEN.shape.lora_parameters(32) == 66_060_288


@pytest.mark.parametrize(("peft", "low", "high"), [("lora", 14, 16), ("qlora", 8.5, 10), ("none", 65, 76)])
def test_qwen3_4b_at_512_tokens_needs_what_the_evidence_predicts(peft, low, high):
    micro = 1 if peft == "none" else 4
    assert low <= memory_gb(QWEN, peft, micro, 512, 32) <= high


def test_memory_grows_with_rows_at_once_and_with_length():
    assert memory_gb(QWEN, "lora", 8, 512) > memory_gb(QWEN, "lora", 1, 512)
    assert memory_gb(QWEN, "lora", 1, 2048) > memory_gb(QWEN, "lora", 1, 512)


def test_the_largest_micro_batch_that_fits_is_taken_and_none_where_nothing_fits():
    assert fitting_micro_batch(QWEN, "lora", 80, 512) == 8
    assert fitting_micro_batch(QWEN, "lora", 16, 512) in (2, 4)
    assert fitting_micro_batch(QWEN, "lora", 8, 512) is None
    assert fitting_micro_batch(QWEN, "qlora", 8, 512) is not None


def test_a_model_of_unknown_shape_still_gets_an_estimate():
    newer = model_row("Qwen/Qwen3.5-4B")
    assert newer.shape is None and 10 < memory_gb(newer, "lora", 1, 512) < 25


def test_the_specifications_example_takes_minutes_on_an_a100_and_not_hours():
    found = estimate_training(QWEN, "lora", A100, work())
    low, high = found.minutes_range
    assert low < 4 < high < 30 and low < found.minutes < high
    assert found.vram_range[0] < found.vram_gb < found.vram_range[1] <= 80


def test_a_slower_card_takes_longer():
    t4 = Hardware(gpu_name="T4", vram_gb=16, bf16=False, peak_tflops=65)
    assert estimate_training(QWEN, "lora", t4, work()).minutes > 2 * estimate_training(QWEN, "lora", A100, work()).minutes


def test_the_news_sample_takes_under_five_minutes_on_two_cores():
    found = estimate_training(model_row(STARTER_ID), "lora", Hardware(cores=2), Work(480, 88, 999, 4, 8, 38, 60))
    assert found.vram_gb is None and 2 < found.minutes < 5


def test_more_cores_are_faster_and_larger_models_slower():
    starter = model_row(STARTER_ID)
    assert processor_tokens_per_s(starter, 2) == starter.cpu_tokens_per_s
    assert processor_tokens_per_s(starter, 8) > 2 * processor_tokens_per_s(starter, 2)
    assert processor_tokens_per_s(QWEN, 2) < processor_tokens_per_s(starter, 2) / 10


def test_without_rows_memory_is_said_and_time_is_not():
    found = estimate_training(QWEN, "lora", A100, None)
    assert found.minutes is None and found.vram_gb > 0 and found.as_json("en")["minutes"] is None


def test_baseline_and_prompt_need_no_gpu():
    assert estimate_baseline().vram_gb is None and estimate_baseline().minutes <= 1
    assert estimate_prompt().minutes is None
    assert set(estimate_baseline().as_json("zh-TW")) == {"vram_gb", "minutes", "basis"}


def test_main_memory_grows_with_the_model_and_is_said_on_the_processor_alone():
    large, small = model_row("Qwen/Qwen3-8B"), model_row(STARTER_ID)
    assert 18 < main_memory_gb(large) < 24 and main_memory_gb(small) < 4
    assert estimate_training(large, "lora", Hardware(), work()).ram_gb == round(main_memory_gb(large), 1)
    assert estimate_training(small, "lora", Hardware(vram_gb=24.0), work()).ram_gb is None
