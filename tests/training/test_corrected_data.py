"""Marks become a new data snapshot: new labels under the same ids, old versions and raw files as they were, a lineage that says so."""

import csv
import io
import json
import os
import threading

import pytest
import yaml

from coach.errors import DataError, UserError, WorkspaceError
from coach.next_version_draft import refuse_a_copy
from coach.reviews import mark_row, read_reviews, unmark_row
from coach.task_file import task_to_yaml
from coach.text import text
from coach.version_folder import SPLITS
from coach.workspace import Task
from tests.conftest import NOW
from tests.pages.judged_versions import LABELS, every, finish, make_task
from tests.training.small_task import task_file
from training import corrected_data
from training.corrected_data import correct_data, pending
from training.data.corrections import CORRECTIONS_FILE, Corrections, NewLabel, corrected, read_corrections, uncorrected
from training.data.rows import Row, read_rows, rows_to_jsonl
from training.data.source import data_source_to_yaml, source_document
from training.new_version import new_version, prepare_data

LETTERS = ["apple", "berry", "cherry"]


@pytest.fixture
def plain(tmp_path):
    """A task whose parts were put there by hand, with one finished version."""
    task = make_task(tmp_path / "news")
    finish(task, "v1", every(3))
    return task


@pytest.fixture
def sourced(tmp_path):
    """A task whose parts are made from a raw file, with one frozen version."""
    folder = tmp_path / "letters"
    (folder / "raw").mkdir(parents=True)
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerows([["text", "label"], *([f"{LETTERS[n % 3][0]} {n}", LETTERS[n % 3]] for n in range(60))])
    (folder / "raw" / "rows.csv").write_text(sheet.getvalue(), encoding="utf-8")
    file = task_file("starter/gemma-3-270m")
    (folder / "task.yaml").write_text(task_to_yaml(file), encoding="utf-8")
    source = source_document(file, {"text": "text", "label": "label"}, "raw/rows.csv", now=NOW)
    (folder / "data_source.yaml").write_text(data_source_to_yaml(source), encoding="utf-8")
    task = Task.open(folder)
    prepare_data(task, NOW)
    new_version(task, "v1", NOW)
    return task


@pytest.fixture(params=["plain", "sourced"])
def task(request):
    return request.getfixturevalue(request.param)


def labels(task, part):
    return {row.id: row.output for row in read_rows(task.data_folder / f"{part}.jsonl")}


def mark(task, part, place, kind="label_wrong", seen=None):
    """Marks a row of `data/` as it carries its label now; returns its id, the label it carries and the one it is to have."""
    row = read_rows(task.data_folder / f"{part}.jsonl")[place]
    known = next(iter(task.file.targets.values()))
    label = known[(known.index(row.output) + 1) % 3] if kind == "label_wrong" else None
    mark_row(task, (row.id, None), kind, label, given=row.output, labels=known, seen=seen, now=NOW)
    return row.id, row.output, label


def content(folder, *, but=()):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock") and path.relative_to(folder).parts[0] not in but
    }


def as_next(task, name="v2"):
    task.save_file(task.file.model_copy(update={"version": name}))
    return new_version(task, name, NOW)


def test_a_corrected_label_is_in_the_new_snapshot_under_the_same_id_and_everything_older_is_untouched(task):
    before = content(task.folder, but=("data", "reviews.jsonl", "corrections.jsonl"))
    ids = {part: list(labels(task, part)) for part in SPLITS}
    marked = {part: mark(task, part, 1) for part in SPLITS}
    made = correct_data(task, NOW)
    assert dict(made.labels) == {"train": 1, "valid": 1, "test": 1} and made.left_out == 0 and made.missing == 0
    for part, (row, _, label) in marked.items():
        assert labels(task, part)[row] == label and list(labels(task, part)) == ids[part]
    assert content(task.folder, but=("data", "reviews.jsonl", "corrections.jsonl")) == before
    assert task.version("v1").changed_splits() == []

    frozen = as_next(task)
    assert {row.id: row.output for row in read_rows(frozen.split_path("train"))}[marked["train"][0]] == marked["train"][2]
    snapshots = [version.snapshot()["splits"] for version in (task.version("v1"), frozen)]
    assert all(snapshots[0][part]["sha256"] != snapshots[1][part]["sha256"] for part in SPLITS)
    assert frozen.snapshot()["data_version"] == made.version


