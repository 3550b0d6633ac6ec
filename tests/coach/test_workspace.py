"""Task folders: opening, making, saving, freezing, and what must never get in or out."""

import errno
import json
import os
import shutil
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from coach.answers import Answers
from coach.errors import DocumentError, WorkspaceError
from coach.lineage import lineage_document
from coach.task_file import parse_task, read_task_file
from coach.workspace import Task, create_task, find_task, freeze_version, list_tasks, workspace_root, write_atomically
from coach.yaml_document import read_document

EXAMPLE = Path(__file__).parent.parent / "data" / "example-task"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """A working copy of the example, its version not yet frozen."""
    folder = tmp_path / "ticket-urgency"
    shutil.copytree(EXAMPLE, folder)
    shutil.rmtree(folder / "versions")
    return Task.open(folder)


def refused(key: str, action, *arguments, **named) -> WorkspaceError:
    with pytest.raises(WorkspaceError) as caught:
        action(*arguments, **named)
    assert caught.value.key == f"workspace.{key}"
    assert all(caught.value.lines("zh-TW")) and all(caught.value.lines("en")) and caught.value.exit_code == 2
    return caught.value


def test_example_is_read_whole():
    task = Task.open(EXAMPLE)
    version = task.version("v1")
    assert [v.name for v in task.versions()] == ["v1"] == [task.file.version]
    assert version.config == task.file and task.answers().task.name == task.file.task_name
    assert task.summary() is not None and version.changed_splits() == []
    for document in (version.results(), version.snapshot(), version.model_info(), version.lineage()):
        assert document
    for path in (version.events_path, version.predictions_path):
        assert all(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert not (EXAMPLE / ".task.lock").exists()


def test_freezing_again_gives_the_examples_own_snapshot_and_configuration(task: Task):
    version = freeze_version(task, "v1", NOW)
    frozen = Task.open(EXAMPLE).version("v1")
    assert version.snapshot_path.read_text(encoding="utf-8") == frozen.snapshot_path.read_text(encoding="utf-8")
    assert version.config_path.read_bytes() == task.file_path.read_bytes()
    assert sorted(path.name for path in version.folder.iterdir()) == ["config.yaml", "data", "data_snapshot.json"]


def test_lineage_is_built_in_the_examples_shape():
    version = Task.open(EXAMPLE).version("v1")
    built = lineage_document(
        version.config, version.snapshot(), version.results(), version="v1", created=NOW, changes=["初始版本"],
        verdict="met", decided_at=NOW + timedelta(minutes=10), adapter_path="versions/v1/model",
    )  # fmt: skip
    assert built == version.lineage()


def test_lineage_of_a_full_fine_tuning_without_results_has_every_key(task: Task):
    config = task.file.model_copy(update={"training": task.file.training.model_copy(update={"lora": None})})
    built = lineage_document(config, None, None, version="v1", created=NOW)
    assert built["config"]["lora"] is None and built["results"] == {} and built["decision"] is None
    assert built["data"]["source_hash"] is None and built["data"]["train_count"] == 0


def test_frozen_split_keeps_its_content_when_the_working_copy_is_replaced(task: Task):
    version = freeze_version(task, "v1", NOW)
    before = version.split_path("train").read_bytes()
    assert os.path.samefile(version.split_path("train"), task.data_folder / "train.jsonl")  # a hard link
    write_atomically(task.data_folder / "train.jsonl", "")
    assert version.split_path("train").read_bytes() == before and version.changed_splits() == []


def test_splits_are_copied_where_links_cannot_be_made(task: Task, monkeypatch):
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_links)
    version = freeze_version(task, "v1", NOW)
    assert version.changed_splits() == []
    assert not os.path.samefile(version.split_path("train"), task.data_folder / "train.jsonl")


def test_split_written_into_in_place_is_noticed(task: Task):
    version = freeze_version(task, "v1", NOW)
    with open(task.data_folder / "test.jsonl", "a", encoding="utf-8") as file:
        file.write("\n")
    assert version.changed_splits() == ["test"]


def test_freezing_under_another_name_writes_it_into_the_configuration(task: Task):
    version = freeze_version(task, "v2", NOW)
    assert (version.config.version, version.config.updated, task.file.version) == ("v2", NOW, "v1")


def test_freezing_twice_and_freezing_under_a_bad_name_are_refused(task: Task):
    freeze_version(task, "v1", NOW)
    refused("version_exists", freeze_version, task, "v1", NOW)
    for name in ("", "first", "../v2", "2025-01-07", "v2/x", "v2\0"):
        refused("version_name", freeze_version, task, name, NOW)
    assert [version.name for version in task.versions()] == ["v1"]


