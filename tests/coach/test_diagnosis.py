"""Findings: each code with what brings it and what does not."""

import json
from pathlib import Path

import pytest

from coach.diagnosis import diagnose
from coach.finding import Evidence

EXAMPLE = Path(__file__).parent.parent / "data" / "example-task"
LABELS = ["正面", "負面", "中立"]


def results(
    counts=((40, 5, 5), (5, 40, 5), (5, 5, 40)), value=0.8, threshold=0.85, baseline=0.6, interval=0.02, invalid=0.0, rows=150
):
    per_class = {}
    for place, label in enumerate(LABELS):
        named, actual, hits = sum(row[place] for row in counts), sum(counts[place]), counts[place][place]
        precision, recall = hits / named if named else 0, hits / actual if actual else 0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
        per_class[label] = {"precision": precision, "recall": recall, "f1": f1, "support": actual}
    macro = sum(scores["f1"] for scores in per_class.values()) / 3
    return {
        "primary_metric": {"name": "macro_f1", "value": value},
        "macro_f1": macro,
        "target": {"threshold": threshold},
        "confidence_interval": {"low": value - interval, "high": value + interval},
        "rows": {"test": rows},
        "per_class": per_class,
        "confusion_matrix": {"labels": LABELS, "counts": [[*row, 0] for row in counts]},
        "baseline": {"tfidf": {"macro_f1": baseline}},
        "invalid_rate": invalid,
    }


def evals(*values, losses=None):
    return [
        {"step": 10 * (place + 1), "value": value, "loss": losses[place] if losses else None}
        for place, value in enumerate(values)
    ]


def steps(first, last, count=80):
    return [{"step": place + 1, "loss": first + (last - first) * place / (count - 1)} for place in range(count)]


def codes(**given):
    return [(finding.code, finding.name) for finding in diagnose(Evidence(given.pop("found", results()), **given)).findings]


def test_a_healthy_version_has_no_finding():
    healthy = evals(0.6, 0.7, 0.75, 0.8, losses=[1.0, 0.8, 0.7, 0.65])
    assert codes(evals=healthy, steps=steps(1.2, 0.3), train_counts={"正面": 100, "負面": 110, "中立": 90}) == []
    assert diagnose(Evidence(results())).closing().say("en").startswith("Nothing stands out")


def test_d01_a_score_that_fell_twice_is_overfitting():
    assert codes(evals=evals(0.6, 0.8, 0.77, 0.75)) == [("D01", "overfitting")]
    assert codes(evals=evals(0.6, 0.8, 0.77)) == [], "one fall is not yet a trend"
    assert codes(evals=evals(0.6, 0.8, 0.795, 0.796)) == [], "a hundredth is noise"


def test_d01_loss_that_turns_while_training_loss_falls_is_a_note():
    turning = evals(0.7, 0.75, 0.8, losses=[0.8, 0.6, 0.7])
    assert codes(evals=turning, steps=steps(1.0, 0.2)) == [("D01", "loss_turning")]
    assert codes(evals=turning, steps=steps(0.5, 0.5)) != [("D01", "loss_turning")]


def small(counts):
    return next((f for f in diagnose(Evidence(results(counts=counts))).findings if f.name == "small_in_test"), None)


def test_d06_a_class_that_rests_on_a_handful_of_test_rows():
    counts = ((49, 1, 0), (1, 49, 0), (0, 1, 4))
    found = small(counts)
    assert (found.code, found.data["label"], found.data["rows"], found.data["classes"]) == ("D06", "中立", 5, 3)
    of_class = [
        results(counts=((49, 1, 0), (1, 49, 0), row))["per_class"]["中立"]["f1"] for row in ((0, 1, 4), (0, 0, 5), (0, 2, 3))
    ]
    moves = [abs(other - of_class[0]) / 3 for other in of_class[1:]]
    assert found.data["step"] == pytest.approx(max(moves), abs=1e-3), "as it comes out when the scores are worked out anew"
    accuracy = {**results(counts=counts), "primary_metric": {"name": "accuracy", "value": 0.9}}
    assert "small_in_test" not in [name for _, name in codes(found=accuracy)]
    assert small(((49, 1, 0), (1, 49, 0), (0, 0, 10))) is None