def test_the_next_versions_lineage_says_how_many_and_that_the_test_is_another_one(task):
    for part, places in (("train", (0, 3)), ("test", (2,))):
        [mark(task, part, place) for place in places]
    mark(task, "train", 5, "ambiguous")
    correct_data(task, NOW, leave_out_ambiguous=True)
    changes = as_next(task).lineage()["changes"]
    if task.file.language == "en":
        assert changes[0] == "Labels changed: 3 (training 2, validation 0, test 1)"
        assert changes[1:] == [
            "Ambiguous rows left out of training: 1",
            "Test labels changed: 1; the score cannot be held against that of v1 as it stands",
        ]
    else:
        assert changes[0] == "標註改動 3 筆（訓練 2、驗證 0、測試 1）" and "1 筆不再用來訓練" in changes[1] and "v1" in changes[2]


@pytest.mark.parametrize(("language", "said"), [("zh-TW", "標註改動 1 筆"), ("en", "Labels changed: 1 (")])
def test_a_correction_taken_back_is_not_called_one(plain, language, said):
    plain.save_file(plain.file.model_copy(update={"language": language}))
    row, _, _ = mark(plain, "train", 1)
    correct_data(plain, NOW)
    second = as_next(plain)
    unmark_row(plain, (row, None), seen=read_reviews(plain.folder)[row, None])
    made = correct_data(plain, NOW)
    lineage = as_next(plain, "v3").lineage()["changes"]
    assert second.name == "v2" and lineage[0].startswith(said) and said in made.lines(language)[0]


def test_a_version_without_corrections_says_nothing_of_labels(task):
    task.save_file(task.file.model_copy(update={"training": task.file.training.model_copy(update={"epochs": 7.0})}))
    (change,) = as_next(task).lineage()["changes"]
    assert change.startswith("training.epochs")


def test_a_corrected_snapshot_alone_makes_the_next_version_no_copy(task):
    draft = task.file.model_copy(update={"version": "v2"})
    with pytest.raises(UserError):
        refuse_a_copy(task, task.version("v1"), draft)
    mark(task, "train", 0)
    correct_data(task, NOW)
    refuse_a_copy(task, task.version("v1"), draft)


def test_ambiguous_rows_leave_training_alone_where_that_is_asked_for_and_come_back(task):
    trained, tested = (mark(task, part, 4, "ambiguous")[0] for part in ("train", "test"))
    assert pending(task).count == 0
    before = {part: labels(task, part) for part in SPLITS}
    made = correct_data(task, NOW, leave_out_ambiguous=True)
    assert made.left_out == 1 and trained not in labels(task, "train") and tested in labels(task, "test")
    assert pending(task, leave_out_ambiguous=True).count == 0
    assert correct_data(task, NOW).left_out == 1
    assert {part: labels(task, part) for part in SPLITS} == before


def test_a_mark_taken_back_takes_its_correction_back(task):
    row, given, label = mark(task, "train", 1)
    correct_data(task, NOW)
    assert labels(task, "train")[row] == label
    unmark_row(task, (row, None), seen=read_reviews(task.folder)[row, None])
    assert dict(pending(task).labels) == {"train": 1, "valid": 0, "test": 0}
    correct_data(task, NOW)
    assert labels(task, "train")[row] == given and not (task.folder / CORRECTIONS_FILE).exists()


