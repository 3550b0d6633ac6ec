"""Every chart of the pages, by name: pure functions from numbers to a Vega-Lite spec, its rows, and one line for who cannot see it.

Draw one with `st.vega_lite_chart(chart.data, chart.spec, key=…, alt=chart.alt, theme=None)`: colours, fonts and axes are in the spec,
for the light or the dark theme. No `st.*` here. Where each lives: curve_charts.py, matrix_chart.py, bar_charts.py, range_charts.py,
growth_chart.py.
"""

from pages.ui.bar_charts import amount_bars, class_distribution, length_histogram
from pages.ui.chart_theme import Chart
from pages.ui.curve_charts import loss_curve, metric_curve
from pages.ui.growth_chart import growth_chart
from pages.ui.matrix_chart import CELL, MOST_NUMBERED, OUTSIDE, confusion_matrix
from pages.ui.range_charts import VersionScore, forecast_band, version_scores

__all__ = [
    "CELL", "MOST_NUMBERED", "OUTSIDE", "Chart", "VersionScore", "amount_bars", "class_distribution", "confusion_matrix", "forecast_band",
    "growth_chart", "length_histogram", "loss_curve", "metric_curve", "version_scores",
]  # fmt: skip
