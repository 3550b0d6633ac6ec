"""One cell of `cost_growth.py`: a task of so many rows, prompt tokens and labels, prepared, trained a few steps and scored."""

from __future__ import annotations

import csv
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEPS, WARM_UP, BATCH_ROWS = 14, 4, 8
SCORED_TOKENS = 12_800  # of prompts, in each cell; at least SCORED_ROWS rows
SCORED_ROWS = 40
SEED = 42


@dataclass(frozen=True)
class Cell:
    rows: int
    prompt_tokens: int
    labels: int


def measure(cell: Cell) -> dict[str, Any]:
    """Seconds before training, tokens a second in training, scored rows a second, peak memory."""
    from training.backends import heavy_imports

    with heavy_imports():
        from training.backends.plain import PlainBackend
        from training.data.tokens import RowEncoder
        from training.device import Threads, choose_device
        from training.evaluation.answering import Answerer
    from training.starter_model import ensure_starter_model

    Threads().apply()
    backend, device = PlainBackend(), choose_device()
    loaded = backend.load(ensure_starter_model(), device, max_tokens=None)
    task = task_of(cell)
    texts = texts_of(loaded.tokenizer, RowEncoder(task, loaded.tokenizer, 4096), cell)
    before, parts = work_before(texts, task)
    encoder = RowEncoder(task, loaded.tokenizer, 4096)
    backend.expect_length(loaded, cell.prompt_tokens + encoder.longest_answer)
    before["dataset_s"], dataset = seconds(lambda: dataset_of(encoder, parts["train"], task))
    backend.add_lora(loaded, task.training.lora, seed=SEED)
    trained = train(backend, loaded, dataset, task, device)
    answerer = Answerer(task, loaded, backend, device, encoder)
    count = min(len(texts), max(SCORED_ROWS, SCORED_TOKENS // cell.prompt_tokens))
    inputs = [{"text": text} for text, _ in texts[:count]]
    answerer.predict_inputs(inputs[:BATCH_ROWS])  # warm-up
    scored_s, _ = seconds(lambda: answerer.predict_inputs(inputs))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    mean = statistics.fmean(len(encoder.prompt_ids(values)[0]) for values in inputs)
    return {
        **trained,
        "scored_rows_per_s": round(count / scored_s, 1),
        "scored_rows": count,
        "mean_prompt_tokens": round(mean, 1),
        "peak_memory_gb": round(peak, 2),
        "before_s": before,
    }


def task_of(cell: Cell) -> Any:
    from coach.task_schema import TaskFile

    return TaskFile.model_validate(
        {
            "task_name": "growth",
            "version": "v1",
            "language": "zh-TW",
            "input_template": "標題：{text}\n類別：",
            "output_format": {"type": "text", "enum": label_names(cell.labels)},
            "training": {
                "base_model": "starter/gemma-3-270m",
                "lora": {"r": 16, "alpha": 32},
                "batch_size": BATCH_ROWS,
                "seed": SEED,
            },
            "success_criteria": {"primary_metric": "macro_f1", "threshold": 0.5},
        }
    )


def label_names(count: int) -> list[str]:
    """正面, 中立, 負面; more are groups of ten that begin alike, as 經濟/企業 does."""
    groups = ["經濟", "政治", "體育", "科技", "健康", "教育", "文化", "旅遊", "環境", "社會"]
    kinds = ["企業", "市場", "人物", "政策", "事件", "研究", "活動", "爭議", "統計", "評論"]
    if count <= 3:
        return ["正面", "中立", "負面"][:count]
    names = [f"{group}/{kind}{number or ''}" for number in range(5) for group in groups for kind in kinds]
    return names[:count]


def texts_of(tokenizer: Any, encoder: Any, cell: Cell) -> list[tuple[str, str]]:
    """(text, label): pieces of the news sample's articles, each of as many tokens as make the prompt that long. Labels in turn."""
    from training.clock import local_now
    from training.samples import write_sample

    with tempfile.TemporaryDirectory() as place:
        write_sample("news-sentiment", Path(place) / "news", now=local_now())
        with (Path(place) / "news" / "raw" / "news_sentiment.csv").open(encoding="utf-8-sig", newline="") as handle:
            everything = "".join(f"{row['標題']}。{row['內文']}" for row in csv.DictReader(handle))
    ids = tokenizer(everything.replace("\\n", ""), add_special_tokens=False)["input_ids"]
    room = cell.prompt_tokens - len(encoder.prompt_ids({"text": ""})[0])
    chance = random.Random(SEED)
    names = label_names(cell.labels)
    starts = chance.sample(range(len(ids) - room), cell.rows)
    return [(tokenizer.decode(ids[at : at + room]).strip(), names[place % len(names)]) for place, at in enumerate(starts)]


def work_before(texts: Sequence[tuple[str, str]], task: Any) -> tuple[dict[str, float], dict[str, list[Any]]]:
    """Seconds of what a new version's rows go through before a model is loaded, and the three parts."""
    from training.baseline import train_baseline
    from training.data.audit import audit
    from training.data.read import read_table
    from training.data.rows import Row
    from training.data.split import split_rows

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "rows.csv"
        with path.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([("text", "label"), *texts])
        audit_s, _ = seconds(lambda: audit(read_table(path), ["text"], "label"))
    rows = [Row(f"r-{place:05d}", {"text": text}, label) for place, (text, label) in enumerate(texts)]
    shares: Mapping[Any, float] = {"train": 0.8, "valid": 0.1, "test": 0.1}
    split_s, splits = seconds(lambda: split_rows(rows, shares, "label", SEED))
    parts = {"train": splits.train, "valid": splits.valid, "test": splits.test}
    baseline_s, _ = seconds(lambda: train_baseline(splits.train, splits.valid, task, seed=SEED))
    return {"audit_s": audit_s, "split_s": split_s, "baseline_s": baseline_s}, parts


def dataset_of(encoder: Any, rows: Sequence[Any], task: Any) -> Any:
    from training.data.render import labels_of
    from training.methods.sft import training_set

    classes = [next(iter(labels_of(task, row).values())) for row in rows]
    return training_set([encoder.encode(row) for row in rows], classes, task.training)


def train(backend: Any, loaded: Any, rows: Any, task: Any, device: Any) -> dict[str, Any]:
    """Real tokens a second by the median step after warm-up."""
    from transformers import TrainerCallback

    from training.methods import sft

    steps: list[float] = []
    tokens: list[int] = []

    class StepTimer(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            steps.append(time.perf_counter() - self.began)
            tokens.append(trainer.tokens_seen)

    with tempfile.TemporaryDirectory() as place:
        trainer = sft.build_trainer(
            backend.trainer(),
            model=loaded.model,
            tokenizer=loaded.tokenizer,
            rows=rows,
            training=task.training,
            device=device,
            output=Path(place),
            max_steps=STEPS,
            callbacks=[StepTimer()],
        )
        trainer.train()
    median_s = statistics.median(steps[WARM_UP:])
    a_step = (tokens[-1] - tokens[WARM_UP - 1]) / (STEPS - WARM_UP)
    return {"tokens_per_s": round(a_step / median_s, 1), "median_step_s": round(median_s, 3), "tokens_a_step": round(a_step)}


def seconds(work: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work()
    return round(time.perf_counter() - began, 3), found
