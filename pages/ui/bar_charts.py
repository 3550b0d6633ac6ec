"""Bars: rows of each class, a few named amounts, and how long the texts are.

Pure: numbers in, `Chart` out. How they look is chart_theme.py's.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import pandas as pd

from coach.finding import Unit
from coach.sentence import sentence
from coach.text import Language, text
from pages.ui.chart_theme import Chart, Palette, Spec, framed, palette

BAR_PX, FRAME_PX = 28, 12
MOST_BARS = 50
MOST_BINS = 24
LARGE_SHARE = 0.3


def class_distribution(counts: Mapping[str, int], *, language: Language, dark: bool) -> Chart:
    """Rows of each class as horizontal bars with their counts, in the order given (at most 50)."""
    shown = list(counts.items())[:MOST_BARS]
    rows = [{"name": name, "value": count, "said": f"{count:,}"} for name, count in shown]
    chart = _bars(rows, top=None, palette=palette(dark))
    if not shown:
        return Chart(chart, _bar_frame(rows), text("ui.charts.alt.nothing", language))
    most, least = max(shown, key=lambda pair: pair[1]), min(shown, key=lambda pair: pair[1])
    numbers = {"most": most[0], "most_rows": most[1], "least": least[0], "least_rows": least[1]}
    total = sum(counts.values())
    return Chart(
        chart, _bar_frame(rows), text("ui.charts.alt.distribution", language, classes=len(counts), total=total, **numbers)
    )


def amount_bars(amounts: Sequence[tuple[str, float]], unit: Unit, *, language: Language, dark: bool) -> Chart:
    """A few named amounts of one unit as horizontal bars in the order given; scores, and shares of which one is large, on 0 to 1."""
    rows = [{"name": name, "value": value, "said": _amount(value, unit)} for name, value in amounts]
    largest = max((value for _, value in amounts), default=0.0)
    whole = unit == "score" or (unit == "share" and largest > LARGE_SHARE)
    chart = _bars(rows, top=1.0 if whole else None, palette=palette(dark))
    alt = sentence("ui.charts.alt.amounts", amounts=[f"{row['name']} {row['said']}" for row in rows])
    return Chart(chart, _bar_frame(rows), alt.say(language))


def _amount(value: float, unit: Unit) -> str:
    if unit == "rows":
        return f"{value:,.0f}"
    return f"{value:.3f}" if unit == "score" else f"{value:.1%}"


def _bar_frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["name", "value", "said"])


def _bars(rows: list[dict[str, object]], *, top: float | None, palette: Palette) -> Spec:
    names = [row["name"] for row in rows]
    longest = top or max((float(str(row["value"])) for row in rows), default=1.0) * 1.12  # room for the number after the bar
    axis = {"labelLimit": 150, "ticks": False, "domain": False, "labelPadding": 8, "labelColor": palette.ink}
    encoding: Spec = {
        "y": {"field": "name", "type": "nominal", "title": None, "sort": None, "scale": {"domain": names}, "axis": axis},
        "x": {
            "field": "value",
            "type": "quantitative",
            "scale": {"domain": [0, (top or 0) * 1.08 or longest], "nice": False},
            "axis": None,
        },
        "tooltip": [{"field": "name", "type": "nominal", "title": " "}, {"field": "said", "type": "nominal", "title": " "}],
    }
    bar = {"type": "bar", "color": palette.accent, "cornerRadiusEnd": 3, "height": {"band": 0.62}}
    number = {"type": "text", "align": "left", "dx": 5, "tooltip": None}
    layers = [
        {"mark": bar, "encoding": encoding},
        {"mark": number, "encoding": {"x": encoding["x"], "y": encoding["y"], "text": {"field": "said", "type": "nominal"}}},
    ]
    return framed(FRAME_PX + BAR_PX * max(1, len(rows)), palette, layer=layers)


def length_histogram(lengths: Sequence[int], *, language: Language, dark: bool, height: int = 150) -> Chart:
    """How many rows have which length, in characters, in at most 24 bins of equal whole width."""
    colours = palette(dark)
    rows = _binned(lengths, language)
    data = pd.DataFrame(rows, columns=["low", "high", "rows", "said"])
    axis = {"format": "d", "grid": False, "titleAnchor": "end"}
    x = {"field": "low", "type": "quantitative", "bin": "binned", "title": text("ui.charts.characters", language), "axis": axis}
    encoding = {
        "x": x,
        "x2": {"field": "high"},
        "y": {"field": "rows", "type": "quantitative", "title": None, "axis": {"tickCount": 4, "format": "~s", "tickMinStep": 1}},
        "tooltip": {"field": "said", "type": "nominal"},
    }
    bar = {"type": "bar", "color": colours.accent, "binSpacing": 1}
    chart = framed(height, colours, layer=[{"mark": bar, "encoding": encoding}])
    if not lengths:
        return Chart(chart, data, text("ui.charts.alt.nothing", language))
    middle = int(statistics.median(lengths))
    return Chart(chart, data, text("ui.charts.alt.lengths", language, rows=len(lengths), median=middle, longest=max(lengths)))


def _binned(lengths: Sequence[int], language: Language) -> list[dict[str, object]]:
    if not lengths:
        return []
    start = min(lengths)
    width = max(1, -(-(max(lengths) - start + 1) // MOST_BINS))
    found: dict[int, int] = {}
    for length in lengths:
        low = start + (length - start) // width * width
        found[low] = found.get(low, 0) + 1
    return [
        {
            "low": low,
            "high": low + width,
            "rows": count,
            "said": text("ui.charts.bin", language, low=low, high=low + width - 1, count=count),
        }
        for low, count in sorted(found.items())
    ]
