"""What the plan's numbers rest on: the forecast as a picture, what more rows would bring, and where time and memory come from."""

from __future__ import annotations

import streamlit as st

from coach.advised import Advised
from pages.ui import prose
from pages.ui.charts import Chart, forecast_band, growth_chart
from pages.ui.page import TaskPage


def more_rows(page: TaskPage, advised: Advised) -> None:
    """In a line what more rows would bring; nothing where no file was looked at."""
    if advised.forecast.growth and advised.forecast.growth.said:
        prose.muted(page.say("recommend.growth", said=_joined(page, advised)))


def forecast_box(page: TaskPage, advised: Advised) -> None:
    found, success = advised.forecast, advised.answers.success
    look = {"metric": found.metric, "target": success.threshold, "language": page.language, "dark": page.dark}
    with st.expander(page.say("recommend.basis.title"), icon=":material/functions:"):
        if found.low is not None and found.expected is not None and found.high is not None:
            name = success.baseline_name or page.say("recommend.basis.baseline")
            baseline = {"baseline": success.baseline_score, "baseline_name": name}
            _draw(page, "forecast", forecast_band(found.low, found.expected, found.high, **baseline, **look))
        prose.sentence(page.say("recommend.basis.score", said=found.basis.say(page.language)))
        if found.growth:
            _draw(page, "growth", growth_chart(found.growth, **look))
            dashed = any(point.bold for point in found.growth.points)
            prose.muted(page.say("recommend.basis.growth_dashed" if dashed else "recommend.basis.growth"))
        prose.sentence(page.say("recommend.basis.cost", said=advised.estimate.basis.say(page.language)))


def _draw(page: TaskPage, name: str, chart: Chart) -> None:
    st.vega_lite_chart(chart.data, chart.spec, key=page.key(name), alt=chart.alt, theme=None)


def _joined(page: TaskPage, advised: Advised) -> str:
    assert advised.forecast.growth is not None
    return page.say("recommend.growth_between").join(said.say(page.language) for said in advised.forecast.growth.said)
