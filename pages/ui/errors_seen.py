"""What the wrong answers have in common, folded under the rows: pairs confused, words and lengths that go with errors, sure and wrong.

Worked out when it is first unfolded. What is found is `training.error_analysis`'s; the rows behind it are shown as all answered rows are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from coach.row_findings import SURE_FROM
from coach.version_folder import Version
from pages.ui import cached, prose
from pages.ui.answered_table import HEAD_PX, MOST_PX, ROW_PX
from pages.ui.near_rows import rows_and_near
from pages.ui.page import TaskPage
from training.answered_rows import AnsweredRow
from training.evidence import Examined

if TYPE_CHECKING:  # with scikit-learn behind it, which nobody waits for who does not unfold it
    from training.error_analysis import ConfusedPair, ErrorAnalysis

SURE = "sure"


def errors_seen(
    page: TaskPage, version: Version, found: Examined, target: str | None, rows: Sequence[AnsweredRow], here: str
) -> None:
    """The folded part; `rows` are all answered rows of the target."""
    box = st.expander(
        page.say("errors_seen.title"), key=page.key(f"{here}.errors"), icon=":material/troubleshoot:", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        with st.spinner(page.say("errors_seen.looking")):
            seen = _analysis(version, target, rows, found.config.language)
        if not seen.wrong:
            prose.sentence(page.say("errors_seen.none", rows=seen.rows))
            return
        numbers = {"wrong": len(seen.wrong), "rows": seen.rows, "sure": len(seen.sure), "from_": SURE_FROM}
        prose.sentence(page.say("errors_seen.counts", **numbers))
        for finding in seen.lengths:
            prose.sentence(finding.evidence.say(page.language))
        left, right = st.columns(2, gap="medium")
        with left:
            _pairs(page, seen, here)
        with right:
            _words(page, seen, here)
        rows_and_near(page, version, found, target, _chosen_rows(page, seen, here), f"{here}.errors")


def _analysis(version: Version, target: str | None, rows: Sequence[AnsweredRow], language: str) -> ErrorAnalysis:
    def work() -> ErrorAnalysis:
        from training.error_analysis import analyse_errors

        return analyse_errors(rows, language)

    files = (version.config_path, version.predictions_path, version.split_path("test"))
    return cached.worked_out("errors_seen", str(version.folder), target, work=work, files=files)


def _pairs(page: TaskPage, seen: ErrorAnalysis, here: str) -> None:
    prose.strong(page.say("errors_seen.pairs"))
    data = [
        {"actual": pair.actual, "predicted": _predicted(page, pair), "count": pair.count, "of_class": 100 * pair.of_class}
        for pair in seen.pairs
    ]
    config = {
        "actual": st.column_config.TextColumn(page.say("evaluate.rows.actual")),
        "predicted": st.column_config.TextColumn(page.say("evaluate.rows.predicted")),
        "count": st.column_config.NumberColumn(page.say("errors_seen.count"), format="%d", width="small"),
        "of_class": st.column_config.NumberColumn(page.say("errors_seen.of_class"), format="%.0f%%", width="small"),
    }
    _table(data, config, page.key(f"{here}.errors.pairs"))


def _words(page: TaskPage, seen: ErrorAnalysis, here: str) -> None:
    prose.strong(page.say("errors_seen.words"))
    if seen.words_drawn:
        prose.muted(page.say("errors_seen.words_drawn", looked_at=seen.looked_at, with_text=seen.with_text))
    if not seen.words:
        prose.muted(page.say("errors_seen.no_words"))
        return
    data = [{"word": word.word, "wrong": word.wrong, "rows": word.rows, "elsewhere": 100 * word.elsewhere} for word in seen.words]
    config = {
        "word": st.column_config.TextColumn(page.say("errors_seen.word")),
        "wrong": st.column_config.NumberColumn(page.say("errors_seen.wrong"), format="%d", width="small"),
        "rows": st.column_config.NumberColumn(page.say("errors_seen.rows"), format="%d", width="small"),
        "elsewhere": st.column_config.NumberColumn(page.say("errors_seen.elsewhere"), format="%.0f%%", width="small"),
    }
    _table(data, config, page.key(f"{here}.errors.words"))
    prose.muted(page.say("errors_seen.words_how"))


def _table(data: Sequence[dict[str, object]], config: dict[str, object], key: str) -> None:
    height = min(MOST_PX, HEAD_PX + ROW_PX * len(data))
    st.dataframe(pd.DataFrame(data), hide_index=True, column_config=config, height=height, key=key)


def _chosen_rows(page: TaskPage, seen: ErrorAnalysis, here: str) -> Sequence[AnsweredRow]:
    """The rows of one thing that was found: sure and wrong first, then each pair, then each word."""
    said: dict[str, tuple[str, Sequence[AnsweredRow]]] = {}
    if seen.sure:
        said[SURE] = (page.say("errors_seen.which.sure", count=len(seen.sure), from_=SURE_FROM), seen.sure)
    for place, pair in enumerate(seen.pairs):
        names = {"actual": pair.actual, "predicted": _predicted(page, pair), "count": pair.count}
        said[f"pair.{place}"] = (page.say("errors_seen.which.pair", **names), pair.rows)
    for place, word in enumerate(seen.words):
        said[f"word.{place}"] = (page.say("errors_seen.which.word", word=word.word, count=word.wrong), seen.with_word(word))
    if not said:
        return seen.wrong
    key = page.key(f"{here}.errors.which")
    which = st.selectbox(page.say("errors_seen.which.label"), list(said), key=key, format_func=lambda name: said[name][0])
    return said[which][1]


def _predicted(page: TaskPage, pair: ConfusedPair) -> str:
    return pair.predicted if pair.predicted is not None else page.say("evaluate.rows.outside")
