"""Marks on rows: what may be written, that nobody's is lost, and a damaged file that is told calmly and left as it is."""

import json
import threading

import pytest

from coach.errors import UserError, WorkspaceError
from coach.reviews import REVIEWS_FILE, mark_row, read_reviews, unmark_row
from coach.workspace import create_task
from tests.conftest import NOW

LABELS = ["a", "b", "c"]


@pytest.fixture
def task(tmp_path):
    return create_task(tmp_path, "news")


def mark(task, row, kind, label=None, *, given="a", seen=None, target=None):
    mark_row(task, (row, target), kind, label, given=given, labels=LABELS, seen=seen, now=NOW)


def said(task):
    return {key: review.says() for key, review in read_reviews(task.folder).items()}


def test_a_mark_is_one_line_with_everything_that_is_needed_later(task):
    assert read_reviews(task.folder) == {}
    mark(task, "r-1", "label_wrong", "b")
    (line,) = (task.folder / REVIEWS_FILE).read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "id": "r-1",
        "target": None,
        "mark": "label_wrong",
        "given": "a",
        "label": "b",
        "at": NOW.isoformat(),
    }


def test_marks_are_changed_and_taken_back_row_by_row_and_slot_by_slot(task):
    mark(task, "r-1", "label_wrong", "b")
    mark(task, "r-2", "ambiguous")
    mark(task, "r-1", "model_wrong", target="tone")
    mark(task, "r-1", "model_wrong", "c", seen=read_reviews(task.folder)["r-1", None])
    assert said(task) == {
        ("r-1", None): ("model_wrong", None),
        ("r-2", None): ("ambiguous", None),
        ("r-1", "tone"): ("model_wrong", None),
    }
    unmark_row(task, ("r-1", None), seen=read_reviews(task.folder)["r-1", None])
    assert list(said(task)) == [("r-2", None), ("r-1", "tone")]


@pytest.mark.parametrize(("label", "key"), [(None, "reviews.no_label"), ("z", "reviews.no_label"), ("a", "reviews.same_label")])
def test_a_wrong_label_needs_another_one_of_the_task(task, label, key):
    with pytest.raises(UserError) as refused:
        mark(task, "r-1", "label_wrong", label)
    assert refused.value.key == key and not (task.folder / REVIEWS_FILE).exists()


def test_many_browsers_at_once_lose_no_mark(task):
    barrier, raised = threading.Barrier(8), []

    def one(number):
        barrier.wait()
        try:
            for place in range(5):
                mark(task, f"r-{number}-{place}", "ambiguous")
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert raised == [] and len(read_reviews(task.folder)) == 40


def test_a_mark_somebody_else_has_changed_meanwhile_is_not_overwritten(task):
    mark(task, "r-1", "ambiguous")
    with pytest.raises(WorkspaceError) as refused:
        mark(task, "r-1", "label_wrong", "b", seen=None)
    assert refused.value.key == "reviews.changed_meanwhile" and said(task) == {("r-1", None): ("ambiguous", None)}
    mark(task, "r-1", "ambiguous", seen=None)  # the same by both is no quarrel
    with pytest.raises(WorkspaceError):
        unmark_row(task, ("r-1", None), seen=None)


@pytest.mark.parametrize(
    "line",
    ["{", "[1]", '"r-1"', '{"id": "r-1"}', '{"id": 1, "target": null, "mark": "ambiguous", "given": "a"}',
     '{"id": "r-1", "target": null, "mark": "sure", "given": "a"}', '{"id": "r-1", "target": null, "mark": "label_wrong", "given": "a"}'],
)  # fmt: skip
def test_a_damaged_file_is_told_by_its_line_and_never_written_over(task, line):
    mark(task, "r-1", "ambiguous")
    path = task.folder / REVIEWS_FILE
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    before = path.read_bytes()
    for act in (lambda: read_reviews(task.folder), lambda: mark(task, "r-2", "ambiguous")):
        with pytest.raises(WorkspaceError) as refused:
            act()
        assert refused.value.key == "reviews.damaged" and refused.value.data["line"] == 2
    assert path.read_bytes() == before


def test_a_file_that_is_no_text_is_told_too(task):
    (task.folder / REVIEWS_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkspaceError, match=r"reviews\.jsonl"):
        read_reviews(task.folder)


def test_keys_of_a_later_day_and_odd_line_ends_within_a_text_are_read(task):
    document = {"id": "r\u20281", "target": None, "mark": "ambiguous", "given": "a", "who": "Ann"}
    (task.folder / REVIEWS_FILE).write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
    assert said(task) == {("r\u20281", None): ("ambiguous", None)}