def test_a_corrected_row_may_be_corrected_again_or_found_right(task):
    row, given, once = mark(task, "train", 1)
    correct_data(task, NOW)
    _, _, twice = mark(task, "train", 1, seen=read_reviews(task.folder)[row, None])
    correct_data(task, NOW)
    assert labels(task, "train")[row] == twice and len({given, once, twice}) == 3
    mark(task, "train", 1, "model_wrong", seen=read_reviews(task.folder)[row, None])
    assert pending(task).count == 0, "the label it carries by now is right"


def test_nothing_to_correct_is_refused_and_leaves_nothing_behind(task):
    mark(task, "train", 1, "model_wrong")
    before = content(task.folder)
    with pytest.raises(UserError) as refused:
        correct_data(task, NOW)
    assert refused.value.key == "reviews.nothing_to_correct" and content(task.folder) == before


def test_a_mark_on_a_row_that_is_gone_is_counted_and_said(task):
    mark(task, "train", 1)
    mark_row(task, ("r-gone", None), "label_wrong", "x", given="y", labels=["x", "y"], seen=None, now=NOW)
    made = correct_data(task, NOW)
    assert made.missing == 1 and sum(made.labels.values()) == 1
    for language in ("zh-TW", "en"):
        assert len(made.lines(language)) == 2 and "{" not in "".join(made.lines(language))


def test_corrections_stay_when_data_are_made_again_from_a_changed_source(sourced):
    row, _, label = mark(sourced, "train", 1)
    correct_data(sourced, NOW)
    raw = sourced.folder / "raw" / "rows.csv"
    raw.write_text(raw.read_text(encoding="utf-8") + "a 99,apple\nb 98,berry\n", encoding="utf-8")
    report = prepare_data(sourced, NOW).report
    assert report is not None and report.corrected == 1 and sum(report.counts.values()) == 62
    everywhere = {**labels(sourced, "train"), **labels(sourced, "valid"), **labels(sourced, "test")}
    assert everywhere[row] == label
    written = yaml.safe_load((sourced.data_folder / "data_version.yaml").read_text(encoding="utf-8"))
    assert written["corrections"] == 1 and written["version"] == "2026-11-23-003"
    assert prepare_data(sourced, NOW).report is None, "made once is enough"


def test_without_the_raw_file_the_parts_themselves_are_corrected(sourced):
    (sourced.folder / "raw" / "rows.csv").unlink()
    row, _, label = mark(sourced, "test", 0)
    correct_data(sourced, NOW)
    assert labels(sourced, "test")[row] == label


def test_a_label_settled_otherwise_meanwhile_is_left_as_it_is(plain):
    row, given, _ = mark(plain, "train", 1)
    rows = read_rows(plain.data_folder / "train.jsonl")
    other = next(label for label in LABELS if label not in (given, read_reviews(plain.folder)[row, None].label))
    rows = [type(one)(one.id, one.input, other, one.source) if one.id == row else one for one in rows]
    (plain.data_folder / "train.jsonl").write_text(rows_to_jsonl(rows), encoding="utf-8")
    found = pending(plain)
    assert found.count == 0 and found.missing == 1


def test_one_slot_of_a_json_answer_is_corrected_and_the_others_stay():
    row = Row("r-1", {"text": "x"}, {"sentiment": "a", "tone": "b"})
    parts = {"train": [row], "valid": [], "test": []}
    corrections = Corrections({("r-1", "tone"): NewLabel("b", "c")})
    found = corrected(parts, corrections)
    assert found["train"] == [Row("r-1", {"text": "x"}, {"sentiment": "a", "tone": "c"})]
    assert row.output["tone"] == "b" and uncorrected(found, corrections) == parts


def test_a_making_that_fails_leaves_data_and_corrections_as_they_were(sourced, monkeypatch):
    mark(sourced, "train", 1)
    correct_data(sourced, NOW)
    mark(sourced, "train", 2)
    before = content(sourced.folder)

    def full(*arguments, **settings):
        raise WorkspaceError("workspace.disk_full", path="data/train.jsonl")

    monkeypatch.setattr("training.corrected_data.build_data", full)
    with pytest.raises(WorkspaceError):
        correct_data(sourced, NOW)
    assert content(sourced.folder) == before


