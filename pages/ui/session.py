"""The one door to a browser's own state: its address (task, version, language) and the few things that outlive a rerun.

The only file that touches `st.session_state` and `st.query_params`. Nothing kept here matters once the browser is closed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import streamlit as st

from coach.task_schema import SLUG_PATTERN
from coach.text import DEFAULT_LANGUAGE, LANGUAGES, Language, language_of
from coach.version_folder import SAFE_NAME

T = TypeVar("T")
MessageKind = Literal["error", "warning", "info", "success"]
LANGUAGE_KEY = "ui.language"
_MESSAGES_KEY = "ui.messages"


@dataclass(frozen=True)
class Address:
    """What the URL says: a task and a version by name (None where it says none), and a language.

    `refused` is a task that was asked for in a form that is no name.
    """

    task: str | None
    version: str | None
    language: Language
    refused: str | None = None

    def query(self) -> dict[str, str]:
        """The address as query parameters, for links."""
        return query(self.language, self.task, self.version)


def query(language: Language, task: str | None = None, version: str | None = None) -> dict[str, str]:
    given = {"task": task, "version": version, "lang": language}
    return {name: value for name, value in given.items() if value}


def read_address() -> Address:
    """The checked address of this browser; its language is written back, so that a copied URL shows the same page."""
    said = st.query_params
    task, version = said.get("task"), said.get("version")
    language = _language(said.get("lang"))
    if said.get("lang") != language:
        said["lang"] = language
    is_name = bool(task and re.fullmatch(SLUG_PATTERN, task))
    return Address(
        task=task if is_name else None,
        version=version if version and SAFE_NAME.fullmatch(version) else None,
        language=language,
        refused=task if task and not is_name else None,
    )


def show_version(name: str) -> None:
    """Puts a version into the URL, so that a reload shows it again."""
    if st.query_params.get("version") != name:
        st.query_params["version"] = name


def shown_topic() -> str | None:
    """The topic of the interview that the URL names, unchecked."""
    return st.query_params.get("topic")


def show_topic(name: str) -> None:
    """Puts a topic into the URL, so that a reload shows it again."""
    if st.query_params.get("topic") != name:
        st.query_params["topic"] = name


def shown_card() -> str | None:
    """The knowledge card that the URL names, unchecked."""
    return st.query_params.get("card")


def show_card(name: str | None) -> None:
    """Puts a card into the URL, or takes it out, so that a reload shows the same."""
    if name is None:
        st.query_params.pop("card", None)
    elif st.query_params.get("card") != name:
        st.query_params["card"] = name


def _language(said: str | None) -> Language:
    """The URL's language, else the one last chosen here, else the browser's, else Traditional Chinese."""
    for candidate in (said, st.session_state.get(LANGUAGE_KEY)):
        if candidate in LANGUAGES:
            return candidate
    locale = st.context.locale
    return language_of(locale) if locale else DEFAULT_LANGUAGE


def offer_language(current: Language) -> None:
    """The language control's value before it is drawn; `language_chosen` is its callback."""
    st.session_state[LANGUAGE_KEY] = current


def language_chosen() -> None:
    st.query_params["lang"] = st.session_state[LANGUAGE_KEY] or DEFAULT_LANGUAGE


def leave_message(kind: MessageKind, lines: Sequence[str]) -> None:
    """A message to be drawn at the top of the next run, for callbacks and before a change of page."""
    st.session_state.setdefault(_MESSAGES_KEY, []).append((kind, list(lines)))


def take_messages() -> list[tuple[MessageKind, list[str]]]:
    return list(st.session_state.pop(_MESSAGES_KEY, []))


def widget_value(key: str, default: Any = None) -> Any:
    """What a widget holds now, for its callback."""
    return st.session_state.get(key, default)


def begin_with(values: Mapping[str, Any]) -> None:
    """First values of widgets, by key; a widget that holds one already keeps it."""
    for key, value in values.items():
        st.session_state.setdefault(key, value)


def put_widget_value(key: str, value: Any) -> None:
    """Replaces what a widget holds; only before it is drawn in this run, or in a callback."""
    st.session_state[key] = value


def key_of_value(key: str, value: Any) -> str:
    """The key of a widget that is to hold `value`: a new one each time the value has changed by another hand than its own.

    A widget that is not on the screen, in a closed popover, takes no value it is given: the browser keeps the former one and sends it
    back with the next press, as if somebody had chosen it again. A new widget has nothing to send.
    """
    turn, known = st.session_state.get(f"{key}.turn", (0, value))
    turn += known != value
    st.session_state[f"{key}.turn"] = (turn, value)
    return f"{key}.{turn}" if turn else key


def widget_took(key: str, value: Any) -> None:
    """For a widget's own callback: `value` is what it holds, so that its key stays; `key` as it was given to `key_of_value`."""
    turn, _ = st.session_state.get(f"{key}.turn", (0, value))
    st.session_state[f"{key}.turn"] = (turn, value)


def forget(*keys: str) -> None:
    for key in keys:
        st.session_state.pop(key, None)


def keep(key: str, value: object) -> None:
    """Something of this browser's that is no widget's value and outlives a rerun."""
    st.session_state[key] = value


def recall(key: str, kind: type[T]) -> T | None:
    """What was kept under `key`, where it is of `kind`."""
    found = st.session_state.get(key)
    return found if isinstance(found, kind) else None
