"""task.yaml: reading, writing, judging the whole, and what keeps it from training here."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from coach.problems import InvalidDocument, Problem
from coach.reference_data import sources
from coach.remarks import task_remarks
from coach.task_file import blockers, check_task, check_task_document, parse_task, read_task_file, require_trainable, task_to_yaml
from coach.task_schema import TaskFile
from coach.yaml_document import parse_document, read_document

FOLDER = Path(__file__).parent.parent / "data" / "example-task"

AS_SPECIFIED = """
# task.yaml（教練產生，使用者確認）
task_name: parcel-mood
version: v1

# 任務定義
task_type: classification
domain: logistics
language: zh-TW

# 輸入輸出
input_template: |
  判斷以下留言對「{carrier}」的態度。
  留言：{text}

output_format:
  type: json
  schema:
    mood:
      type: string
      enum: ["滿意", "不滿", "普通"]

# 訓練配置
training:
  base_model: Qwen/Qwen3-4B
  method: sft
  lora:
    r: 32
    alpha: 64
  epochs: 8
  learning_rate: 1e-5

# 成功標準
success_criteria:
  primary_metric: macro_f1
  threshold: 0.80

# 執行環境
execution:
  type: remote_ssh
  host: user@gpu-server

# 版本管理
versioning:
  strategy: semantic         # semantic | date | hybrid
  naming: "{task}-v{n}"      # parcel-mood-v1
  retention: 3               # 保留最近 3 個版本
  deploy_target: huggingface # huggingface | ollama | api | local
"""


@dataclass
class Machine:
    has_cuda: bool


def edited(*changes: tuple[str, str]) -> TaskFile:
    """The task of the specification's shape with pieces of its text replaced."""
    return parse_task(with_changes(*changes))


def with_changes(*changes: tuple[str, str]) -> str:
    written = AS_SPECIFIED
    for old, new in changes:
        assert old in written
        written = written.replace(old, new)
    return written


def errors(task: TaskFile, folder: Path | None = None) -> list[tuple[str, str]]:
    return [(p.path, p.code) for p in check_task(task, folder=folder) if p.level == "error" and said(p)]


def remarks(task: TaskFile, folder: Path | None = None) -> dict[str, Problem]:
    return {p.code: p for p in check_task(task, folder=folder) if p.level != "error" and said(p)}


def said(problem: Problem) -> bool:
    """Every problem has a sentence in both languages, with its place; a placeholder left over would raise."""
    return all(problem.path in problem.sentence(language) for language in ("zh-TW", "en"))


def test_task_of_the_specification_is_sound_and_its_learning_rate_draws_a_comment():
    task = parse_task(AS_SPECIFIED)
    assert task.training.learning_rate == 1e-5 and task.versioning.retention.keep_recent == 3
    assert errors(task) == []
    comment = remarks(task)["lora_lr_low"]
    assert comment.level == "warning"
    assert "1e-05" in comment.sentence("zh-TW") and "1e-4 – 2e-4" in comment.sentence("zh-TW")
    assert sources()["lr-too-low"].title in comment.sentence("en")


def test_what_keeps_it_from_training_here_is_named():
    found = {p.code: p.level for p in blockers(parse_task(AS_SPECIFIED))}
    assert found == {"remote_not_built": "error", "model_from_hub": "warning"}
    with pytest.raises(InvalidDocument) as caught:
        require_trainable(parse_task(AS_SPECIFIED), "task.yaml")
    assert caught.value.key == "task.not_trainable"
    assert "remote_ssh" in caught.value.lines("zh-TW")[0]


def test_with_the_starter_and_local_it_has_no_blockers():
    task = edited(("Qwen/Qwen3-4B", "starter/gemma-3-270m"), ("remote_ssh\n  host: user@gpu-server", "local"))
    assert blockers(task, hardware=Machine(has_cuda=False)) == []
    require_trainable(task, "task.yaml")


def test_example_task_is_sound_and_trains_here():
    task = read_task_file(FOLDER / "task.yaml")
    assert errors(task, FOLDER) == [] and blockers(task, folder=FOLDER) == []
    assert parse_task(task_to_yaml(task)) == task
    assert list(parse_document(task_to_yaml(task), "").mapping) == list(read_document(FOLDER / "task.yaml").mapping)


