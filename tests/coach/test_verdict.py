"""The judgement of one version by its interval, and of two by the rows they share."""

import json
import math
import random
from pathlib import Path

import pytest

from coach.comparison import FEWEST_SHARED_ROWS, Judged, compare, read_answers_given
from coach.config_changes import changed_words, config_changes
from coach.errors import WorkspaceError
from coach.task_file import read_task_file
from coach.verdict import judge, rows_to_tell, verdict_word
from coach.workspace import Task

EXAMPLE = Path(__file__).parent.parent / "data" / "example-task"
LABELS = ["正面", "負面", "中立"]


def results(value=0.78, low=0.70, high=0.86, threshold=0.8, rows=200, baseline=None, **more):
    return {
        "primary_metric": {"name": "macro_f1", "value": value},
        "macro_f1": value,
        "target": {"threshold": threshold, "met": None if threshold is None else value >= threshold},
        "confidence_interval": {"metric": "macro_f1", "low": low, "high": high, "level": 0.95},
        "rows": {"train": 100, "valid": 50, "test": rows},
        "baseline": {"tfidf": {"macro_f1": baseline, "accuracy": 0.6}} if baseline is not None else {},
        **more,
    }


# --- one version ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "low", "high", "word", "certain"),
    [(0.85, 0.81, 0.89, "met", True), (0.82, 0.74, 0.90, "met", False), (0.80, 0.72, 0.88, "met", False),
     (0.78, 0.70, 0.86, "close", False), (0.76, 0.73, 0.79, "far", True), (0.60, 0.50, 0.85, "close", False),
     (0.76, 0.73, 0.80, "close", False), (0.76, None, None, "close", False),
     (0.70, 0.60, 0.79, "far", True), (0.749, 0.70, 0.799, "far", True)],
)  # fmt: skip
def test_the_interval_decides_between_met_close_and_far(value, low, high, word, certain):
    found = judge(results(value, low, high))
    assert (found.word, found.certain) == (word, certain)
    assert verdict_word(results(value, low, high)) == word
    for language in ("zh-TW", "en"):
        assert all(said.say(language) for said in found.sentences())


def test_without_a_target_nothing_is_said_of_reaching_it():
    found = judge(results(threshold=None))
    assert found.word is None and "No target" in found.sentences()[0].say("en")


def test_without_an_interval_a_distance_is_not_called_reliable():
    found = judge(results(0.6, None, None))
    assert found.word == "far" and not found.certain
    assert "Without an interval" in " ".join(said.say("en") for said in found.sentences())


def test_telling_78_from_80_takes_more_rows_than_anybody_labels_in_a_day():
    needed = rows_to_tell(0.78, 0.80, 0.70, 0.86, 100)
    assert needed == pytest.approx(1600, abs=2)
    found = judge(results(0.78, 0.70, 0.86, rows=100))
    assert found.rows_needed == needed
    assert f"{needed - 100:,} more" in " ".join(said.say("en") for said in found.sentences())


def test_a_score_on_the_target_is_never_told_apart():
    assert rows_to_tell(0.8, 0.8, 0.7, 0.9, 100) is None
    assert "no number of test rows" in " ".join(said.say("en") for said in judge(results(0.8, 0.7, 0.9)).sentences())


def test_a_sure_verdict_asks_for_no_more_rows():
    assert judge(results(0.85, 0.81, 0.89)).rows_needed is None


@pytest.mark.parametrize(("baseline", "beaten"), [(0.5, "yes"), (0.75, "unclear"), (0.78, "no"), (0.9, "no")])
def test_the_baseline_is_beaten_only_beyond_the_interval(baseline, beaten):
    assert judge(results(baseline=baseline)).baselines[0].beaten == beaten


def test_a_baseline_without_a_score_on_this_metric_is_left_out():
    assert (
        judge(results() | {"baseline": {"user": {"name": "rules", "macro_f1": None}, "tfidf": {"accuracy": 0.7}}}).baselines == ()
    )


@pytest.mark.parametrize("language", ["zh-TW", "en"])
@pytest.mark.parametrize(("value", "low", "high"), [(0.749, 0.65, 0.86), (0.86, 0.80, 0.92)])
def test_a_baseline_clearly_ahead_leads_and_nobody_is_told_to_accept_or_deploy(value, low, high, language):
    found = judge(results(value, low, high, threshold=0.85, baseline=1.0)).sentences()
    said = [sentence.say(language) for sentence in found]
    assert found[0].key == "verdict.behind" and "1.000" in said[0] and "TF-IDF" in said[0]
    assert [sentence.key for sentence in found].count("verdict.baseline_no") == 0, "said once"
    assert not any(word in " ".join(said) for word in ("accept", "接受", "Deploy", "部署"))


