"""Real trainings that forecasts are held against: rows, classes and balance varied over eight corpora, each trained once and kept.

A case is drawn from a corpus (corpora.py), looked at as an attached file is, and trained with the numbers the coach recommends for it. What
is kept is figures alone: the look's facts and the scores; no text. `python bench/forecast_cases.py [CASE …]` trains those that are
missing, in the order of CASES, and can be stopped and taken up again, by two at once too; a case takes one to five minutes, three to ten
on a processor without bfloat16.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import record
from bench.corpus_cases import MODEL, Case, balance_for, draw, held_apart, look, numbers_for, write_task
from bench.estimate_cases import command, own_cache
from bench.kept_runs import KeptRuns
from coach.gain import SeenGain
from coach.learning_curve import CurvePoint
from coach.situation import DataFacts


def _cases() -> Iterator[Case]:
    """Spread so that any beginning of the list has every corpus in it."""
    for rows, seed in ((200, 1), (300, 2), (150, 3)):
        for corpus, labels, skew in (
            ("news-sentiment", None, None), ("review-sentiment", None, None), ("news-topics", None, None),
            ("news-sentiment", 2, 1.0), ("review-sentiment", None, 4.0), ("news-topics", 3, None),
            ("news-sentiment", None, 1.0), ("news-topics", 3, 4.0),
        ):  # fmt: skip
            yield Case(corpus, rows, labels, skew, seed)
        for corpus in ("products", "kinds", "tweets", "films", "editorials"):
            yield Case(corpus, rows, seed=seed)
    for corpus in ("review-sentiment", "kinds", "products", "news-topics", "tweets", "news-sentiment"):
        yield Case(corpus, 400, seed=4)


CASES = tuple(_cases())
KEPT = KeptRuns(record.FOLDER / "forecast_cases.json", tuple(case.name for case in CASES))


def one(case: Case, **changes: Any) -> dict[str, Any]:
    """The facts of the look and what came of the training; `changes` to what the coach recommends for it."""
    labelled, test = draw(case)
    with tempfile.TemporaryDirectory() as folder, own_cache() as environment:
        facts = look(case, labelled, Path(folder))
        parts, advised = held_apart(labelled, test), {"balance": balance_for(facts)}
        place = write_task(Path(folder) / "case", case, parts, numbers_for(facts), **advised | changes)
        command(environment, "run", str(place), "--json")
        results = json.loads((place / "versions" / "v1" / "results.json").read_text(encoding="utf-8"))
    scored = {"tuned": results, "baseline": results["baseline"]["tfidf"]}
    came = {name: {"macro_f1": found["macro_f1"], "accuracy": found["accuracy"]} for name, found in scored.items()}
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


def main() -> None:
    KEPT.do_missing(CASES, one, named=sys.argv[1:])


if __name__ == "__main__":
    main()