@pytest.mark.parametrize("split", ["train", "test"])
def test_freezing_without_a_needed_split_leaves_nothing_behind(task: Task, split: str):
    (task.data_folder / f"{split}.jsonl").unlink()
    refused("split_missing", freeze_version, task, "v1", NOW)
    assert not task.versions_folder.exists()


def test_freezing_without_a_validation_part_is_the_engines_to_refuse(task: Task):
    (task.data_folder / "valid.jsonl").unlink()
    assert list(freeze_version(task, "v1", NOW).snapshot()["splits"]) == ["train", "test"]


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"output": "緊急"}', "\xff"])
def test_broken_row_is_named_with_its_line_and_nothing_is_left(task: Task, line: str):
    with open(task.data_folder / "valid.jsonl", "ab") as file:
        file.write(line.encode("latin-1" if line == "\xff" else "utf-8") + b"\n")
    error = refused("split_broken", freeze_version, task, "v1", NOW)
    assert error.data["line"] == 4 and list(task.versions_folder.iterdir()) == []


def test_split_that_is_a_link_out_of_the_task_is_refused(task: Task, tmp_path: Path):
    outside = tmp_path / "elsewhere.jsonl"
    (task.data_folder / "train.jsonl").rename(outside)
    (task.data_folder / "train.jsonl").symlink_to(outside)
    refused("climbs_out", freeze_version, task, "v1", NOW)


def test_classes_are_counted_with_zeros_blank_lines_and_rare_line_ends(task: Task):
    rows = [{"output": {"urgency": "一般"}, "input": {"text": "a\u2028b\x85c", "product": "x"}}, {"output": {"urgency": "其他"}}]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    write_atomically(task.data_folder / "train.jsonl", "\n\n".join(lines) + "\n")
    train = freeze_version(task, "v1", NOW).snapshot()["splits"]["train"]
    assert train["rows"] == 2 and train["class_distribution"] == {"緊急": 0, "一般": 1, "不急": 0, "其他": 1}


def test_text_answers_are_counted_too(task: Task):
    text = task.file_path.read_text(encoding="utf-8")
    text = text.replace("type: json\n  schema:\n    urgency:\n      type: string\n      enum:", "type: text\n  enum:")
    write_atomically(task.file_path, text)
    for split in ("train", "valid", "test"):
        write_atomically(task.data_folder / f"{split}.jsonl", '{"output": "緊急"}\n')
    assert freeze_version(task, "v1", NOW).snapshot()["splits"]["test"]["class_distribution"]["緊急"] == 1