@pytest.mark.parametrize("earlier", [True, False])
def test_data_are_made_once_after_a_correction_that_worked_and_never_after_one_that_did_not(sourced, monkeypatch, earlier):
    mark(sourced, "train", 1)
    if earlier:
        correct_data(sourced, NOW)
        assert prepare_data(sourced, NOW).report is None
        mark(sourced, "train", 2)
    for path in (path for path in sourced.folder.rglob("*") if path.is_file()):
        os.utime(path, (path.stat().st_mtime - 10, path.stat().st_mtime - 10))
    before = content(sourced.folder)

    def full(*arguments, **settings):
        raise WorkspaceError("workspace.disk_full", path="data/train.jsonl")

    with monkeypatch.context() as patch:
        patch.setattr("training.corrected_data.build_data", full)
        with pytest.raises(WorkspaceError):
            correct_data(sourced, NOW)
    assert prepare_data(sourced, NOW).report is None and content(sourced.folder) == before
    now = (sourced.data_folder / "data_version.yaml").stat().st_mtime + 5
    os.utime(sourced.folder / "data_source.yaml", (now, now))
    assert prepare_data(sourced, NOW).report.unchanged and prepare_data(sourced, NOW).report is None


def test_what_a_full_disk_left_half_done_is_finished_by_the_next_call(plain, monkeypatch):
    marked = {part: mark(plain, part, 1) for part in SPLITS}
    write = corrected_data.write_atomically

    def full(path, content):
        if path.name == "test.jsonl":
            raise WorkspaceError("workspace.disk_full", path=str(path))
        write(path, content)

    monkeypatch.setattr(corrected_data, "write_atomically", full)
    with pytest.raises(WorkspaceError):
        correct_data(plain, NOW)
    monkeypatch.undo()
    assert labels(plain, "train")[marked["train"][0]] == marked["train"][2], "half is done"
    assert dict(correct_data(plain, NOW).labels) == {"train": 0, "valid": 0, "test": 1}
    assert all(labels(plain, part)[row] == label for part, (row, _, label) in marked.items())
    assert [unmark_row(plain, key, seen=review) for key, review in read_reviews(plain.folder).items()]
    assert sum(correct_data(plain, NOW).labels.values()) == 3, "and all of it can be taken back"


def killed(task, patch, name, at_call=1, **settings):
    """`correct_data` in a process that dies where it is about to call `name` for the `at_call`th time, as a kill or a power cut."""
    child = os.fork()
    if child == 0:
        try:
            calls, real = [], getattr(patch, name)

            def dying(*arguments, **options):
                calls.append(1)
                if len(calls) == at_call:
                    os._exit(9)
                return real(*arguments, **options)

            setattr(patch, name, dying)
            correct_data(task, NOW, **settings)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


AT = [
    pytest.param(corrected_data, "_make", 1, id="before the parts"),
    pytest.param(corrected_data, "write_atomically", 2, id="between the parts"),
    pytest.param(corrected_data, "write_data_version", 1, id="before the version"),
    pytest.param(corrected_data, "write_corrections", 2, id="before the last corrections"),
]
unix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def everything(task):
    return {part: sorted(rows_to_jsonl([row]) for row in read_rows(task.data_folder / f"{part}.jsonl")) for part in SPLITS}


@unix
@pytest.mark.parametrize(("place", "name", "at"), AT)
def test_whatever_kills_a_correction_that_is_taken_back_no_row_and_no_label_is_lost(plain, place, name, at):
    before = everything(plain)
    keys = [(mark(plain, "train", number, "ambiguous")[0], None) for number in (4, 5)]
    keys += [(mark(plain, part, 1)[0], None) for part in SPLITS]
    first = correct_data(plain, NOW, leave_out_ambiguous=True).version
    for key in keys:
        unmark_row(plain, key, seen=read_reviews(plain.folder)[key])
    killed(plain, place, name, at)
    assert pending(plain).unfinished
    made = correct_data(plain, NOW)
    assert everything(plain) == before and not (plain.folder / CORRECTIONS_FILE).exists()
    assert made.version == named(plain) != first and not pending(plain).unfinished
    with pytest.raises(UserError):
        correct_data(plain, NOW)


