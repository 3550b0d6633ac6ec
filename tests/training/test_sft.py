from collections import Counter

import pytest

from training.methods import sft
from training.weight_average import WeightAverage, horizon_for

CLASSES = ["big"] * 64 + ["small"] * 16 + ["tiny"] * 4


def test_oversampling_goes_half_way_to_equal_classes_and_keeps_every_row():
    chosen = sft.oversampled(CLASSES, seed=1)
    counts = Counter(CLASSES[index] for index in chosen)
    assert counts == {"big": 64, "small": 32, "tiny": 16}
    assert set(chosen) == set(range(len(CLASSES)))
    assert chosen == sft.oversampled(CLASSES, seed=1)


def test_class_weights_are_inverse_to_frequency_with_mean_one():
    weights = sft.class_weights(CLASSES)
    assert sum(weights) / len(weights) == pytest.approx(1.0)
    assert weights[-1] / weights[0] == pytest.approx(16.0)


@pytest.mark.parametrize(
    ("batch", "expected"), [(8, (8, 1)), (16, (8, 2)), (12, (6, 2)), (1, (1, 1)), (7, (7, 1)), (13, (1, 13))]
)
def test_a_batch_is_computed_in_equal_parts_of_at_most_eight(batch, expected):
    found = sft.choose_batching(batch)
    assert (found.micro, found.accumulation) == expected


def test_steps_of_an_epoch_count_the_last_small_batch():
    assert sft.steps_per_epoch(500, 8) == 63
    assert sft.steps_per_epoch(3, 8) == 1


def test_an_average_lends_its_weights_and_gives_the_own_back(tmp_path):
    import torch

    layer = torch.nn.Linear(2, 1, bias=False)
    layer.weight.data.fill_(0.0)
    average = WeightAverage(layer, horizon=10)
    for _ in range(200):
        layer.weight.data.fill_(1.0)
        average.update()
    layer.weight.data.fill_(5.0)
    with average.lent():
        assert float(layer.weight[0, 0]) == pytest.approx(1.0, abs=1e-4)
    assert float(layer.weight[0, 0]) == 5.0
    average.save(tmp_path)
    again = WeightAverage(layer, horizon=10)
    again.take(tmp_path)
    assert float(layer.weight[0, 0]) == pytest.approx(1.0, abs=1e-4)


def test_the_average_spans_two_thirds_of_an_epoch_within_bounds():
    assert (horizon_for(75), horizon_for(3), horizon_for(10_000)) == (50.0, 10.0, 500.0)


def test_a_batch_is_padded_on_the_right_to_one_of_few_widths():
    from training.methods.completion_loss import WIDTH_STEP, CompletionCollator

    rows = [
        {"input_ids": [5, 6, 7], "labels": [-100, 6, 7], "row_weight": 2.0},
        {"input_ids": [8] * 5, "labels": [-100] * 4 + [8], "row_weight": 1.0},
    ]
    batch = CompletionCollator(pad_id=9)(rows)
    assert batch["input_ids"].shape == (2, 2 * WIDTH_STEP)
    assert batch["input_ids"][0].tolist() == [5, 6, 7] + [9] * 5
    assert batch["attention_mask"].sum(dim=1).tolist() == [3, 5]
    assert batch["labels"][0].tolist() == [-100, 6, 7] + [-100] * 5
    assert batch["row_weight"].tolist() == [2.0, 1.0]
    assert CompletionCollator(pad_id=9)([{"input_ids": [1] * WIDTH_STEP, "labels": [1] * WIDTH_STEP}])["labels"].shape == (
        1,
        WIDTH_STEP,
    )
