import csv

from training.predicting import Answer, UnlabelledFile, write_answers


def test_each_score_stands_under_its_label_where_rows_were_scored_for_different_ones(tmp_path):
    file = UnlabelledFile(["text"], [{"text": "甲"}, {"text": "乙"}], [{"text": "甲"}, {"text": "乙"}], 0)
    answers = [Answer("a", {None: {"a": 0.7, "b": 0.2}}), Answer("c", {None: {"c": 0.6, "b": 0.1}})]
    write_answers(tmp_path / "out.csv", file, answers)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as opened:
        first, second = csv.DictReader(opened)
    assert first == {"text": "甲", "predicted": "a", "score:a": "0.7", "score:b": "0.2", "score:c": ""}
    assert second == {"text": "乙", "predicted": "c", "score:a": "", "score:b": "0.1", "score:c": "0.6"}
