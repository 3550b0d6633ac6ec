"""What every finding carries beside its words: how sure it is, by what, and a picture of its numbers."""

import random

import pytest

from coach.diagnosis import diagnose
from coach.finding import Answered, Bars, Curve, Evidence, LabelSuspects
from coach.text import LANGUAGES, catalogue
from tests.coach.test_diagnosis import evals, results, steps
from tests.coach.test_row_findings import copies, others, rows

WEAK = results(counts=((48, 1, 1), (1, 48, 1), (35, 2, 13)))
SKEWED = {"正面": 55, "中立": 250, "負面": 195}
WITHOUT_CLASSES = {name: value for name, value in results(invalid=0.03).items() if name != "per_class"}
FEW_OF_ONE = results(counts=((49, 1, 0), (1, 49, 0), (0, 1, 4)))
LEANS = results(counts=((48, 1, 1), (14, 35, 1), (14, 1, 35)))


EXAMPLES = {
    "format": Evidence(WITHOUT_CLASSES),
    "format_low_rate": Evidence(results(invalid=1.0), learning_rate=1e-5),
    "format_not_learnt": Evidence(results(invalid=1.0), learning_rate=2e-4),
    "never_predicted": Evidence(results(counts=((45, 5, 0), (5, 45, 0), (25, 25, 0)))),
    "collapse": Evidence(results(counts=((50, 0, 0), (48, 2, 0), (48, 0, 2)))),
    "class_low": Evidence(WEAK),
    "class_low_few_rows": Evidence(results(counts=((48, 1, 1), (1, 48, 1), (3, 2, 1)))),
    "leaning": Evidence(LEANS),
    "leaning_alone": Evidence({**LEANS, "confusion_matrix": None}),
    "imbalance": Evidence(results(), train_counts=SKEWED),
    "imbalance_treated": Evidence(results(), train_counts=SKEWED, balance="oversample"),
    "overfitting": Evidence(results(), evals(0.6, 0.8, 0.77, 0.75)),
    "loss_turning": Evidence(results(), evals(0.7, 0.75, 0.8, losses=[0.8, 0.5, 0.7]), steps(1.0, 0.2)),
    "flat_loss": Evidence(results(), steps=steps(1.0, 0.97)),
    "flat_metric": Evidence(results(), evals(0.6, 0.8, 0.8, 0.801, 0.802)),
    "at_the_top": Evidence(results(value=0.998), evals(0.8, 1.0, 1.0, 1.0, 1.0)),
    "baseline_ahead": Evidence(results(baseline=0.9)),
    "baseline_level": Evidence(results(baseline=0.8)),
    "baseline_within": Evidence(results(baseline=0.81)),
    "few_test_rows": Evidence(results(interval=0.1, rows=100)),
    "small_in_test": Evidence(FEW_OF_ONE),
    "absent_in_test": Evidence(results(counts=((49, 1, 0), (1, 49, 0), (0, 0, 0)))),
    "near_copies": Evidence(results(), answered=[*copies(10, 8), *others(100, 80)]),
    "copies_flatter": Evidence(results(), answered=[*copies(40, 39), *others(60, 40)]),
    "mostly_copies": Evidence(results(), answered=copies(40, 39)),
    "copies_at_least": Evidence(results(), answered=[*copies(14, 14), *others(86, 60)], training_seen=0.1),
    "drift": Evidence(results(), train_counts={"a": 100, "b": 100}, test_counts={"a": 10, "b": 90}),
    "short_texts": Evidence(results(), answered=rows((40, 10, 16), (80, 50, 72))),
    "long_texts": Evidence(results(), answered=rows((80, 50, 72), (40, 400, 16))),
    "sure_and_wrong": Evidence(results(), answered=[Answered(9, False, 0.95)] * 6 + [Answered(9, True, 0.99)] * 60),
    "label_suspects": Evidence(results(), suspects=LabelSuspects(500, 20, 0.95)),
    "label_suspects_hard": Evidence(results(), suspects=LabelSuspects(500, 20, 0.7)),
}


