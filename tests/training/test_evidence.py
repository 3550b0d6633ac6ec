"""What a diagnosis reads of the labels: the first target's suspects, drawn where rows are many, without those a person has marked."""

import pytest

from coach.diagnosis import diagnose
from coach.reviews import mark_row
from coach.workspace import Task
from tests.conftest import NOW
from tests.pages.judged_versions import LABELS, every, finish, make_task
from training import evidence
from training.evidence import evidence_on, look_at_labels

WORDS = {"正面": "獲利 成長 大漲 創高", "中立": "公告 會議 例行 董事", "負面": "虧損 下滑 大跌 裁員"}


def text(index):
    """Every eighth speaks for another label than its own."""
    return f"{WORDS[LABELS[(index % 3 + (index % 8 == 5)) % 3]]} 第 {index} 則"


@pytest.fixture
def version(tmp_path):
    return finish(make_task(tmp_path / "news", rows=200, text=text), "v1", every(3))


def suspects(version):
    return evidence_on(version, version.results(), look_at_labels(version, version.results())).suspects


def test_suspects_are_counted_among_all_rows_and_fewer_once_some_are_marked(version):
    before = suspects(version)
    assert before.rows == 242 and before.count >= 15 and before.agreement > 0.8
    looked = look_at_labels(version, version.results())
    assert "D13" in [finding.code for finding in diagnose(evidence_on(version, version.results(), looked)).findings]
    task = Task.open(version.folder.parents[1])
    for row in looked.found[:5]:
        mark_row(task, (row.id, None), "model_wrong", None, given=row.given, labels=LABELS, seen=None, now=NOW)
    assert suspects(version).count == before.count - 5
    (task.folder / "reviews.jsonl").write_text("{", encoding="utf-8")
    assert suspects(version).count == before.count, "marks that cannot be read hide nothing"


def test_of_many_rows_some_are_drawn(version, monkeypatch):
    monkeypatch.setattr(evidence, "LOOKED_AT", 120)
    assert suspects(version).rows == 120


def test_labels_that_were_not_looked_at_or_cannot_be_say_nothing(version, tmp_path):
    assert evidence_on(version, version.results()).suspects is None
    small = finish(make_task(tmp_path / "few", rows=4), "v1", every(3))
    assert look_at_labels(small, small.results()) is None