def test_a_version_near_its_target_may_be_accepted_unless_a_baseline_is_above_it():
    def first(baseline):
        return judge(results(0.78, 0.70, 0.86, baseline=baseline)).sentences()[0].say("en")

    assert "accept this version" in first(0.5) and "accept this version" in first(0.78)
    assert first(0.80).startswith("Close") and "accept" not in first(0.80)


@pytest.mark.parametrize(("validation", "key"), [(0.746, "validation_above"), (0.60, "validation_below"), (0.79, None)])
def test_validation_far_from_the_test_is_explained(validation, key):
    more = {"best_checkpoint": {"step": 8, "valid": {"macro_f1": validation}}}
    found = {sentence.key: sentence for sentence in judge(results(0.68 if key else 0.78, 0.6, 0.86, **more)).sentences()}
    assert [name for name in found if "validation" in name] == ([f"verdict.{key}"] if key else [])
    if key:
        assert "50" in found[f"verdict.{key}"].say("en") and "測試資料" in found[f"verdict.{key}"].say("zh-TW")


def test_a_limited_run_says_so():
    assert "3 steps" in " ".join(said.say("en") for said in judge(results(max_steps=3)).sentences())


@pytest.mark.parametrize("broken", [{}, {"primary_metric": {}}, {"primary_metric": {"name": "macro_f1", "value": None}},
                                    {"primary_metric": {"name": "macro_f1", "value": math.nan}}])  # fmt: skip
def test_results_without_a_primary_metric_are_refused_in_words(broken):
    with pytest.raises(WorkspaceError) as caught:
        judge(broken)
    assert len(caught.value.lines("zh-TW")) == 3


def test_the_example_is_judged_and_its_json_is_json():
    found = judge(json.loads((EXAMPLE / "versions" / "v1" / "results.json").read_text(encoding="utf-8")))
    document = json.loads(json.dumps(found.as_json("en"), allow_nan=False))
    assert document["word"] in ("met", "close", "far") and document["sentences"]


# --- two versions --------------------------------------------------------------------------------------------------------------


def config(**training):
    task = read_task_file(EXAMPLE / "task.yaml")
    return task.model_copy(update={"training": task.training.model_copy(update=training)})


