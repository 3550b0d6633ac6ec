"""Data made from its sources: files, version, stability, and the last good data kept when a source fails."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from coach.errors import DataError, DocumentError
from coach.task_file import read_task_file
from coach.task_schema import TaskFile
from training.data.build import build_data
from training.data.build_report import BuildReport
from training.data.first_source import write_first_data_source
from training.data.read import read_table
from training.data.rows import read_rows
from training.data.source import data_source_to_yaml, parse_data_source, read_data_source, source_document

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=timezone(timedelta(hours=8)))
EXAMPLE = Path(__file__).parents[1] / "data" / "example-task"
JSON_TASK = {
    "task_name": "entity-sentiment",
    "input_template": "分析「{entity}」\n{text}",
    "output_format": {"type": "json", "schema": {"sentiment": {"type": "string", "enum": ["正面", "負面", "中立"]}}},
    "training": {"base_model": "starter/gemma-3-270m"},
}
SOURCE = """
sources:
  - name: analyst_sheet
    type: file_import
    config: {source_path: raw/analyst_sheet.csv}
    mapping: {text: 內文, entity: 公司, sentiment: 標註}
    output: {format: jsonl, path: data/raw/analyst_sheet.jsonl}
merge: {deduplication: {enabled: true, key: [text, entity]}}
split: {ratios: {train: 0.6, valid: 0.2, test: 0.2}, stratify_by: sentiment}
"""


def sheet(size: int = 10) -> str:
    lines = [f"新聞 {i} 關於{label},公司{i},{label}" for label in ("正面", "負面", "中立") for i in range(size)]
    return "內文,公司,標註\n" + "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "analyst_sheet.csv").write_text(sheet(), encoding="utf-8")
    return tmp_path


def build(folder: Path, source: str = SOURCE, task: dict | None = None, now: datetime = NOW) -> BuildReport:
    return build_data(folder, parse_data_source(source), TaskFile.model_validate(task or JSON_TASK), now=now)


def test_the_folder_holds_what_the_contract_names(folder: Path) -> None:
    report = build(folder)
    assert report.counts == {"train": 18, "valid": 6, "test": 6}
    row = read_rows(folder / "data/train.jsonl")[0]
    assert set(row.input) == {"text", "entity"}
    assert isinstance(row.output, dict) and row.output["sentiment"] in ("正面", "負面", "中立")
    assert (row.source, row.synthetic) == ("analyst_sheet", False)
    assert len(read_rows(folder / "data/raw/analyst_sheet.jsonl")) == 30
    assert len(read_rows(folder / "data/raw/merged.jsonl")) == 30
    version = yaml.safe_load((folder / "data/data_version.yaml").read_text(encoding="utf-8"))
    assert list(version) == ["version", "source_config_hash", "total_records", "class_distribution", "generated_at"]
    assert version["version"] == "2026-11-22-001"
    assert version["class_distribution"] == {"正面": 10, "負面": 10, "中立": 10}
    assert version["generated_at"] == "2026-11-22T10:05:00+08:00"
    assert len(version["source_config_hash"]) == 64


def test_made_again_the_same_data_keep_ids_parts_and_version(folder: Path) -> None:
    build(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    report = build(folder, now=NOW + timedelta(days=3))
    assert report.unchanged
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_reordered_file_gives_the_same_parts(folder: Path) -> None:
    build(folder)
    before = (folder / "data/train.jsonl").read_bytes()
    header, *lines = sheet().splitlines()
    (folder / "raw/analyst_sheet.csv").write_text("\n".join([header, *lines[::-1]]), encoding="utf-8")
    assert build(folder).unchanged
    assert (folder / "data/train.jsonl").read_bytes() == before


def test_changed_data_count_the_version_up_within_a_day(folder: Path) -> None:
    build(folder)
    (folder / "raw/analyst_sheet.csv").write_text(sheet(12), encoding="utf-8")
    assert build(folder).version == "2026-11-22-002"
    (folder / "raw/analyst_sheet.csv").write_text(sheet(13), encoding="utf-8")
    assert build(folder, now=NOW + timedelta(days=1)).version == "2026-11-23-001"


def test_a_failing_source_leaves_the_last_good_data_in_place(folder: Path) -> None:
    build(folder)
    before = {path: path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file()}
    (folder / "raw/analyst_sheet.csv").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        build(folder)
    assert {path: path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file()} == before


def test_faulty_rows_are_left_out_and_told_by_number(folder: Path) -> None:
    lines = [
        "沒有公司,,正面",
        "新的一句,公司, 正面 ",
        "少一欄",
        "未知類別,公司,開心",
        "新聞 0 關於正面,公司0,正面",
        "新聞 0 關於負面,公司0,正面",
    ]
    (folder / "raw/analyst_sheet.csv").write_text(sheet() + "\n".join(lines), encoding="utf-8")
    report = build(folder)
    told = {(out.row, out.reason) for out in report.left_out}
    assert {(32, "field_missing"), (34, "unparseable"), (35, "label_unknown")} <= told
    assert sorted(reason for _, reason in told) == [
        "conflict",
        "conflict",
        "duplicate",
        "field_missing",
        "label_unknown",
        "unparseable",
    ]
    assert report.merged_labels == 1
    assert sum(report.counts.values()) == 30
    assert len(report.lines("zh-TW")) == len(report.lines("en"))


def test_a_text_answer_is_the_label_itself(folder: Path) -> None:
    task = JSON_TASK | {"output_format": {"type": "text", "enum": ["正面", "負面", "中立"]}, "input_template": "{text}"}
    source = (
        SOURCE.replace("entity: 公司, sentiment: 標註", "label: 標註")
        .replace("[text, entity]", "text")
        .replace("stratify_by: sentiment", "stratify_by: label")
    )
    assert build(folder, source, task).counts == {"train": 18, "valid": 6, "test": 6}
    assert {row.output for row in read_rows(folder / "data/test.jsonl")} == {"正面", "負面", "中立"}


def test_a_column_of_json_objects_is_the_whole_answer(folder: Path) -> None:
    rows = [
        {"t": f"{label}的句子 {i}", "e": "公司", "answer": {"sentiment": label}}
        for label in ("正面", "負面", "中立")
        for i in range(10)
    ]
    rows.append({"t": "答案不是物件", "e": "公司", "answer": "正面"})
    (folder / "raw/rows.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    mapped = SOURCE.replace("text: 內文, entity: 公司, sentiment: 標註", "text: t, entity: e, output: answer")
    report = build(folder, mapped.replace("analyst_sheet.csv", "rows.jsonl"))
    assert sum(report.counts.values()) == 30
    assert [(out.row, out.reason) for out in report.left_out] == [(31, "unparseable")]
    assert read_rows(folder / "data/train.jsonl")[0].output in [{"sentiment": label} for label in ("正面", "負面", "中立")]


def test_a_given_test_file_is_kept_whole_and_leaves_train(folder: Path) -> None:
    (folder / "raw/exam.csv").write_text(
        "內文,公司,標註\n新聞 0 關於正面,公司0,正面\n新聞 0 關於正面,公司0,正面\n考題,公司,負面\n", encoding="utf-8"
    )
    report = build(folder, SOURCE.replace("split: {", "split: {test_file: raw/exam.csv, "))
    assert report.counts["test"] == 3
    assert ("中立", "test") in report.classes_missing
    train = [row.input["text"] for row in read_rows(folder / "data/train.jsonl") + read_rows(folder / "data/valid.jsonl")]
    assert len(train) == 29 and "新聞 0 關於正面" not in train


def test_two_sources_are_merged_and_keep_their_names(folder: Path) -> None:
    (folder / "raw/more.csv").write_text(
        "t,c,l\n" + "".join(f"別處 {i},公司,正面\n" for i in range(6)) + "新聞 1 關於正面,公司1,正面\n", encoding="utf-8"
    )
    mapping = "{text: t, entity: c, sentiment: l}"
    second = f"  - {{name: more, type: file_import, config: {{source_path: raw/more.csv}}, mapping: {mapping}}}\nmerge:"
    report = build(folder, SOURCE.replace("merge:", second, 1))
    assert sum(report.counts.values()) == 36
    assert {row.source for row in read_rows(folder / "data/raw/merged.jsonl")} == {"analyst_sheet", "more"}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("text: 內文, ", ""), "data.mapping_missing"),
        (("sentiment: 標註", "sentiment: 標籤"), "data.column_missing"),
        (("sentiment: 標註", "sentiment: 公司"), "data.nothing_left"),
        (("raw/analyst_sheet.csv", "raw/none.csv"), "data.file_missing"),
        (("key: [text, entity]", "key: body"), "data.field_unknown"),
        (("stratify_by: sentiment", "stratify_by: mood"), "data.field_unknown"),
        (("stratify_by: sentiment", "stratify_by: sentiment, group_by: 客戶"), "data.column_missing"),
        (("type: file_import", "type: file_import\n    enabled: false"), "data.no_source"),
        (("type: file_import", "type: database"), "data.source_later"),
        (("valid: 0.2, test: 0.2", "valid: 0, test: 0.4"), "data.no_valid_part"),
    ],
)
def test_a_source_that_cannot_run_is_refused_and_nothing_is_written(folder: Path, change: tuple[str, str], key: str) -> None:
    with pytest.raises(DataError) as caught:
        build(folder, SOURCE.replace(*change))
    assert caught.value.key == key
    assert len(caught.value.lines("zh-TW")) == 3
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (("raw/analyst_sheet.csv", "../../etc/passwd"), "sources[0].config.source_path"),
        (("raw/analyst_sheet.csv", "/etc/passwd"), "sources[0].config.source_path"),
        (("data/raw/analyst_sheet.jsonl", "task.yaml"), "sources[0].output.path"),
        (("stratify_by: sentiment", "stratify_by: sentiment, test_file: C:/x.csv"), "split.test_file"),
        (("train: 0.6", "train: 0.9"), "split.ratios"),
        (("split:", "splitt:"), "splitt"),
        (("type: file_import", "type: filez"), "sources[0].type"),
    ],
)
def test_a_faulty_document_says_where(change: tuple[str, str], where: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_data_source(SOURCE.replace(*change))
    assert [problem["path"] for problem in caught.value.problems] == [where]
    assert len(caught.value.lines("zh-TW")) == len(caught.value.lines("en")) == 3


def test_a_secret_written_out_is_refused_and_never_repeated() -> None:
    later = """