def test_written_task_reads_back_the_same_with_and_without_headings():
    task = parse_task(AS_SPECIFIED)
    for headings in (None, "zh-TW", "en"):
        assert parse_task(task_to_yaml(task, headings)) == task
    assert "\n# 訓練配置\ntraining:\n" in task_to_yaml(task, "zh-TW")
    assert "learning_rate: 1.0e-05" in task_to_yaml(task) and "retention: 3\n" in task_to_yaml(task)


@pytest.mark.parametrize(
    "changes",
    [
        [("  epochs: 8", "  early_stopping: null\n  epochs: 8")],
        [("  lora:\n    r: 32\n    alpha: 64\n", "")],
        [("retention: 3 ", "retention: {keep_recent: 5, keep_best: false, cleanup_exp_after: null} ")],
        [("version: v1", "version: 2025-01-07"), ("semantic ", "date ")],
        [("method: sft", "method: sft\n  stages: [{method: sft, epochs: 2}, {method: dpo, learning_rate: 5e-6}]")],
        [("type: json\n  schema:\n    mood:\n      type: string\n      enum:", "type: text\n  enum:")],
        [("epochs: 8", "epochs: 0.5\n  max_seq_tokens: 512")],
        [('"普通"]', '"普通"]\n    note: {type: array, items: {type: string, nullable: true}}')],
        [("threshold: 0.80", "threshold: 0.80\n  baseline: rule_based_0.65")],
        [("version: v1", "version: v1\nstatus: archived\ncreated: 2026-11-22\nupdated: 2026-11-22T11:00:00+08:00")],
    ],
)
def test_every_form_of_a_task_survives_a_round_trip(changes):
    task = edited(*changes)
    assert parse_task(task_to_yaml(task)) == task


