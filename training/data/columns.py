"""Which column is the text and which the label, guessed from names and contents, each guess with its confidence.

A guess is shown to a person, never trusted in silence: below LOW_CONFIDENCE the caller asks. Owns the name lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from coach.errors import DataError
from coach.intents import stands_in
from training.data.row_ids import same_text
from training.data.table import Table

TEXT_NAMES = (
    "text", "content", "review", "sentence", "comment", "message", "body", "title", "headline", "input", "document", "news",
    "tweet", "question", "文本", "內文", "内文", "內容", "内容", "標題", "标题", "文字", "句子",
    "評論", "评论", "留言", "新聞", "全文", "問題", "輸入",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "class", "category", "sentiment", "target", "tag", "topic", "intent", "polarity", "output", "answer",
    "標註", "标注", "標籤", "标签", "類別", "类别", "分類", "分类", "情感", "情緒", "答案", "意圖", "主題", "輸出", "傾向",
)  # fmt: skip
PLACEHOLDER_NAMES: dict[str, tuple[str, ...]] = {
    "entity": ("entity", "company", "target", "object", "實體", "公司", "對象", "主體", "品牌", "產品"),
    "title": ("title", "headline", "subject", "標題", "标题", "題目", "主旨"),
    "text": TEXT_NAMES,
    "content": TEXT_NAMES,
}
LOW_CONFIDENCE = 0.5
_SAMPLE_ROWS = 2_000
_SHORTEST_SAID = 2  # letters; "a" and "1" stand in any sentence
_MAX_CLASSES = 200  # more distinct values than this is not a set of classes a person wrote down


@dataclass(frozen=True)
class ColumnGuess:
    """The likely text column(s), best first, and the likely label column; confidences from 0 (a blind pick) to 1."""

    text: tuple[str, ...]
    label: str | None
    text_confidence: float
    label_confidence: float

    @property
    def is_sure(self) -> bool:
        return self.label is not None and min(self.text_confidence, self.label_confidence) >= LOW_CONFIDENCE


@dataclass(frozen=True)
class _Profile:
    name: str
    distinct: int
    repeats: float
    mean_chars: float
    longest: int
    values: Mapping[str, int]


def guess_columns(table: Table, label_hint: Sequence[str] | None = None, said: str = "") -> ColumnGuess:
    """Text and label columns by name and by content; `label_hint` are labels already known, which settle the label column.

    Without them `said` does, a person's words: the column whose values stand in it.
    """
    profiles = [_profile(table, name) for name in table.columns]
    filled = [profile for profile in profiles if profile.distinct]
    label, label_confidence = _best(filled, lambda profile: _label_score(profile, label_hint, said))
    rest = [profile for profile in filled if profile.name != label]
    text, text_confidence = _best(rest, _text_score)
    others = [p.name for p in rest if p.name != text and _text_score(p) >= 0.8]
    return ColumnGuess((text, *others) if text else (), label, text_confidence, label_confidence)


def guess_mapping(
    table: Table,
    placeholders: Sequence[str],
    output_fields: Sequence[str],
    labels: Sequence[str] | None = None,
    known: Mapping[str, str] | None = None,
    said: str = "",
) -> dict[str, str]:
    """A column for each placeholder and output field: as `known`, by its own name, its known synonyms, then by content.

    Raises DataError naming every field without a column, and the columns there are.
    """
    mapping = {field: column for field, column in (known or {}).items() if column in table.columns}
    for field in (*placeholders, *output_fields):
        _claim(mapping, field, _named(table.columns, (field,), mapping.values()))
    for field in placeholders:
        if field not in mapping:
            _claim(mapping, field, _named(table.columns, PLACEHOLDER_NAMES.get(field, ()), mapping.values()))
    guess = guess_columns(table, labels, said)
    open_outputs = [field for field in output_fields if field not in mapping]
    if len(open_outputs) == 1 and guess.label not in mapping.values():
        _claim(mapping, open_outputs[0], guess.label)
    open_inputs = [field for field in placeholders if field not in mapping]
    candidates = [name for name in guess.text if name not in mapping.values()]
    if len(open_inputs) == 1 and candidates:
        mapping[open_inputs[0]] = candidates[0]
    missing = [field for field in (*placeholders, *output_fields) if field not in mapping]
    if missing:
        raise DataError("data.mapping_unclear", path=table.path.name, fields=", ".join(missing), columns=", ".join(table.columns))
    return mapping


def likely_mapping(
    table: Table, placeholders: Sequence[str], outputs: Sequence[str], labels: Sequence[str] | None, said: str, *, main: str
) -> dict[str, str]:
    """`guess_mapping`, else the text and the answer alone, as far as they can be told; `main` is the usual field of the text."""
    try:
        return guess_mapping(table, placeholders, outputs, labels, said=said)
    except DataError:
        guess = guess_columns(table, labels, said)
        found = {main if main in placeholders else placeholders[-1]: guess.text[0]} if guess.text else {}
        return found | ({outputs[0]: guess.label} if guess.label and len(outputs) == 1 else {})


def _claim(mapping: dict[str, str], field: str, column: str | None) -> None:
    if column is not None and field not in mapping:
        mapping[field] = column


def _named(columns: Sequence[str], names: Iterable[str], taken: Iterable[str]) -> str | None:
    used = set(taken)
    for name in names:
        match = next((column for column in columns if column not in used and same_text(column) == same_text(name)), None)
        if match is not None:
            return match
    return None


def _profile(table: Table, name: str) -> _Profile:
    cells = [cell.strip() for row in table.rows[:_SAMPLE_ROWS] if (cell := row.get(name)) and cell.strip()]
    values = Counter(same_text(cell) for cell in cells)
    mean = sum(map(len, cells)) / len(cells) if cells else 0.0
    repeats = 1 - len(values) / len(cells) if cells else 0.0
    return _Profile(name, len(values), repeats, mean, max(map(len, cells), default=0), values)


def _label_score(profile: _Profile, known: Sequence[str] | None, said: str) -> float:
    """Above 1 where the column holds known labels, or said ones; else few, short, often repeated values, and a name that says label."""
    if known and profile.values:
        inside = _share_of(profile, {same_text(label) for label in known})
        if inside >= 0.5:
            return 1 + inside
    if profile.distinct > _MAX_CLASSES or profile.longest > 80:
        return 0.0
    if said and not known:
        named = {value for value in profile.values if len(value) >= _SHORTEST_SAID and stands_in(value, said)}
        if len(named) >= 2 and (inside := _share_of(profile, named)) >= 0.5:
            return 1 + inside
    shape = profile.repeats * (1.0 if profile.mean_chars <= 20 else 0.5) * (0.2 if profile.distinct < 2 else 1.0)
    return _blend(shape, name_score(profile.name, LABEL_NAMES))


def _share_of(profile: _Profile, wanted: set[str]) -> float:
    """How much of the column these values are: of its different values, or of its cells where two or more of them occur."""
    there = wanted & profile.values.keys()
    by_cells = sum(profile.values[value] for value in there) / sum(profile.values.values()) if len(there) >= 2 else 0.0
    return max(len(there) / len(profile.values), by_cells)


def _text_score(profile: _Profile) -> float:
    """Long and rarely repeated values, and a name that says text."""
    shape = (1 - profile.repeats) * min(1.0, profile.mean_chars / 12)
    return _blend(shape, name_score(profile.name, TEXT_NAMES))


def _blend(shape: float, name: float) -> float:
    """Content and name each count half; a fitting name on fitting content is sure."""
    return min(1.0, 0.55 * shape + 0.55 * name)


def name_score(column: str, names: Sequence[str]) -> float:
    """1 for a known name, .8 where it stands within the column's name ("news_text", "新聞標題"), else 0."""
    clean = same_text(column)
    if clean in names:
        return 1.0
    parts = clean.replace("-", "_").replace(" ", "_").split("_")
    return 0.8 if any(name in parts or (not name.isascii() and name in clean) for name in names) else 0.0


def _best(profiles: Sequence[_Profile], score: Callable[[_Profile], float]) -> tuple[str | None, float]:
    ranked = sorted(profiles, key=score, reverse=True)
    if not ranked or score(ranked[0]) <= 0.1:
        return None, 0.0
    margin = score(ranked[0]) - (score(ranked[1]) if len(ranked) > 1 else 0.0)
    return ranked[0].name, round(min(1.0, score(ranked[0]), 0.4 + 2 * margin), 3)
