"""Ready tasks on real data: `write_sample` makes a whole task folder with answers, task, data source, raw files and built data.

Owns the drawing of rows (stratified, the same for a seed) and the writing. What a sample is called and says stands in
`coach/catalog/samples.yaml`; how its package keeps the data is `sample_sources.py`'s.
"""

from __future__ import annotations

import csv
import functools
import io
import random
import re
import secrets
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from coach.answers import write_answers
from coach.atomic_write import write_atomically
from coach.catalog_file import read_catalog_file
from coach.errors import DataError
from coach.task_file import task_to_yaml
from coach.task_schema import SLUG_PATTERN
from coach.text import DEFAULT_LANGUAGE, Language
from training.data.build import build_data
from training.data.build_report import BuildReport
from training.data.row_ids import same_text
from training.data.source import data_source_to_yaml, source_document
from training.sample_documents import Sample, answers_of, task_of
from training.sample_sources import Record, finished, records_of

CATALOGUE = Path(__file__).parents[1] / "coach" / "catalog" / "samples.yaml"
SAMPLE_SEED = 42
MAX_SEED = 2**32 - 1  # what task.yaml and numpy take
LEAST_ROWS = 30


@functools.cache
def _catalogue() -> dict[str, Sample]:
    entries = read_catalog_file(CATALOGUE)
    return {name: Sample(name=name, **entry) for name, entry in entries.items()}


SAMPLES: Mapping[str, Sample] = _catalogue()


