"""Figures brought from elsewhere, as scikit-learn prints them and as people save them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix, f1_score, precision_recall_fscore_support

from coach.diagnosis import diagnose
from coach.errors import UserError
from coach.finding import Evidence
from coach.pasted_scores import read_figures_file, read_pasted
from coach.text import LANGUAGES

LABELS = ["很 正面", "neutral, mostly", "負面"]


def answers(rows=400, seed=0):
    rng = np.random.default_rng(seed)
    actual = rng.choice(3, rows, p=(0.1, 0.5, 0.4))
    return actual, np.where(rng.random(rows) < 0.7, actual, rng.integers(3, size=rows))


def csv_of(counts, labels=("a", "b", "c"), mark=","):
    rows = [mark.join(["", *labels])]
    return "\n".join([*rows, *(mark.join([label, *map(str, row)]) for label, row in zip(labels, counts))])


def test_a_report_is_read_as_scikit_learn_prints_it():
    actual, predicted = answers()
    found = read_pasted("\n\n  " + classification_report(actual, predicted, target_names=LABELS, digits=6) + "\nDone in 3 s")
    precision, recall, f1, support = precision_recall_fscore_support(actual, predicted)
    assert list(found["per_class"]) == LABELS
    for place, scores in enumerate(found["per_class"].values()):
        expected = (precision[place], recall[place], f1[place], support[place])
        assert (scores["precision"], scores["recall"], scores["f1"], scores["support"]) == pytest.approx(expected, abs=1e-6)
    assert found["macro_f1"] == pytest.approx(f1_score(actual, predicted, average="macro"), abs=1e-6)
    assert found["accuracy"] == pytest.approx(accuracy_score(actual, predicted), abs=1e-6)
    assert found["rows"]["test"] == 400 and "confidence_interval" not in found


def test_a_report_of_two_classes_is_its_matrix_and_has_an_interval():
    rng = np.random.default_rng(3)
    actual = rng.integers(2, size=300)
    predicted = np.where(rng.random(300) < 0.75, actual, 0)
    found = read_pasted(classification_report(actual, predicted, target_names=["no", "yes"]))
    assert found["confusion_matrix"]["counts"] == confusion_matrix(actual, predicted).tolist()
    assert found["confidence_interval"]["low"] < found["macro_f1"] < found["confidence_interval"]["high"]
    three = np.repeat([0, 1, 2], 100)
    of_two = classification_report(three, np.where(rng.random(300) < 0.8, three, 2), labels=[0, 1], target_names=["no", "yes"])
    assert "confusion_matrix" not in read_pasted(of_two), "two of three classes"
    cannot = read_pasted("    precision recall f1-score support\nno 0.90 0.50 0.64 100\nyes 0.95 0.60 0.74 100\n")
    assert "confusion_matrix" not in cannot, "precisions that those recalls cannot have"


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_a_matrix_gives_the_scores_their_interval_and_what_is_taken_for_what(mark):
    actual, predicted = answers()
    counts = confusion_matrix(actual, predicted)
    found = read_pasted(csv_of(counts, ("很 正面", "中立", "負面"), mark), metric="accuracy")
    assert found["confusion_matrix"] == {"labels": ["很 正面", "中立", "負面"], "counts": counts.tolist()}
    assert found["macro_f1"] == pytest.approx(f1_score(actual, predicted, average="macro"))
    assert found["primary_metric"] == {"name": "accuracy", "value": pytest.approx(accuracy_score(actual, predicted))}
    interval = found["confidence_interval"]
    assert interval["low"] < found["accuracy"] < interval["high"] and interval["high"] - interval["low"] < 0.12


@pytest.mark.parametrize(
    "printed",
    [repr, str, lambda counts: str(counts.tolist()), lambda counts: "\n".join(" ".join(map(str, row)) for row in counts)],
)
def test_a_matrix_without_names_is_read_as_it_is_printed(printed):
    counts = confusion_matrix(*answers())
    found = read_pasted(printed(counts))
    assert found["confusion_matrix"] == {"labels": ["0", "1", "2"], "counts": counts.tolist()}


def test_a_matrix_whose_lines_stand_in_another_order_is_put_in_order():
    lines = csv_of([[8, 1, 1], [2, 7, 1], [0, 3, 6]]).split("\n")
    assert read_pasted("\n".join([lines[0], lines[3], lines[1], lines[2]])) == read_pasted("\n".join(lines))


def test_saved_by_a_spreadsheet_it_reads_the_same():
    plain = csv_of([[8, 1, 1], [2, 7, 1], [0, 3, 6]])
    assert read_pasted("\ufeff" + plain.replace("\n", "\r\n").replace("8", "8.0").replace(",", "，")) == read_pasted(plain)


def test_what_is_found_in_them_is_what_would_be_found_in_a_version_of_ours():
    said = diagnose(Evidence(read_pasted(csv_of([[0, 30, 0], [0, 100, 0], [0, 60, 0]]))))
    assert [finding.name for finding in said.findings][:3] == ["collapse", "never_predicted", "never_predicted"]
    for language in LANGUAGES:
        assert said.as_json(language)["verdict"]["sentences"]


@pytest.mark.parametrize(
    ("pasted", "key"),
    [
        ("precision recall f1-score support\n a 0.5 abc 10", "figures.no_report_lines"),
        (",a,b,c,d\na,80,0,1,2\nb,1,70,2\nc,0,1,60,1\nd,0,0,0,9", "figures.not_square"),
        (" \n", "figures.nothing"),
        ("hello", "figures.unreadable"),
        ("a,b\nc,d", "figures.unreadable"),
        ("72%", "figures.unreadable"),
        ("[[3 4]]", "figures.unreadable"),
        ("x" * 100_001, "figures.too_long"),
        (csv_of([[1, 2, 3], [4, 5, 6]]), "figures.not_square"),
        (",a,b\na,1,2\nc,3,4", "figures.other_names"),
        (csv_of([[1, 2], [3, 4]], ("a", "a")), "figures.class_twice"),
        (csv_of([[1, 2, 3], [4, 5, 6], [7, 8]]), "figures.not_square"),
        ("[[1 2 3]\n [4 5 6]]", "figures.not_square"),
        (csv_of([[0, 0], [0, 0]], ("a", "b")), "figures.impossible_counts"),
        (csv_of([[10**9, 1], [1, 1]], ("a", "b")), "figures.impossible_counts"),
        (csv_of([["1" * 5000, 1], [1, 1]], ("a", "b")), "figures.no_counts"),
        ("[[0.8 0.2]\n [0.1 0.9]]", "figures.no_counts"),
        (",a,b\na,-1,2\nb,3,4", "figures.no_counts"),
        ("a  0.1 0.2 0.13 10\nb 0.1 0.2 1.7 10", "figures.no_share"),
        ("a  80 75 77 10\nb 0.1 0.2 0.13 10", "figures.no_share"),
        ("a  0.1 0.2 0.7 10\nb 0.1 0.2 0.13 10", "figures.no_f1"),
        ("a 0.5 0.5 0.5 " + "9" * 5000 + "\nb 0.5 0.5 0.5 1", "figures.unreadable"),
        ("a 0.5 0.5 0.5 10\nb 0.5 0.5 0.5 10\nmacro avg 0.5 0.5 0.5 30", "figures.lines_missing"),
        ("a 0.5 0.5 0.5 10\nb 0.5 0.5 0.5 10\nsamples avg 0.5 0.5 0.5 20", "figures.multi_label"),
        ("a 0.5 0.5 0.5 0\nb 0.5 0.5 0.5 0", "figures.impossible_counts"),
        ("a  0.1 0.2 0.13 10\nb 0.1 0.2 0.13 10\na 0.1 0.2 0.13 10", "figures.class_twice"),
    ],
)
def test_what_cannot_be_read_is_refused_in_three_sentences(pasted, key):
    with pytest.raises(UserError) as raised:
        read_pasted(pasted)
    assert raised.value.key == key
    for language in LANGUAGES:
        assert len([line for line in raised.value.lines(language) if line and not re.search(r"\{\w", line)]) == 3


def test_totals_are_taken_off_however_they_are_called_and_with_or_without_names():
    counts = [[80, 20], [10, 90]]
    plain = read_pasted(csv_of(counts, ("a", "b")))
    totals = [[80, 20, 100], [10, 90, 100], [90, 110, 200]]
    assert read_pasted(csv_of(totals, ("a", "b", "合計"))) == plain
    assert read_pasted(str(np.array(totals)))["confusion_matrix"]["counts"] == counts


def test_a_table_with_numbers_for_names_is_read_as_pandas_saves_it():
    counts = confusion_matrix(*answers())
    found = read_pasted(pd.DataFrame(counts).to_csv())
    assert found["confusion_matrix"] == {"labels": ["0", "1", "2"], "counts": counts.tolist()}
    assert found == read_pasted(str(counts))


def test_a_matrix_of_four_classes_is_not_taken_for_a_report():
    for text in (",a,b,c,d\na,1,0,0,5\nb,0,1,0,3\nc,0,0,1,2\nd,0,0,0,9", "1 0 0 5 2\n0 1 0 3 1\n0 0 1 2 0\n0 0 0 9 1\n0 0 0 0 4"):
        assert "confusion_matrix" in read_pasted(text) and "confusion_matrix" in read_pasted(re.sub(r"(\d)", r"\1.0", text))


def test_a_table_in_markdown_and_numbers_with_marks_are_read():
    found = read_pasted("|   | a | b |\n|---|---:|---:|\n| a | 8 | 2 |\n| b | 1 | 9 |")
    assert found["confusion_matrix"]["counts"] == [[8, 2], [1, 9]]
    marked = read_pasted(',a,b\na,"1,000",20\nb,10,90')
    assert marked["confusion_matrix"]["counts"] == [[1000, 20], [10, 90]]
    assert read_pasted("array([[8, 2],\n       [1, 9]], dtype=int64)")["confusion_matrix"]["counts"] == [[8, 2], [1, 9]]


def test_a_class_that_is_never_predicted_counts_though_its_precision_is_not_a_number():
    actual, predicted = [0] * 10 + [1] * 10 + [2] * 10, [0] * 9 + [1] + [1] * 10 + [0] * 10
    found = read_pasted(classification_report(actual, predicted, target_names=["a", "b", "c"], zero_division=np.nan))
    assert found["macro_f1"] == pytest.approx(f1_score(actual, predicted, average="macro", zero_division=0), abs=0.01)
    assert found["rows"]["test"] == 30 and found["accuracy"] == pytest.approx(accuracy_score(actual, predicted), abs=0.01)


def test_a_reports_accuracy_is_its_own_line_not_a_class_of_that_name_nor_micro_avg():
    actual, predicted = answers()
    named = read_pasted(classification_report(actual, predicted, target_names=["accuracy", "macro", "micro avg."]))
    assert named["accuracy"] == pytest.approx(accuracy_score(actual, predicted), abs=0.01) and len(named["per_class"]) == 3
    partly = read_pasted(classification_report(actual, predicted, labels=[0, 1], target_names=["a", "b"]), metric="accuracy")
    assert partly["accuracy"] is None and partly["primary_metric"]["name"] == "macro_f1"


def test_a_reports_data_frame_is_read_printed_and_saved():
    actual, predicted = answers()
    frame = pd.DataFrame(classification_report(actual, predicted, target_names=["a", "b", "c"], output_dict=True)).T
    for text in (frame.to_csv(), frame.to_string()):
        found = read_pasted(text)
        assert found["macro_f1"] == pytest.approx(f1_score(actual, predicted, average="macro"), abs=1e-4)
        assert found["accuracy"] == pytest.approx(accuracy_score(actual, predicted), abs=1e-4) and list(found["per_class"]) == [
            "a",
            "b",
            "c",
        ]


def test_of_a_report_and_a_matrix_pasted_together_the_matrix_counts_by_the_reports_names():
    actual, predicted = answers()
    both = classification_report(actual, predicted, target_names=LABELS) + "\n" + str(confusion_matrix(actual, predicted))
    found = read_pasted(both)
    assert found["confusion_matrix"]["labels"] == LABELS and "confidence_interval" in found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp950"])
def test_a_file_is_read_as_spreadsheets_save_it(tmp_path, encoding):
    text = csv_of([[8, 1], [2, 7]], ("好", "壞"))
    (tmp_path / "matrix.csv").write_bytes(text.encode(encoding))
    assert read_pasted(read_figures_file(str(tmp_path / "matrix.csv")))["confusion_matrix"]["labels"] == ["好", "壞"]
    (tmp_path / "other.csv").write_bytes(b"\xff\x00\xff")
    with pytest.raises(UserError):
        read_figures_file(str(tmp_path / "other.csv"))


def test_many_classes_take_a_moment():
    counts = np.random.default_rng(0).integers(0, 9, size=(150, 150))
    assert 0 < read_pasted(csv_of(counts, [f"c{n}" for n in range(150)]))["confidence_interval"]["low"] < 1


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError) as raised:
        read_figures_file(str(tmp_path / "none.txt"))
    assert raised.value.key == "figures.no_file" and "none.txt" in str(raised.value)


def test_no_text_takes_long_to_refuse():
    for text in (
        "a" + " " * 99_000 + "x",
        "a " * 40_000,
        "0.1 " * 20_000,
        ("x " * 50 + "0.5 " * 50 + "\n") * 300,
        "[" * 90_000,
        "1," * 40_000,
    ):
        with pytest.raises(UserError):
            read_pasted(text)
