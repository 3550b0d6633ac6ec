"""Corpora for trials: the app's three samples, and five in English made of the ratings that vaderSentiment's source archive carries.

Texts are read from installed packages or from that archive, which pip fetches once into the cache; nothing of it is run by us or kept in
the repository. Ratings are means of twenty people, -4 to 4 (Hutto & Gilbert 2014, the archive's additional_resources).
"""

from __future__ import annotations

import functools
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from coach.atomic_write import write_atomically
from training.data.row_ids import same_text
from training.sample_sources import records_of
from training.samples import SAMPLES
from training.starter_model import cache_root

ARCHIVE = "vaderSentiment==3.3.2"
ARCHIVE_SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
RATINGS = "hutto_ICWSM_2014.tar.gz"
CLEAR = 0.5  # of a rating's four: nearer zero is neither
Pairs = tuple[tuple[str, str], ...]  # text and label


@dataclass(frozen=True)
class Corpus:
    """`most_chars`: what texts are cut to, so that a training takes minutes on a processor. `is_feeling`: else it is the subject."""

    language: str
    labels: tuple[str, ...]
    read: Callable[[], Iterable[tuple[str, str]]]
    is_feeling: bool = True
    most_chars: int = 60


@functools.cache
def every_text(name: str) -> Pairs:
    """Each text of the corpus once, in the source's order."""
    corpus = CORPORA[name]
    seen: dict[str, tuple[str, str]] = {}
    for text, label in corpus.read():
        short = " ".join(text.split())[: corpus.most_chars]
        seen.setdefault(same_text(short), (short, label))
    return tuple(pair for pair in seen.values() if pair[0])


# --- the app's samples ---------------------------------------------------------------------------------------------------------


def _sample(name: str) -> Corpus:
    sample = SAMPLES[name]
    column = sample.columns.index(sample.mapping.get("text") or sample.mapping["title"])

    def read() -> Iterable[tuple[str, str]]:
        return ((record[column], record[-1]) for part in records_of(name, sample.source).values() for record in part)

    return Corpus(sample.language, tuple(sample.labels), read, is_feeling=name != "news-topics")


# --- rated texts ---------------------------------------------------------------------------------------------------------------


def _rated(part: str, *labels: str) -> Corpus:
    """Two labels leave out what is neither."""

    def read() -> Iterable[tuple[str, str]]:
        for rating, text in _ratings(part):
            label = "positive" if rating >= CLEAR else "negative" if rating <= -CLEAR else "neutral"
            if label in labels:
                yield text, label

    return Corpus("en", labels, read, most_chars=120)


def _kinds() -> Corpus:
    """Where a text comes from."""
    kinds = {
        "tweets": "tweet",
        "amazonReviewSnippets": "product",
        "movieReviewSnippets": "film",
        "nytEditorialSnippets": "opinion",
    }

    def read() -> Iterable[tuple[str, str]]:
        return ((text, kind) for part, kind in kinds.items() for _, text in _ratings(part))

    return Corpus("en", tuple(kinds.values()), read, is_feeling=False, most_chars=120)


@functools.cache
def _ratings(part: str) -> tuple[tuple[float, str], ...]:
    with tarfile.open(fileobj=io.BytesIO(_archive())) as archive:
        file = archive.extractfile(next(one for one in archive if one.name.endswith(f"{part}_GroundTruth.txt")))
        assert file is not None
        lines = file.read().decode("utf-8").splitlines()
    return tuple((float(rating), text) for _, rating, text in (line.split("\t") for line in lines if line.strip()))


def _archive() -> bytes:
    """The archive of rated texts, from the cache or out of what pip fetches. Raises ValueError where that is not the one known."""
    kept = cache_root() / RATINGS
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as folder:
            asked = [
                "download",
                "--quiet",
                "--no-deps",
                "--no-binary",
                ":all:",
                "--no-build-isolation",
                "--dest",
                folder,
                ARCHIVE,
            ]
            subprocess.run([sys.executable, "-m", "pip", *asked], check=True)
            content = next(Path(folder).iterdir()).read_bytes()
        if hashlib.sha256(content).hexdigest() != ARCHIVE_SHA256:
            raise ValueError(f"{ARCHIVE} is another archive than the one whose sum stands in {__file__}")
        with tarfile.open(fileobj=io.BytesIO(content)) as outer:
            file = outer.extractfile(next(one for one in outer if one.name.endswith(RATINGS)))
            assert file is not None
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(kept, file.read())
    return kept.read_bytes()


CORPORA = {
    **{name: _sample(name) for name in ("news-sentiment", "review-sentiment", "news-topics")},
    "products": _rated("amazonReviewSnippets", "positive", "negative"),
    "films": _rated("movieReviewSnippets", "positive", "negative"),
    "tweets": _rated("tweets", "positive", "neutral", "negative"),
    "editorials": _rated("nytEditorialSnippets", "positive", "neutral", "negative"),
    "kinds": _kinds(),
}
