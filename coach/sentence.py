"""A sentence not yet said: its key in the text catalogue and the values it needs.

Judgements carry sentences, so that one plan can be shown in either language and sent as JSON. Knows no sentence itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from coach.text import DEFAULT_LANGUAGE, Language, text

Value = Union[str, int, float, "Sentence", "Localized", list[str], list["Sentence"], None]
Data = dict[str, Value]


@dataclass(frozen=True)
class Localized:
    """A bilingual text from a data file, `{zh-TW: …, en: …}`, to stand within a sentence."""

    texts: dict[Language, str]


@dataclass(frozen=True)
class Sentence:
    """`data` may hold sentences of its own and lists; they are said in the same language and joined."""

    key: str
    data: Mapping[str, Value] = field(default_factory=dict)

    def say(self, language: Language = DEFAULT_LANGUAGE) -> str:
        """The sentence in `language`. Raises KeyError for an unknown key or a value that is missing."""
        return text(self.key, language, **{name: _said(value, language) for name, value in self.data.items()})


def sentence(key: str, **data: Value) -> Sentence:
    return Sentence(key, data)


def _said(value: Value, language: Language) -> object:
    if isinstance(value, Sentence):
        return value.say(language)
    if isinstance(value, Localized):
        return value.texts[language]
    if isinstance(value, list):
        return (", " if language == "en" else "、").join(str(_said(item, language)) for item in value)
    return value