def judged(name, right_share, rows=400, seed=0, **training):
    """A version that answers each row rightly with `right_share`, else the next label; F1 as it then is."""
    random_ = random.Random(seed)
    answers = {}
    for row in range(rows):
        actual = LABELS[row % 3]
        wrong = LABELS[(row + 1) % 3]
        answers[f"r-{row}"] = (actual, actual if random_.random() < right_share else wrong)
    per_class = {
        label: {"f1": right_share, "precision": right_share, "recall": right_share, "support": rows // 3} for label in LABELS
    }
    return Judged(name, config(**training), results(right_share, per_class=per_class, accuracy=right_share), answers)


def test_a_clear_gain_is_called_better_and_a_clear_loss_worse():
    weak, strong = judged("v1", 0.6), judged("v2", 0.85, seed=1)
    assert compare(weak, strong, seed=1).judgement == "better"
    assert compare(strong, weak, seed=1).judgement == "worse"
    assert "v2 is better than v1" in compare(weak, strong, seed=1).sentences()[0].say("en")


def test_a_small_gain_on_few_rows_cannot_be_told_and_says_how_many_would_do():
    found = compare(judged("v1", 0.75, rows=100), judged("v2", 0.78, rows=100, seed=3), seed=1)
    assert found.judgement == "cannot_tell" and found.overall.interval.low < 0 < found.overall.interval.high
    assert found.rows_needed is None or found.rows_needed > 100


def test_the_same_answers_make_no_difference():
    one = judged("v1", 0.75)
    found = compare(one, Judged("v2", one.config, one.results, one.answers), seed=1)
    assert found.overall.difference == 0 and found.judgement == "cannot_tell" and found.rows_needed is None
    assert "the same macro-F1" in found.sentences()[0].say("en")


def test_the_same_seed_gives_the_same_interval():
    first, second = judged("v1", 0.7), judged("v2", 0.75, seed=2)
    assert compare(first, second, seed=5) == compare(first, second, seed=5)


def test_too_few_shared_rows_are_not_compared():
    first, second = judged("v1", 0.7, rows=FEWEST_SHARED_ROWS - 1), judged("v2", 0.9, rows=FEWEST_SHARED_ROWS - 1, seed=2)
    found = compare(first, second, seed=1)
    assert found.judgement == "unpaired" and found.overall.interval is None
    assert "too few" in found.sentences()[0].say("en")


def test_a_class_that_got_worse_is_named_though_the_whole_got_better():
    first, second = judged("v1", 0.6, rows=600), judged("v2", 0.9, rows=600, seed=1)
    spoilt = {row: (actual, "正面" if actual == "中立" else given) for row, (actual, given) in second.answers.items()}
    found = compare(first, Judged("v2", second.config, second.results, spoilt), seed=1)
    worse = [change.name for change in found.per_class if change.significant and change.difference < 0]
    assert worse == ["中立"] and any("Worse for" in said.say("en") for said in found.sentences())


def test_corrected_test_labels_are_said_and_only_rows_of_one_label_are_compared():
    first, second = judged("v1", 0.6), judged("v2", 0.85, seed=1)
    moved = {row: (LABELS[(LABELS.index(actual) + 1) % 3], given) for row, (actual, given) in list(second.answers.items())[:12]}
    found = compare(first, Judged("v2", second.config, second.results, {**second.answers, **moved}), seed=1)
    assert (found.relabelled, found.shared_rows, found.judgement) == (12, 388, "better")
    said = [one.say("en") for one in found.sentences()]
    assert any(one.startswith("Test labels changed between the two: 12.") and "388" in one for one in said)
    scored = [found.overall, *found.per_class]
    assert all(one.after - one.before == pytest.approx(one.difference) for one in scored), "scores of the rows that are compared"
    assert found.overall.before != first.results["macro_f1"]
    assert (
        compare(first, second, seed=1).relabelled == 0
        and compare(first, second, seed=1).overall.before == first.results["macro_f1"]
    )
    assert not any("labels changed" in one.say("en") for one in compare(first, second, seed=1).sentences())


def test_a_class_without_a_row_to_compare_has_no_score_and_no_part_in_the_mean():
    first = judged("v1", 0.9)
    renamed = {row: tuple("不好" if said == "負面" else said for said in pair) for row, pair in first.answers.items()}
    found = compare(first, Judged("v2", first.config, first.results, renamed), seed=1)
    compared = {change.name: change for change in found.per_class}
    assert compared["負面"].before is None and compared["負面"].after is None and compared["負面"].interval is None
    rest = [change for name, change in compared.items() if name != "負面"]
    assert (
        found.overall.before == pytest.approx(sum(change.before for change in rest) / len(rest)) and found.overall.before > 0.85
    )


def test_a_version_at_its_target_that_is_level_with_the_baseline_is_told_so():
    results = {"primary_metric": {"name": "macro_f1", "value": 0.9}, "target": {"threshold": 0.8}, "rows": {"test": 400}}
    results |= {"confidence_interval": {"low": 0.87, "high": 0.93}}
    level, behind = (judge({**results, "baseline": {"tfidf": {"macro_f1": score}}}) for score in (0.9, 0.7))
    assert "the simple baseline does as well" in level.sentences()[0].say("en")
    assert "簡單的基準也一樣好" in level.sentences()[0].say("zh-TW")
    assert "does as well" not in behind.sentences()[0].say("en")


def test_an_answer_outside_the_format_counts_as_wrong():
    first = judged("v1", 0.9)
    second = Judged("v2", first.config, first.results, {row: (actual, None) for row, (actual, _) in first.answers.items()})
    assert compare(first, second, seed=1).judgement == "worse"


def test_configurations_are_compared_key_by_key_and_names_do_not_count():
    before, after = config(), config(epochs=3.0).model_copy(update={"version": "v2", "title": "another"})
    assert [(change.path, change.after) for change in config_changes(before, after)] == [("training.epochs", 3.0)]
    assert changed_words(list(config_changes(before, after)))[0].endswith("→ 3")


def test_several_changes_at_once_are_said():
    found = compare(judged("v1", 0.7), judged("v2", 0.8, seed=1, epochs=3.0, learning_rate=1e-4), seed=1)
    assert len(found.config) == 2 and "2 settings changed" in " ".join(said.say("en") for said in found.sentences())


def test_versions_judged_by_different_metrics_are_refused_in_words():
    first = judged("v1", 0.7)
    other = {"primary_metric": {"name": "accuracy", "value": 0.7}, "accuracy": 0.7}
    with pytest.raises(WorkspaceError) as caught:
        compare(first, Judged("v2", first.config, other, first.answers), seed=1)
    assert "accuracy" in caught.value.lines("en")[0]


def test_the_json_of_a_comparison_is_json_in_both_languages():
    found = compare(judged("v1", 0.6), judged("v2", 0.8, seed=1), seed=1)
    for language in ("zh-TW", "en"):
        assert json.loads(json.dumps(found.as_json(language), allow_nan=False))["judgement"] == "better"


def test_predictions_are_read_by_id_and_a_broken_line_is_named(tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_text(
        '{"id": "a", "actual": {"sentiment": "正面"}, "predicted": null}\n{"id": "b", "actual": "正面", "predicted": "負面"}\n',
        encoding="utf-8",
    )
    assert read_answers_given(path) == {"a": ("正面", None), "b": ("正面", "負面")}
    assert read_answers_given(tmp_path / "none.jsonl") == {}
    path.write_text('{"id": "a", "actual": "x", "predicted": "x"}\n{"id": "b"}\n', encoding="utf-8")
    with pytest.raises(WorkspaceError) as caught:
        read_answers_given(path)
    assert "line 2" in str(caught.value)


def test_the_example_can_be_held_against_itself():
    version = Task.open(EXAMPLE).version("v1")
    one = Judged("v1", version.config, version.results(), read_answers_given(version.predictions_path))
    assert compare(one, one, seed=42).config == ()


@pytest.mark.parametrize("metric", ["macro_f1", "micro_f1", "weighted_f1"])
def test_answers_outside_the_format_never_raise_a_score(metric):
    first = judged("v1", 0.9)
    named = results(0.9, per_class=first.results["per_class"], accuracy=0.9, micro_f1=0.9, weighted_f1=0.9)
    named["primary_metric"] = {"name": metric, "value": 0.9}
    fewer = {row: (actual, None if number < 20 else given) for number, (row, (actual, given)) in enumerate(first.answers.items())}
    found = compare(Judged("v1", first.config, named, first.answers), Judged("v2", first.config, named, fewer), seed=1)
    assert found.overall.difference < 0 and found.overall.interval.high < 0 and found.judgement == "worse"


def test_the_difference_in_macro_f1_with_invalid_answers_is_that_of_scikit_learn():
    from sklearn.metrics import f1_score

    first = judged("v1", 0.8, rows=90)
    second = {
        row: (actual, None if number % 9 == 0 else given) for number, (row, (actual, given)) in enumerate(first.answers.items())
    }

    def macro(answers):
        truth, given = zip(*answers.values(), strict=True)
        return f1_score(truth, [label or "—" for label in given], labels=LABELS, average="macro", zero_division=0)

    found = compare(first, Judged("v2", first.config, first.results, second), seed=1)
    assert found.overall.difference == pytest.approx(macro(second) - macro(first.answers))


def test_a_line_separator_within_an_answer_is_no_end_of_line(tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_text('{"id": "a", "actual": "x", "predicted": "x", "raw": "one\u2028two"}\n', encoding="utf-8")
    assert read_answers_given(path) == {"a": ("x", "x")}


def test_of_several_slots_the_same_one_is_compared_whatever_their_order(tmp_path):
    path = tmp_path / "predictions.jsonl"
    row = {"id": "a", "actual": {"mood": "好", "haste": "急"}, "predicted": {"haste": "緩", "mood": "好"}}
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_answers_given(path, "mood") == {"a": ("好", "好")}
    assert read_answers_given(path, "haste") == {"a": ("急", "緩")}


def test_a_met_target_that_is_not_certain_says_so_at_once_and_a_tie_is_no_defeat():
    results = {
        "primary_metric": {"name": "macro_f1", "value": 0.84},
        "target": {"threshold": 0.8, "met": True},
        "confidence_interval": {"low": 0.7, "high": 0.95},
        "rows": {"test": 50},
        "baseline": {"tfidf": {"macro_f1": 0.84}},
    }
    said = [found.key for found in judge(results).sentences()]
    assert said[0] == "verdict.met_uncertain" and "verdict.baseline_tie" in said


def test_at_the_top_there_is_nothing_to_go_on_for():
    found = judge(results(1.0, 0.97, 1.0)).sentences()[0]
    assert "go on for more" not in found.say("en") and "nothing is left to improve" in found.say("en")
    assert "再往上做一版" not in found.say("zh-TW") and "沒有可以再改進的" in found.say("zh-TW")


def test_more_test_rows_than_anybody_labels_are_not_asked_for():
    assert rows_to_tell(0.802, 0.8, 0.70, 0.90, 400) is None
    assert rows_to_tell(0.78, 0.8, 0.70, 0.86, 100) == 1600


@pytest.mark.parametrize("content", ["你好".encode("big5"), b"\xff\xfe{}", b"[" * 100_000])
def test_predictions_that_cannot_be_read_are_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(content)
    with pytest.raises(WorkspaceError) as caught:
        read_answers_given(path)
    assert caught.value.key == "workspace.broken_json" and all(caught.value.lines("zh-TW"))
    path.unlink()
    path.mkdir()
    with pytest.raises(WorkspaceError):
        read_answers_given(path)
