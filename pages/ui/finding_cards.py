"""Findings as short cards: what it may be, what was seen and its picture, what to try, how sure that is. The words are the diagnosis's."""

from __future__ import annotations

import streamlit as st

from coach.diagnosis import Diagnosis
from coach.finding import Bars, Curve, Finding
from pages.ui import prose
from pages.ui.charts import Chart, amount_bars, loss_curve, metric_curve
from pages.ui.page import Page

ICONS = {"warning": ":material/priority_high:", "info": ":material/info:"}
CARDS_IN_A_ROW = 2
CURVE_PX = 130


def finding_cards(page: Page, diagnosis: Diagnosis) -> None:
    """Every finding, in the order in which to act on them, then the one rule for acting."""
    for start in range(0, len(diagnosis.findings), CARDS_IN_A_ROW):
        cells = st.columns(CARDS_IN_A_ROW)
        for cell, finding in zip(cells, diagnosis.findings[start : start + CARDS_IN_A_ROW]):
            with cell:
                _card(page, diagnosis, finding)
    prose.muted(diagnosis.closing().say(page.language))


def _card(page: Page, diagnosis: Diagnosis, finding: Finding) -> None:
    with st.container(border=True, height="stretch"):
        st.markdown(f"{ICONS[finding.level]} **{prose.plain(finding.title.say(page.language))}** :gray[{finding.code}]")
        prose.sentence(finding.evidence.say(page.language))
        if finding.picture is not None:
            chart = _picture(page, diagnosis, finding.picture)
            st.vega_lite_chart(chart.data, chart.spec, alt=chart.alt, theme=None)
        next_ = page.say("evaluate.finding.next", said=finding.next_experiment.say(page.language))
        prose.muted(f"{next_}\n{finding.sure.sentence().say(page.language)}")


def _picture(page: Page, diagnosis: Diagnosis, picture: Bars | Curve) -> Chart:
    if isinstance(picture, Bars):
        return amount_bars(picture.named(page.language), picture.unit, language=page.language, dark=page.dark)
    evals, steps = list(picture.evals), list(picture.steps)
    if picture.of == "loss":
        return loss_curve(steps, evals, total_steps=None, language=page.language, dark=page.dark, height=CURVE_PX)
    verdict = diagnosis.verdict
    return metric_curve(
        evals, metric=verdict.metric, target=verdict.threshold, baselines={}, total_steps=None,
        language=page.language, dark=page.dark, height=CURVE_PX,
    )  # fmt: skip