def write_sample(
    name: str,
    folder: Path,
    *,
    now: datetime,
    limit: int | None = None,
    rows: int | None = None,
    seed: int = SAMPLE_SEED,
    language: Language = DEFAULT_LANGUAGE,
) -> BuildReport:
    """Writes a task folder ready to train: `rows` training rows drawn with `seed`, the package's own test part where it has one.

    `limit` caps every part, for trials. The folder appears whole or not at all. Raises DataError: unknown sample, package not
    installed or damaged, rows or seed out of range, a folder that holds something or whose name is no task name.
    """
    sample = SAMPLES.get(name)
    if sample is None:
        raise DataError("data.sample_unknown", name=name, known=", ".join(SAMPLES))
    _refuse_seed(seed)
    _refuse_folder(folder)
    parts = _draw(sample, rows or sample.rows, limit, seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        report = _fill(sample, unfinished, folder.name, parts, seed=seed, now=now, language=language)
        if folder.exists():
            folder.rmdir()
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return report


def _refuse_seed(seed: int) -> None:
    if not 0 <= seed <= MAX_SEED:
        raise DataError("data.sample_seed", seed=seed, most=MAX_SEED)


def _refuse_folder(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError("data.sample_folder_taken", folder=str(folder))
    if not re.fullmatch(SLUG_PATTERN, folder.name):
        raise DataError("data.sample_folder_name", folder=folder.name)


def _draw(sample: Sample, rows: int, limit: int | None, seed: int) -> dict[str, list[Record]]:
    """Raw records by part. With a test part of its own, exactly `rows` usable training rows and what came up beside them."""
    package = records_of(sample.name, sample.source)
    shares = sample.ratios or {"train": 1.0}
    most = int(len(package["train"]) * shares["train"])
    if not LEAST_ROWS <= rows <= most:
        raise DataError("data.sample_rows", name=sample.name, rows=rows, least=LEAST_ROWS, most=most)
    wanted = rows if limit is None else min(rows, limit)
    if sample.test is None:
        return {"train": draw_stratified(package["train"], round(wanted / shares["train"]), seed)}
    test = package["test"] if limit is None else draw_stratified(package["test"], limit, seed)
    wanted_valid = sample.valid_rows or 0 if limit is None else min(sample.valid_rows or 0, limit)
    column = sample.columns.index(sample.mapping["text"])
    taken = {same_text(record[column]) for record in package["test"]}
    valid = draw_usable(package["valid"], wanted_valid, seed, column, taken)
    taken |= {same_text(record[column]) for record in valid}
    return {"train": draw_usable(package["train"], wanted, seed, column, taken), "valid": valid, "test": test}


def draw_stratified(records: Sequence[Record], count: int, seed: int) -> list[Record]:
    """`count` records (all, where there are fewer) with the classes in proportion, shuffled; repeats stay in."""
    order = _shuffled_by_label(records, seed)
    quota = _quota({label: len(places) for label, places in order.items()}, count)
    return _in_random_order(records, [place for label, places in order.items() for place in places[: quota[label]]], seed)


def draw_usable(records: Sequence[Record], count: int, seed: int, column: int, taken: set[str]) -> list[Record]:
    """Records drawn class by class until `count` of them can be used: text not among `taken`, not repeated, not contradicted.

    Those that came up and cannot be used are returned too, so that the raw file shows what real data are like.
    """
    order = _shuffled_by_label(records, seed)
    quota = _quota({label: len(places) for label, places in order.items()}, count)
    reach = dict(quota)
    while True:
        drawn = [place for label, places in order.items() for place in places[: reach[label]]]
        usable = _usable([records[place] for place in drawn], column, taken)
        lacking = {label: quota[label] - usable[label] for label in order if reach[label] < len(order[label])}
        if not any(short > 0 for short in lacking.values()):
            return _in_random_order(records, drawn, seed)
        for label, short in lacking.items():
            reach[label] += max(0, short)


def _usable(records: Sequence[Record], column: int, taken: set[str]) -> Counter[str]:
    labels: dict[str, set[str]] = defaultdict(set)
    for record in records:
        labels[same_text(record[column])].add(record[-1])
    return Counter(next(iter(found)) for key, found in labels.items() if key and key not in taken and len(found) == 1)


def _shuffled_by_label(records: Sequence[Record], seed: int) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        places[record[-1]].append(place)
    for label in sorted(places):
        random.Random(f"{seed}:{label}").shuffle(places[label])
    return {label: places[label] for label in sorted(places)}


def _quota(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """`count` shared out in proportion to the sizes, by largest remainder."""
    total = sum(sizes.values())
    exact = {label: min(count, total) * size / total for label, size in sizes.items()}
    quota = {label: int(share) for label, share in exact.items()}
    for label in sorted(sizes, key=lambda label: quota[label] - exact[label])[: min(count, total) - sum(quota.values())]:
        quota[label] += 1
    return quota


def _in_random_order(records: Sequence[Record], places: list[int], seed: int) -> list[Record]:
    ordered = sorted(places)
    random.Random(f"{seed}:order").shuffle(ordered)
    return [records[place] for place in ordered]


def _fill(
    sample: Sample,
    folder: Path,
    task_name: str,
    parts: Mapping[str, Sequence[Record]],
    *,
    seed: int,
    now: datetime,
    language: Language,
) -> BuildReport:
    paths = {part: f"raw/{raw_name(sample.name, part)}" for part in parts}
    (folder / "raw").mkdir(parents=True)
    for part, records in parts.items():
        write_atomically(folder / paths[part], _csv(sample.columns, finished(sample.name, records)))
    task = task_of(sample, task_name, seed, now, language)
    source = source_document(
        task, sample.mapping, paths["train"], now=now, table_format="csv", encoding="utf-8", delimiter=",",
        test_file=paths.get("test"), valid_file=paths.get("valid"),
    )  # fmt: skip
    if sample.ratios is not None:
        source.split.ratios = dict(sample.ratios)
    first = dict(zip(sample.columns, finished(sample.name, parts["train"][:1])[0]))
    answers = answers_of(sample, task_name, len(parts["train"]), paths["train"], first, language)
    write_answers(folder / "answers.yaml", answers)
    write_atomically(folder / "task.yaml", task_to_yaml(task, language))
    write_atomically(folder / "data_source.yaml", data_source_to_yaml(source))
    return build_data(folder, source, task, now=now)


def raw_name(sample: str, part: str = "train") -> str:
    """What the raw file of a part is called: `news_sentiment.csv`, `news_sentiment_test.csv`."""
    stem = sample.replace("-", "_")
    return f"{stem}.csv" if part == "train" else f"{stem}_{part}.csv"


def _csv(columns: Sequence[str], records: Sequence[Record]) -> str:
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(records)
    return sheet.getvalue()
