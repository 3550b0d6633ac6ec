"""The text catalogue: every sentence a person reads, in both languages, looked up by a dotted key.

One file an area under `catalog/text/`, the file's name being the key's first part; each leaf holds both languages side by side, so
that a missing translation is seen where it is missing. Refuses to know where a text is shown.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from coach.catalog_file import read_catalog_file

Language = Literal["zh-TW", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "zh-TW"
LANGUAGE_NAMES: dict[Language, str] = {"zh-TW": "繁中", "en": "EN"}  # each in itself, for whoever reads no other
_HAN, _SPACE = "[\u3400-\u9fff「」（）]", "\ufdd0"  # the second, which no text holds, marks a space beside a placeholder
_TYPED = "(?!path|folder|task|file|place|command)"  # what is copied out of a sentence keeps its spaces
_BEFORE_PLACEHOLDER, _AFTER_PLACEHOLDER = (
    re.compile(rf"(?<={_HAN}) (?={{{_TYPED}\w)"),
    re.compile(rf"({{{_TYPED}\w[^}}]*}}) (?={_HAN})"),
)
_NEEDLESS = re.compile(rf"(?<={_HAN}){_SPACE}(?={_HAN})")
TEXT_FOLDER = Path(__file__).parent / "catalog" / "text"


def text(key: str, language: Language = DEFAULT_LANGUAGE, /, **data: Any) -> str:
    """The sentence behind `key`, its `{placeholders}` filled from `data`. Raises KeyError for an unknown key or placeholder.

    The space between Chinese and what is filled in stays only where that is not Chinese too: 「以 F1 為準」, 「以準確率為準」.
    """
    filled = catalogue()[key][language].format(**data)
    return _NEEDLESS.sub("", filled).replace(_SPACE, " ") if _SPACE in filled else filled


def localized(entry: Mapping[str, str], language: Language) -> str:
    """The text of a bilingual mapping `{zh-TW: …, en: …}` as catalogue data files hold it."""
    return entry[language]


def has_text(key: str) -> bool:
    return key in catalogue()


@functools.cache
def catalogue() -> dict[str, dict[Language, str]]:
    """Every key with its texts, read once: `{"errors.data.empty.found": {"zh-TW": …, "en": …}}`."""
    merged: dict[str, dict[Language, str]] = {}
    for path in sorted(TEXT_FOLDER.glob("*.yaml")):
        merged.update(_flatten(read_catalog_file(path) or {}, path.stem))
    return merged


def _flatten(node: Mapping[str, Any], prefix: str) -> dict[str, dict[Language, str]]:
    if set(node) == set(LANGUAGES):
        said = {language: str(node[language]).rstrip("\n") for language in LANGUAGES}
        marked = _AFTER_PLACEHOLDER.sub(rf"\1{_SPACE}", _BEFORE_PLACEHOLDER.sub(_SPACE, said["zh-TW"]))
        return {prefix: {**said, "zh-TW": marked}}
    flat: dict[str, dict[Language, str]] = {}
    for name, child in node.items():
        if not isinstance(child, Mapping):
            raise ValueError(f"{prefix}.{name}: a leaf needs {' and '.join(LANGUAGES)}, found {child!r}")
        flat.update(_flatten(child, f"{prefix}.{name}"))
    return flat


def language_of(tag: str) -> Language:
    """The language to write in for a task whose texts are in `tag` (`zh-TW`, `zh-CN`, `en`, …)."""
    return "zh-TW" if tag.lower().startswith("zh") else "en"


def preferred_language(chosen: str | None, environment: Mapping[str, str] = os.environ) -> Language:
    """The language asked for, else `COACH_LANG`, else the locale when it is English, else Traditional Chinese."""
    for candidate in (chosen, environment.get("COACH_LANG")):
        if candidate in LANGUAGES:
            return candidate
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "en" if locale.lower().startswith("en") else DEFAULT_LANGUAGE