def found_in(evidence, name):
    return next(finding for finding in diagnose(evidence).findings if finding.name == name)


def sure(evidence, name):
    finding = found_in(evidence, name)
    return finding.sure.grade, finding.sure.ground


def test_there_is_an_example_of_every_finding():
    named = {key.split(".")[1] for key in catalogue() if key.startswith("diagnosis.") and key.endswith(".title")}
    assert named == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_finding_says_how_sure_it_is_and_has_a_picture(name):
    finding = found_in(EXAMPLES[name], name)
    assert isinstance(finding.picture, Bars | Curve)
    for language in LANGUAGES:
        written = finding.as_json(language)
        assert written["sure"]["grade"] in {"high", "medium", "low"} and len(written["sure"]["said"]) > 8
        if isinstance(finding.picture, Bars):
            assert all(value >= 0 for _, value in written["picture"]["amounts"])
            assert all(name and "diagnosis." not in name for name, _ in written["picture"]["amounts"])
        else:
            assert finding.picture.evals or finding.picture.steps


def test_a_class_is_judged_by_its_rows_against_all_others():
    assert sure(EXAMPLES["class_low"], "class_low") == ("high", "beyond_chance")
    few = results(counts=((10, 1, 1), (1, 10, 1), (4, 3, 5)))
    assert sure(Evidence(few), "class_low") == ("medium", "within_chance")
    assert sure(EXAMPLES["class_low_few_rows"], "class_low_few_rows") == ("low", "few_rows")
    named_too_often = results(counts=((50, 0, 0), (0, 20, 30), (0, 0, 50)))
    assert sure(Evidence(named_too_often), "class_low") == ("high", "beyond_chance"), "負面 by its recall"
    assert sure(EXAMPLES["never_predicted"], "never_predicted") == ("high", "counted")
    assert sure(Evidence(results(counts=((45, 5, 0), (5, 45, 0), (2, 2, 0)))), "never_predicted") == ("low", "few_rows")


def test_as_many_rows_are_to_be_read_as_there_are():
    assert "20 wrong rows" in found_in(EXAMPLES["class_low"], "class_low").next_experiment.say("en")
    few = results(counts=((48, 1, 1), (1, 48, 1), (9, 5, 12)))
    assert "看 14 筆答錯的" in found_in(Evidence(few), "class_low").next_experiment.say("zh-TW")


def test_a_fall_is_held_against_what_scores_on_so_few_validation_rows_vary_by():
    fell = evals(0.6, 0.8, 0.77, 0.75)
    assert sure(Evidence({**results(), "rows": {"valid": 100}}, fell), "overfitting") == ("low", "within_noise")
    assert sure(Evidence({**results(), "rows": {"valid": 2000}}, fell), "overfitting") == ("medium", "beyond_noise")
    levels = [found_in(Evidence({**results(), "rows": {"valid": rows}}, fell), "overfitting").level for rows in (100, 2000)]
    assert levels == ["info", "warning"], "what cannot be told from noise is a note"
    assert sure(Evidence(results(), fell), "overfitting") == ("medium", "one_training"), "rows unknown"
    noise = found_in(Evidence({**results(), "rows": {"valid": 100}}, fell), "overfitting").sure.data["noise"]
    assert noise == pytest.approx(0.078, abs=0.003)


def test_a_score_that_stands_still_is_as_sure_as_the_validation_rows_would_show_a_gain():
    still = evals(0.6, 0.8, 0.8, 0.801, 0.802)
    for count, grade in ((100, "low"), (2000, "medium")):
        assert sure(Evidence({**results(), "rows": {"valid": count}}, still), "flat_metric") == (grade, "no_gain_within")
    assert sure(Evidence(results(), evals(60, 80, 80, 80, 80)), "at_the_top") == ("medium", "one_training"), "no share"
    assert sure(Evidence({**results(), "rows": {"valid": -3}}, still), "flat_metric") == ("medium", "one_training")


