"""Records tests/data/runs/*.jsonl from real runs of the tiny model: `python -m tests.tools.record_runs`.

healthy      learns and finishes
overfit      labels are noise: learnt by heart while validation gets worse
diverged     the base model's weights hold NaN, so the loss is no number
resumed      stopped half way, then resumed to the end
interrupted  killed (SIGKILL) in the middle
torn         the same log cut in the middle of its last line, as a crash while writing leaves it
Only the host's name is replaced, so that no machine of ours stands in the repository.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from coach.errors import TrainingError
from coach.version_folder import Version
from tests.tiny_model import save_damaged_copy, save_tiny_model
from tests.training.small_task import LABELS, make_task, make_version, rows, task_file
from training.event_log import read_events
from training.starter_model import MODEL_ID
from training.worker import run

TARGET = Path(__file__).parents[1] / "data" / "runs"
ROOT = Path(__file__).parents[2]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def keep(name: str, version: Version, cut: int | None = None) -> None:
    lines = []
    for line in version.events_path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if "worker" in event:
            event["worker"]["host"] = "box"
        if "traceback" in event:
            event["traceback"] = event["traceback"].replace(str(ROOT), ".")
        lines.append(json.dumps(event, ensure_ascii=False))
    content = "\n".join(lines) + "\n"
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / f"{name}.jsonl").write_text(content if cut is None else content[:-cut], encoding="utf-8")
    print(name, len(lines), "events, last:", json.loads(lines[-1])["type"])


def noisy(place: Path) -> Version:
    """The small task with labels drawn at random, on the starter model: nothing to learn, and a memory to learn it by heart."""
    from coach.workspace import freeze_version

    wild = {"epochs": 16, "learning_rate": 5e-4, "scheduler": "constant", "early_stopping": None}
    task = make_task(place, task_file(MODEL_ID, **wild))
    chance = random.Random(1)
    for part in ("train", "valid", "test"):
        changed = [{**row, "output": chance.choice(list(LABELS.values()))} for row in rows(part)]
        (task.data_folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    return freeze_version(task, "v1", now())


def interrupted(place: Path, model: Path) -> Version:
    task = make_task(place, task_file(model, epochs=300, early_stopping=None))
    worker = subprocess.Popen(
        [sys.executable, "-m", "training", "run", str(task.folder), "--json"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    log = task.folder / "versions" / "v1" / "events.jsonl"
    while sum(event["type"] == "checkpoint" for event in read_events(log)) < 3:
        time.sleep(0.1)
    worker.kill()
    worker.wait()
    return task.version("v1")


def main() -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model = save_tiny_model(place / "tiny")
        healthy = make_version(place / "healthy" / "letters", task_file(model, epochs=8))
        run(healthy, now=now)
        keep("healthy", healthy)

        overfit = noisy(place / "overfit" / "letters")
        run(overfit, now=now)
        keep("overfit", overfit)

        diverged = make_version(place / "diverged" / "letters", task_file(save_damaged_copy(model, place / "damaged")))
        try:
            run(diverged, now=now)
        except TrainingError as error:
            print(error)
        keep("diverged", diverged)

        resumed = make_version(place / "resumed" / "letters", task_file(model, epochs=4))
        run(resumed, now=now, listener=lambda event: event["type"] == "step" and event["step"] == 9 and resumed.stop_path.touch())
        run(resumed, resume=True, now=now)
        keep("resumed", resumed)

        killed = interrupted(place / "interrupted" / "letters", model)
        keep("interrupted", killed)
        keep("torn", killed, cut=25)


if __name__ == "__main__":
    main()