def test_d06_names_how_many_others_there_are_and_not_what_d02_names():
    weak = [name for _, name in codes(found=results(counts=((48, 1, 1), (1, 48, 1), (3, 2, 1))))]
    assert "class_low_few_rows" in weak and "small_in_test" not in weak, "named once"
    assert small(((49, 1, 0), (1, 49, 0), (0, 1, 4))).data["others"].say("en") == ""
    two = small(((49, 1, 0), (0, 6, 0), (0, 1, 4)))
    assert two.data["label"] == "中立" and "like it: 1" in two.evidence.say("en")


def test_d06_a_class_without_test_rows_costs_its_whole_share():
    found = next(f for f in diagnose(Evidence(results(counts=((49, 1, 0), (1, 49, 0), (0, 0, 0))))).findings if f.code == "D06")
    assert (found.name, found.level, found.data["label"], found.data["classes"]) == ("absent_in_test", "warning", "中立", 3)
    assert "0.67 at most" in found.evidence.say("en")


def test_d06_one_row_among_many_classes_is_not_worth_a_word():
    scores = {f"c{place}": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 5} for place in range(77)}
    many = {**results(), "per_class": scores, "macro_f1": 1.0, "confusion_matrix": None}
    assert "small_in_test" not in [name for _, name in codes(found=many)]


def test_d02_a_class_that_draws_the_answers_is_named_with_the_one_that_pays():
    leaning = results(counts=((46, 2, 2), (13, 33, 4), (4, 5, 41)))
    found = next(f for f in diagnose(Evidence(leaning)).findings if f.name == "leaning")
    assert (found.code, found.data["label"], found.data["named"], found.data["rows"]) == ("D02", "正面", 63, 50)
    assert (found.data["loser"], found.data["missed"]) == ("負面", 0.26)
    even = results(counts=((40, 5, 5), (6, 39, 5), (5, 5, 40)))
    assert "leaning" not in [f.name for f in diagnose(Evidence(even)).findings]


def test_d02_the_class_that_pays_is_the_one_taken_for_it_and_without_a_matrix_none_is_named():
    elsewhere = results(counts=((49, 0, 1), (18, 32, 0), (0, 16, 34)))
    found = next(f for f in diagnose(Evidence(elsewhere)).findings if f.name == "leaning")
    assert (found.data["label"], found.data["loser"]) == ("正面", "負面"), "中立 is missed as often, for another class"
    del elsewhere["confusion_matrix"]
    assert "leaning_alone" in [f.name for f in diagnose(Evidence(elsewhere)).findings]


def test_d02_a_class_that_is_never_predicted_is_named():
    never = results(counts=((45, 5, 0), (5, 45, 0), (25, 25, 0)))
    found = diagnose(Evidence(never)).findings
    assert [(f.code, f.name, f.data["label"]) for f in found if f.code == "D02"] == [("D02", "never_predicted", "中立")]


def test_d02_a_weak_class_says_what_it_is_taken_for():
    weak = results(counts=((48, 1, 1), (1, 48, 1), (35, 2, 13)))
    found = [finding for finding in diagnose(Evidence(weak)).findings if finding.name == "class_low"]
    assert [finding.data["label"] for finding in found] == ["中立"] and "正面" in found[0].evidence.say("en")


def test_d02_a_weak_class_with_few_rows_is_not_taken_seriously_yet():
    few = results(counts=((48, 1, 1), (1, 48, 1), (3, 2, 1)))
    assert ("D02", "class_low_few_rows") in codes(found=few)


def test_d02_nearly_all_answers_in_one_class_is_a_collapse():
    collapsed = results(counts=((50, 0, 0), (48, 2, 0), (48, 0, 2)))
    assert ("D02", "collapse") in codes(found=collapsed)


def test_d03_a_baseline_as_good_as_the_model_is_said():
    assert codes(found=results(baseline=0.83)) == [("D03", "baseline_ahead")]
    assert codes(found=results(baseline=0.81)) == [("D03", "baseline_within")], "within the interval of .78 to .82"
    assert codes(found=results(baseline=0.8)) == [("D03", "baseline_level")]
    assert codes(found=results(baseline=0.79)) == []


def test_d04_more_than_two_percent_outside_the_format_comes_first():
    written = {name: value for name, value in results(invalid=0.03, baseline=0.9).items() if name != "per_class"}
    assert codes(found=written)[0] == ("D04", "format") and codes(found=results(invalid=0.02)) == []


