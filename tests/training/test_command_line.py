"""`python -m training …` as a person meets it: exit codes, three sentences for a mistake, one JSON document."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from coach.command_line import run_command
from coach.task_file import task_to_yaml
from tests.conftest import NOW
from tests.training.small_task import make_task, task_file
from training.__main__ import main
from training.data.source import data_source_to_yaml, source_document
from training.event_log import read_events

ROOT = Path(__file__).parents[2]


def call(*arguments, lang="en"):
    return run_command(main, [*map(str, arguments), "--lang", lang])


@pytest.fixture
def letters(tmp_path, tiny_model):
    return make_task(tmp_path / "letters", task_file(tiny_model, epochs=1)).folder


def test_a_task_is_trained_asked_and_reported(letters, capsys, tmp_path):
    assert call("run", letters, "--json") == 0
    status = json.loads(capsys.readouterr().out)
    assert status["state"] == "finished" and status["results"]["rows"]["test"] == 12 and status["step"] == 6

    assert call("predict", letters, "v1", "--text", "b7", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["predicted"] in answer["scores"] and len(answer["scores"]) == 3

    rows = tmp_path / "new.csv"
    rows.write_text("note,text\n=1+1,a1\n+2,b2\n", encoding="utf-8")
    assert call("predict", letters, "v1", "--file", rows, "-o", tmp_path / "out.csv") == 0
    written = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()
    assert written[0].startswith("note,text,predicted,score:apple") and written[1].startswith("'=1+1,a1,") and len(written) == 3
    capsys.readouterr()
    assert call("predict", letters, "v1", "--file", rows, "-o", tmp_path / "out.jsonl", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 2

    assert call("status", letters, "v1", lang="zh-TW") == 0
    assert "已完成" in capsys.readouterr().out
    assert call("run", letters) == 2
    assert "v2" in capsys.readouterr().err


def test_a_training_in_another_process_is_stopped_and_resumed(tmp_path, tiny_model):
    task = make_task(tmp_path / "letters", task_file(tiny_model, epochs=400, evaluations_per_epoch=1, early_stopping=None))
    command = [sys.executable, "-m", "training", "run", str(task.folder)]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = task.folder / "versions" / "v1" / "events.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not any(event["type"] == "checkpoint" for event in read_events(log)):
        time.sleep(0.2)
    assert call("stop", task.folder, "v1") == 0
    out, err = worker.communicate(timeout=60)
    assert worker.returncode == 0, err
    assert "resume" in out
    ending = read_events(log)[-1]
    assert ending["type"] == "stopped" and (log.parent / ending["checkpoint"]).is_dir()
    assert call("stop", task.folder, "v1") == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("dance",), 2),
        (("run",), 2),
        (("run", "{folder}/nowhere"), 2),
        (("run", "{folder}", "--max-steps", "0"), 2),
        (("run", "{folder}", "--version", "../../etc"), 2),
        (("status", "{folder}", "v9"), 2),
        (("resume", "{folder}", "v1"), 2),
        (("predict", "{folder}", "v1", "--text", "x"), 2),
        (("audit", "{folder}/none.csv", "--text", "a", "--label", "b"), 2),
        (("sample", "nonsense", "{folder}/new"), 2),
        (("estimate", "{folder}/none.yaml"), 2),
        (("predict", "{folder}", "v1", "--text", "a", "--text", "b"), 2),
    ],
)
def test_a_mistake_is_three_sentences_and_exit_2(letters, capsys, arguments, code):
    assert call(*[str(argument).format(folder=letters) for argument in arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    assert len([line for line in captured.err.splitlines() if line.strip()]) >= 3


def test_an_unknown_language_is_a_mistake_said_in_three_sentences(letters, capsys):
    assert run_command(main, ["audit", str(letters / "data" / "train.jsonl"), "--lang", "fr"]) == 2
    assert "fr" in capsys.readouterr().err


def test_a_baseline_is_a_version_like_any_other_and_lineage_names_its_parent(letters, capsys):
    text = (letters / "task.yaml").read_text(encoding="utf-8")
    assert call("run", letters, "--max-steps", "1") == 0
    changed = text.replace("method: sft", "method: baseline").replace("version: v1", "version: v2")
    (letters / "task.yaml").write_text(changed, encoding="utf-8")
    assert call("run", letters) == 0
    assert "macro_f1" in capsys.readouterr().out
    lineage = yaml.safe_load((letters / "versions" / "v2" / "lineage.yaml").read_text(encoding="utf-8"))
    assert lineage["parent"] == "v1" and lineage["changes"] == ["training.method: sft → baseline"]
    assert lineage["results"]["macro_f1"] >= 0


def test_columns_of_the_persons_own_are_never_overwritten(letters, tmp_path, capsys):
    assert call("run", letters, "--max-steps", "1", "--json") == 0
    rows = tmp_path / "new.csv"
    rows.write_text("text,predicted,=cmd()\na1,mine,x\n", encoding="utf-8")
    assert call("predict", letters, "v1", "--file", rows, "-o", tmp_path / "out.csv") == 0
    header, line = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()
    assert header.startswith("text,predicted,'=cmd(),predicted_,") and line.startswith("a1,mine,x,")
    assert call("predict", letters, "v1", "--file", rows, "-o", tmp_path / "nowhere" / "out.csv") == 2


def test_a_failed_run_ends_with_1_or_2_and_says_so_in_status(tmp_path, capsys):
    model = tmp_path / "broken"
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    (model / "model.safetensors").write_bytes(b"not weights")
    task = make_task(tmp_path / "letters", task_file(model))
    assert call("run", task.folder) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert call("status", task.folder, "v1", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["state"] == "failed" and document["end"]["message"]


def test_the_baseline_and_the_estimate_read_the_tasks_own_rows(letters, capsys):
    assert call("baseline", letters, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert 0 <= found["macro_f1"] <= 1 and found["rows"] == {"train": 24, "test": 12}
    text = (letters / "task.yaml").read_text(encoding="utf-8")
    lines = [
        "  base_model: starter/gemma-3-270m" if line.strip().startswith("base_model:") else line for line in text.splitlines()
    ]
    (letters / "task.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert call("estimate", letters / "task.yaml", "--json") == 0
    estimate = json.loads(capsys.readouterr().out)
    assert estimate["minutes"] > 0 and estimate["basis"]


def test_a_sample_is_made_checked_and_audited(tmp_path, capsys):
    assert call("sample", "news-sentiment", tmp_path / "news", "--json") == 0
    capsys.readouterr()
    raw = next((tmp_path / "news" / "raw").glob("news_sentiment.csv"))
    assert call("audit", raw, "--text", "標題", "--label", "情感", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["rows"]["total"] >= 500 and set(report["class_distribution"]) == {"正面", "中立", "負面"}


def test_rows_added_to_the_raw_file_are_in_the_next_version(tmp_path, tiny_model, capsys):
    import os
    import shutil
    import time

    from coach.workspace import Task

    file = task_file(tiny_model, epochs=1, method="baseline")
    folder = tmp_path / "letters"
    (folder / "raw").mkdir(parents=True)
    (folder / "task.yaml").write_text(task_to_yaml(file), encoding="utf-8")
    words = {"apple": "red sweet round", "berry": "small blue soft", "cherry": "stone dark pair"}
    lines = [f"{words[label]} number {n},{label}" for n in range(20) for label in words]
    raw = folder / "raw" / "rows.csv"
    raw.write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    source = source_document(file, {"text": "text", "label": "label"}, "raw/rows.csv", now=NOW)
    (folder / "data_source.yaml").write_text(data_source_to_yaml(source), encoding="utf-8")
    assert call("run", folder, "--json") == 0
    first = json.loads(capsys.readouterr().out)["results"]["rows"]
    with raw.open("a", encoding="utf-8") as handle:
        handle.writelines(f"{words[label]} again {n},{label}\n" for n in range(10) for label in words)
    os.utime(raw, (time.time() + 5, time.time() + 5))
    assert call("run", folder, "--version", "v2", "--json") == 0
    second = json.loads(capsys.readouterr().out)["results"]["rows"]
    assert sum(first.values()) == 60 and sum(second.values()) == 90
    raw.unlink()
    assert call("run", folder, "--version", "v3", "--json") == 0
    assert "rows.csv" in capsys.readouterr().err
    shutil.rmtree(folder / "data")
    (folder / "data_source.yaml").unlink()
    assert call("run", folder, "--version", "v4") == 2
    assert "resources.data_path" in capsys.readouterr().err and len(Task.open(folder).versions()) == 3


def test_all_answers_right_is_not_certainty(letters, capsys):
    from training.data.rows import Row
    from training.results import Answered, _interval

    task = task_file("x")
    answered = [Answered(Row(str(n), {"text": "a"}, "apple"), {None: "apple"}, "apple", {None: {}}) for n in range(17)]
    found = _interval(task, answered, None, "accuracy")
    assert found["high"] == 1.0 and 0.75 < found["low"] < 0.85 and found["method"] == "wilson"
