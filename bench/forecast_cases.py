"""Real trainings that forecasts are held against: rows, classes and balance varied over three corpora, each trained once and kept.

A case is drawn from a sample's package, looked at as an attached file is, and trained with the numbers the coach recommends for it. What
is kept is figures alone: the look's facts and the scores; no text. `python bench/forecast_cases.py [CASE …]` trains those that are
missing, in the order of CASES, and can be stopped and taken up again; a case takes one to five minutes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import record
from bench.estimate_cases import command, own_cache
from coach.answers import Answers
from coach.atomic_write import write_atomically
from coach.estimate import STARTER_ID
from coach.gain import SeenGain
from coach.hardware import Hardware
from coach.learning_curve import CurvePoint
from coach.recommendation.hyperparameters import Numbers, choose_numbers
from coach.reference_data import model_or_unknown
from coach.situation import TRAIN_SHARE, VALID_SHARE, DataFacts, Situation, situation_of
from coach.task_draft import input_template
from coach.task_file import task_to_yaml
from coach.task_schema import TaskFile
from training.data.row_ids import same_text
from training.data.rows import Row, rows_to_jsonl
from training.data_facts import look_at_file
from training.sample_sources import records_of
from training.samples import SAMPLES

Parts = tuple[list[tuple[str, str]], list[tuple[str, str]]]  # (text, label) to learn and validate with, and to test on
KEPT = record.FOLDER / "forecast_cases.json"
MODEL = STARTER_ID
TEST_ROWS = 400
MOST_CHARS = 60  # of a text: what is trained on stays short, so that a case takes minutes on a processor


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


def _cases() -> Iterator[Case]:
    """Spread so that any beginning of the list has every corpus in it."""
    for rows, seed in ((200, 1), (300, 2), (150, 3), (400, 4), (250, 5)):
        for corpus, labels, skew in (
            ("news-sentiment", None, None), ("review-sentiment", None, None), ("news-topics", None, None),
            ("news-sentiment", 2, 1.0), ("review-sentiment", None, 4.0), ("news-topics", 3, None),
            ("news-sentiment", None, 1.0), ("news-topics", 3, 4.0),
        ):  # fmt: skip
            yield Case(corpus, rows, labels, skew, seed)
    for corpus in ("news-sentiment", "review-sentiment", "news-topics"):
        yield Case(corpus, 500, seed=6)


CASES = tuple(_cases())


def kept() -> dict[str, Any]:
    return dict(json.loads(KEPT.read_text(encoding="utf-8"))) if KEPT.is_file() else {}


def keep(name: str, found: dict[str, Any]) -> None:
    """Beside those that are kept; whoever else is at it meanwhile is not overwritten."""
    everything = {**kept(), name: found}
    ordered = {case.name: everything[case.name] for case in CASES if case.name in everything}
    write_atomically(KEPT, json.dumps(ordered, ensure_ascii=False, indent=1) + "\n")


def one(case: Case) -> dict[str, Any]:
    """The facts of the look and what came of the training."""
    labelled, test = drawn(case)
    labels = sorted({label for _, label in labelled})
    with tempfile.TemporaryDirectory() as folder, own_cache() as environment:
        place = Path(folder) / "case"
        facts = look(case, labelled, Path(folder))
        _write(place, case, (labelled, test), labels, numbers_for(facts))
        command(environment, "run", str(place), "--json")
        results = json.loads((place / "versions" / "v1" / "results.json").read_text(encoding="utf-8"))
    came = {name: {"macro_f1": found["macro_f1"], "accuracy": found["accuracy"]} for name, found in
            (("tuned", results), ("baseline", results["baseline"]["tfidf"]))}  # fmt: skip
    return {"case": asdict(case), "facts": asdict(replace(facts, test_rows=len(test))), **came}


def seen_gain_of(found: dict[str, Any]) -> SeenGain:
    """The tuned model beside the baseline that was trained on the same rows."""
    return SeenGain(MODEL, found["tuned"]["macro_f1"], found["baseline"]["macro_f1"], found["facts"]["test_rows"])


def facts_of(found: dict[str, Any]) -> DataFacts:
    """The kept facts as the coach takes them."""
    curve = tuple(
        CurvePoint(one["rows"], tuple(one["macro_f1"]), tuple(one["accuracy"])) for one in found["facts"]["baseline_curve"]
    )
    return DataFacts(**{**found["facts"], "baseline_curve": curve, "seen_gains": ()})


def situation(facts: DataFacts) -> Situation:
    labels = list(facts.class_counts)
    return situation_of(Answers.model_validate({"task": {"type": "classification", "labels": labels}}), facts, Hardware())


def numbers_for(facts: DataFacts) -> Numbers:
    return choose_numbers(situation(facts), model_or_unknown(MODEL), "lora")[0]


def drawn(case: Case) -> Parts:
    """(text, label) to learn with and to test on: no text twice, classes as the case wants them, in both parts alike."""
    texts = _texts(case)
    random = Random(f"{case.name}")
    random.shuffle(texts)
    weights = _weights(case, texts)
    parts: Parts = ([], [])
    for label, share in weights.items():
        own = [pair for pair in texts if pair[1] == label]
        learn, test = max(4, round(share * case.rows)), round(share * TEST_ROWS)
        parts[0].extend(own[:learn])
        parts[1].extend(own[learn : learn + test])
    for part in parts:
        random.shuffle(part)
    return parts


def _texts(case: Case) -> list[tuple[str, str]]:
    sample = SAMPLES[case.corpus]
    column = sample.columns.index(sample.mapping["text"])
    seen: dict[str, tuple[str, str]] = {}
    for record_ in (one for part in records_of(case.corpus, sample.source).values() for one in part):
        text = " ".join(record_[column].split())[:MOST_CHARS]
        seen.setdefault(same_text(text), (text, record_[-1]))
    wanted = ("正面", "負面") if case.corpus == "news-sentiment" and case.labels else sample.labels[: case.labels]
    return [pair for pair in seen.values() if pair[0] and pair[1] in wanted]


def _weights(case: Case, texts: list[tuple[str, str]]) -> dict[str, float]:
    """Each class's share of the rows: the corpus' own, or the case's."""
    labels = sorted({label for _, label in texts})
    if case.skew is None:
        return {label: sum(found == label for _, found in texts) / len(texts) for label in labels}
    weights = {label: case.skew if place == 0 else 1.0 for place, label in enumerate(labels)}
    return {label: weight / sum(weights.values()) for label, weight in weights.items()}


