"""Text as it can be written to a file: JSON from a browser, or a name from the shell, may hold half a surrogate, and UTF-8 cannot.

Owns the mending alone; whoever takes text in from outside calls it.
"""

from __future__ import annotations

import re

_HALF_SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"  # what Unicode has for a character that could not be read


def sound_text(said: str) -> str:
    """`said` with U+FFFD in place of each half surrogate; everything else stays."""
    return _HALF_SURROGATE.sub(REPLACEMENT, said)