sources:
  - name: remote
    type: api
    config:
      base_url: https://me:hunter2secret@example.org
      auth: {type: bearer, token: sk-very-secret}
      headers: {X-Api-Key: abcdefg, max_tokens: 300}
      login: {password: "${PASSWORD}", api_key: "Bearer ${KEY}"}
"""
    with pytest.raises(DocumentError) as caught:
        parse_data_source(later)
    assert sorted(problem["path"] for problem in caught.value.problems) == [
        "sources[0].config.auth.token",
        "sources[0].config.base_url",
        "sources[0].config.headers.X-Api-Key",
    ]
    assert not any(secret in str(caught.value) for secret in ("sk-very-secret", "hunter2", "abcdefg"))


def test_the_example_task_is_read_and_what_we_write_has_its_shape(folder: Path) -> None:
    source, task = read_data_source(EXAMPLE / "data_source.yaml"), read_task_file(EXAMPLE / "task.yaml")
    assert source.merge.deduplication.fields == ["text"]
    assert set(source.sources[0].mapping) == {*task.placeholders, *task.targets}
    build(folder)
    ours, theirs = (yaml.safe_load((place / "data/data_version.yaml").read_text(encoding="utf-8")) for place in (folder, EXAMPLE))
    assert {key: type(value) for key, value in ours.items()} == {key: type(value) for key, value in theirs.items()}
    rows = [json.loads((place / "data/train.jsonl").read_text(encoding="utf-8").splitlines()[0]) for place in (folder, EXAMPLE)]
    assert list(rows[0]) == list(rows[1])


def test_what_is_written_reads_back_the_same(folder: Path) -> None:
    task = TaskFile.model_validate(JSON_TASK)
    document = source_document(
        task, {"text": "內文", "entity": "公司", "sentiment": "標註"}, "raw/analyst_sheet.csv", now=NOW, table_format="csv"
    )
    again = parse_data_source(data_source_to_yaml(document))
    assert again.model_dump() == document.model_dump()
    assert again.config_hash() == document.config_hash()
    assert build_data(folder, again, task, now=NOW).counts["train"] == 21


def test_times_do_not_change_the_hash_and_settings_do() -> None:
    first = parse_data_source(SOURCE)
    assert (
        parse_data_source(SOURCE + "updated: 2026-01-01\nregeneration: {triggers: [manual]}\n").config_hash()
        == first.config_hash()
    )
    assert (
        parse_data_source(SOURCE.replace("0.6", "0.5").replace("valid: 0.2", "valid: 0.3")).config_hash() != first.config_hash()
    )


def test_the_raw_file_of_a_big5_office_is_imported(folder: Path) -> None:
    (folder / "raw/analyst_sheet.csv").write_bytes(sheet().encode("cp950"))
    report = build(folder)
    assert report.encodings == {"analyst_sheet": "cp950"}
    assert read_table(folder / "raw/analyst_sheet.csv").encoding == "cp950"


def test_a_file_from_outside_is_brought_into_the_folder_with_its_columns_guessed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("desk") / "analyst_sheet.csv"
    outside.write_bytes(sheet(8).encode("cp950"))
    task = TaskFile.model_validate(JSON_TASK)
    source = write_first_data_source(task, outside, folder, now=NOW)
    assert source.sources[0].config.source_path == "raw/analyst_sheet-2.csv"
    assert (folder / "raw/analyst_sheet.csv").read_text(encoding="utf-8") == sheet()
    assert source.sources[0].mapping == {"text": "內文", "entity": "公司", "sentiment": "標註"}
    assert (source.sources[0].config.encoding, source.split.group_by) == ("cp950", "text")
    assert write_first_data_source(task, outside, folder, now=NOW).sources[0].config.source_path == "raw/analyst_sheet-2.csv"
    report = build_data(folder, read_data_source(folder / "data_source.yaml"), task, now=NOW)
    assert sum(report.counts.values()) == 24


def test_a_file_in_the_folder_stays_where_it_is(folder: Path) -> None:
    source = write_first_data_source(TaskFile.model_validate(JSON_TASK), folder / "raw/analyst_sheet.csv", folder, now=NOW)
    assert source.sources[0].config.source_path == "raw/analyst_sheet.csv"
    assert [path.name for path in (folder / "raw").iterdir()] == ["analyst_sheet.csv"]
