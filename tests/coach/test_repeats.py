"""Which runs a version has, and mean and spread of what they score."""

import pytest

from coach.repeats import (
    PlannedRun,
    Repeat,
    config_of,
    planned_runs,
    repeat_called,
    repeats_sentence,
    spread,
    task_folder,
    together,
)
from coach.version_folder import Version
from tests.training.small_task import task_file


def planned(**training):
    return planned_runs(task_file("model", **training).training)


def results(primary, accuracy=0.5, macro_f1=0.5):
    return {"primary_metric": {"name": "accuracy", "value": primary}, "accuracy": accuracy, "macro_f1": macro_f1}


def test_one_value_has_no_spread():
    found = spread([0.7])
    assert (found.runs, found.mean, found.sd, found.lowest, found.highest) == (1, 0.7, None, 0.7, 0.7)


def test_two_values_have_the_sample_standard_deviation():
    found = spread([0.6, 0.8])
    assert found.mean == pytest.approx(0.7) and found.sd == pytest.approx(0.02**0.5)  # divided by one, not by two
    assert (found.lowest, found.highest) == (0.6, 0.8)


def test_what_is_missing_is_left_out_and_nothing_at_all_is_none():
    found = spread([None, 0.6, None, 0.8, 0.7])
    assert found.runs == 3 and found.mean == pytest.approx(0.7) and found.sd == pytest.approx(0.1)
    assert spread([None, None]) is None and spread([]) is None


def test_the_runs_of_seeds_count_up_and_the_versions_own_comes_first():
    assert [(run.name, run.number, run.runs, run.seed) for run in planned(seed=42, seeds=3)] == [
        ("seed-42", 1, 3, 42), ("seed-43", 2, 3, 43), ("seed-44", 3, 3, 44),
    ]  # fmt: skip
    assert [run.seed for run in planned(seed=2**32 - 1, seeds=2)] == [2**32 - 1, 0]
    assert planned() == [PlannedRun(1, 1, 42)]


def test_the_runs_of_folds_share_a_seed():
    assert [(run.name, run.seed, run.fold, run.which) for run in planned(folds=2)] == [
        ("fold-1", 42, 1, "fold 1"), ("fold-2", 42, 2, "fold 2"),
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["baseline", "prompt"])
def test_what_trains_no_weights_has_one_run(method):
    assert len(planned(method=method, seeds=3)) == len(planned(method=method, folds=3)) == 1


def test_the_recipe_of_a_repeat_is_the_versions_with_one_run_of_its_own_seed():
    config = task_file("model", seeds=3)
    found = config_of(config, planned(seeds=3)[1])
    assert (found.training.seed, found.training.seeds, found.training.folds) == (43, 1, 1)
    assert (
        found.training.model_copy(update={"seed": 42, "seeds": 3}) == config.training and len(planned_runs(found.training)) == 1
    )


def test_a_repeat_lies_in_its_version_and_is_held_and_stopped_with_it(tmp_path):
    version = Version(tmp_path / "letters" / "versions" / "v1")
    repeat = repeat_called(version, "seed-43")
    assert repeat == Repeat(version.folder / "repeats" / "seed-43") and repeat.owner == version
    assert (repeat.lock_path, repeat.stop_path) == (version.lock_path, version.stop_path)
    assert repeat.events_path == repeat.folder / "events.jsonl"
    assert task_folder(repeat) == task_folder(version) == tmp_path / "letters"


@pytest.mark.parametrize("name", ["../v2", "seed-", "seed-4x", "seed-43/..", "", "None", "fold-12345678901"])
def test_a_name_that_is_no_repeats_leads_nowhere(name, tmp_path):
    with pytest.raises(ValueError, match="no name of a repeat"):
        repeat_called(Version(tmp_path), name)


def test_the_runs_together_say_each_score_and_its_spread():
    runs = list(zip(planned(seeds=3), [results(0.6), results(0.8), results(0.7, macro_f1=None)], strict=True))
    found = together(runs)
    assert found["metric"] == "accuracy"
    assert found["runs"][2] == {
        "name": "seed-44", "seed": 44, "fold": None, "primary_metric": 0.7, "accuracy": 0.5, "macro_f1": None,
    }  # fmt: skip
    assert found["primary_metric"] == {"mean": 0.7, "standard_deviation": 0.1, "lowest": 0.6, "highest": 0.8, "runs": 3}
    assert found["macro_f1"]["runs"] == 2 and together([(planned()[0], {})])["accuracy"] is None


def test_the_sentence_names_seeds_or_folds_and_is_left_out_for_a_single_run():
    said = repeats_sentence({"repeats": together(list(zip(planned(seeds=2), [results(0.6), results(0.8)], strict=True)))})
    assert said.say("en") == "2 seeds: test accuracy 0.700 ± 0.141 on average (0.600 to 0.800)"
    said = repeats_sentence({"repeats": together(list(zip(planned(folds=2), [results(0.6), results(0.8)], strict=True)))})
    assert said.say("zh-TW").startswith("2 份切分") and "0.700 ± 0.141" in said.say("zh-TW")
    assert repeats_sentence({}) is None and repeats_sentence({"repeats": together([(planned()[0], results(0.6))])}) is None
