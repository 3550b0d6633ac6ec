"""Small tasks of many shapes to hold estimates against: rows, lengths, labels, rank and batches as wanted, texts from the samples.

A case is written as a task folder, estimated, measured and trained by the commands everybody can type, each in a process of its own.
Labels are drawn at random where a case wants other ones than the sample's: what a training costs does not ask whether it learns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from coach.estimate import STARTER_ID
from coach.task_file import task_to_yaml
from coach.task_schema import TaskFile
from coach.token_count import expected_tokens
from coach.version_folder import Version
from coach.work import Work
from coach.workspace import Task
from training.clock import local_now
from training.data.rows import Row, read_rows, rows_to_jsonl
from training.event_log import read_events
from training.part_times import part_times
from training.run_estimate import work_of
from training.samples import write_sample
from training.starter_model import ensure_starter_model

AREAS = ("account", "card", "loan", "transfer", "exchange", "branch", "fees", "fraud", "app", "insurance")
WISHES = ("question", "complaint", "change", "cancel", "other")


@dataclass(frozen=True)
class Case:
    """`tokens`: texts are joined until a row has about as many; None leaves them as they are. `labels` None: the sample's own."""

    name: str
    sample: str = "news-sentiment"
    rows: int = 200
    valid: int = 60
    test: int = 100
    tokens: int | None = None
    labels: int | None = None
    rank: int = 16
    batch: int = 8
    epochs: float = 1
    evaluations: int = 2
    max_steps: int | None = None
    as_json: bool = False


def write_case(case: Case, folder: Path) -> Path:
    """The task folder of the case, made in `folder`."""
    sample = folder / "sample"
    write_sample(case.sample, sample, now=local_now())
    source = Task.open(sample).file
    texts = cycle(text for part in ("train", "test") for text in _texts(read_rows(sample / "data" / f"{part}.jsonl")))
    labels = _labels(case) or next(iter(source.targets.values()))
    place, random = folder / case.name, Random(7)
    (place / "data").mkdir(parents=True)
    for part, count in (("train", case.rows), ("valid", case.valid), ("test", case.test)):
        rows = [_row(f"{part}-{index}", case, texts, random.choice(labels)) for index in range(count)]
        (place / "data" / f"{part}.jsonl").write_text(rows_to_jsonl(rows), encoding="utf-8")
    (place / "task.yaml").write_text(task_to_yaml(_task(case, source, labels)), encoding="utf-8")
    return place


def _texts(rows: list[Row]) -> list[str]:
    return ["\n".join(row.input.values()) for row in rows]


def _labels(case: Case) -> list[str]:
    names = [f"{area} {wish}" for wish in WISHES for area in AREAS]
    return names[: case.labels] if case.labels else []


def _row(name: str, case: Case, texts: Iterator[str], label: str) -> Row:
    text = next(texts)
    while case.tokens and expected_tokens(text) < 0.8 * case.tokens:
        text += "\n" + next(texts)
    return Row(name, {"text": text}, {"label": label} if case.as_json else label)


def _task(case: Case, source: TaskFile, labels: list[str]) -> TaskFile:
    shape = {"type": "json", "properties": {"label": {"enum": labels}}} if case.as_json else {"type": "text", "enum": labels}
    return TaskFile.model_validate(
        {
            "task_name": case.name,
            "version": "v1",
            "language": source.language,
            "input_template": "Text: {text}\nLabel:",
            "output_format": shape,
            "training": {
                "base_model": STARTER_ID,
                "lora": {"r": case.rank, "alpha": 2 * case.rank},
                "epochs": case.epochs,
                "batch_size": case.batch,
                "learning_rate": 2e-4,
                "evaluations_per_epoch": case.evaluations,
                "early_stopping": None,
            },
        }
    )


@contextmanager
def own_cache() -> Iterator[dict[str, str]]:
    """An environment whose cache has the starter model and no measurement."""
    model = ensure_starter_model()
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / model.name).symlink_to(model)
        yield {**os.environ, "COACH_CACHE": place, "COACH_DEVICE": f"bench-{os.getpid()}"}


def command(environment: dict[str, str], *arguments: str) -> str:
    asked = [sys.executable, "-m", "training", "--lang", "en", *arguments]
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr}")
    return done.stdout


def trained(case: Case, place: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Trains the case and says what it took: seconds of each part, of everything, and memory at its highest."""
    limit = ["--max-steps", str(case.max_steps)] if case.max_steps else []
    command(environment, "run", str(place), "--json", *limit)
    version = Version(place / "versions" / "v1")
    events = read_events(version.events_path)
    results = version.results() or {}
    return {
        "seconds": round(events[-1]["t"] - events[0]["t"], 2),
        "memory_gb": round(results["cost"]["peak_memory_bytes"] / 2**30, 3),
        "parts": {name: round(value, 3) for name, value in asdict(part_times(events)).items()},
        "answer_ms_per_row": results["cost"]["eval_ms_per_row"],
        "threads_changed": any(event.get("code") == "N03" for event in events),
    }


def reckoned_work(case: Case, place: Path) -> Work:
    """What the estimate counts for the case."""
    found = work_of(Task.open(place).file, place / "data", max_steps=case.max_steps)
    assert found is not None
    return found


def exact_work(case: Case, place: Path) -> Work:
    """The same with lengths as the tokenizer has them: what costs are fitted to."""
    from training.backends.plain import open_tokenizer
    from training.data.tokens import RowEncoder

    task = Task.open(place).file
    encoder = RowEncoder(task, open_tokenizer(ensure_starter_model()), 1024)
    rows = {
        part: [encoder.encode(row) for row in read_rows(place / "data" / f"{part}.jsonl")] for part in ("train", "valid", "test")
    }
    every = [row for part in rows.values() for row in part]
    return replace(
        reckoned_work(case, place),
        row_tokens=sum(row.length for row in rows["train"]) / len(rows["train"]),
        answer_tokens=sum(len(row.answer) for row in rows["train"]) / len(rows["train"]),
        long_row_tokens=max(row.length for row in every),
        longest_answer=encoder.longest_answer,
        further_choices=sum(bool(choice.path) for target in task.targets for choice in encoder.choices(target)),
    )
