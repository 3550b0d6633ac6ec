"""What stands between a task.yaml and its training, and saving the text a person left in an editor."""

from __future__ import annotations

from datetime import date

import pytest

from coach.advised import advise
from coach.answers import Answers
from coach.errors import WorkspaceError
from coach.hardware import Hardware
from coach.task_file import task_to_yaml
from coach.workspace import Task, create_task, freeze_version
from tests.conftest import NOW
from tests.training import small_task
from training.attached_file import look
from training.before_start import Rows, before_start, expected_estimate, saved_estimate
from training.plan_to_task import draft_for
from training.run_status import RunStatus
from training.run_view import RunView
from training.task_saving import save_task_text

TODAY = date(2026, 11, 23)
MACHINE = Hardware(cores=2, ram_gb=8)
SAID = {
    "task": {"type": "classification", "language": "zh-TW"},
    "success": {"threshold": 0.8},
    "resources": {"data_path": "raw/letters.csv"},
}


def status(state):
    return lambda version: RunStatus(state, RunView())


@pytest.fixture
def ready(tmp_path) -> Task:
    return small_task.make_task(tmp_path / "ready-task", small_task.task_file("starter/gemma-3-270m"))


@pytest.fixture
def with_file(tmp_path) -> Task:
    """Answers that name a file of a hundred rows; no task.yaml, nothing built."""
    task = create_task(tmp_path, "letters", answers=Answers.model_validate(SAID))
    (task.folder / "raw").mkdir()
    lines = [f"第 {i} 封信說了{'好' if i % 2 else '壞'}消息,{'正面' if i % 2 else '負面'}" for i in range(100)]
    (task.folder / "raw" / "letters.csv").write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return task


def test_built_rows_are_counted_and_nothing_stands_in_the_way(ready):
    found = before_start(ready, ready.file, None, status_of=status("new"), today=TODAY)
    assert (found.data, found.rows, found.closed) == ("ready", Rows(24, 9, 12, counted=True), None)
    assert saved_estimate(ready.file, ready, MACHINE).minutes_range


def test_without_data_the_start_is_closed(ready):
    for part in ("train", "valid", "test"):
        (ready.data_folder / f"{part}.jsonl").unlink()
    found = before_start(ready, ready.file, None, status_of=status("new"), today=TODAY)
    assert (found.data, found.rows, found.closed) == ("missing", None, "no_data")


@pytest.mark.parametrize(
    ("state", "closed"),
    [("running", "running"), ("silent", "running"), ("finished", "finished"), ("new", None), ("failed", None)],
)
def test_a_frozen_version_is_closed_by_how_its_run_stands(ready, state, closed):
    freeze_version(ready, "v1", NOW)
    found = before_start(ready, ready.file, None, status_of=status(state), today=TODAY)
    assert found.closed == closed and found.following == "v2"


def test_a_stopped_version_with_a_checkpoint_is_to_be_resumed(ready):
    from training.checkpoints import NEEDED

    version = freeze_version(ready, "v1", NOW)
    folder = version.checkpoints_folder / "3"
    folder.mkdir(parents=True)
    for name in NEEDED:
        (folder / name).write_text("{}", encoding="utf-8")
    found = before_start(ready, ready.file, None, status_of=status("stopped"), today=TODAY)
    assert found.closed == "resumable"


def test_rows_of_a_file_not_split_yet_are_expected_and_the_time_told_from_them(with_file):
    seen = look(with_file)
    file = draft_for(with_file, advise(with_file, seen.facts, MACHINE), seen, NOW).task
    found = before_start(with_file, file, seen, status_of=status("new"), today=TODAY)
    assert (found.data, found.closed) == ("to_build", None)
    assert not found.rows.counted and found.rows.train + found.rows.valid + found.rows.test == seen.facts.rows
    slow = file.model_copy(update={"training": file.training.model_copy(update={"method": "sft", "epochs": 20})})
    fast = file.model_copy(update={"training": file.training.model_copy(update={"method": "sft", "epochs": 2})})
    assert expected_estimate(with_file, slow, seen, MACHINE).minutes > expected_estimate(with_file, fast, seen, MACHINE).minutes


def test_rows_of_a_label_taken_out_of_task_yaml_are_not_counted(with_file):
    raw = with_file.folder / "raw" / "letters.csv"
    raw.write_text(raw.read_text(encoding="utf-8") + "又一封信,其他\n再一封信,其他\n", encoding="utf-8")
    seen = look(with_file)
    file = draft_for(with_file, advise(with_file, seen.facts, MACHINE), seen, NOW).task
    shape = file.output_format.model_copy(update={"enum": ["正面", "負面"]})
    fewer = file.model_copy(update={"output_format": shape})
    every, kept = (before_start(with_file, one, seen, status_of=status("new"), today=TODAY).rows for one in (file, fewer))
    assert every.train + every.valid + every.test == 102 and kept.train + kept.valid + kept.test == 100


def test_the_first_saving_writes_the_text_as_it_stands_and_a_data_source_beside_it(with_file):
    seen = look(with_file)
    drafted = draft_for(with_file, advise(with_file, seen.facts, MACHINE), seen, NOW)
    content = "# 我們改過\n" + task_to_yaml(drafted.task, "zh-TW").rstrip("\n")
    written = save_task_text(with_file, content, expected=None, drafted=drafted, now=NOW)
    assert with_file.file_bytes().decode() == written == content + "\n"
    assert (with_file.folder / "data_source.yaml").is_file()


def test_nothing_is_written_over_a_text_saved_meanwhile(with_file, ready):
    seen = look(with_file)
    drafted = draft_for(with_file, advise(with_file, seen.facts, MACHINE), seen, NOW)
    with_file.save_file_text("theirs: 1\n", expected=None)
    with pytest.raises(WorkspaceError):
        save_task_text(with_file, "mine: 1\n", expected=None, drafted=drafted, now=NOW)
    expected = ready.fingerprint()
    ready.save_file_text("theirs: 1\n", expected=expected)
    with pytest.raises(WorkspaceError):
        save_task_text(ready, "mine: 1\n", expected=expected, drafted=None, now=NOW)
    assert with_file.file_bytes() == ready.file_bytes() == b"theirs: 1\n"
