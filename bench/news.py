"""The news sample, trained as the coach itself recommends, against the TF-IDF baseline on the same rows: `python bench/news.py [seed …]`.

500 of the package's training rows (drawn anew for each seed), all its 999 test rows. Answers → plan → task.yaml → training → results, by
the same functions the command line calls. Each seed is shown; the figures that count are the means.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from record import write

from coach.reference_data import model_row
from coach.workspace import Task, freeze_version
from training.commands import local_now
from training.samples import write_sample
from training.worker import run

SEEDS = (42, 43, 44)


def recommended(task: Task, seed: int):
    """task.yaml with the training section the coach recommends for these answers and this data."""
    from coach.recommendation import recommend_for_task

    file = recommend_for_task(task, local_now())
    training = file.training.model_copy(update={"seed": seed})
    return file.model_copy(update={"training": training})


def one(seed: int, keep: Path | None = None) -> dict[str, object]:
    place = Path(tempfile.mkdtemp()) / "news"
    write_sample("news-sentiment", place, now=local_now(), seed=seed)
    task = Task.open(place)
    task.save_file(recommended(task, seed))
    version = freeze_version(task, "v1", local_now())
    phases: dict[str, float] = {}
    started = time.perf_counter()

    def note(event):
        if event["type"] == "phase" and "stage" not in event:
            phases.setdefault(event["name"], time.perf_counter() - started)

    run(version, now=local_now, listener=note)
    results = version.results()
    own, tfidf = results, results["baseline"]["tfidf"]
    if keep is not None:
        shutil.copytree(version.folder, keep, dirs_exist_ok=True)
    shutil.rmtree(place.parent)
    training = task.file.training
    return {
        "seed": seed,
        "macro_f1": own["macro_f1"],
        "accuracy": own["accuracy"],
        "baseline": tfidf,
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


def main() -> None:
    assert model_row("starter/gemma-3-270m") is not None
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    seeds = [int(value) for value in sys.argv[1:]] or SEEDS
    runs = [one(seed) for seed in seeds]

    def mean(pick) -> float:
        return round(statistics.fmean(pick(found) for found in runs), 4)

    write(
        "news",
        {
            "mean": {
                "macro_f1": mean(lambda found: found["macro_f1"]),
                "accuracy": mean(lambda found: found["accuracy"]),
                "baseline_macro_f1": mean(lambda found: found["baseline"]["macro_f1"]),
                "baseline_accuracy": mean(lambda found: found["baseline"]["accuracy"]),
                "macro_f1_gain": mean(lambda found: found["macro_f1_gain"]),
                "accuracy_gain": mean(lambda found: found["accuracy_gain"]),
                "training_with_evaluations_s": mean(lambda found: found["training_with_evaluations_s"]),
            },
            "runs": runs,
        },
    )


if __name__ == "__main__":
    main()
