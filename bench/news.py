"""The news sample, trained as the coach recommends, against TF-IDF on the same rows: `python bench/news.py [--as-it-is] [seed …]`.

500 of the package's training rows (drawn anew for each seed), all its 999 test rows. Answers → plan → task.yaml → training → results, by
the same functions the command line calls. Each seed is shown; the figures that count are the means. `--as-it-is`: the small class is not
oversampled, and the rate is the one tried with that; written to bench/news_as_it_is.json.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import ROOT, write

from coach.reference_data import model_or_unknown
from coach.task_schema import Lora, TaskFile
from coach.version_folder import Version
from coach.workspace import Task, freeze_version
from training.baseline import train_baseline
from training.commands import local_now
from training.data.rows import read_rows
from training.samples import write_sample
from training.worker import run

SEEDS = (42, 43, 44)
RAW = "raw/news_sentiment.csv"


def recommended(task: Task, seed: int, *, as_it_is: bool) -> tuple[TaskFile, dict[str, Any]]:
    """task.yaml with the training section the coach recommends, and the plan itself, as its own command line prints it.

    `as_it_is`: with the classes left as they are instead.
    """
    command = [sys.executable, "-m", "coach", "recommend", task.folder / "answers.yaml", "--data", task.folder / RAW, "--json"]
    plan = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert plan["method"] == "sft" and plan["base_model"] == "starter/gemma-3-270m", plan
    if as_it_is:
        plan |= {"balance": "none", "learning_rate": model_or_unknown(plan["base_model"]).own_learning_rate(oversampled=False)}
    changes = {
        "base_model": plan["base_model"],
        "method": plan["method"],
        "lora": Lora(**plan["lora"]),
        "learning_rate": plan["learning_rate"],
        "epochs": plan["epochs"],
        "batch_size": plan["batch_size"],
        "balance": plan["balance"],
        "seed": seed,
    }
    file = task.file
    return file.model_copy(update={"training": file.training.model_copy(update=changes)}), plan


def one(seed: int, *, as_it_is: bool) -> dict[str, object]:
    place = Path(tempfile.mkdtemp()) / "news"
    write_sample("news-sentiment", place, now=local_now(), seed=seed)
    task = Task.open(place)
    file, plan = recommended(task, seed, as_it_is=as_it_is)
    task.save_file(file)
    version = freeze_version(task, "v1", local_now())
    phases: dict[str, float] = {}
    started = time.perf_counter()

    def note(event):
        if event["type"] == "phase" and "stage" not in event:
            phases.setdefault(event["name"], time.perf_counter() - started)

    run(version, now=local_now, listener=note)
    results = version.results()
    own, tfidf = results, results["baseline"]["tfidf"]
    by_accuracy = baseline_for_accuracy(task, version)
    training = task.file.training
    shutil.rmtree(place.parent)
    return {
        "seed": seed,
        "macro_f1": own["macro_f1"],
        "accuracy": own["accuracy"],
        "baseline": tfidf,
        "baseline_tuned_for_accuracy": by_accuracy,
        "forecast": {key: plan["forecast"][key] for key in ("low", "expected", "high")},
        "estimated_minutes": plan["estimate"]["minutes"],
        "macro_f1_gain": round(own["macro_f1"] - tfidf["macro_f1"], 4),
        "accuracy_gain": round(own["accuracy"] - tfidf["accuracy"], 4),
        "interval": [own["confidence_interval"]["low"], own["confidence_interval"]["high"]],
        "invalid_rate": own["invalid_rate"],
        "best_step": own["best_checkpoint"]["step"],
        "end_reason": own["end_reason"],
        "training_with_evaluations_s": round(phases["evaluating"] - phases["training"], 1),
        "start_to_first_step_s": round(phases["training"], 1),
        "tokens_per_s": own["cost"]["tokens_per_s"],
        "threads": own["environment"]["threads"],
        "config": {
            "learning_rate": training.learning_rate,
            "epochs": training.epochs,
            "batch_size": training.batch_size,
            "balance": training.balance,
            "lora_r": training.lora.r,
        },
    }


def baseline_for_accuracy(task: Task, version: Version) -> dict[str, float]:
    """The baseline once more, its search aimed at accuracy: so that nobody can say the comparison suits one metric."""
    criteria = task.file.success_criteria.model_copy(update={"primary_metric": "accuracy"})
    aimed = task.file.model_copy(update={"success_criteria": criteria})
    train, test = (read_rows(version.split_path(part)) for part in ("train", "test"))
    return train_baseline(train, test, aimed, seed=task.file.training.seed).to_results()


def main() -> None:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    as_it_is = "--as-it-is" in sys.argv[1:]
    seeds = [int(value) for value in sys.argv[1:] if value != "--as-it-is"] or SEEDS
    runs = [one(seed, as_it_is=as_it_is) for seed in seeds]

    def mean(pick) -> float:
        return round(statistics.fmean(pick(found) for found in runs), 4)

    write(
        "news_as_it_is" if as_it_is else "news",
        {
            "mean": {
                "macro_f1": mean(lambda found: found["macro_f1"]),
                "accuracy": mean(lambda found: found["accuracy"]),
                "baseline_macro_f1": mean(lambda found: found["baseline"]["macro_f1"]),
                "baseline_accuracy": mean(lambda found: found["baseline"]["accuracy"]),
                "baseline_tuned_for_accuracy": mean(lambda found: found["baseline_tuned_for_accuracy"]["accuracy"]),
                "macro_f1_gain": mean(lambda found: found["macro_f1_gain"]),
                "accuracy_gain": mean(lambda found: found["accuracy_gain"]),
                "training_with_evaluations_s": mean(lambda found: found["training_with_evaluations_s"]),
            },
            "runs": runs,
        },
    )


if __name__ == "__main__":
    main()
