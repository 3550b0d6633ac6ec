"""Bars and ranges: classes, lengths, versions, a forecast.

Pure: numbers in, `Chart` out. How they look is chart_theme.py's.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from coach.text import Language, text
from pages.ui.chart_theme import Chart, Line, Palette, Spec, framed, haloed, level_lines, palette, score_domain
from pages.ui.curve_charts import metric_name

BAR_PX, FRAME_PX = 28, 12
MOST_BARS = 50
MOST_BINS = 24


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
    return Chart(chart, _bar_frame(rows), text("ui.charts.alt.distribution", language, classes=len(counts), total=total, **numbers))


def class_bars(f1_by_class: Mapping[str, float], *, language: Language, dark: bool) -> Chart:
    """F1 of each class, 0 to 1, as horizontal bars in the order given (at most 50)."""
    rows = [{"name": name, "value": f1, "said": f"{f1:.2f}"} for name, f1 in list(f1_by_class.items())[:MOST_BARS]]
    chart = _bars(rows, top=1.0, palette=palette(dark))
    if not rows:
        return Chart(chart, _bar_frame(rows), text("ui.charts.alt.nothing", language))
    label, value = min(f1_by_class.items(), key=lambda pair: pair[1])
    return Chart(chart, _bar_frame(rows), text("ui.charts.alt.class_bars", language, label=label, value=value))


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
    title = text("ui.charts.characters", language)
    x = {"field": "low", "type": "quantitative", "bin": "binned", "title": title, "axis": {"format": "d", "grid": False, "titleAnchor": "end"}}
    encoding = {
        "x": x,
        "x2": {"field": "high"},
        "y": {"field": "rows", "type": "quantitative", "title": None, "axis": {"tickCount": 4, "format": "~s", "tickMinStep": 1}},
        "tooltip": {"field": "said", "type": "nominal"},
    }
    chart = framed(height, colours, mark={"type": "bar", "color": colours.accent, "binSpacing": 1}, encoding=encoding)
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


@dataclass(frozen=True)
class VersionScore:
    """One version's test score and its interval; `low` and `high` are None where it has none."""

    name: str
    score: float
    low: float | None = None
    high: float | None = None


def version_scores(
    versions: Sequence[VersionScore],
    *,
    metric: str,
    target: float | None,
    language: Language,
    dark: bool,
    baselines: Mapping[str, float] | None = None,
    height: int = 220,
) -> Chart:
    """Versions in the order given, each a dot with its interval as a bar, the target dashed and baselines (name → score) dotted."""
    colours, given = palette(dark), baselines or {}
    rows = [_version_row(version, language) for version in versions]
    data = pd.DataFrame(rows, columns=["version", "score", "low", "high", "label", "said"])
    edges = [edge for version in versions for edge in (version.score, version.low, version.high) if edge is not None]
    domain = score_domain([*edges, *given.values(), *([target] if target is not None else [])])
    goal = Line(target, text("ui.charts.target", language, value=target)) if target is not None else None
    lines = [Line(score, text("ui.charts.baseline", language, name=name, value=score)) for name, score in given.items()]
    layers = [*level_lines(goal, lines, domain, colours), *_version_layers([version.name for version in versions], domain, colours)]
    chart = framed(height, colours, layer=layers)
    if not versions:
        return Chart(chart, data, text("ui.charts.alt.nothing", language))
    top = max(versions, key=lambda version: version.score)
    said = text("ui.charts.alt.versions", language, metric=metric_name(metric, language), name=top.name, value=top.score)
    return Chart(chart, data, said)


def _version_row(version: VersionScore, language: Language) -> dict[str, object]:
    said = f"{version.name} {version.score:.3f}"
    if version.low is not None and version.high is not None:
        said += f" ({text('ui.charts.interval', language, low=version.low, high=version.high)})"
    low = version.score if version.low is None else version.low
    high = version.score if version.high is None else version.high
    return {"version": version.name, "score": version.score, "low": low, "high": high, "label": f"{version.score:.3f}", "said": said}


