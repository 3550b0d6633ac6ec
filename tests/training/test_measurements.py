"""What trainings took on this machine is kept and narrows later estimates; whatever is wrong with that file, an estimate is still given."""

from __future__ import annotations

import json
import os
import time

import pytest

from coach.hardware import Hardware
from coach.work import Work
from tests.training.small_task import task_file
from training import measurements
from training.measurements import keep, measured, measurement, measurements_path

MACHINE = Hardware(cores=2)
WORK = Work(500, 80, 200, 3, 8, 30, 90)
TRAINING = task_file("starter/gemma-3-270m").training
FACTORS = {"training": 1.3, "answering": 0.8}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COACH_CACHE", str(tmp_path / "cache"))


def found(how="steps", memory=1.1, factors=FACTORS, training=TRAINING, machine=MACHINE, work=WORK):
    return measurement(training, machine, work, how=how, factors=factors, memory=memory)


def with_training(**changes):
    return TRAINING.model_copy(update=changes)


def test_nothing_is_known_before_anything_was_measured():
    assert measured(TRAINING, MACHINE, WORK) is None


def test_what_was_measured_just_now_holds_for_the_same_training():
    assert keep(found())
    known = measured(TRAINING, MACHINE, WORK)
    assert (known.how, dict(known.factors), known.memory) == ("now", FACTORS, 1.1)


def test_after_a_while_it_is_no_longer_just_now(monkeypatch):
    keep(found())
    late = time.time() + 3600
    monkeypatch.setattr(measurements.time, "time", lambda: late)
    assert measured(TRAINING, MACHINE, WORK).how == "steps"


def test_epochs_rate_and_seed_do_not_matter_and_neither_do_a_few_more_rows():
    keep(found(how="run"))
    other = with_training(epochs=7, learning_rate=1e-5, seed=1)
    more = Work(620, 90, 200, 7, 8, 31, 92)
    assert measured(other, MACHINE, more).how == "run"


@pytest.mark.parametrize(
    ("training", "work"),
    [
        (with_training(batch_size=16), WORK),
        (with_training(lora=TRAINING.lora.model_copy(update={"r": 64})), WORK),
        (TRAINING, Work(500, 80, 200, 3, 8, 150, 240)),
        (TRAINING, Work(500, 80, 200, 3, 8, 30, 90, labels=50)),
    ],
)
def test_other_settings_or_rows_are_related_and_their_range_is_wider(training, work):
    keep(found())
    known = measured(training, MACHINE, work)
    assert known.how == "related" and known.factors["training"] == 1.3
    low, high = known.time_range
    narrow_low, narrow_high = measured(TRAINING, MACHINE, WORK).time_range
    assert low < narrow_low and high > narrow_high


@pytest.mark.parametrize(
    "machine", [Hardware(cores=8), Hardware(cores=2, gpu_name="T4", vram_gb=16.0)], ids=["more cores", "a GPU"]
)
def test_another_number_of_cores_or_another_device_says_nothing(machine):
    keep(found())
    assert measured(TRAINING, machine, WORK) is None


def test_the_latest_counts_and_a_run_without_its_own_memory_keeps_the_one_before():
    keep(found(memory=1.2))
    keep(found(how="run", memory=None, factors={"training": 2.0}))
    known = measured(TRAINING, MACHINE, WORK)
    assert (known.how, known.factors["training"], known.memory) == ("run", 2.0, 1.2)


def test_measured_beside_other_costs_it_says_nothing(monkeypatch):
    keep(found())
    monkeypatch.setattr(measurements, "RECKONED_BY", "another")
    assert measured(TRAINING, MACHINE, WORK) is None


def test_damaged_lines_are_passed_over():
    keep(found())
    path = measurements_path()
    whole = path.read_text(encoding="utf-8")
    absurd = json.dumps({**json.loads(whole), "factors": {"training": 1e9}})
    path.write_text(f'{{"torn\n{whole}[]\nnull\n{absurd}\n', encoding="utf-8")
    assert measured(TRAINING, MACHINE, WORK).factors["training"] == 1.3
    path.write_bytes(b"\xff\xfe\x00")
    assert measured(TRAINING, MACHINE, WORK) is None
    assert keep(found()) and measured(TRAINING, MACHINE, WORK) is not None, "a damaged file is replaced"


def test_a_cache_that_cannot_be_written_or_read_is_no_reason_to_stop(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file where a folder should be", encoding="utf-8")
    assert not keep(found())
    assert measured(TRAINING, MACHINE, WORK) is None


def test_the_file_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(measurements, "KEPT", 3)
    for value in (1.0, 1.1, 1.2, 1.3, 1.4):
        keep(found(factors={"training": value}))
    lines = measurements_path().read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["factors"]["training"] for line in lines] == [1.2, 1.3, 1.4]


def test_each_device_of_a_machine_has_its_own(monkeypatch):
    keep(found())
    monkeypatch.setenv("COACH_DEVICE", f"{os.environ['COACH_DEVICE']}-other")
    assert measured(TRAINING, MACHINE, WORK) is None