@unix
@pytest.mark.parametrize(("place", "name", "at"), AT)
def test_no_version_begins_with_half_corrected_data(plain, place, name, at):
    mark(plain, "train", 1), mark(plain, "test", 1)
    killed(plain, place, name, at)
    if name == "write_corrections":
        assert new_version(plain, "v2", NOW).name == "v2", "data and their version are made"
        return
    with pytest.raises(DataError, match=r"half way|做到一半"):
        new_version(plain, "v2", NOW)
    assert [version.name for version in plain.versions()] == ["v1"]
    correct_data(plain, NOW)
    assert new_version(plain, "v2", NOW).name == "v2"


@unix
@pytest.mark.parametrize(("place", "name", "at"), AT)
def test_a_correction_killed_and_then_meant_otherwise_is_undone(plain, place, name, at):
    before = everything(plain)
    left = mark(plain, "train", 4, "ambiguous")[0]
    row, _, once = mark(plain, "train", 1)
    correct_data(plain, NOW, leave_out_ambiguous=True)
    mark(plain, "train", 1, seen=read_reviews(plain.folder)[row, None])
    mark(plain, "valid", 1)
    killed(plain, place, name, at)
    for key, review in read_reviews(plain.folder).items():
        unmark_row(plain, key, seen=review)
    killed(plain, place, name, 1)
    correct_data(plain, NOW)
    assert everything(plain) == before and left in labels(plain, "train")


@unix
@pytest.mark.parametrize("name", ["_make", "write_corrections"])
def test_a_label_taken_back_comes_back_from_the_source_after_a_kill(sourced, name):
    before = everything(sourced)
    row, _, _ = mark(sourced, "train", 1)
    correct_data(sourced, NOW)
    unmark_row(sourced, (row, None), seen=read_reviews(sourced.folder)[row, None])
    killed(sourced, corrected_data, name, 1 if name == "_make" else 2)
    made = correct_data(sourced, NOW)
    assert everything(sourced) == before and made.version == named(sourced) == "2026-11-23-003"
    assert not (sourced.folder / CORRECTIONS_FILE).exists() and prepare_data(sourced, NOW).report is None


@unix
def test_parts_from_a_source_that_were_killed_before_their_version_get_one(sourced):
    from training.data import build

    mark(sourced, "train", 1)
    killed(sourced, build, "write_data_version")
    assert named(sourced) == "2026-11-23-001"
    assert correct_data(sourced, NOW).version == named(sourced) == "2026-11-23-002"


def named(task):
    return yaml.safe_load((task.data_folder / "data_version.yaml").read_text(encoding="utf-8"))["version"]


def test_a_damaged_corrections_file_is_not_to_be_removed():
    said = {language: text("errors.reviews.corrections_damaged.todo", language) for language in ("zh-TW", "en")}
    assert "Mend that line" in said["en"] and "Do not remove" in said["en"] and "不要刪掉" in said["zh-TW"]


def without(task, label):
    """The task loses a class, some time after everything before was written."""
    for path in (path for path in task.folder.rglob("*") if path.is_file()):
        os.utime(path, (path.stat().st_mtime - 10, path.stat().st_mtime - 10))
    form = task.file.output_format
    task.save_file(task.file.model_copy(update={"output_format": form.model_copy(update={"enum": [*form.enum[:-1]]})}))
    assert form.enum[-1] == label


def to_class(task, label, given):
    row = next(row for row in read_rows(task.data_folder / "train.jsonl") if row.output == given)
    mark_row(task, (row.id, None), "label_wrong", label, given=given, labels=[label], seen=None, now=NOW)
    return row.id