def test_date_as_a_version_is_read_as_its_name():
    task = edited(("version: v1", "version: 2025-01-07"), ("strategy: semantic", "strategy: date"))
    assert task.version == "2025-01-07" and errors(task) == []


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ("  learning_rate: 1e-5", "  lerning_rate: 1e-5", "training.lerning_rate", "unknown_key"),
        ("task_type: classification", "task_type: sorting", "task_type", "not_allowed"),
        ("epochs: 8", "epochs: many", "training.epochs", "wrong_type"),
        ("epochs: 8", "epochs: yes", "training.epochs", "wrong_type"),
        ("r: 32", "r: 0", "training.lora.r", "out_of_range"),
        ("threshold: 0.80", "threshold: 80", "success_criteria.threshold", "out_of_range"),
        ("task_name: parcel-mood", "task_name: Parcel Mood", "task_name", "bad_slug"),
        ("task_name: parcel-mood\n", "", "task_name", "missing"),
        ("  base_model: Qwen/Qwen3-4B\n", "", "training.base_model", "missing"),
        ("macro_f1", "f-measure", "success_criteria.primary_metric", "not_allowed"),
        ("retention: 3 ", "retention: three ", "versioning.retention", "wrong_type"),
        ("epochs: 8", "epochs: 8\n  max_seq_tokens: 3", "training.max_seq_tokens", "out_of_range"),
        ("{carrier}", "承運商", "", ""),
        ("「{carrier}」的態度。\n  留言：{text}", "文字", "input_template", "no_placeholder"),
        ("{carrier}", "{carrier", "input_template", "template_broken"),
        ("{carrier}", "carrier}", "input_template", "template_broken"),
        ("{carrier}", "{}", "input_template", "placeholder_name"),
        ("{carrier}", "{carrier!r}", "input_template", "placeholder_form"),
        ("{carrier}", "{carrier:>5}", "input_template", "placeholder_form"),
        ("{carrier}", "{carrier:}", "input_template", "placeholder_form"),
        ("{carrier}", "{{carrier:>5}} {{{carrier}}}", "", ""),
        ("version: v1", "version: v1\nversion: v2", "version", "duplicate_key"),
        ("version: v1", "version: v1\ncreated: yesterday", "created", "wrong_type"),
    ],
)
def test_fault_of_form_is_named(old, new, path, code):
    task, problems = check_task_document(parse_document(with_changes((old, new)), "task.yaml"))
    found = [(p.path, p.code) for p in problems if p.level == "error" and said(p)]
    assert found == ([(path, code)] if code else [])
    assert all(p.line for p in problems if p.level == "error" and p.code != "missing")


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ('      enum: ["滿意", "不滿", "普通"]\n', "", "output_format", "no_labels"),
        ('["滿意", "不滿", "普通"]', "[滿意]", "output_format.schema.mood.enum", "few_labels"),
        ('["滿意", "不滿", "普通"]', "[]", "output_format.schema.mood.enum", "few_labels"),
        ('["滿意", "不滿", "普通"]', "[滿意, 不滿, '滿意 ']", "output_format.schema.mood.enum", "duplicate_labels"),
        ('["滿意", "不滿", "普通"]', "[滿意, 不滿, ' ']", "output_format.schema.mood.enum", "empty_label"),
        ("      type: string\n", "      type: array\n", "output_format.schema.mood.type", "enum_not_string"),
        ("macro_f1", "bleu", "success_criteria.primary_metric", "metric_unfit"),
        ("{carrier}", "{0}", "input_template", "placeholder_name"),
        ("{carrier}", "{{a}} {b c}", "input_template", "placeholder_name"),
        ("  host: user@gpu-server\n", "", "execution.host", "host_missing"),
        ("user@gpu-server", "'-oProxyCommand=x'", "execution.host", "host_form"),
        ("version: v1", "version: first", "version", "version_unfit"),
        ("strategy: semantic", "strategy: date", "version", "version_unfit"),
        ("{task}-v{n}", "model-v{n}", "versioning.naming", "naming_without_task"),
        ("version: v1", "version: v1\ndata: {source: ../../etc/passwd}", "data.source", "source_climbs_out"),
        ("version: v1", "version: v1\ndata: {source: /etc/passwd}", "data.source", "source_climbs_out"),
        ("version: v1", "version: v1\ndata: {source: a/../../b}", "data.source", "source_climbs_out"),
        ("version: v1", "version: v1\ndata: {source: ~/rows.csv}", "data.source", "source_climbs_out"),
        ("Qwen/Qwen3-4B", "starter/gpt-9", "training.base_model", "unknown_starter"),
        ("Qwen/Qwen3-4B", "''", "training.base_model", "no_base_model"),
        ("  lora:\n    r: 32\n    alpha: 64\n", "  quantization: 4bit\n", "training.quantization", "quantization_without_lora"),
        ("method: sft", "method: sft\n  stages: [{method: dpo}]", "training.stages", "stages_start_differs"),
        ("method: sft", "method: sft\n  stages: []", "training.stages", "no_stages"),
        ("epochs: 8", "epochs: 8\n  seeds: 3\n  folds: 5", "training.folds", "seeds_and_folds"),
        ("epochs: 8", "epochs: 8\n  seeds: 21", "training.seeds", "out_of_range"),
        ("epochs: 8", "epochs: 8\n  folds: 0", "training.folds", "out_of_range"),
    ],
)
def test_contradiction_is_an_error_with_its_line(old, new, path, code):
    task, problems = check_task_document(parse_document(with_changes((old, new)), "task.yaml"))
    found = [p for p in problems if p.level == "error" and said(p)]
    assert [(p.path, p.code) for p in found] == [(path, code)]
    assert found[0].line


def test_names_other_tools_use_lead_to_ours():
    for written, nearest in (("rank: 3", "r"), ("lora_alpha: 3", "alpha"), ("lr: 1e-4", "training.learning_rate")):
        _, [problem] = check_task_document(parse_document(with_changes(("    r: 32", f"    {written}")), "task.yaml"))
        assert problem.data["nearest"] == nearest


def test_fault_of_the_template_is_reported_beside_the_others():
    _, problems = check_task_document(parse_document(with_changes(("{carrier}", "{carrier"), ("epochs: 8", "epoch: 8")), "t"))
    assert [p.code for p in problems] == ["template_broken", "unknown_key"]


def test_several_contradictions_are_reported_at_once():
    task = edited(("macro_f1", "bleu"), ("version: v1", "version: first"), ("{task}-v{n}", "{task}"))
    assert {code for _, code in errors(task)} == {"metric_unfit", "version_unfit", "naming_without_version"}


