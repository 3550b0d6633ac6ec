"""What one browser's editor holds beside what the folder holds: a text, the saved text it began from, and whose turn it is.

Pure. Owns when an editor follows the file, when it keeps a person's words, and when the two are in conflict; nothing is drawn here.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from coach.errors import CoachError
from coach.yaml_document import YamlValue
from coach.yaml_in_place import with_values

Values = Mapping[tuple[str, ...], YamlValue]  # None takes a key out


@dataclass(frozen=True)
class Sheet:
    """`base` is the saved text this one began from, `seen` what identified it then (None: nothing was saved yet).

    `turn` is raised whenever the page itself replaces the text, so that a late word from the browser about an earlier one is known.
    `put`: the values that the page put into the text at that turn, by their keys.
    """

    text: str
    base: str
    seen: str | None
    turn: int = 0
    put: Values | None = None

    @property
    def edited(self) -> bool:
        return self.text != self.base


def follow(sheet: Sheet | None, saved: str, seen: str | None) -> Sheet:
    """The sheet after a look at the folder: one without edits shows what is saved, one with edits stays as it is."""
    if sheet is None:
        return Sheet(saved, saved, seen)
    if sheet.text == saved:
        return replace(sheet, base=saved, seen=seen)
    if sheet.edited:
        return sheet
    return Sheet(saved, saved, seen, sheet.turn + 1)


def in_conflict(sheet: Sheet, seen: str | None) -> bool:
    """Whether somebody has saved another text since this sheet's edits began."""
    return sheet.edited and sheet.seen != seen


def typed(sheet: Sheet, text: str, turn: int) -> Sheet:
    """The sheet with what the browser says was typed; nothing where that was on a text the page has replaced since.

    Where the page only put values into the text meanwhile, they are put into what was typed; where that cannot be read, it stays as typed.
    """
    if turn == sheet.turn:
        return replace(sheet, text=text, put=None)
    if turn != sheet.turn - 1 or sheet.put is None:
        return sheet
    with suppress(CoachError):
        text = with_values(text, sheet.put)[0]
    return rewritten(sheet, text)


def with_put(sheet: Sheet, values: Values) -> Sheet:
    """The sheet with values put into its text. Raises DocumentError where that cannot be read."""
    return replace(rewritten(sheet, with_values(sheet.text, values)[0]), put=values)


def rewritten(sheet: Sheet, text: str) -> Sheet:
    """The sheet with a text the page itself puts there: a field of a card, a choice, the other person's text."""
    return sheet if text == sheet.text else replace(sheet, text=text, turn=sheet.turn + 1, put=None)


def kept_over(sheet: Sheet, saved: str, seen: str | None) -> Sheet:
    """The sheet of someone who has seen the other text and keeps their own; saving then replaces the other one."""
    return replace(sheet, base=saved, seen=seen)


def saved_as(sheet: Sheet, saved: str, seen: str | None) -> Sheet:
    """The sheet once its text has been saved, a last line end added perhaps: nothing is left to save, and the browser keeps its cursor."""
    return replace(sheet, text=saved, base=saved, seen=seen)


def has_followed(before: Sheet | None, now: Sheet) -> bool:
    """Whether the text was changed in the folder since this browser last looked, and has been replaced here; the person is told."""
    return before is not None and not before.edited and before.seen != now.seen and before.text != now.text


def differences(saved: str, mine: str) -> str:
    """The lines in which two texts differ: `-` what is saved, `+` mine, each place with a line around it."""
    lines = difflib.unified_diff(saved.splitlines(), mine.splitlines(), n=1, lineterm="")
    return "\n".join(list(lines)[2:])  # without the two lines that would name files
