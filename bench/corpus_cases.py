"""Small tasks drawn from the corpora: rows, classes and balance as wanted, looked at and written as the coach does it.

What is written lies in folders that are thrown away.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.corpora import CORPORA, every_text
from coach.answers import Answers
from coach.estimate import STARTER_ID
from coach.hardware import Hardware
from coach.recommendation.data import choose_data
from coach.recommendation.hyperparameters import Numbers, choose_numbers
from coach.reference_data import model_or_unknown
from coach.situation import TRAIN_SHARE, VALID_SHARE, DataFacts, Situation, situation_of
from coach.task_draft import input_template
from coach.task_file import task_to_yaml
from coach.task_schema import Balance, TaskFile
from training.data.rows import Row, rows_to_jsonl
from training.data_facts import look_at_file

MODEL = STARTER_ID
TEST_ROWS = 400
Pairs = list[tuple[str, str]]  # text and label


@dataclass(frozen=True)
class Case:
    """`rows` labelled ones to learn and validate with. `labels`: how many classes, None for all.

    `skew`: rows of the first class for each of the others', None as the corpus has them.
    """

    corpus: str
    rows: int
    labels: int | None = None
    skew: float | None = None
    seed: int = 1

    @property
    def name(self) -> str:
        return f"{self.corpus}-{self.rows}-{self.labels or 'all'}-{self.skew or 'as-is'}-{self.seed}"


def situation(facts: DataFacts) -> Situation:
    labels = list(facts.class_counts)
    return situation_of(Answers.model_validate({"task": {"type": "classification", "labels": labels}}), facts, Hardware())


def numbers_for(facts: DataFacts) -> Numbers:
    return choose_numbers(situation(facts), model_or_unknown(MODEL), "lora")[0]


def balance_for(facts: DataFacts) -> Balance:
    return choose_data(situation(facts), trains=True).balance


def draw(case: Case) -> tuple[Pairs, Pairs]:
    """(text, label) to learn with and to test on: no text twice, classes as the case wants them, in both parts alike."""
    texts = _texts(case)
    random = Random(f"{case.name}")
    random.shuffle(texts)
    weights = _weights(case, texts)
    parts: tuple[Pairs, Pairs] = ([], [])
    for label, share in weights.items():
        own = [pair for pair in texts if pair[1] == label]
        learn, test = max(4, round(share * case.rows)), round(share * TEST_ROWS)
        parts[0].extend(own[:learn])
        parts[1].extend(own[learn : learn + test])
    for part in parts:
        random.shuffle(part)
    return parts


def _texts(case: Case) -> Pairs:
    """The corpus' texts of the classes that the case wants."""
    labels = CORPORA[case.corpus].labels
    wanted = ("正面", "負面") if case.corpus == "news-sentiment" and case.labels else labels[: case.labels]
    return [pair for pair in every_text(case.corpus) if pair[1] in wanted]


def _weights(case: Case, texts: Pairs) -> dict[str, float]:
    """Each class's share of the rows: the corpus' own, or the case's."""
    labels = sorted({label for _, label in texts})
    if case.skew is None:
        return {label: sum(found == label for _, found in texts) / len(texts) for label in labels}
    weights = {label: case.skew if place == 0 else 1.0 for place, label in enumerate(labels)}
    return {label: weight / sum(weights.values()) for label, weight in weights.items()}


def look(case: Case, labelled: Pairs, folder: Path) -> DataFacts:
    """What the coach sees when the rows are attached as a file."""
    path, labels = folder / "labelled.jsonl", sorted({label for _, label in labelled})
    lines = (json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in labelled)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    document = {"task": {"type": "classification", "labels": labels, "language": CORPORA[case.corpus].language}}
    return look_at_file(path, Answers.model_validate(document), text=["text"], label="label").facts


def held_apart(labelled: Pairs, test: Pairs) -> dict[str, Pairs]:
    """The parts as the coach splits where the test came apart."""
    valid = round(len(labelled) * VALID_SHARE / (TRAIN_SHARE + VALID_SHARE))
    return {"valid": labelled[:valid], "train": labelled[valid:], "test": test}


def write_task(place: Path, case: Case, parts: Mapping[str, Pairs], numbers: Numbers, **changes: Any) -> Path:
    """The task's folder with its parts, to be trained with `numbers`; `changes` to the training section."""
    (place / "data").mkdir(parents=True)
    for part, pairs in parts.items():
        rows = [Row(f"{part}-{number}", {"text": text}, label) for number, (text, label) in enumerate(pairs)]
        (place / "data" / f"{part}.jsonl").write_text(rows_to_jsonl(rows), encoding="utf-8")
    language, labels = CORPORA[case.corpus].language, sorted({label for _, label in parts["train"]})
    assert numbers.lora is not None
    document = {
        "task_name": "case",
        "version": "v1",
        "language": language,
        "input_template": input_template("classification", "en" if language == "en" else "zh-TW", ["text"], labels, short=True),
        "output_format": {"type": "text", "enum": labels},
        "training": {
            "base_model": MODEL,
            "method": "sft",
            "lora": asdict(numbers.lora),
            "learning_rate": numbers.learning_rate,
            "epochs": numbers.epochs,
            "batch_size": numbers.batch_size,
            "seed": case.seed,
            **changes,
        },
    }
    (place / "task.yaml").write_text(task_to_yaml(TaskFile.model_validate(document)), encoding="utf-8")
    return place
