"""The system in use today beside a version: its answers are entered as a file, and compared on the test rows both answered.

The form is folded. Reading a file is `training.entering_system`'s, the judgement `coach.system_comparison`'s.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from coach.comparison import judged
from coach.errors import CoachError
from coach.figures import system_figures
from coach.history import Entry, finished_results
from coach.system_comparison import SystemComparison, compare_with_system
from coach.systems import System, systems
from coach.version_folder import Version
from pages.ui import cached, prose, session
from pages.ui.figure_row import figure_row
from pages.ui.frame import guarded, show_error
from pages.ui.judgement import judgement
from pages.ui.page import TaskPage
from pages.ui.side_by_side import score_table
from training.entering_system import Entered, enter_path, enter_upload, rows_to_answer

UPLOAD_MB = 300
HALVES = (5, 6)


@st.fragment
def system_in_use(page: TaskPage, focus: Entry) -> None:
    """`focus`, which is finished, against the system entered last, until another is chosen; under it, folded, the form to enter one."""
    with guarded(page.language):
        version, entered = page.task.version(focus.name), systems(page.task)
        error = session.recall(page.key("system.error"), CoachError)
        if entered:
            prose.strong(page.say("systems.title"))
            _compared(page, version, entered)
        with st.expander(
            page.say("systems.another" if entered else "systems.title"), expanded=bool(error), icon=":material/compare_arrows:"
        ):
            if error:
                show_error(error, page.language)
            if not entered:
                prose.sentence(page.say("systems.about", version=version.name))
            _form(page, version)


def _compared(page: TaskPage, version: Version, entered: list[System]) -> None:
    """One sentence, three numbers, the classes; a file or a version that cannot be compared is said, and the form stays."""
    with guarded(page.language):
        system = entered[0]
        if len(entered) > 1:
            names = {system.name: system for system in entered}
            system = names[st.selectbox(page.say("systems.which"), list(names), key=_key(page, "which"))]
        found = system_comparison(version, system)
        if found is None:
            return
        judgement(page, found.sentences())
        figure_row(page, system_figures(found))
        score_table(page, found.comparison, page.key("system.scores"))


def system_comparison(version: Version, system: System) -> SystemComparison | None:
    def work() -> SystemComparison | None:
        results = finished_results(version)
        if results is None:
            return None
        side = judged(version, results)
        return compare_with_system(side, system.name, system.predicted(), seed=side.config.training.seed)

    files = (version.config_path, version.results_path, version.events_path, version.predictions_path, system.path)
    return cached.worked_out("system", str(version.folder), str(system.path), work=work, files=files)


def _form(page: TaskPage, version: Version) -> None:
    prose.muted(page.say("systems.form"))
    st.download_button(
        page.say("systems.rows", version=version.name),
        data=lambda: rows_to_answer(version),
        file_name=f"{page.task.name}-{version.name}-test-rows.csv",
        mime="text/csv",
        key=page.key("system.rows"),
        on_click="ignore",
        icon=":material/download:",
    )
    left, right = st.columns(HALVES, gap="medium")
    with right:
        path = st.text_input(page.say("systems.path"), key=page.key("system.path"), autocomplete="off", persist_state="session")
        column = st.text_input(page.say("systems.column"), key=_key(page, "column"), autocomplete="off", max_chars=200)
    with left:
        upload = st.file_uploader(page.say("systems.upload"), key=_key(page, "upload"), max_upload_size=UPLOAD_MB)
        ready = upload is not None or bool(path)
        asked = st.button(page.say("systems.take"), key=page.key("system.take"), icon=":material/input:", disabled=not ready)
    if not asked:
        return
    named = column.strip() if column and column.strip() else None
    if upload is not None:
        upload.seek(0)
        _enter(page, lambda: enter_upload(page.task, version, upload, upload.name, column=named))
    elif path:
        _enter(page, lambda: enter_path(page.task, version, path, column=named))


def _enter(page: TaskPage, enter: Callable[[], Entered]) -> None:
    """Enters the file and draws the page anew: with the comparison, or with why it could not be read."""
    session.forget(page.key("system.error"))
    try:
        with st.spinner(page.say("systems.reading")):
            done = enter()
    except CoachError as error:
        session.keep(page.key("system.error"), error)
        st.rerun()
    read = [said.say(page.language) for said in done.file.sentences()]
    session.keep(page.key("system.turn"), _turn(page) + 1)
    session.leave_message("success", [page.say("systems.kept", system=done.system.name), *read])
    st.rerun()


def _key(page: TaskPage, name: str) -> str:
    """Of a widget that begins anew once a file has been entered: it lets go of the upload, which is held in memory."""
    return page.key(f"system.{name}.{_turn(page)}")


def _turn(page: TaskPage) -> int:
    return session.recall(page.key("system.turn"), int) or 0
