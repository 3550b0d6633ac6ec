"""Scores with their uncertainty: versions side by side, and a forecast.

Pure: numbers in, `Chart` out. How they look is chart_theme.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from coach.metric_words import metric_name
from coach.text import Language, text
from pages.ui.chart_theme import (
    Busy,
    Chart,
    Line,
    Palette,
    Spec,
    framed,
    haloed,
    label_height,
    level_lines,
    palette,
    score_domain,
)  # fmt: skip

NUMBER_REACHES_OVER = 0.4  # of the width: a number beside a dot further right is in the right half


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
    rules, labels = level_lines(goal, lines, domain, colours, height=height, busy=_busy(versions, label_height(domain, height)))
    layers = [*rules, *_version_layers([version.name for version in versions], domain, colours), *labels]
    chart = framed(height, colours, layer=layers)
    if not versions:
        return Chart(chart, data, text("ui.charts.alt.nothing", language))
    top = max(versions, key=lambda version: version.score)
    said = text("ui.charts.alt.versions", language, metric=metric_name(metric, language), name=top.name, value=top.score)
    return Chart(chart, data, said)


def _busy(versions: Sequence[VersionScore], tall: float) -> list[Busy]:
    """Where dots with their numbers stand: each in its band, the number at its right, so that one in the middle takes both sides."""
    found = []
    for place, version in enumerate(versions):
        middle, low, high = (place + 0.5) / len(versions), version.score - tall * 0.6, version.score + tall * 0.6
        found += [Busy(True, low, high)] if middle <= 0.5 else []
        found += [Busy(False, low, high)] if middle > NUMBER_REACHES_OVER else []
    return found


def _version_row(version: VersionScore, language: Language) -> dict[str, object]:
    said = f"{version.name} {version.score:.3f}"
    if version.low is not None and version.high is not None:
        said += f" ({text('ui.charts.interval', language, low=version.low, high=version.high)})"
    low = version.score if version.low is None else version.low
    high = version.score if version.high is None else version.high
    return {
        "version": version.name,
        "score": version.score,
        "low": low,
        "high": high,
        "label": f"{version.score:.3f}",
        "said": said,
    }


def _version_layers(names: list[str], domain: tuple[float, float], colours: Palette) -> list[Spec]:
    axis = {"labelOverlap": "greedy", "labelLimit": 110, "ticks": False, "labelColor": colours.ink, "grid": False}
    x: Spec = {"field": "version", "type": "nominal", "sort": None, "title": None, "scale": {"domain": names}, "axis": axis}
    scale = {"domain": list(domain), "nice": False}
    y: Spec = {
        "field": "score",
        "type": "quantitative",
        "title": None,
        "scale": scale,
        "axis": {"tickCount": 5, "format": ".2~f"},
    }
    tooltip = {"field": "said", "type": "nominal"}
    spread = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "tooltip": tooltip}
    text_encoding = {"x": x, "y": y, "text": {"field": "label", "type": "nominal"}}
    return [
        {
            "mark": {"type": "rule", "color": colours.accent, "strokeWidth": 7, "opacity": 0.3, "strokeCap": "round"},
            "encoding": spread,
        },
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
