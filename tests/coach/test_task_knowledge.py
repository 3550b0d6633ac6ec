"""What a task's own folder tells where nobody has looked at a file."""

import shutil
from pathlib import Path

import pytest

from coach.task_knowledge import facts_of_data
from coach.workspace import Task

EXAMPLE = Path(__file__).parents[1] / "data" / "example-task"


@pytest.fixture
def task(tmp_path):
    return Task.open(Path(shutil.copytree(EXAMPLE, tmp_path / "example")))


def write_parts(task, **counts):
    for part, count in counts.items():
        (task.data_folder / f"{part}.jsonl").write_text("{}\n" * count)
    total = sum(counts.values())
    task.data_version_path.write_text(f"class_distribution: {{正面: {total // 4}, 負面: {total - total // 4}}}\n")


def test_all_rows_are_what_one_file_was_split_into(task):
    write_parts(task, train=70, valid=15, test=15)
    facts = facts_of_data(task)
    assert (facts.rows, facts.test_rows, dict(facts.class_counts)) == (100, None, {"正面": 25, "負面": 75})


def test_test_rows_of_a_file_of_their_own_are_not_learned_from(task):
    write_parts(task, train=80, valid=20, test=300)
    source = task.folder / "data_source.yaml"
    source.write_text("split:\n  test_file: raw/test.csv\n")
    facts = facts_of_data(task)
    assert (facts.rows, facts.test_rows, dict(facts.class_counts)) == (100, 300, {"正面": 25, "負面": 75})
    source.write_text("split: [")
    assert facts_of_data(task).rows == 400, "what cannot be read says nothing"


def test_without_training_rows_nothing_is_known(task):
    write_parts(task, train=0, valid=0, test=30)
    assert facts_of_data(task) is None
