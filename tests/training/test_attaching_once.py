"""Attaching reads a file once, and leaves the folder as it was where anything goes wrong."""

import io
import json
from datetime import UTC, datetime

import pytest

from coach.answers import Answers
from coach.errors import DataError, WorkspaceError
from coach.workspace import create_task
from training import attaching, known_inspections
from training.attached_file import attached, inspect
from training.attaching import attach_path, attach_upload, correct_columns
from training.data import read

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def sheet(count=60, third="備註"):
    labels = ["退款", "物流", "其他"]
    return f"內文,{third},類別\n" + "".join(f"第{n}封信的內容,備註{n},{labels[n % 3]}\n" for n in range(count))


def upload(task, content=None, name="信件.csv"):
    return attach_upload(task, io.BytesIO((content or sheet()).encode()), name, now=NOW)


@pytest.fixture
def task(tmp_path):
    return create_task(tmp_path / "ws", "letters", answers=Answers.model_validate({"task": {"type": "classification"}}))


@pytest.fixture
def reads(monkeypatch):
    """The names of the files read so far."""
    names, real = [], read.read_table
    monkeypatch.setattr(read, "read_table", lambda path, **options: names.append(path.name) or real(path, **options))
    return names


def everything(task):
    return {
        str(path.relative_to(task.folder)): path.read_bytes()
        for path in task.folder.rglob("*.*")
        if path.is_file() and path.name != ".task.lock"
    }


# --- once -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["信件.csv", "letters.csv"])
def test_an_attached_file_is_read_once_and_what_is_kept_is_what_a_second_reading_finds(task, reads, name):
    upload(task, name=name)
    seen = inspect(attached(task))
    assert reads == [name]
    known_inspections._known.clear()
    assert inspect(attached(task)) == seen and len(reads) == 2


def test_a_file_kept_beside_another_is_shown_under_its_own_name(task):
    upload(task)
    upload(task, sheet(90))
    seen = inspect(attached(task))
    assert seen.report.path == "信件-2.csv" and seen.report.rows_valid == 90


def test_a_changed_file_and_changed_columns_are_read_anew(task, reads):
    done = upload(task)
    before = dict(attached(task).mapping)
    assert correct_columns(task, {**before, "text": "備註"}, seen=before, now=NOW)
    assert len(reads) == 2
    done.path.write_text(sheet(30), encoding="utf-8")
    assert inspect(attached(task)).report.rows_valid == 30 and len(reads) == 3


# --- nothing left ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [WorkspaceError("workspace.disk_full", path="x"), UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "no")]
)
@pytest.mark.parametrize("step", ["write_answers", "data_source_to_yaml"])
def test_a_first_file_leaves_nothing_where_writing_fails(task, monkeypatch, fault, step):
    before = everything(task)

    def fail(*_):
        raise fault

    monkeypatch.setattr(attaching, step, fail)
    with pytest.raises(type(fault)):
        upload(task)
    assert everything(task) == before


def test_a_second_file_leaves_the_first_as_it_was_where_writing_fails(task, monkeypatch):
    upload(task)
    before = everything(task)

    def fail(*_):
        raise WorkspaceError("workspace.disk_full", path="x")

    monkeypatch.setattr(attaching, "write_answers", fail)
    with pytest.raises(WorkspaceError):
        upload(task, sheet(30, third="主旨"), name="其他.csv")
    assert everything(task) == before


def test_a_file_that_was_there_before_is_never_taken_away(task, monkeypatch):
    inside = task.folder / "raw" / "mine.csv"
    inside.parent.mkdir(exist_ok=True)
    inside.write_text(sheet(), encoding="utf-8")

    def fail(*_):
        raise WorkspaceError("workspace.disk_full", path="x")

    monkeypatch.setattr(attaching, "write_answers", fail)
    for attach in (lambda: attach_path(task, "raw/mine.csv", now=NOW), lambda: upload(task, name="mine.csv")):
        with pytest.raises(WorkspaceError):
            attach()
        assert inside.read_text(encoding="utf-8") == sheet() and not (task.folder / "data_source.yaml").exists()


def test_half_a_surrogate_in_a_columns_name_is_said_and_leaves_nothing(task, tmp_path):
    outside = tmp_path / "rows.jsonl"
    outside.write_text(
        "\n".join(json.dumps({"te\ud83dxt": f"text {n}", "label": "ab"[n % 2]}) for n in range(9)), encoding="utf-8"
    )
    before = everything(task)
    for attach in (
        lambda: attach_path(task, str(outside), now=NOW),
        lambda: attach_upload(task, io.BytesIO(outside.read_bytes()), "rows.jsonl", now=NOW),
    ):
        with pytest.raises(DataError) as raised:
            attach()
        assert raised.value.key == "data.header_unwritable" and everything(task) == before


def test_a_path_that_is_no_text_is_refused_in_words(task):
    with pytest.raises(DataError) as raised:
        attach_path(task, "/tmp/\udcff.csv", now=NOW)
    assert raised.value.key == "data.unreadable" and "".join(raised.value.lines("zh-TW")).encode()
