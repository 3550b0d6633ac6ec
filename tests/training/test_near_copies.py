"""Which test rows nearly stand in training: by wording, not by subject, and the same each time."""

import pytest

from tests.pages.judged_versions import every, finish, make_task
from training import near_copies
from training.data.rows import Row
from training.evidence import look_at_copies
from training.near_copies import copied, copied_rows

SUBJECTS = ["股市大漲創下新高紀錄", "央行宣布升息半碼因應通膨", "颱風逼近東部海面將發警報", "職棒總冠軍賽第七戰今晚開打"]


def rows(texts, name="text"):
    return [Row(f"r{place}", {name: text}, "a") for place, text in enumerate(texts)]


def test_a_wording_that_differs_by_a_word_is_nearly_the_same_and_a_subject_is_not():
    asked = rows(["股市大漲創下新高紀錄！", "股市下跌，投資人憂心", "完全沒有關係的一句話", "央行今宣布升息半碼因應通膨"])
    assert copied(rows(SUBJECTS), asked, "zh-TW") == {"r0": True, "r1": False, "r2": False, "r3": True}
    english = ["the order has not arrived yet", "please cancel my subscription now"]
    asked = rows(["The order has not arrived yet.", "please send the invoice again", "please renew my subscription today"])
    assert copied(rows(english), asked, "en") == {"r0": True, "r1": False, "r2": False}


def test_texts_without_a_word_are_not_looked_at():
    assert copied(rows(["!!", "??"]), rows(["!!"]), "en") is None
    assert copied(rows(SUBJECTS), rows([""]), "zh-TW") == {"r0": False}


def test_of_many_rows_some_are_drawn_the_same_each_time(monkeypatch):
    monkeypatch.setattr(near_copies, "MOST_TRAINING", 3)
    monkeypatch.setattr(near_copies, "MOST_PAIRS", 30)
    asked = rows([f"{SUBJECTS[place % 4]} {place}" for place in range(40)])
    first = copied(rows(SUBJECTS), asked, "zh-TW")
    assert len(first) == 10 and first == copied(rows(SUBJECTS), asked, "zh-TW")


@pytest.mark.parametrize("missing", [None, "train", "test"])
def test_of_a_version(tmp_path, missing):
    version = finish(
        make_task(tmp_path / "news", rows=20, text=lambda index: f"{SUBJECTS[index % 4]}第 {index} 則"), "v1", every(3)
    )
    if missing:
        version.split_path(missing).unlink()
        assert copied_rows(version) is None
        return
    found = copied_rows(version)
    assert found and all(found.values()), "all are written after four templates"
    assert look_at_copies(version) == found