def test_full_disk_while_freezing_leaves_no_half_version(task: Task, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused("disk_full", freeze_version, task, "v1", NOW)
    assert list(task.versions_folder.iterdir()) == []


def test_two_threads_that_freeze_the_same_version_make_one(task: Task):
    outcomes: list[str] = []

    def freeze() -> None:
        try:
            freeze_version(Task.open(task.folder), "v1", NOW)
            outcomes.append("made")
        except WorkspaceError as error:
            outcomes.append(error.key)

    threads = [threading.Thread(target=freeze) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] + ["workspace.version_exists"] * 3


def test_a_configuration_of_a_newer_version_is_still_read(task: Task):
    version = freeze_version(task, "v1", NOW)
    write_atomically(version.config_path, version.config_path.read_text(encoding="utf-8") + "colour: red\n")
    assert version.config.task_name == "ticket-urgency"
    with pytest.raises(DocumentError):
        read_task_file(version.config_path)


def test_versions_are_listed_in_their_order_and_nothing_else_is(task: Task, tmp_path: Path):
    for name in ("v10", "v2", "v2.1"):
        freeze_version(task, name, NOW)
    (task.versions_folder / "notes").mkdir()
    (task.versions_folder / "v3").mkdir()  # no config.yaml: not frozen
    (task.versions_folder / "v4").symlink_to(EXAMPLE / "versions" / "v1")
    assert [version.name for version in task.versions()] == ["v2", "v2.1", "v10"]
    refused("climbs_out", task.version, "v4")
    for name in ("v3", "v9", "notes", "", ".", "..", "../../x", "v2/../v2", "/etc", "v2\0", "ｖ2"):
        refused("no_such_version", task.version, name)


def test_results_are_none_until_written_and_nan_becomes_null(task: Task):
    version = freeze_version(task, "v1", NOW)
    assert version.results() is None and version.lineage() is None and version.model_info() is None
    version.write_results({"macro_f1": float("nan"), "drawn": {"緊急": [float("inf"), 0.5]}})
    assert version.results() == {"macro_f1": None, "drawn": {"緊急": [None, 0.5]}}
    assert "緊急" in version.results_path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_broken_results_are_a_sentence(task: Task, content: bytes):
    version = freeze_version(task, "v1", NOW)
    version.results_path.write_bytes(content)
    refused("broken_json", version.results)


def test_file_is_replaced_in_one_step_and_a_failure_keeps_the_old_one(tmp_path: Path, monkeypatch):
    path = tmp_path / "a.yaml"
    write_atomically(path, "old")
    for number, key in (
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EACCES, "not_writable"),
        (errno.EIO, "write_failed"),
    ):

        def fail(*_: object, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "replace", fail)
        refused(key, write_atomically, path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.yaml"]
    write_atomically(path, b"\xe6\x96\xb0")
    assert path.read_text(encoding="utf-8") == "新"
    refused("folder_gone", write_atomically, tmp_path / "gone" / "a.yaml", "x")
    refused("write_failed", write_atomically, tmp_path / ("x" * 250), "x")


def test_readers_never_see_half_a_file(tmp_path: Path):
    path, stop, seen = tmp_path / "a", threading.Event(), set()
    write_atomically(path, "a" * 100_000)

    def read() -> None:
        while not stop.is_set():
            text = path.read_text()
            seen.add((len(text), text[:1], text[-1:]))

    reader = threading.Thread(target=read)
    reader.start()
    for letter in "bcdefgh":
        write_atomically(path, letter * 100_000)
    stop.set()
    reader.join()
    assert seen and all(length == 100_000 and first == last for length, first, last in seen)


def test_opening_what_is_no_task_is_a_sentence(tmp_path: Path):
    refused("no_such_folder", Task.open, tmp_path / "none")
    refused("not_a_task", Task.open, tmp_path)
    refused("unreadable", Task.open, tmp_path / ("x" * 300))
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    refused("no_such_folder", Task.open, tmp_path / "broken")


def test_task_is_opened_by_its_folder_or_its_file(task: Task):
    assert Task.open(task.file_path).folder == task.folder == Task.open(task.folder).folder
    (task.folder / "other.yaml").write_bytes(task.file_path.read_bytes())
    assert Task.open(task.folder / "other.yaml").file == task.file


def test_root_is_taken_from_the_environment_given():
    assert workspace_root({"COACH_WORKSPACE": "/data/coach"}) == Path("/data/coach")
    assert workspace_root({}) == Path.cwd() / "workspace" == workspace_root({"COACH_WORKSPACE": ""})


def test_new_task_is_there_before_it_has_a_task_yaml(tmp_path: Path):
    root = tmp_path / "workspace"
    assert list_tasks(root) == []
    task = create_task(root, "parcel-mood", title="送貨留言")
    assert (task.answers().title, task.answers().task.name, task.has_file) == ("送貨留言", "parcel-mood", False)
    assert [found.name for found in list_tasks(root)] == ["parcel-mood"]
    with pytest.raises(DocumentError):
        _ = task.file
    refused("task_exists", create_task, root, "parcel-mood")


@pytest.mark.parametrize("name", ["", "..", "../x", "A", "a b", "任務", "a" * 64, "-a", "a/b", ".hidden", "a\n", "ａ"])
def test_bad_task_name_is_refused_everywhere(tmp_path: Path, name: str):
    refused("task_name", create_task, tmp_path, name)
    refused("task_name", find_task, tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_tasks_that_are_none_hidden_or_elsewhere_are_not_listed(tmp_path: Path, task: Task):
    root = tmp_path / "workspace"
    create_task(root, "b-task")
    create_task(root, "a-task")
    (root / "empty").mkdir()
    (root / "Notes").mkdir()
    (root / "file").write_text("x")
    (root / "linked").symlink_to(task.folder)
    assert [found.name for found in list_tasks(root)] == ["a-task", "b-task"]
    assert find_task(root, "a-task").name == "a-task"
    refused("climbs_out", find_task, root, "linked")
    refused("not_a_task", find_task, root, "empty")
    refused("no_such_task", find_task, root, "file")
    refused("no_such_task", find_task, root, "c-task")


def test_saving_over_somebody_elses_change_is_refused(task: Task):
    seen = task.fingerprint()
    changed = task.file.model_copy(update={"domain": "support"})
    task.save_file(changed, expected=seen)
    refused("changed_meanwhile", task.save_file, changed, expected=seen)
    task.save_file(changed.model_copy(update={"domain": "retail"}))
    assert task.file.domain == "retail"


def test_task_file_is_read_each_time(task: Task):
    text = task.file_path.read_text(encoding="utf-8").replace("domain: customer-service", "domain: other")
    task.file_path.write_text(text, encoding="utf-8")
    assert task.file.domain == "other" == parse_task(text).domain


def test_lock_is_held_again_by_its_holder_and_kept_from_others(task: Task):
    with task.lock():
        task.save_answers(Answers(title="同一個人"))
        outcome: list[str] = []

        def other() -> None:
            try:
                with Task.open(task.folder).lock(wait_s=0.1):
                    outcome.append("taken")
            except WorkspaceError as error:
                outcome.append(error.key)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert outcome == ["workspace.locked"]
    with task.lock(wait_s=0.1):
        assert task.answers().title == "同一個人"


def test_answers_survive_many_writers(task: Task):
    threads = [threading.Thread(target=task.save_answers, args=(Answers(title=f"第 {n} 位"),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert task.answers().title in {f"第 {n} 位" for n in range(8)}
    assert not [path for path in task.folder.iterdir() if path.suffix == ".tmp"]


def test_summary_is_saved_beside_the_answers(task: Task):
    summary = task.summary()
    assert summary is not None
    task.save_summary(summary.model_copy(update={"goal": "新的目標\n"}))
    assert read_document(task.folder / "task_summary.yaml").mapping["task_summary"]["goal"] == "新的目標\n"


def test_what_a_killed_freeze_left_is_removed_at_the_next_one(task: Task):
    left = task.versions_folder / ".v7.0123456789ab.tmp"
    mine = task.versions_folder / ".mine.tmp"
    for folder in (left, mine):
        (folder / "data").mkdir(parents=True)
    freeze_version(task, "v1", NOW)
    assert not left.exists() and mine.is_dir()


@pytest.mark.parametrize("fails_at", ["answers.yaml", "task.yaml"])
def test_a_full_disk_leaves_no_half_task_and_the_name_free(tmp_path, monkeypatch, fails_at):
    file = read_task_file(EXAMPLE / "task.yaml")
    replace = os.replace

    def full(source, target):
        if Path(target).name == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    refused("disk_full", create_task, tmp_path, "news", file=file)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert create_task(tmp_path, "news", file=file).has_file


def test_what_somebody_else_put_into_a_half_made_folder_stays(tmp_path, monkeypatch):
    def full(source, target):
        (tmp_path / "news" / "mine.txt").write_text("mine", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    refused("disk_full", create_task, tmp_path, "news")
    assert [path.name for path in (tmp_path / "news").iterdir()] == ["mine.txt"]


def test_a_name_that_is_taken_keeps_what_stands_there(task):
    before = sorted(path.name for path in task.folder.iterdir())
    refused("task_exists", create_task, task.folder.parent, task.name)
    assert sorted(path.name for path in task.folder.iterdir()) == before


def test_a_folder_called_task_yaml_is_told(task):
    task.file_path.unlink()
    task.file_path.mkdir()
    assert str(task.file_path) in refused("unreadable", task.fingerprint).lines("en")[0]


@pytest.mark.parametrize(
    ("place", "value"),
    [("target", [1]), ("rows", "many"), ("baseline", {"tfidf": [1]}), ("per_class", {"正面": 1}), ("primary_metric", "macro_f1"),
     ("confusion_matrix", {"labels": ["a", "b"], "counts": [[1]]}), ("confidence_interval", 3)],
)  # fmt: skip
def test_results_of_another_shape_are_refused_where_they_are_read(tmp_path, place, value):
    shutil.copytree(EXAMPLE, tmp_path / "urgency")
    version = Task.open(tmp_path / "urgency").version("v1")
    assert version.results()
    version.write_results({**version.results(), place: value})
    assert place in refused("broken_json", version.results).lines("en")[0]


@pytest.mark.parametrize("splits", [["train"], {"train": 3}, {"train": {"class_distribution": ["a"]}}, {"train": {"rows": "12"}}])
def test_a_snapshot_of_another_shape_is_refused_where_it_is_read(tmp_path, splits):
    shutil.copytree(EXAMPLE, tmp_path / "urgency")
    version = Task.open(tmp_path / "urgency").version("v1")
    assert version.snapshot()["splits"]["train"]["rows"]
    version.write_snapshot({**version.snapshot(), "splits": splits})
    assert "splits" in refused("broken_json", version.snapshot).lines("zh-TW")[0]
