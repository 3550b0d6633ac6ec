"""Ready tasks on real data: whole folders, repeatable draws, test rows untouched, and a pickle that cannot run code."""

from __future__ import annotations

import io
import pickle
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coach.answers import read_answers
from coach.errors import DataError
from coach.hardware import Hardware
from coach.recommendation import recommend
from coach.task_file import read_task_file
from coach.text import LANGUAGES
from coach.workspace import Task
from training.attached_file import look
from training.data.audit import audit
from training.data.build import build_data
from training.data.read import read_table
from training.data.row_ids import input_key
from training.data.rows import read_rows
from training.data.source import read_data_source
from training.sample_sources import SamplePackage, load_plain, records_of
from training.samples import SAMPLES, draw_stratified, draw_usable, write_sample

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples") / "news"
    write_sample("news-sentiment", folder, now=NOW)
    return folder


@pytest.mark.parametrize("name", list(SAMPLES))
def test_every_sample_is_a_whole_task_folder_that_can_be_made_again(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "task"
    report = write_sample(name, folder, now=NOW, limit=60)
    task, answers, source = (
        read_task_file(folder / "task.yaml"),
        read_answers(folder / "answers.yaml"),
        read_data_source(folder / "data_source.yaml"),
    )
    assert task.task_name == answers.task.name == "task"
    assert answers.task.labels == list(SAMPLES[name].labels) == task.targets[None]
    assert answers.resources.data_path == source.sources[0].config.source_path
    assert (folder / answers.resources.data_path).exists()
    assert min(report.counts.values()) > 0 and not report.classes_missing
    assert build_data(folder, source, task, now=NOW).unchanged
    assert all(set(row.input) == set(task.placeholders) for row in read_rows(folder / "data/train.jsonl"))


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_sample_is_trained_with_the_numbers_the_coach_recommends_for_it(name: str, tmp_path: Path) -> None:
    write_sample(name, tmp_path / "task", now=NOW)
    task = Task.open(tmp_path / "task")
    seen = look(task)
    assert seen is not None
    plan, training = recommend(task.answers(), seen.facts, Hardware()), task.file.training
    for number in ("base_model", "method", "learning_rate", "epochs", "batch_size", "balance"):
        assert getattr(training, number) == getattr(plan, number), number
    assert plan.lora is not None and training.lora is not None and training.lora.r == plan.lora.r


def test_the_news_sample_has_500_rows_to_train_on_and_all_999_test_rows(news: Path) -> None:
    train, valid, test = (read_rows(news / f"data/{part}.jsonl") for part in ("train", "valid", "test"))
    assert (len(train), len(valid), len(test)) == (500, 200, 999)
    assert Counter(row.output for row in train) == {"中立": 249, "負面": 197, "正面": 54}
    assert Counter(row.output for row in test) == {"中立": 494, "負面": 406, "正面": 99}
    texts = [{input_key(row.input) for row in part} for part in (train, valid, test)]
    assert not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])


def test_the_news_are_in_traditional_chinese(news: Path) -> None:
    text = "".join(row.input["text"] for row in read_rows(news / "data/train.jsonl"))
    assert sum(text.count(character) for character in "這個與對國會") > 20
    assert sum(text.count(character) for character in "这个与对国会") < 10


def test_the_raw_file_has_real_problems_for_the_audit_to_show(tmp_path: Path) -> None:
    write_sample("review-sentiment", tmp_path / "reviews", now=NOW)
    report = audit(read_table(tmp_path / "reviews/raw/review_sentiment.csv"), ["評論"], "評價", allowed_labels=["正面", "負面"])
    assert len(report.problems["duplicate"]) > 10


def test_a_seed_draws_the_same_rows_and_another_seed_others(news: Path, tmp_path: Path) -> None:
    for name, seed in (("again", 42), ("other", 43)):
        write_sample("news-sentiment", tmp_path / name, now=NOW, seed=seed)
    ids = [
        {row.id for row in read_rows(folder / "data/train.jsonl")} for folder in (news, tmp_path / "again", tmp_path / "other")
    ]
    assert ids[0] == ids[1]
    assert len(ids[0] & ids[2]) < 120
    assert (news / "data/test.jsonl").read_bytes() == (tmp_path / "other/data/test.jsonl").read_bytes()


def test_fewer_rows_can_be_asked_for(tmp_path: Path) -> None:
    assert write_sample("news-sentiment", tmp_path / "small", now=NOW, rows=100).counts == {
        "train": 100,
        "valid": 200,
        "test": 999,
    }
    assert write_sample("news-topics", tmp_path / "topics", now=NOW, limit=40).counts["train"] <= 42


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"name": "news"}, "data.sample_unknown"),
        ({"rows": 3}, "data.sample_rows"),
        ({"rows": 100_000}, "data.sample_rows"),
        ({"folder": "Not A Slug"}, "data.sample_folder_name"),
        ({"folder": "taken"}, "data.sample_folder_taken"),
    ],
)
def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path, arguments: dict, key: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine", encoding="utf-8")
    options = {"name": "news-topics", "folder": "task", **arguments}
    name, folder = options.pop("name"), tmp_path / options.pop("folder")
    with pytest.raises(DataError) as caught:
        write_sample(name, folder, now=NOW, **options)
    assert caught.value.key == key
    assert all(len(caught.value.lines(language)) == 3 for language in LANGUAGES)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(DataError) as caught:
        records_of("news-sentiment", SamplePackage("no-such-package", "no_such_package", ("a",)))
    assert "pip install no-such-package" in caught.value.lines("en")[2]


class Attack:
    def __reduce__(self) -> tuple:
        return (print, ("this must never run",))


@pytest.mark.parametrize(
    "payload",
    [pickle.dumps(Attack()), pickle.dumps([["a"], ["b"], [len]]), b"cos\nsystem\n(S'true'\ntR.", b"\x80\x04garbage", b""],
)
def test_a_pickle_that_needs_more_than_plain_data_is_refused(payload: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(pickle.UnpicklingError):
        load_plain(io.BytesIO(payload))
    assert capsys.readouterr().out == ""


def test_a_pickle_of_lists_text_and_numbers_is_loaded() -> None:
    assert load_plain(io.BytesIO(pickle.dumps((["標題"], ["內文"], [1])))) == (["標題"], ["內文"], [1])


def test_a_draw_keeps_the_classes_in_proportion_and_repeats_in() -> None:
    records = [(f"句 {i // 2}", "a" if i < 60 else "b") for i in range(200)]
    drawn = draw_stratified(records, 50, 1)
    assert Counter(record[1] for record in drawn) == {"a": 15, "b": 35}
    assert draw_stratified(records, 500, 1) != records and sorted(draw_stratified(records, 500, 1)) == sorted(records)


def test_a_usable_draw_goes_on_until_enough_rows_remain() -> None:
    records = [(f"句 {i // 2}", "a" if i < 100 else "b") for i in range(200)]  # every text stands twice
    taken = {f"句 {i}" for i in range(0, 100, 5)}
    drawn = draw_usable(records, 60, 1, 0, taken)
    left = {record[0] for record in drawn} - taken
    assert len(left) == 60 and len(drawn) > 60


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused_in_words_before_anything_is_written(seed: int, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        write_sample("news-sentiment", tmp_path / "news", now=NOW, seed=seed)
    assert all(len(caught.value.lines(language)) == 3 for language in LANGUAGES) and str(seed) in caught.value.lines("en")[0]
    assert list(tmp_path.iterdir()) == []