def test_source_inside_the_folder_is_fine_unless_a_link_leads_out(tmp_path: Path):
    inside = edited(("version: v1", "version: v1\ndata: {source: sub/../rows.csv}"))
    assert errors(inside, tmp_path) == []
    (tmp_path / "rows.csv").symlink_to("/etc/passwd")
    assert errors(inside, tmp_path) == [("data.source", "source_climbs_out")]


def test_placeholder_that_no_row_fills_is_an_error(tmp_path: Path):
    (tmp_path / "data").mkdir()
    rows = tmp_path / "data" / "train.jsonl"
    rows.write_text('{"id": "1", "input": {"text": "好"}, "output": {"mood": "滿意"}}\n', encoding="utf-8")
    assert errors(parse_task(AS_SPECIFIED), tmp_path) == [("input_template", "placeholder_not_in_rows")]
    rows.write_text("not json\n", encoding="utf-8")
    assert errors(parse_task(AS_SPECIFIED), tmp_path) == []  # the audit's to say


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([("task_type: classification", "task_type: extraction"), ("macro_f1", "entity_f1")], "task_type_not_built"),
        ([("method: sft", "method: dpo")], "method_not_built"),
        ([("method: sft", "method: sft\n  stages: [{method: sft}, {method: orpo}]")], "stages_not_built"),
        ([("method: sft", "method: sft\n  quantization: 4bit")], "qlora_needs_cuda"),
        ([("Qwen/Qwen3-4B", "./models/none")], "model_folder_missing"),
        ([("  lora:\n    r: 32\n    alpha: 64\n", "")], "full_tuning_not_built"),
        ([('"普通"]', '"普通"]\n    reason: {type: string}')], "free_slot_not_built"),
        ([("method: sft", "method: baseline"), ('"普通"]', '"普通"]\n    haste: {enum: [急, 緩]}')], "baseline_slots_not_built"),
    ],
)
def test_what_is_not_built_blocks_training_and_is_only_remarked_on_by_the_check(changes, code):
    task = edited(*changes)
    assert code in {p.code for p in blockers(task, hardware=Machine(has_cuda=False)) if p.level == "error" and said(p)}
    assert errors(task) == []
    checked = {p.code: p.level for p in check_task(task, hardware=Machine(has_cuda=False))}
    assert checked[code] == "warning"


@pytest.mark.parametrize("setting", ["seeds: 3", "folds: 5"])
def test_seeds_and_folds_train_and_are_remarked_on_where_nothing_is_trained(setting):
    task = edited(("epochs: 8", f"epochs: 8\n  {setting}"))
    assert errors(task) == [] and {p.code for p in blockers(task)} <= {"model_from_hub", "remote_not_built"}
    idle = edited(("epochs: 8", f"epochs: 8\n  {setting}"), ("method: sft", "method: prompt"))
    [remark] = [p for p in check_task(idle) if p.code == "repeats_ignored"]
    assert remark.level == "info" and remark.path == f"training.{setting[:5]}" and said(remark)


def test_folds_that_would_tear_groups_apart_are_an_error_where_the_source_keeps_them_together(tmp_path: Path):
    folds, seeds = (edited(("epochs: 8", f"epochs: 8\n  {setting}")) for setting in ("folds: 5", "seeds: 5"))
    source = tmp_path / "data_source.yaml"
    for written in ("split: {stratify_by: mood}", "not: [yaml", "split: 3"):
        source.write_text(written, encoding="utf-8")
        assert errors(folds, tmp_path) == []
    source.write_text("split: {group_by: customer}", encoding="utf-8")
    assert errors(folds, tmp_path) == [("training.folds", "folds_with_groups")] and errors(seeds, tmp_path) == []
    [problem] = [p for p in check_task(folds, folder=tmp_path) if p.code == "folds_with_groups"]
    assert "customer" in problem.sentence("en") and "customer" in problem.sentence("zh-TW")


def test_two_slots_with_labels_are_trained_by_sft_and_the_baseline_learns_one():
    two = ('"普通"]', '"普通"]\n    haste: {enum: [急, 緩]}')
    assert not {p.code for p in blockers(edited(two))} & {"baseline_slots_not_built", "free_slot_not_built"}
    assert "baseline_slots_not_built" not in {p.code for p in blockers(edited(("method: sft", "method: baseline")))}


