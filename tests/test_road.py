"""The whole road on the command line, as a person goes it: a file of rows, answers, a goal, a plan, a task, a model, a judgement."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.specification import TRAINABLE_HERE

ROOT = Path(__file__).parents[1]


def command(*arguments, code=0, lang="en", **environment):
    """Runs `python -m …` and returns stdout; stdin is closed, as in CI."""
    found = subprocess.run(
        [sys.executable, "-m", *map(str, arguments), "--lang", lang],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert found.returncode == code, found.stdout + found.stderr
    assert "Traceback" not in found.stderr
    return found.stdout if code == 0 else found.stderr


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """240 real headlines as a person's own CSV, drawn from the sample package."""
    from tests.conftest import NOW
    from training.samples import write_sample

    place = tmp_path_factory.mktemp("sample") / "news"
    write_sample("news-sentiment", place, now=NOW, limit=240)
    raw = next((place / "raw").glob("news_sentiment.csv"))
    with raw.open(encoding="utf-8-sig", newline="") as handle:
        return [(row["標題"], row["情感"]) for row in csv.DictReader(handle)]


def test_from_answers_and_a_file_to_a_judged_model(rows, starter, tmp_path):
    folder = tmp_path / "headlines"
    folder.mkdir()
    with (folder / "my rows.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("標題", "標註"), *rows])
    answers = {
        "task": {
            "name": "headlines",
            "type": "classification",
            "domain": "news",
            "language": "zh-TW",
            "labels": ["正面", "中立", "負面"],
        },
        "business": {"problem": "先看負面新聞", "deadline_weeks": 2},
        "resources": {"data_format": "csv", "data_path": "my rows.csv", "gpu": "none"},
        "success": {"primary_metric": "macro_f1", "threshold": 0.65},
        "versioning": {"iterations": "many", "deploy_target": "local"},
    }
    path = folder / "answers.yaml"
    path.write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")

    assert "情感分析" not in command("coach", "ask", "I want to do sentiment analysis")
    summary = yaml.safe_load(command("coach", "summarize", path, lang="zh-TW"))
    assert summary["task_summary"]["name"] == "headlines"

    plan = json.loads(command("coach", "recommend", path, "--data", folder / "my rows.csv", "--json"))
    assert plan["method"] in ("sft", "baseline") and plan["base_model"] == "starter/gemma-3-270m"
    assert plan["balance"] == "oversample" and plan["forecast"]["low"] < plan["forecast"]["high"]
    assert all(reason["because"] and reason["source"] for reason in plan["reasons"])

    command("coach", "task", path, "-o", folder / "task.yaml")
    command("coach", "check", folder / "task.yaml")
    source = yaml.safe_load((folder / "data_source.yaml").read_text(encoding="utf-8"))
    assert source["sources"][0]["mapping"] == {"text": "標題", "label": "標註"}
    task = yaml.safe_load((folder / "task.yaml").read_text(encoding="utf-8"))
    task["training"] |= {"method": "sft", "lora": {"r": 8, "alpha": 16}}
    (folder / "task.yaml").write_text(yaml.safe_dump(task, allow_unicode=True, sort_keys=False), encoding="utf-8")

    status = json.loads(command("training", "run", folder, "--max-steps", 6, "--json"))
    assert status["state"] == "finished" and status["results"]["max_steps"] == 6
    assert {"tfidf"} <= set(status["results"]["baseline"])
    version = folder / "versions" / "v1"
    expected = (
        "config.yaml data data_snapshot.json events.jsonl lineage.yaml model model_info.json predictions.jsonl results.json"
    )
    assert {path.name for path in version.iterdir()} >= set(expected.split())
    answer = json.loads(command("training", "predict", folder, "v1", "--text", "股市大跌，投資人損失慘重", "--json"))
    assert set(answer["scores"]) == {"正面", "中立", "負面"}

    found = json.loads(command("coach", "diagnose", folder, "v1", "--json"))
    assert isinstance(found["findings"], list)


def test_the_specifications_own_task_trains_with_the_starter_and_says_what_it_thinks(starter, tmp_path):
    folder = tmp_path / "entity-sentiment"
    (folder / "data").mkdir(parents=True)
    (folder / "task.yaml").write_text(TRAINABLE_HERE, encoding="utf-8")
    labels = ["正面", "負面", "中立"]
    for part, count in (("train", 12), ("valid", 3), ("test", 6)):
        lines = [
            json.dumps(
                {
                    "id": f"r-{part}{n}",
                    "input": {"text": f"第{n}季{part}營收公布", "entity": "晶片廠"},
                    "output": {"sentiment": labels[n % 3]},
                    "source": "s",
                    "synthetic": False,
                },
                ensure_ascii=False,
            )
            for n in range(count)
        ]
        (folder / "data" / f"{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = command("coach", "check", folder / "task.yaml")
    assert "1e-05" in said or "1e-5" in said or "0.00001" in said
    status = json.loads(command("training", "run", folder, "--max-steps", 2, "--json"))
    assert status["state"] == "finished"
    first = json.loads((folder / "versions" / "v1" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert set(first["scores"]["sentiment"]) == set(labels)

    second = TRAINABLE_HERE.replace("version: v1", "version: v2").replace("r: 32", "r: 16")
    (folder / "task.yaml").write_text(second, encoding="utf-8")
    command("training", "run", folder, "--max-steps", 2)
    compared = json.loads(command("coach", "compare", folder, "v1", "v2", "--json"))
    assert "16" in json.dumps(compared)


def test_remote_execution_is_named_as_what_is_missing(tmp_path):
    folder = tmp_path / "entity-sentiment"
    folder.mkdir()
    (folder / "task.yaml").write_text(
        TRAINABLE_HERE.replace("type: local", "type: remote_ssh\n  host: user@gpu-server"), encoding="utf-8"
    )
    said = command("training", "run", folder, code=2, lang="zh-TW")
    assert "remote_ssh" in said and not (folder / "versions").exists()