def test_d04_where_answers_are_chosen_among_labels_is_a_note_after_what_matters():
    found = diagnose(Evidence(results(invalid=1.0, baseline=0.9), learning_rate=2e-4)).findings
    assert [(f.name, f.level) for f in found] == [("baseline_ahead", "warning"), ("format_not_learnt", "info")]
    assert "100%" in found[1].evidence.say("en") and "分數不受影響" in found[1].evidence.say("zh-TW")


def test_d04_at_a_low_learning_rate_names_the_learning_rate_first():
    found = diagnose(Evidence(results(invalid=1.0, baseline=0.9), learning_rate=1e-5)).findings
    assert [f.name for f in found] == ["format_low_rate", "baseline_ahead"]
    assert "1e-05" in found[0].evidence.say("zh-TW") and "學習率" in found[0].title.say("zh-TW")
    assert codes(found=results(invalid=0.02), learning_rate=1e-5) == []


def test_d05_flat_loss_and_flat_score():
    assert codes(steps=steps(1.0, 0.97)) == [("D05", "flat_loss")]
    assert codes(steps=steps(1.0, 0.5)) == []
    assert codes(evals=evals(0.6, 0.8, 0.8, 0.801, 0.802)) == [("D05", "flat_metric")]


def test_d05_a_score_at_the_top_is_never_told_to_gain_more():
    (found,) = diagnose(Evidence(results(value=0.998), evals=evals(0.8, 1.0, 1.0, 1.0, 1.0))).findings
    assert (found.code, found.name) == ("D05", "at_the_top")
    assert "larger model" not in found.next_experiment.say("en") and "更大" not in found.next_experiment.say("zh-TW")


def test_d01_a_loss_next_to_nothing_raises_no_alarm_and_a_rise_shows_in_its_numbers():
    tiny = evals(0.9, 1.0, 1.0, losses=[0.01, 2.7e-5, 4.7e-5])
    assert ("D01", "loss_turning") not in codes(evals=tiny, steps=steps(1.0, 0.2))
    (found,) = diagnose(Evidence(results(), evals(0.7, 0.75, 0.8, losses=[0.8, 0.0495, 0.0505]), steps(1.0, 0.2))).findings
    assert "0.0495" in found.evidence.say("en") and "0.0505" in found.evidence.say("zh-TW")


def test_d06_a_wide_interval_says_how_many_rows_would_narrow_it():
    found = diagnose(Evidence(results(interval=0.1, rows=100, threshold=None))).findings
    assert [finding.code for finding in found] == ["D06"] and found[0].data["needed"] == 400
    said = found[0].next_experiment
    assert "400 test rows in all" in said.say("en") and "測試資料補到約 400 筆" in said.say("zh-TW")
    assert "0.70 to 0.90" in found[0].evidence.say("en"), "the interval itself: near 1 it is not as wide on both sides"
    assert codes(found=results(interval=0.049)) == []


def test_d07_skewed_classes_until_they_are_treated():
    skewed = {"正面": 55, "中立": 250, "負面": 195}
    assert codes(train_counts=skewed) == [("D07", "imbalance")]
    assert codes(train_counts=skewed, balance="oversample") == [("D07", "imbalance_treated")]
    assert codes(train_counts={"正面": 100, "中立": 299, "負面": 195}) == []


def test_a_version_with_empty_documents_is_diagnosed_without_falling():
    bare = {"primary_metric": {"name": "macro_f1", "value": 0.5}}
    found = diagnose(Evidence(bare, [{"step": 1}, {"step": 2, "value": None, "loss": None}], [{"step": 1}], {"a": 0}))
    assert found.findings == () and found.verdict.word is None


def test_the_example_gives_json_in_both_languages():
    read = json.loads((EXAMPLE / "versions" / "v1" / "results.json").read_text(encoding="utf-8"))
    events = [
        json.loads(line) for line in (EXAMPLE / "versions" / "v1" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    found = diagnose(
        Evidence(read, [e for e in events if e["type"] == "eval"], [e for e in events if e["type"] == "step"], {"a": 1, "b": 9})
    )
    for language in ("zh-TW", "en"):
        document = json.loads(json.dumps(found.as_json(language), allow_nan=False))
        assert all(finding["code"].startswith("D0") and finding["next_experiment"] for finding in document["findings"])
