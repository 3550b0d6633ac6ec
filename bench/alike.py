"""From which cosine on the nearest training row's label says something of a text: `python bench/alike.py`, seconds.

For each corpus 400 rows to learn from and 600 asked: how often the nearest has the asked row's own label, by how near it is, beside how
often it has overall. Characters for Chinese, words for English, as the baseline reads them. And how many of the asked have nearly the
same text among those learnt from, which a finding is to set apart from a test that leaks.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import record
from bench.corpora import CORPORA, every_text
from training.baseline import vectorizer_for
from training.data.rows import Row
from training.near_copies import MOST_TRAINING, find_copies, wordings
from training.nearest_rows import TrainingIndex

LEARNT, ASKED, SEED = 400, 600, 3
BOUNDS = (0.0, 0.15, 0.2, 0.25, 0.3, 1.01)
Seen = list[tuple[float, bool]]  # how near, and whether its label was the text's own


def of_corpus(name: str) -> Seen:
    corpus = CORPORA[name]
    texts = [pair for pair in every_text(name) if pair[1] in corpus.labels]
    Random(SEED).shuffle(texts)
    rows = [Row(str(place), {"text": text}, label) for place, (text, label) in enumerate(texts[:LEARNT])]
    vectorizer = vectorizer_for(corpus.language)
    index = TrainingIndex(rows, None, vectorizer, vectorizer.fit_transform([row.input["text"] for row in rows]))
    asked = [(index.nearest({"text": text}, 1), label) for text, label in texts[LEARNT : LEARNT + ASKED]]
    return [(near[0].similarity, near[0].label == label) for near, label in asked if near]


def nearly_the_same(name: str) -> dict[str, float | int | None]:
    """Of texts drawn at random, as a test is, how many have nearly the same among MOST_TRAINING: what a corpus has of itself."""
    corpus = CORPORA[name]
    rows = [Row(str(place), {"text": text}, label) for place, (text, label) in enumerate(every_text(name))]
    Random(SEED).shuffle(rows)
    train, test = rows[:-ASKED][:MOST_TRAINING], rows[-ASKED:]
    found = find_copies(train, test, corpus.language)
    asked = list(found.copied.values()) if found else []
    file = wordings(rows[: LEARNT + 200], corpus.language)
    of_a_file = round(file.alike() / len(file.group_of), 4) if file else None
    nearly = round(sum(asked) / len(asked), 4)
    return {"learnt": len(train), "asked": len(asked), "nearly_the_same": nearly, "alike_in_a_file_of_600": of_a_file}


def by_nearness(seen: Seen) -> dict[str, Any]:
    found: dict[str, Any] = {"all": share(seen)}
    for low, high in pairwise(BOUNDS):
        found[f"from {low:.2f}"] = share([one for one in seen if low <= one[0] < high])
    return found


def share(seen: Seen) -> dict[str, float | int | None]:
    return {"asked": len(seen), "own_label": round(sum(right for _, right in seen) / len(seen), 3) if seen else None}


def main() -> None:
    seen = {name: of_corpus(name) for name in CORPORA}
    pooled = {
        "characters": [one for name, found in seen.items() if CORPORA[name].language != "en" for one in found],
        "words": [one for name, found in seen.items() if CORPORA[name].language == "en" for one in found],
    }
    figures = {name: by_nearness(found) for name, found in {**pooled, **seen}.items()}
    record.write("alike", {**figures, "nearly_the_same": {name: nearly_the_same(name) for name in CORPORA}})


if __name__ == "__main__":
    main()
