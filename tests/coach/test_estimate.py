"""Memory and time before a training starts, held against the published cells of evidence.md 5."""

from dataclasses import replace

import pytest

from coach.estimate import (
    STARTER_ID,
    estimate_baseline,
    estimate_prompt,
    estimate_training,
    fitting_micro_batch,
    main_memory_gb,
    memory_gb,
)
from coach.hardware import Hardware
from coach.measured import Measured
from coach.processor_cost import answering_bytes, processor_memory_gb, processor_seconds, size_of, training_bytes
from coach.reference_data import model_row
from coach.work import Work

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


STARTER = model_row(STARTER_ID)
NEWS = Work(580, 88, 999, 3, 8, 30, 90)


def seconds(model=STARTER, cores=2, **changes):
    return processor_seconds(replace(NEWS, **changes), model, cores)


def test_the_news_sample_takes_minutes_on_two_cores():
    found = estimate_training(STARTER, "lora", Hardware(cores=2), NEWS)
    assert found.vram_gb is None and 1 < found.minutes < 6
    assert found.minutes == round(sum(found.seconds.values()) / 60, 1)
    assert found.ram_range[0] < found.ram_gb < found.ram_range[1]


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("training", {"train_rows": 1200}),
        ("training", {"row_tokens": 60}),
        ("training", {"answer_tokens": 12.0}),
        ("training", {"rank": 64}),
        ("training", {"epochs": 6}),
        ("training", {"batch_size": 2}),
        ("baseline", {"labels": 50}),
        ("answering", {"valid_rows": 200}),
        ("answering", {"evaluations_per_epoch": 6}),
        ("answering", {"further_choices": 8}),
        ("answering", {"longest_answer": 30}),
        ("writing", {"evaluations_per_epoch": 6}),
    ],
)
def test_more_work_takes_longer_in_the_part_it_is_done_in(part, changes):
    assert seconds(**changes)[part] > seconds()[part]


def test_every_part_of_a_training_takes_some_time():
    assert all(value > 0 for value in seconds().values())


def test_fewer_steps_than_all_take_their_share_of_the_training():
    few, all_steps = seconds(max_steps=22)["training"], seconds()["training"]
    assert few == pytest.approx(all_steps * 22 / NEWS.steps, rel=0.02)


def test_more_cores_are_faster_and_larger_models_slower():
    assert seconds(cores=8)["training"] < seconds()["training"] / 2
    assert seconds(QWEN)["training"] > 10 * seconds()["training"]


def test_where_rows_are_short_and_answers_long_scoring_takes_more_memory_than_training():
    size = size_of(STARTER)
    short = replace(NEWS, row_tokens=20, long_row_tokens=24, batch_size=1, answer_tokens=12)
    assert answering_bytes(short, size) > training_bytes(short, size)
    long = replace(NEWS, row_tokens=200, long_row_tokens=250)
    assert answering_bytes(long, size) < training_bytes(long, size)


def test_main_memory_grows_with_long_rows_rank_and_rows_at_once():
    base = processor_memory_gb(replace(NEWS, long_row_tokens=200), STARTER)
    for more in ({"long_row_tokens": 250}, {"long_row_tokens": 200, "rank": 128}):
        assert processor_memory_gb(replace(NEWS, **more), STARTER) > base
    assert processor_memory_gb(replace(NEWS, long_row_tokens=200, batch_size=4), STARTER) < base


def test_on_a_gpu_scoring_counts_towards_the_memory():
    long_answers = replace(work(tokens=16), answer_tokens=16.0, batch_size=1, valid_rows=200)
    assert estimate_training(QWEN, "qlora", A100, long_answers).vram_gb > memory_gb(QWEN, "qlora", 1, 16) + 0.5


def test_what_was_measured_corrects_its_parts_and_narrows_the_range():
    machine = Hardware(cores=2)
    plain = estimate_training(STARTER, "lora", machine, NEWS)
    found = estimate_training(STARTER, "lora", machine, NEWS, Measured("now", {"training": 2.0}, memory=1.5))
    assert found.seconds == {**plain.seconds, "training": 2 * plain.seconds["training"]}
    assert found.memory_gb == pytest.approx(1.5 * plain.memory_gb)
    width, narrow = (high / low for low, high in (plain.minutes_range, found.minutes_range))
    assert narrow < width / 2
    assert found.basis.say("en") != plain.basis.say("en")


def test_several_runs_take_their_times_together():
    once, thrice = (estimate_training(STARTER, "lora", Hardware(cores=2), NEWS, runs=runs) for runs in (1, 3))
    assert sum(thrice.seconds.values()) == pytest.approx(3 * sum(once.seconds.values()))
    assert thrice.memory_gb == once.memory_gb


def test_without_rows_memory_is_said_and_time_is_not():
    found = estimate_training(QWEN, "lora", A100, None)
    assert found.minutes is None and found.vram_gb > 0 and found.as_json("en")["minutes"] is None


def test_baseline_and_prompt_need_no_gpu():
    assert estimate_baseline().vram_gb is None and estimate_baseline().minutes <= 1
    assert estimate_prompt().minutes is None
    assert set(estimate_baseline().as_json("zh-TW")) == {"vram_gb", "minutes", "basis"}


def test_main_memory_grows_with_the_model_and_is_said_on_the_processor_alone():
    large, small = model_row("Qwen/Qwen3-8B"), STARTER
    assert 18 < main_memory_gb(large) < 24 and main_memory_gb(small) < 4
    assert estimate_training(large, "lora", Hardware(), None).ram_gb == round(main_memory_gb(large), 1)
    assert estimate_training(small, "lora", Hardware(vram_gb=24.0), work()).ram_gb is None


def test_without_instructions_for_bfloat16_everything_takes_longer_and_more_memory():
    fast, slow = (estimate_training(STARTER, "lora", Hardware(cpu_bf16=bf16), NEWS) for bf16 in (True, False))
    assert all(slow.seconds[part] > fast.seconds[part] for part in ("loading", "baseline", "training", "answering"))
    assert fast.memory_gb < slow.memory_gb < 2 * fast.memory_gb
    assert main_memory_gb(STARTER, bf16=False) - main_memory_gb(STARTER) == pytest.approx(2 * 0.268e9 / 2**30 * 1.25, rel=0.01)
