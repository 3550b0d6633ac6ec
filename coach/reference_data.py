"""The coach's data files as typed rows: base models, methods and their numbers, sources. Graphics cards are gpu_cards.py's.

Owns reading them, once; what a row means for a recommendation is the rules'. A row that does not fit raises at the first look.
"""

from __future__ import annotations

import functools
import re
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from coach.catalog_file import read_catalog_file
from coach.sentence import Localized
from coach.task_schema import Method
from coach.text import Language

CATALOG_FOLDER = Path(__file__).parent / "catalog"
Role = Literal["chinese", "default", "light", "tooling", "reasoning", "larger", "newer", "starter"]
LanguageGroup = Literal["zh", "en", "other"]
Difficulty = Literal["hard", "middle", "easy"]


_PAGE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(ai|com|io|org)/[\w./-]+")
_PAPER = re.compile(r"arXiv (\d{4}\.\d{4,5})")
_REPOSITORY = re.compile(r"(?P<name>[\w-]+/[\w.-]+),?( [\w./-]+)? @(?P<commit>[0-9a-f]{7,40})\b")


class Row(BaseModel):
    """A row of a data file: unknown keys are an error, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Shape(Row):
    """A transformer's dimensions. `q`, `kv`: width of all query heads, and of all key or value heads, together."""

    hidden: int
    layers: int
    q: int
    kv: int
    ffn: int
    vocab: int
    tied: bool

    @property
    def embedding_parameters(self) -> int:
        return self.vocab * self.hidden * (1 if self.tied else 2)

    def lora_parameters(self, rank: int) -> int:
        """Trainable parameters of an adapter of `rank` on all linear layers (evidence.md 5.2)."""
        attention = 2 * (self.hidden + self.q) + 2 * (self.hidden + self.kv)
        return rank * self.layers * (attention + 3 * (self.hidden + self.ffn))


class ModelRow(Row):
    """A base model; `params_b` in billions, None where we do not know it."""

    id: str
    params_b: float | None
    shape: Shape | None
    licence: str
    gated: bool
    languages: list[LanguageGroup]
    roles: list[Role]
    fp16_safe: bool
    thinking: Literal["never", "hybrid", "always"]
    four_bit_id: str | None
    source: str
    date: date
    learning_rate: float | None = None
    learning_rate_oversampled: float | None = None
    epochs: int | None = None
    note: dict[Language, str] | None = None

    def own_learning_rate(self, *, oversampled: bool) -> float | None:
        """The rate that was tried with this model, with small classes oversampled or not; None where none was."""
        return (self.learning_rate_oversampled if oversampled else None) or self.learning_rate


class MethodRow(Row):
    id: Method
    stable: bool
    needs: Literal["nothing", "rows", "pairs", "thumbs"]
    title: dict[Language, str]
    source: str

    @property
    def name(self) -> Localized:
        return Localized(self.title)


class LoraBand(Row):
    """LoRA settings for fewer labelled rows than `below`; `epochs` are fewest, start, most."""

    below: int | None
    r: int
    alpha: int
    learning_rate: float
    epochs: tuple[int, int, int]
    batch_size: int
    source: str


class LargeModel(Row):
    from_params_b: float
    learning_rate: float
    source: str


class FullTuning(Row):
    learning_rate: float
    epochs: tuple[int, int, int]
    batch_size: int
    source: str


class PreferenceTuning(Row):
    learning_rate: float
    epochs: int
    beta: float
    source: str


class Gain(Row):
    """Share of the baseline's errors that a tuned model of this size removes on a new task: mean and standard deviation.

    `english`, `feeling`: the kind of texts it holds for (text_kind.py), None for any.
    """

    model: Literal["starter", "small", "large"]
    below_params_b: float | None
    english: bool | None = None
    feeling: bool | None = None
    mean: float
    deviation: float


class ExtractionPriors(Row):
    source: str
    points: list[tuple[int, float, float, float]]


class ForecastPriors(Row):
    """`curves`: points of rows, accuracy and macro-F1 of the cheap baseline."""

    source: str
    curves: dict[Difficulty, list[tuple[int, float, float]]]
    gain: list[Gain]
    extraction: ExtractionPriors


class MethodBook(Row):
    methods: list[MethodRow]
    lora_by_rows: list[LoraBand]
    large_model: LargeModel
    full: FullTuning
    preference: PreferenceTuning
    forecast: ForecastPriors


class Source(Row):
    title: str
    where: str
    kind: Literal["read", "measured", "specification", "judgement", "unchecked"]
    date: date
    says: dict[Language, str]
    section: str | None = None

    @property
    def citation(self) -> str:
        """Title and place, as a reason's source is shown."""
        return f"{self.title} · {self.where}"

    @property
    def address(self) -> str | None:
        """Where a browser finds it: a page, a paper, or a repository at the commit that was read; None where it says neither."""
        if page := _PAGE.match(self.where):
            return f"https://{page.group()}"
        if paper := _PAPER.search(self.where):
            return f"https://arxiv.org/abs/{paper.group(1)}"
        if place := _REPOSITORY.match(self.where):
            return f"https://github.com/{place.group('name')}/tree/{place.group('commit')}"
        return None


@functools.cache
def models() -> tuple[ModelRow, ...]:
    return tuple(ModelRow.model_validate(row) for row in read_catalog("models")["models"])


def model_row(model_id: str) -> ModelRow | None:
    """The row of a base model, or None for one the coach does not know (a local folder, another hub id)."""
    return next((row for row in models() if row.id == model_id), None)


def model_or_unknown(model_id: str) -> ModelRow:
    """The catalogue's row, or for any other model one that knows nothing of it."""
    known = model_row(model_id)
    if known is not None:
        return known
    return ModelRow(
        id=model_id, params_b=None, shape=None, licence="?", gated=False, languages=["zh", "en", "other"], roles=[], fp16_safe=True,
        thinking="never", four_bit_id=None, source="our-practice", date=date(2026, 11, 23),
    )  # fmt: skip


@functools.cache
def method_book() -> MethodBook:
    return MethodBook.model_validate(read_catalog("methods"))


def method_row(method: Method) -> MethodRow:
    return next(row for row in method_book().methods if row.id == method)


def lora_band(rows: int) -> LoraBand:
    """The settings for `rows` labelled rows."""
    return next(band for band in method_book().lora_by_rows if band.below is None or rows < band.below)


@functools.cache
def sources() -> dict[str, Source]:
    return {key: Source.model_validate(row) for key, row in read_catalog("sources").items()}


def read_catalog(name: str) -> dict[str, Any]:
    """The document of one data file."""
    document = read_catalog_file(CATALOG_FOLDER / f"{name}.yaml")
    assert isinstance(document, dict)
    return document
