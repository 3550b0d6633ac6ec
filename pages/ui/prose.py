"""Text on a page: sentences of ours and data of theirs, neither of which may act as Markdown.

Owns the escaping. Widgets' labels are Markdown too: whoever puts data into one calls `plain` first.
"""

from __future__ import annotations

import re

import streamlit as st

_ACTIVE = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$<>&=])")
_AFTER_COLON = re.compile(r":(?=[A-Za-z0-9/+_-])")
_WORD_JOINER = "\u2060"  # invisible; an escaped colon would still be read as the start of an icon, an emoji or an address


def plain(value: object) -> str:
    """`value` so that Markdown shows it letter by letter: no image, link, formula, icon or colour comes of it."""
    inert = _AFTER_COLON.sub(":" + _WORD_JOINER, _ACTIVE.sub(r"\\\1", str(value)))
    return inert.replace("@", "@" + _WORD_JOINER).replace("www\\.", f"www{_WORD_JOINER}\\.").replace("\n", "  \n")


def sentence(said: str) -> None:
    """A paragraph."""
    st.markdown(plain(said))


def strong(said: str) -> None:
    """A line that heads what follows, smaller than a heading."""
    st.markdown(f"**{plain(said.strip())}**")


def muted(said: str) -> None:
    """A line beside the main thing: a source, a basis, a hint."""
    st.caption(plain(said))


def title(said: str) -> None:
    st.title(plain(said), anchor=False)


def heading(said: str) -> None:
    st.subheader(plain(said), anchor=False)