def test_the_weakest_of_many_equally_good_classes_is_no_finding_beyond_chance():
    random_ = random.Random(3)
    high = 0
    for _ in range(40):
        names = [f"c{number}" for number in range(50)]
        right = [sum(random_.random() < 0.8 for _ in range(10)) for _ in names]
        scores = {name: {"precision": 0.8, "recall": hits / 10, "f1": 2 * 0.8 * hits / 10 / (0.8 + hits / 10), "support": 10}
                  for name, hits in zip(names, right)}  # fmt: skip
        macro = sum(one["f1"] for one in scores.values()) / 50
        found = diagnose(Evidence({**results(), "per_class": scores, "macro_f1": macro, "confusion_matrix": None})).findings
        high += any(finding.name == "class_low" and finding.sure.grade == "high" for finding in found)
    assert high <= 4, "about one in twenty"


def test_scores_that_are_missing_or_none_at_all_bring_no_fall():
    whole = results(counts=((48, 1, 1), (1, 48, 1), (35, 2, 13)))
    for spoilt in ({"f1": 0.3}, {"f1": 0.3, "support": 50}, {"f1": 0.3, "support": 50, "recall": float("nan"), "precision": 0.5},
                   {"f1": 0.3, "support": 50, "recall": 1.5, "precision": 0.5}, {"f1": 0.3, "support": -4, "recall": 0.5}):  # fmt: skip
        for label in ("正面", "中立"):
            found = diagnose(Evidence({**whole, "per_class": {**whole["per_class"], label: spoilt}})).findings
            own = [finding for finding in found if finding.data.get("label") == label and finding.name == "class_low"]
            assert len(own) == (spoilt.get("support", 0) > 0), (label, spoilt)
            assert all(0 <= finding.data["read"] <= 20 for finding in own)
            assert all(finding.as_json("en")["evidence"] for finding in found)


def test_notes_stand_last_and_alone_call_for_nothing():
    fell = Evidence(
        {**results(counts=((48, 1, 1), (1, 48, 1), (35, 2, 13))), "rows": {"valid": 100}}, evals(0.6, 0.8, 0.77, 0.75)
    )
    found = diagnose(fell)
    assert [finding.level for finding in found.findings] == sorted((one.level for one in found.findings), reverse=True)
    assert found.closing().key == "diagnosis.one_change"
    notes = diagnose(Evidence(results(), train_counts=SKEWED, balance="oversample"))
    assert notes.closing().key == "diagnosis.only_notes"


def test_a_baseline_ahead_is_as_sure_as_the_interval_lies_below_it():
    assert sure(Evidence(results(baseline=0.9)), "baseline_ahead") == ("medium", "interval_below")
    assert sure(Evidence(results(baseline=0.8)), "baseline_level") == ("medium", "level")
    assert sure(Evidence(results(baseline=0.81)), "baseline_within") == ("low", "interval_holds")
    assert sure(Evidence({**results(baseline=0.81), "confidence_interval": None}), "baseline_ahead") == ("medium", "no_interval")


def test_a_picture_names_its_amounts_and_the_weak_class_stands_first():
    assert [name for name, _ in found_in(EXAMPLES["class_low"], "class_low").picture.amounts] == ["中立", "正面", "負面"]
    drift = found_in(EXAMPLES["drift"], "drift").picture.as_json("en")
    assert drift == {"kind": "bars", "unit": "share", "amounts": [["training rows", 0.5], ["test rows", 0.9]]}
    many = {f"class {place}": 500 - place for place in range(20)} | {"rare": 3}
    shown = found_in(Evidence(results(), train_counts=many), "imbalance").picture.amounts
    assert len(shown) == 6 and shown[-1] == ("rare", 3.0)