def look(case: Case, labelled: list[tuple[str, str]], folder: Path) -> DataFacts:
    """What the coach sees when the rows are attached as a file."""
    path, labels = folder / "labelled.jsonl", sorted({label for _, label in labelled})
    lines = (json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in labelled)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    document = {"task": {"type": "classification", "labels": labels, "language": SAMPLES[case.corpus].language}}
    return look_at_file(path, Answers.model_validate(document), text=["text"], label="label").facts


def _write(place: Path, case: Case, parts: Parts, labels: list[str], numbers: Numbers) -> None:
    """The task's folder, split as the coach splits where the test came apart."""
    labelled, test = parts
    (place / "data").mkdir(parents=True)
    valid = round(len(labelled) * VALID_SHARE / (TRAIN_SHARE + VALID_SHARE))
    for part, pairs in (("valid", labelled[:valid]), ("train", labelled[valid:]), ("test", test)):
        rows = [Row(f"{part}-{number}", {"text": text}, label) for number, (text, label) in enumerate(pairs)]
        (place / "data" / f"{part}.jsonl").write_text(rows_to_jsonl(rows), encoding="utf-8")
    language = SAMPLES[case.corpus].language
    spoken = "en" if language == "en" else "zh-TW"
    assert numbers.lora is not None
    document = {
        "task_name": "case", "version": "v1", "language": language,
        "input_template": input_template("classification", spoken, ["text"], labels, short=True),
        "output_format": {"type": "text", "enum": labels},
        "training": {
            "base_model": MODEL, "method": "sft", "lora": asdict(numbers.lora), "learning_rate": numbers.learning_rate,
            "epochs": numbers.epochs, "batch_size": numbers.batch_size, "seed": case.seed,
        },
    }  # fmt: skip
    (place / "task.yaml").write_text(task_to_yaml(TaskFile.model_validate(document)), encoding="utf-8")


def main() -> None:
    named = sys.argv[1:]
    for case in CASES:
        if case.name not in kept() and (not named or case.name in named):
            found = one(case)
            keep(case.name, found)
            print(
                f"{case.name}: baseline {found['baseline']['macro_f1']:.3f}, tuned {found['tuned']['macro_f1']:.3f}", flush=True
            )


if __name__ == "__main__":
    main()
