"""Findings that lie in the rows: what brings each of them, and what does not."""

from __future__ import annotations

import json

import pytest

from coach.diagnosis import diagnose
from coach.finding import Answered, Evidence, LabelSuspects
from coach.next_step import next_step
from coach.text import LANGUAGES
from tests.coach.test_diagnosis import results


def found(**given):
    return [(finding.code, finding.name) for finding in diagnose(Evidence(results(), **given)).findings]


def rows(*parts):
    """`(count, letters, right)` each; of these the first `right` are right."""
    return [Answered(letters, place < right) for count, letters, right in parts for place in range(count)]


def test_d10_another_share_in_the_test_than_in_training():
    even = {"正面": 100, "負面": 100, "中立": 100}
    assert found(train_counts=even, test_counts={"正面": 60, "負面": 40, "中立": 20}) == [("D10", "drift")]
    assert found(train_counts=even, test_counts={"正面": 42, "負面": 38, "中立": 40}) == []
    assert found(train_counts=even, test_counts={"正面": 9, "負面": 4, "中立": 4}) == [], "too few rows to tell"
    assert found(train_counts=even, test_counts={"正面": 30, "負面": 22, "中立": 14}) == [], "chance does as much"
    assert found(train_counts=even, test_counts={"正面": 0, "負面": 60, "中立": 60}) == [("D10", "drift")]


def test_d11_texts_of_one_length_that_go_wrong():
    assert found(answered=rows((40, 10, 16), (80, 50, 72))) == [("D11", "short_texts")]
    assert found(answered=rows((80, 50, 72), (40, 400, 16))) == [("D11", "long_texts")]
    assert found(answered=rows((40, 10, 32), (80, 50, 68))) == [], "a few points are noise"
    assert found(answered=rows((15, 10, 2), (30, 50, 29))) == [], "too few rows to tell"
    assert found(answered=rows((120, 10, 60))) == [], "all of one length"
    assert found() == []


def copies(count, right):
    return [Answered(9, place < right, copied=True) for place in range(count)]


def others(count, right):
    return [Answered(9, place < right, copied=False) for place in range(count)]


def test_d14_test_texts_that_nearly_stand_in_training():
    assert found(answered=[*copies(40, 39), *others(60, 40)]) == [("D14", "copies_flatter")]
    assert found(answered=[*copies(10, 8), *others(90, 70)]) == [("D14", "near_copies")], "answered like the others: a note"
    assert found(answered=[*copies(40, 20), *others(60, 58)]) == [("D14", "near_copies")], "answered worse they flatter nothing"
    assert found(answered=copies(40, 39)) == [("D14", "mostly_copies")]
    assert found(answered=[*copies(34, 34), *others(20, 17)]) == [("D14", "mostly_copies")], "more than half of the test"
    for last in (others(1, 0), others(19, 19)):
        assert found(answered=[*copies(39, 39), *last]) == [("D14", "mostly_copies")], "too few others to hold them against"
    assert found(answered=[*copies(4, 4), *others(40, 20)]) == [], "four are chance"
    assert found(answered=[*copies(6, 6), *others(200, 100)]) == [], "a small share"
    assert found(answered=[Answered(9, True)] * 40) == [], "nobody looked"
    unseen = [Answered(9, False)] * 500
    assert found(answered=[*copies(10, 10), *others(40, 20), *unseen]) == [("D14", "copies_flatter")], "of those looked at"


def test_d14_where_only_a_part_of_training_was_looked_at_the_others_are_not_called_unseen():
    rows = [*copies(14, 14), *others(486, 300)]
    assert found(answered=rows, training_seen=0.05) == [("D14", "copies_at_least")]
    assert found(answered=rows, training_seen=0.6) == [], "fewer than a look at all of them would make a word of"
    (finding,) = diagnose(Evidence(results(), answered=rows, training_seen=0.05)).findings
    assert "5%" in finding.evidence.say("en") and "62%" not in finding.evidence.say("en")


def test_a_score_that_is_flattered_is_not_for_deployment():
    met = results(value=0.93, threshold=0.85)
    for rows in (copies(40, 39), [*copies(40, 39), *others(60, 40)]):
        judged = diagnose(Evidence(met, answered=rows))
        assert judged.verdict.word == "met" and judged.flattered is not None
        assert next_step("v1", judged, None).key == "next_step.met_flattered"
        first = judged.verdict.sentences()[0].say("zh-TW")
        assert "先別部署" in first and "可以部署" not in first, "every page gives one advice"
    fair = diagnose(Evidence(met, answered=[*copies(10, 8), *others(90, 70)]))
    assert fair.flattered is None and next_step("v1", fair, None).key == "next_step.met"


def test_d12_sure_and_wrong():
    right = [Answered(10, True, 0.99)] * 80
    assert found(answered=[*right, *[Answered(10, False, 0.95)] * 6, *[Answered(10, False, 0.5)] * 10]) == [
        ("D12", "sure_and_wrong")
    ]
    assert found(answered=[*right, *[Answered(10, False, 0.95)] * 4]) == [], "a handful is nothing to go by"
    assert found(answered=[*right, *[Answered(10, False, 0.95)] * 6, *[Answered(10, False, 0.5)] * 40]) == []
    assert found(answered=[*right, *[Answered(10, False, None)] * 20]) == [], "not scored"


def test_d13_labels_the_baseline_speaks_against():
    assert found(suspects=LabelSuspects(500, 20, 0.88)) == [("D13", "label_suspects")]
    assert found(suspects=LabelSuspects(500, 20, 0.72)) == [("D13", "label_suspects_hard")]
    assert found(suspects=LabelSuspects(363, 8, 0.95)) == [("D13", "label_suspects")], "few, of rows that are easily learnt"
    assert found(suspects=LabelSuspects(363, 8, 0.72)) == [] and found(suspects=LabelSuspects(100, 4, 0.95)) == []
    assert found(suspects=LabelSuspects(5000, 60, 0.88)) == [], "a small share"
    assert found(suspects=None) == []


def test_labels_come_first_where_they_are_likely_wrong_and_late_where_the_rows_may_be_hard():
    drifted = {"train_counts": {"正面": 100, "負面": 100}, "test_counts": {"正面": 30, "負面": 90}}
    assert [code for code, _ in found(suspects=LabelSuspects(500, 20, 0.88), **drifted)] == ["D13", "D10"]
    assert [code for code, _ in found(suspects=LabelSuspects(500, 20, 0.72), **drifted)] == ["D10", "D13"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("agreement", [0.72, 0.88])
def test_d13_says_how_many_of_how_many_and_how_sure(language, agreement):
    (said,) = diagnose(Evidence(results(), suspects=LabelSuspects(500, 20, agreement))).findings
    text = said.evidence.say(language)
    assert all(number in text for number in ("500", "20", "4.0%", f"{agreement:.0%}")) and "{" not in said.next_experiment.say(
        language
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_is_said_with_its_numbers(language):
    evidence = Evidence(
        results(),
        train_counts={"正面": 100, "負面": 100},
        test_counts={"正面": 30, "負面": 90},
        answered=[*rows((40, 10, 12), (80, 50, 72)), *[Answered(50, False, 0.97)] * 20],
    )
    said = diagnose(evidence)
    assert list(dict.fromkeys(finding.code for finding in said.findings)) == ["D10", "D11", "D12"]
    text = json.dumps(said.as_json(language), ensure_ascii=False)
    assert "{" not in "".join(finding.evidence.say(language) + finding.next_experiment.say(language) for finding in said.findings)
    assert "50%" in text and "75%" in text
