"""What one browser's editor holds beside what the folder holds: a text, the saved text it began from, and whose turn it is.

Pure. Owns when an editor follows the file, when it keeps a person's words, and when the two are in conflict; nothing is drawn here.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sheet:
    """`base` is the saved text this one began from, `seen` what identified it then (None: nothing was saved yet).

    `turn` is raised whenever the page itself replaces the text, so that a late word from the browser about an earlier one is known.
    """

    text: str
    base: str
    seen: str | None
    turn: int = 0

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
    """The sheet with what the browser says was typed; nothing where that was on a text the page has replaced since."""
    return replace(sheet, text=text) if turn == sheet.turn else sheet


def rewritten(sheet: Sheet, text: str) -> Sheet:
    """The sheet with a text the page itself puts there: a field of a card, a choice, the other person's text."""
    return sheet if text == sheet.text else replace(sheet, text=text, turn=sheet.turn + 1)


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
