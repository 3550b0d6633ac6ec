"""Every chart of the pages, by name: pure functions from numbers to a Vega-Lite spec, its rows, and one line for who cannot see it.

Draw one with `st.vega_lite_chart(chart.data, chart.spec, key=…, alt=chart.alt, theme=None)`: colours, fonts and axes are in the spec,
for the light or the dark theme. No `st.*` here. Where each lives: curve_charts.py, matrix_chart.py, bar_charts.py.
"""

from pages.ui.bar_charts import VersionScore, class_bars, class_distribution, forecast_band, length_histogram, version_scores
from pages.ui.chart_theme import Chart
from pages.ui.curve_charts import loss_curve, metric_curve, metric_name
from pages.ui.matrix_chart import CELL, OUTSIDE, confusion_matrix

__all__ = [
    "CELL", "OUTSIDE", "Chart", "VersionScore", "class_bars", "class_distribution", "confusion_matrix", "forecast_band",
    "length_histogram", "loss_curve", "metric_curve", "metric_name", "version_scores",
]  # fmt: skip