def test_a_correction_to_a_class_the_task_lost_leaves_the_data_when_they_are_made_again(sourced):
    raw = sourced.folder / "raw" / "rows.csv"
    raw.write_text(raw.read_text(encoding="utf-8").replace("cherry", "berry"), encoding="utf-8")
    prepare_data(sourced, NOW)
    row = to_class(sourced, "cherry", "apple")
    correct_data(sourced, NOW)
    assert labels(sourced, "train")[row] == "cherry"
    without(sourced, "cherry")
    prepare_data(sourced, NOW)
    assert labels(sourced, "train")[row] == "apple"
    assert prepare_data(sourced, NOW).report is None, "made once is enough"
    assert pending(sourced).missing == 1 and pending(sourced).count == 0


def test_a_correction_to_a_class_the_task_lost_is_offered_to_be_taken_back_without_a_source(plain):
    row = to_class(plain, LABELS[2], LABELS[0])
    correct_data(plain, NOW)
    without(plain, LABELS[2])
    assert pending(plain).missing == 1 and correct_data(plain, NOW).missing == 1
    assert labels(plain, "train")[row] == LABELS[0]


@pytest.mark.parametrize("label", ["", "nobody knows it"])
def test_a_mark_written_by_hand_brings_no_unknown_class_into_the_data(task, label):
    row, given, meant = mark(task, "train", 1)
    path = task.folder / "reviews.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace(json.dumps(meant, ensure_ascii=False), json.dumps(label)), "utf-8")
    assert read_reviews(task.folder)[row, None].label == label
    assert pending(task).count == 0 and pending(task).missing == 1
    with pytest.raises(UserError):
        correct_data(task, NOW)
    assert labels(task, "train")[row] == given


def test_two_who_press_at_once_make_one_snapshot(plain):
    mark(plain, "train", 1)
    made, refused = [], []

    def press():
        try:
            made.append(correct_data(plain, NOW))
        except UserError as error:
            refused.append(error.key)

    threads = [threading.Thread(target=press) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(made) == 1 and refused == ["reviews.nothing_to_correct"]


LEFT = {"id": "r-1", "input": {"text": "x"}, "output": "a", "source": "", "synthetic": False}
LABEL = {"id": "r-1", "target": None, "given": "a", "label": "b"}


@pytest.mark.parametrize(
    "line",
    [
        *({"left_out": LEFT | {"input": value}} for value in ("x", ["x"], None)),
        *({"left_out": LEFT | {"output": value}} for value in (5, ["a"], None)),
        *({"left_out": value} for value in ("r-1", [], None)),
        *(LABEL | {name: value} for name in ("target", "given", "label") for value in (5, ["a"])),
        {"earlier": {"left_out": LEFT | {"input": "x"}}},
        ["left_out"],
        "left_out",
        5,
    ],
    ids=json.dumps,
)
def test_a_line_of_the_wrong_kind_is_refused_where_it_is_read(plain, line):
    sound = [{"left_out": LEFT}, LABEL, {"earlier": LABEL}]
    lines = "".join(json.dumps(one) + "\n" for one in sound)
    (plain.folder / CORRECTIONS_FILE).write_text(lines, encoding="utf-8")
    assert len(read_corrections(plain.folder)) == 2
    (plain.folder / CORRECTIONS_FILE).write_text(lines + json.dumps(line) + "\n", encoding="utf-8")
    before = content(plain.folder)
    with pytest.raises(WorkspaceError) as refused:
        correct_data(plain, NOW)
    assert (refused.value.key, refused.value.data["line"]) == ("reviews.corrections_damaged", 4)
    assert content(plain.folder) == before


def test_damaged_corrections_are_told_by_their_line(plain):
    mark(plain, "train", 1)
    correct_data(plain, NOW)
    path = plain.folder / CORRECTIONS_FILE
    path.write_text(path.read_text(encoding="utf-8") + json.dumps({"id": "r-1"}) + "\n", encoding="utf-8")
    with pytest.raises(WorkspaceError) as refused:
        read_corrections(plain.folder)
    assert refused.value.key == "reviews.corrections_damaged" and refused.value.data["line"] == 2