def test_a_format_behind_a_placeholder_is_shown_as_it_was_written():
    _, [problem] = check_task_document(parse_document(with_changes(("{carrier}", "{{x}} {carrier!r:>5}")), "task.yaml"))
    assert "{carrier!r:>5}" in problem.sentence("zh-TW") and "{carrier!r:>5}" in problem.sentence("en")


def test_local_model_folder_beside_the_task_is_no_blocker(tmp_path: Path):
    (tmp_path / "base").mkdir()
    task = edited(("Qwen/Qwen3-4B", "base"), ("remote_ssh\n  host: user@gpu-server", "local"))
    assert blockers(task, folder=tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([("1e-5", "6e-4")], "lora_lr_high"),
        ([("1e-5", "3e-3")], "lora_lr_diverges"),
        ([("1e-5", "1e-3"), ("Qwen3-4B", "Qwen3-8B")], "lora_lr_diverges"),
        ([("  lora:\n    r: 32\n    alpha: 64\n", ""), ("1e-5", "2e-4")], "full_lr_high"),
        ([("epochs: 8", "epochs: 8")], "epochs_many"),
        ([("epochs: 8", "epochs: 8\n  early_stopping: null")], "epochs_many_no_stop"),
        ([("epochs: 8", "epochs: 8\n  batch_size: 64")], "lora_batch_large"),
        ([('"普通"', '"OK", "ok"')], "similar_labels"),
    ],
)
def test_unwise_setting_draws_a_remark(changes, code):
    assert code in remarks(edited(*changes)) and errors(edited(*changes)) == []


def test_usual_settings_draw_no_remark_on_hyperparameters():
    task = edited(("1e-5", "2e-4"), ("epochs: 8", "epochs: 4"))
    assert set(remarks(task)) == {"remote_not_built", "model_from_hub"}


def test_low_learning_rate_over_many_steps_is_not_remarked_on(tmp_path: Path):
    (tmp_path / "data").mkdir()
    row = '{"id": "1", "input": {"text": "好", "carrier": "甲"}, "output": {"mood": "滿意"}}\n'
    (tmp_path / "data" / "train.jsonl").write_text(row * 1500, encoding="utf-8")
    assert "lora_lr_low" not in remarks(parse_task(AS_SPECIFIED), tmp_path)
    (tmp_path / "data" / "train.jsonl").write_text(row * 1499, encoding="utf-8")
    assert "lora_lr_low" in remarks(parse_task(AS_SPECIFIED), tmp_path)


def test_forty_thousand_labels_are_judged_within_a_second():
    labels = [f"類別 {number}" for number in range(39_998)] + ["Spam", "spam", "spam"]
    content = with_changes(('enum: ["滿意", "不滿", "普通"]', "enum: " + json.dumps(labels, ensure_ascii=False)))
    began = time.perf_counter()
    task, remarks = task_remarks(content, "task.yaml", "en", folder=FOLDER, hardware=Machine(has_cuda=False))
    assert time.perf_counter() - began < 5  # quadratic, it took a minute and more; a second on a quiet machine
    said = " ".join(remark.said for remark in remarks)
    assert task is not None and "labels stand twice (spaces around them aside): spam" in said
    counted = time.perf_counter()
    check_task(task)
    assert time.perf_counter() - counted < 1


def test_remarks_name_sources_a_reader_can_look_for():
    high = edited(("1e-5", "8e-4"), ("epochs: 8", "epochs: 60"), ("training:", "training:\n  batch_size: 64"))
    found = remarks(high)
    assert {"lora_lr_high", "epochs_many", "lora_batch_large"} <= set(found)
    assert sources()["lora-without-regret"].title in found["lora_batch_large"].sentence("zh-TW")
    assert not [
        problem for problem in found.values() for language in ("zh-TW", "en") if "evidence.md" in problem.sentence(language)
    ]


@pytest.mark.parametrize("sign", ["\x1b", "\x07", "\n", "\u2028"])
def test_a_control_character_in_a_models_name_is_refused(sign):
    with pytest.raises(InvalidDocument) as caught:
        edited(("base_model: Qwen/Qwen3-4B", f"base_model: {json.dumps(f'Qwen/Qwen3{sign}-4B')}"))
    assert [(p["path"], p["code"]) for p in caught.value.problems] == [("training.base_model", "control_character")]
    assert f"U+{ord(sign):04X}" in caught.value.lines("zh-TW")[0] and caught.value.lines("en")