def _version_layers(names: list[str], domain: tuple[float, float], colours: Palette) -> list[Spec]:
    axis = {"labelOverlap": "greedy", "labelLimit": 110, "ticks": False, "labelColor": colours.ink, "grid": False}
    x: Spec = {"field": "version", "type": "nominal", "sort": None, "title": None, "scale": {"domain": names}, "axis": axis}
    scale = {"domain": list(domain), "nice": False}
    y: Spec = {"field": "score", "type": "quantitative", "title": None, "scale": scale, "axis": {"tickCount": 5, "format": ".2~f"}}
    tooltip = {"field": "said", "type": "nominal"}
    spread = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "tooltip": tooltip}
    text_encoding = {"x": x, "y": y, "text": {"field": "label", "type": "nominal"}}
    return [
        {"mark": {"type": "rule", "color": colours.accent, "strokeWidth": 7, "opacity": 0.3, "strokeCap": "round"}, "encoding": spread},
        {
            "mark": {"type": "point", "filled": True, "size": 90, "color": colours.accent, "opacity": 1},
            "encoding": {"x": x, "y": y, "tooltip": tooltip},
        },
        *haloed(colours, {"align": "left", "dx": 9, "fontWeight": "bold"}, encoding=text_encoding),
    ]


def forecast_band(
    low: float,
    expected: float,
    high: float,
    *,
    metric: str,
    target: float | None,
    baseline: float | None,
    language: Language,
    dark: bool,
    baseline_name: str = "TF-IDF",
    height: int = 112,
) -> Chart:
    """A forecast as one horizontal range with its middle; the target a dashed line named above, the baseline dotted, named below."""
    colours = palette(dark)
    domain = score_domain([low, high, *(value for value in (target, baseline) if value is not None)])
    middle = text("ui.charts.expected", language, value=expected)
    data = pd.DataFrame([{"low": low, "expected": expected, "high": high, "said_low": f"{low:.2f}", "said_high": f"{high:.2f}"}])
    axis = {"tickCount": 6, "format": ".2~f", "grid": False}
    x: Spec = {"type": "quantitative", "title": None, "scale": {"domain": list(domain), "nice": False}, "axis": axis}
    layers = _band_layers(x, middle, colours)
    if target is not None:
        said = text("ui.charts.target", language, value=target)
        layers += _upright(target, said, domain, x, colours.target, [6, 4], {"value": 8}, colours)
    if baseline is not None:
        said = text("ui.charts.baseline", language, name=baseline_name, value=baseline)
        layers += _upright(baseline, said, domain, x, colours.muted, [2, 3], {"value": height - 34}, colours)
    numbers = {"metric": metric_name(metric, language), "low": low, "expected": expected, "high": high}
    key = "ui.charts.alt.forecast" if target is None else "ui.charts.alt.forecast_target"
    return Chart(framed(height, colours, layer=layers), data, text(key, language, **numbers, target=target))


def _band_layers(x: Spec, middle: str, colours: Palette) -> list[Spec]:
    y = {"value": 44}
    band = {"type": "rule", "strokeWidth": 18, "color": colours.accent, "opacity": 0.35, "tooltip": None}
    ends = [
        {
            "mark": {"type": "text", "align": align, "dx": dx, "baseline": "middle", "color": colours.muted},
            "encoding": {"x": {**x, "field": field}, "y": y, "text": {"field": f"said_{field}", "type": "nominal"}},
        }
        for field, align, dx in (("low", "right", -6), ("high", "left", 6))
    ]
    return [
        {"mark": band, "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y}},
        {
            "mark": {"type": "tick", "orient": "vertical", "size": 24, "thickness": 3, "color": colours.accent, "tooltip": None},
            "encoding": {"x": {**x, "field": "expected"}, "y": y},
        },
        *haloed(
            colours,
            {"baseline": "bottom", "dy": -14, "fontWeight": "bold", "text": middle},
            encoding={"x": {**x, "field": "expected"}, "y": y},
        ),
        *ends,
    ]


def _upright(
    value: float, said: str, domain: tuple[float, float], x: Spec, colour: str, dash: list[int], y: Spec, colours: Palette
) -> list[Spec]:
    """A vertical line with its label at height `y`, on the side where there is room."""
    left = value > (domain[0] + domain[1]) / 2
    data = {"values": [{"at": value}]}
    place = {**x, "field": "at"}
    mark = {"align": "right" if left else "left", "dx": -5 if left else 5, "color": colour, "text": said, "baseline": "middle"}
    rule = {"type": "rule", "color": colour, "strokeDash": dash, "strokeWidth": 1.5, "tooltip": None}
    return [
        {"data": data, "mark": rule, "encoding": {"x": place}},
        *haloed(colours, mark, data=data, encoding={"x": place, "y": y}),
    ]
