"""Everything that is cached, in one place: thin wrappers with the key that says when the answer changes.

The folder stays the truth: any browser may clear these for all (streamlit.md 0.4), so losing one costs time and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from coach.hardware import Hardware, this_machine
from coach.version_folder import Version

if TYPE_CHECKING:
    from training.run_reader import RunReader


@st.cache_resource(ttl="10m", show_spinner=False)
def machine() -> Hardware:
    """This machine; asked again after a while, since a driver may appear."""
    return this_machine()


@st.cache_resource(max_entries=128, show_spinner=False)
def _reader(folder: str) -> RunReader:
    from training.run_reader import RunReader

    return RunReader(Version(Path(folder)))


def reader(version: Version) -> RunReader:
    """The one reader of a version's log that all viewers of this process share."""
    return _reader(str(version.folder))
