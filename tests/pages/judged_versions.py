"""Finished versions made by hand: rows, answers and scores as a run would leave them, without a run."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from coach.task_file import task_to_yaml
from coach.task_schema import TaskFile
from coach.verdict import verdict_word
from coach.version_folder import Version
from coach.workspace import Task
from tests.conftest import NOW
from training.data.rows import Row, rows_to_jsonl
from training.new_version import new_version
from training.results import Answered, Cost, Outcome, results_document, write_lineage, write_predictions

LABELS = ["正面", "中立", "負面"]
PLANTED, SIGNS = "退費", "股市大漲連跌新聞報導今天政府公司員工加薪裁員天氣晴雨球隊勝敗投資人信心消費者抱怨服務產品"
Answer = Callable[[int, str], str]


def make_task(
    folder: Path, *, rows: int = 60, text: Callable[[int], str] = lambda index: f"第 {index} 則新聞", **training: object
) -> Task:
    """A task of three labels in turn, with `rows` test rows; nothing trained."""
    file = TaskFile.model_validate(
        {
            "task_name": folder.name,
            "title": "新聞情感",
            "version": "v1",
            "input_template": "{text}\n情感：",
            "output_format": {"type": "text", "enum": LABELS},
            "training": {"base_model": "starter/gemma-3-270m", "lora": {"r": 16, "alpha": 32}, **training},
            "success_criteria": {
                "primary_metric": "macro_f1",
                "threshold": 0.8,
                "baseline": {"name": "keyword_list", "score": 0.52},
            },
        }
    )
    (folder / "data").mkdir(parents=True)
    (folder / "task.yaml").write_text(task_to_yaml(file), encoding="utf-8")
    for part, count in (("train", 30), ("valid", 12), ("test", rows)):
        made = [Row(f"r-{part}-{index:04d}", {"text": text(index)}, LABELS[index % 3], "news") for index in range(count)]
        (folder / "data" / f"{part}.jsonl").write_text(rows_to_jsonl(made), encoding="utf-8")
    return Task.open(folder)


def finish(task: Task, name: str, answer: Answer, *, changes: str | None = None, **training: object) -> Version:
    """Freezes version `name` with changed training settings and finishes it: `answer(place, right label)` is what it said."""
    file = task.file
    changed = file.training.model_copy(update=training)
    task.save_file(file.model_copy(update={"version": name, "training": changed}))
    version = new_version(task, name, NOW, changes=changes)
    rows = [json.loads(line) for line in version.split_path("test").read_text(encoding="utf-8").splitlines()]
    answered = [_answered(place, row, answer) for place, row in enumerate(rows)]
    config = version.config
    write_predictions(version, config, answered)
    results = results_document(config, answered, {"train": 30, "valid": 12, "test": len(rows)}, None, _outcome())
    version.write_results(results)
    write_lineage(version, config, results, verdict_word(results), NOW, adapter=False)
    events = [{"type": "started", "attempt": 1}, {"type": "finished", "best_step": 4}]
    lines = [json.dumps({"v": 1, "seq": seq, "t": NOW.timestamp() + seq, **event}) + "\n" for seq, event in enumerate(events)]
    version.events_path.write_text("".join(lines), encoding="utf-8")
    return version


def every(nth: int, *, by: int = 1) -> Answer:
    """Every nth row is answered with the label `by` places further on; the others rightly."""
    return lambda place, right: LABELS[(LABELS.index(right) + by) % 3] if place % nth == 0 else right


def planted_text(place: int) -> str:
    """Eighteen signs by chance, and in every eleventh row PLANTED in their midst."""
    signs = [random.Random(place * 7 + number).choice(SIGNS) for number in range(18)]
    return "".join([*signs[:9], PLANTED if _is_planted(place) else "好天", *signs[9:]])


def wrong_where_planted(place: int, right: str) -> str:
    """Rows with PLANTED go wrong, and one in ten of the others, whatever stands in it."""
    is_wrong = _is_planted(place) or random.Random(place).random() < 0.1
    return LABELS[(LABELS.index(right) + 1) % 3] if is_wrong else right


def _is_planted(place: int) -> bool:
    return place % 11 == 4


def _answered(place: int, row: dict[str, object], answer: Answer) -> Answered:
    right = str(row["output"])
    said = answer(place, right)
    sure = 0.5 + (place % 50) / 100
    others = [label for label in LABELS if label != said]
    scores = {said: sure, **{label: round((1 - sure) / 2, 6) for label in others}}
    made = Row(str(row["id"]), dict(row["input"]), right)  # type: ignore[call-overload]
    return Answered(made, {None: said}, said, {None: scores})


def _outcome() -> Outcome:
    outcome = Outcome(4, 0.7, "completed", 0.0, 0, Cost(1.0, 1.0, 1, 1.0), {"device": "cpu"}, None)
    return replace(outcome)
