"""What more rows would bring, as a band over the number of rows: measured sizes, today, and how far the curve may be followed.

Pure: numbers in, `Chart` out. How it looks is chart_theme.py's.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from coach.growth import Growth, GrowthPoint
from coach.metric_words import metric_name
from coach.text import Language, text
from pages.ui.chart_theme import Chart, Line, Palette, Spec, framed, haloed, level_lines, palette, score_domain

BOLD = [3, 4]  # dashes of what is followed further than has been seen to hold


def growth_chart(
    growth: Growth, *, metric: str, target: float | None, language: Language, dark: bool, height: int = 240
) -> Chart:
    """The expected score as a line in its range of four out of five, today's rows as a dot; the target a dashed line."""
    colours = palette(dark)
    data = pd.DataFrame([_row(point, metric, language) for point in growth.points])
    edges = [edge for point in growth.points for edge in (point.low, point.high)]
    domain = score_domain([*edges, *([target] if target is not None else [])])
    goal = Line(target, text("ui.charts.target", language, value=target)) if target is not None else None
    rules, labels = level_lines(goal, [], domain, colours, height=height)
    layers = [*rules, *_layers(growth, domain, colours, language), *labels]
    return Chart(framed(height, colours, layer=layers), data, _alt(growth, metric, language))


def _row(point: GrowthPoint, metric: str, language: Language) -> dict[str, Any]:
    numbers = {"rows": point.rows, "low": point.low, "expected": point.expected, "high": point.high}
    return {
        **numbers,
        "bold": point.bold,
        "said": text("ui.charts.growth", language, metric=metric_name(metric, language), **numbers),
    }


def _layers(growth: Growth, domain: tuple[float, float], colours: Palette, language: Language) -> list[Spec]:
    x, y = _axes(growth, domain, language)
    line, accent = {"x": x, "y": {**y, "field": "expected"}}, {"color": colours.accent, "tooltip": None}
    sure, bold = {"filter": "!datum.bold"}, {"filter": f"datum.rows >= {_last_sure(growth)}"}
    today = {"filter": f"datum.rows == {growth.today}"}
    hint = {**line, "tooltip": {"field": "said", "type": "nominal"}}
    dot = {"type": "point", "filled": True, "color": colours.accent}
    name = {
        "baseline": "top",
        "dy": 9,
        "fontWeight": "bold",
        "text": text(f"ui.charts.{_here(growth)}", language, rows=growth.today),
    }
    band = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    return [
        {"mark": {"type": "area", "opacity": 0.18, **accent}, "encoding": band},
        {"transform": [sure], "mark": {"type": "line", "strokeWidth": 2, **accent}, "encoding": line},
        {"transform": [bold], "mark": {"type": "line", "strokeWidth": 2, "strokeDash": BOLD, **accent}, "encoding": line},
        {"mark": {**dot, "size": 60, "opacity": 0}, "encoding": hint},
        {"transform": [today], "mark": {**dot, "size": 90, "opacity": 1}, "encoding": hint},
        *({"transform": [today], **layer} for layer in haloed(colours, name, encoding=line)),
    ]


def _axes(growth: Growth, domain: tuple[float, float], language: Language) -> tuple[Spec, Spec]:
    """Rows in their logarithm, since it is doublings that count; scores as on every chart."""
    rows = [point.rows for point in growth.points]
    labelled = {
        "title": text("ui.charts.labelled_rows", language),
        "values": sorted({*_round_rows(rows)}),
        "format": ",d",
        "grid": False,
    }
    x: Spec = {"field": "rows", "type": "quantitative", "axis": {**labelled, "labelOverlap": "greedy"}}
    y: Spec = {"type": "quantitative", "title": None, "axis": {"tickCount": 5, "format": ".2~f"}}
    along = {"type": "log", "domain": [min(rows), max(rows)], "nice": False}
    return {**x, "scale": along}, {**y, "scale": {"domain": list(domain), "nice": False}}


def _round_rows(rows: list[int]) -> list[int]:
    """Numbers a person would write on the axis: 10, 20, 50, 100 …"""
    round_numbers = (head * 10**zeros for zeros in range(1, 8) for head in (1, 2, 5))
    return [number for number in round_numbers if min(rows) <= number <= max(rows)]


def _here(growth: Growth) -> str:
    return "today" if growth.today == growth.rows else "as_with"


def _last_sure(growth: Growth) -> int:
    return max(point.rows for point in growth.points if not point.bold)


def _alt(growth: Growth, metric: str, language: Language) -> str:
    first, last = growth.points[0], growth.points[-1]
    return text(
        "ui.charts.alt.growth", language, metric=metric_name(metric, language), rows=first.rows, value=first.expected,
        most=last.rows, top=last.expected,
    )  # fmt: skip
