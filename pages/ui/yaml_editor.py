"""The YAML editor: a plain text field with line numbers, marks at lines with problems, and the list of problems under it.

`st.text_area` sends its text when it is left; here it is sent while a person types, after a pause of 400 ms, so that it is checked as
one types. Built on Streamlit's components v2 (yaml_editor.js, yaml_editor.css). Owns drawing; what is wrong with a text is
`coach.remarks`'s, what is kept when two people write is `sheet.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from coach.errors import CoachError
from coach.remarks import Grade, Remark
from coach.sound_text import sound_text
from pages.ui import prose, session
from pages.ui.page import Page
from pages.ui.sheet import Sheet, Values, differences, follow, has_followed, kept_over, rewritten, typed, with_put

ICONS: dict[Grade, str] = {
    "error": ":material/cancel:", "blocker": ":material/block:", "warning": ":material/warning:", "info": ":material/info:",
}  # fmt: skip
SHOWN_REMARKS = 12
_HERE = Path(__file__).parent
_HTML = """<div class="editor"><label for="yaml"></label>
<div class="sheet"><div class="gutter" aria-hidden="true"><div class="numbers"></div></div>
<textarea id="yaml" wrap="off" spellcheck="false" autocomplete="off" autocapitalize="off" aria-describedby="yaml-status"></textarea></div>
<div class="status" id="yaml-status" role="status" aria-live="polite"></div></div>"""
_component = st.components.v2.component(
    "coach_yaml_editor",
    html=_HTML,
    css=(_HERE / "yaml_editor.css").read_text(encoding="utf-8"),
    js=(_HERE / "yaml_editor.js").read_text(encoding="utf-8"),
)


def open_sheet(page: Page, key: str, saved: str, seen: str | None, *, name: str, is_file: bool = True) -> Sheet:
    """This browser's sheet `key` after a look at what is saved in the file `name`; says so where the text was changed elsewhere.

    `is_file`: whether `saved` is a file's text; a draft that follows the answers is nobody's file yet, and nothing is said of it.
    """
    before = held_sheet(key)
    sheet = follow(before, saved, seen)
    hold_sheet(key, sheet)
    with st.container():  # there in every run, so that what follows keeps its place
        if is_file and has_followed(before, sheet):
            st.info(prose.plain(page.say("editor.followed", name=name)), icon=":material/info:")
    return sheet


def put_values(page: Page, key: str, values: Values) -> None:
    """A callback: values into the text of the sheet kept under `key`, None takes a key out; comments and all else stay."""
    sheet = held_sheet(key)
    try:
        if sheet:
            hold_sheet(key, with_put(sheet, values))
    except CoachError as error:  # the text has been broken since the button was drawn
        session.leave_message("warning", error.lines(page.language))


def held_sheet(key: str) -> Sheet | None:
    found = session.widget_value(key)
    return found if isinstance(found, Sheet) else None


def hold_sheet(key: str, sheet: Sheet) -> None:
    session.put_widget_value(key, sheet)


def forget_unedited(key: str) -> None:
    """Lets the sheet begin anew from the file, where nothing of a person's is in it: what replaced the file says so itself."""
    sheet = held_sheet(key)
    if sheet is not None and not sheet.edited:
        session.forget(key)


def yaml_editor(page: Page, key: str, sheet: Sheet, remarks: Sequence[Remark], *, label: str, height: int) -> None:
    """Draws the editor of the sheet kept under `key`, `height` in pixels; what is typed is in that sheet when the page runs next."""
    marks = [{"line": remark.line, "grade": remark.grade, "said": _in_words(page, remark)} for remark in remarks if remark.line]
    _component(
        key=_editor_key(key),
        data={
            "sheet": key,
            "text": sheet.text,
            "turn": sheet.turn,
            "edited": sheet.edited,
            "marks": marks,
            "label": label,
            "hint": page.say("editor.hint"),
            "height": height,
        },
        on_typed_change=lambda: _take_typed(key),
    )


def remark_list(page: Page, remarks: Sequence[Remark]) -> None:
    """Every remark, the grave ones first: icon and word for how grave, the line, what is wrong and what to do."""
    for remark in remarks[:SHOWN_REMARKS]:
        st.markdown(
            f"{ICONS[remark.grade]} **{prose.plain(page.say(f'editor.grade.{remark.grade}'))}** {prose.plain(_sentence(remark))}"
        )
    if len(remarks) > SHOWN_REMARKS:
        prose.muted(page.say("editor.more", count=len(remarks) - SHOWN_REMARKS))


def conflict(page: Page, key: str, sheet: Sheet, saved: str, seen: str | None, *, name: str) -> None:
    """Draws the two texts where somebody saved another one meanwhile: ours stays in the editor, theirs is shown, nobody's is lost."""
    with st.container(border=True):
        st.markdown(f":material/warning: **{prose.plain(page.say('editor.conflict.title', name=name))}**")
        prose.sentence(page.say("editor.conflict.what", name=name))
        prose.muted(page.say("editor.conflict.differences"))
        st.code(differences(saved, sheet.text), language="diff")
        with st.expander(page.say("editor.conflict.theirs")):
            st.code(saved, language=None, height=220)
        with st.container(horizontal=True):
            st.button(
                page.say("editor.conflict.load"), key=f"{key}.load", on_click=hold_sheet, args=(key, _theirs(sheet, saved, seen))
            )
            st.button(
                page.say("editor.conflict.keep"),
                key=f"{key}.keep",
                on_click=hold_sheet,
                args=(key, kept_over(sheet, saved, seen)),
            )
            label, mine = page.say("editor.conflict.download"), f"my-{name}"
            st.download_button(label, sheet.text.encode(), mine, "application/yaml", key=f"{key}.mine", on_click="ignore")


def discard_button(page: Page, key: str, sheet: Sheet, saved: str, seen: str | None) -> None:
    """Gives up the edits for what is saved."""
    st.button(page.say("editor.discard"), key=f"{key}.discard", on_click=hold_sheet, args=(key, _theirs(sheet, saved, seen)))


def _theirs(sheet: Sheet, saved: str, seen: str | None) -> Sheet:
    return kept_over(rewritten(sheet, saved), saved, seen)


def _editor_key(key: str) -> str:
    return f"{key}.editor"


def _take_typed(key: str) -> None:
    """What the browser has sent, into the sheet; a message of the wrong shape is nobody's editor and is passed over."""
    said: Any = session.widget_value(_editor_key(key), {}).get("typed")
    sheet = held_sheet(key)
    if sheet and isinstance(said, dict) and isinstance(said.get("text"), str) and isinstance(said.get("turn"), int):
        now = typed(sheet, said["text"], said["turn"])
        hold_sheet(key, rewritten(now, sound_text(now.text)))  # what no file can hold is replaced in the browser too


def _in_words(page: Page, remark: Remark) -> str:
    return f"{page.say(f'editor.grade.{remark.grade}')} {_sentence(remark)}"


def _sentence(remark: Remark) -> str:
    return f"{remark.said} {remark.todo}".strip()
