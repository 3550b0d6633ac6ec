"""Which test rows nearly stand in training: by wording, not by subject or a footer, and the same each time."""

import random

import pytest

from coach.diagnosis import diagnose
from tests.pages.judged_versions import every, finish, make_task
from training import near_copies
from training.data.rows import Row
from training.evidence import evidence_on, look_at_copies
from training.near_copies import copies_in, find_copies

SUBJECTS = ["股市大漲創下新高紀錄", "央行宣布升息半碼因應通膨", "颱風逼近東部海面將發警報", "職棒總冠軍賽第七戰今晚開打"]
LETTERS = random.Random(3)


def rows(texts):
    return [Row(f"r{place}", {"text": text}, "a") for place, text in enumerate(texts)]


def nonsense(count):
    return "".join(chr(LETTERS.randrange(0x4E00, 0x9000)) for _ in range(count))


def copied(train, test, language="zh-TW"):
    return find_copies(rows(train), rows(test), language).copied


def test_a_wording_that_differs_by_a_word_is_nearly_the_same_and_a_subject_is_not():
    asked = ["股市大漲創下新高紀錄！", "股市下跌，投資人憂心", "完全沒有關係的一句話", "央行今宣布升息半碼因應通膨"]
    assert copied(SUBJECTS, asked) == {"r0": True, "r1": False, "r2": False, "r3": True}
    english = [
        "the order has not arrived yet",
        "please cancel my subscription now",
        "where do I find an invoice",
        "opening hours?",
    ]
    asked = [
        "The order has not arrived yet.",
        "please send the goods again",
        "my subscription was renewed today",
        "It broke twice.",
    ]
    assert copied(english, asked, "en") == {"r0": True, "r1": False, "r2": False, "r3": False}


def test_one_number_counts_as_any_other():
    orders = [f"{subject}，編號 {LETTERS.randrange(10**6)}" for subject in SUBJECTS]
    assert copied([*orders, *map(nonsense, [12] * 20)], [f"{SUBJECTS[0]}，編號 98", f"{nonsense(10)}，編號 98"]) == {
        "r0": True,
        "r1": False,
    }


def test_a_footer_of_all_or_of_a_third_makes_no_copies_and_words_never_seen_count():
    footer, texts = nonsense(500), [nonsense(25) for _ in range(160)]
    everywhere = [text + footer for text in texts]
    assert not any(copied(everywhere[:100], everywhere[100:]).values())
    some = [text + footer if place % 3 == 0 else text for place, text in enumerate(texts)]
    assert not any(copied(some[:100], some[100:]).values())
    parcels = ["refund", "where is my parcel", "cancel the order please"]
    assert copied(parcels, ["Refund unexpectedly vanished yesterday evening"], "en") == {"r0": False}


def test_texts_without_a_word_are_not_looked_at():
    assert find_copies(rows(["!!", "??"]), rows(["!!"]), "en") is None
    assert find_copies([], rows(SUBJECTS), "zh-TW") is None and find_copies(rows(SUBJECTS), [], "zh-TW") is None
    assert copied(SUBJECTS, [""]) == {"r0": False}


@pytest.mark.parametrize(("limit", "value"), [("MOST_TRAINING", 20), ("MOST_LETTERS_IN_ALL", 800)])
def test_of_many_rows_some_are_drawn_the_same_each_time_and_it_says_so(monkeypatch, limit, value):
    texts = [nonsense(40) for _ in range(100)]
    whole = find_copies(rows(texts), rows(texts), "zh-TW")
    assert whole.seen == 1 and all(whole.copied.values())
    monkeypatch.setattr(near_copies, limit, value)
    part = find_copies(rows(texts), rows(texts[::-1]), "zh-TW")
    assert part.seen <= 0.2 and part == find_copies(rows(texts), rows(texts[::-1]), "zh-TW")
    assert not all(part.copied.values())
    monkeypatch.setattr(near_copies, "MOST_TEST", 7)
    assert len(find_copies(rows(texts), rows(texts), "zh-TW").copied) == 7


@pytest.fixture
def version(tmp_path):
    task = make_task(tmp_path / "news", rows=60, text=lambda index: f"{SUBJECTS[index % 4]}第 {index} 則")
    return finish(task, "v1", every(3))


def test_of_a_version_whose_rows_are_written_after_templates(version):
    found = copies_in(version)
    assert found.seen == 1 and found.copied and all(found.copied.values())
    evidence = evidence_on(version, version.results(), None, look_at_copies(version))
    assert "mostly_copies" in [finding.name for finding in diagnose(evidence).findings]


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_split_that_is_missing_or_damaged_is_not_looked_at(version, part):
    path = version.split_path(part)
    path.write_bytes(path.read_bytes()[:-40])
    assert look_at_copies(version) is None
    path.unlink()
    assert look_at_copies(version) is None
