"""The colours and the manner of every chart, light and dark: palettes, axis style, direct labels with a halo, rule lines.

Owns how a chart looks. Refuses to know what it shows, and knows no `st.*`: the page hands in whether the theme is dark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

Spec = dict[str, Any]  # a Vega-Lite document, or a part of one

FONT = "'Noto Sans TC', 'Noto Sans CJK TC', 'Source Sans', sans-serif"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
TEXT_PX = 12
LOSS_ROOM = 0.14  # of what the losses span


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite spec without its rows, the rows, and `alt`: one line that says what the picture says, in the reader's language."""

    spec: Spec
    data: pd.DataFrame
    alt: str


@dataclass(frozen=True)
class Palette:
    """`paper` is the page's ground and the halo of labels; `ink` text; `muted` axis labels (contrast on paper at least 5:1).

    On a shade between `second` and `accent` text is `ink` up to the share `turn` of accent, and `on_accent` beyond it.
    """

    paper: str
    second: str
    ink: str
    muted: str
    border: str
    grid: str
    accent: str
    on_accent: str
    turn: float
    target: str
    categorical: tuple[str, ...]


LIGHT = Palette(
    paper="#fbfaf7",
    second="#f1efe9",
    ink="#23302f",
    muted="#56615f",
    border="#dedad0",
    grid="#e9e6de",
    accent="#1f6f6b",
    on_accent="#ffffff",
    turn=0.75,
    target="#b5494e",
    categorical=("#1f6f6b", "#b87320", "#7a6bb0", "#b5494e", "#5b8ab8", "#8a8f3c"),
)
DARK = Palette(
    paper="#1b2221",
    second="#242d2c",
    ink="#e8e6df",
    muted="#b6bfbb",
    border="#3a4543",
    grid="#2c3635",
    accent="#5fb3ad",
    on_accent="#0f1615",
    turn=0.58,
    target="#ea8f8f",
    categorical=("#5fb3ad", "#dfa863", "#a89bd6", "#dd7f83", "#86afd6", "#b4b868"),
)


def palette(dark: bool) -> Palette:
    return DARK if dark else LIGHT


def framed(height: int, colours: Palette, **parts: Any) -> Spec:
    """A spec that fills its container's width at `height` pixels, in the project's manner; `parts` are its layers or mark."""
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 2, "right": 6, "top": 4, "bottom": 2},
        "background": "transparent",
        "config": _config(colours),
        **parts,
    }


def _config(colours: Palette) -> Spec:
    axis = {
        "labelFont": FONT,
        "titleFont": FONT,
        "labelFontSize": TEXT_PX,
        "titleFontSize": TEXT_PX,
        "labelColor": colours.muted,
        "titleColor": colours.muted,
        "titleFontWeight": "normal",
        "labelAngle": 0,
        "titlePadding": 6,
        "gridColor": colours.grid,
        "domainColor": colours.border,
        "tickColor": colours.border,
    }
    return {
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "text": {"font": FONT, "fontSize": TEXT_PX, "color": colours.ink},
        "range": {"category": list(colours.categorical)},
    }


def haloed(colours: Palette, mark: Mapping[str, Any], **layer: Any) -> list[Spec]:
    """A text layer twice: first as a broad outline in the ground's colour, so that lines passing under it leave it legible."""
    placed = {name: value for name, value in mark.items() if name != "color"}
    halo = {**placed, "stroke": colours.paper, "strokeWidth": 5, "strokeJoin": "round", "fill": colours.paper}
    return [
        {**layer, "mark": {"type": "text", **halo, "tooltip": None, "aria": False}},
        {**layer, "mark": {"type": "text", **mark, "tooltip": None}},
    ]


@dataclass(frozen=True)
class Line:
    """A value that holds along the whole chart, and its label."""

    value: float
    said: str


def level_lines(
    target: Line | None,
    baselines: Sequence[Line],
    domain: tuple[float, float],
    colours: Palette,
    *,
    height: int,
    busy: Sequence[Busy] = (),
) -> tuple[list[Spec], list[Spec]]:
    """Horizontal lines, the target dashed, baselines dotted, and their labels, to be laid under and over what the chart shows.

    No label stands on another one, on a line, on what is `busy` or beyond the axis; they are at the left, where a curve has hardly
    begun, while there is room, and two that are near each other stand one at the left, one at the right.
    """
    tall = label_height(domain, height)
    looks = [(line, colours.muted, [2, 3]) for line in baselines] + ([(target, colours.target, [6, 4])] if target else [])
    values = [line.value for line, _, _ in looks]
    taken: list[Busy] = []
    rules: list[Spec] = []
    labels: list[Spec] = []
    for line, colour, dash in sorted(looks, key=lambda look: -look[0].value):
        slots = _slots(line.value, tall)
        inside = [slot for slot in slots if slot.low >= domain[0] and slot.high <= domain[1]]
        free = [slot for slot in inside if not any(slot.at.touches(other) for other in taken)]
        clear = [slot for slot in free if not any(slot.low < value < slot.high for value in values)]
        calm = [slot for slot in clear if not any(slot.at.touches(other) for other in busy)]
        apart = [slot for slot in calm if not any(slot.at.wider(tall).touches(other) for other in taken)]
        slot = (apart or calm or clear or free or slots)[0]
        taken.append(slot.at)
        data = {"values": [{"level": line.value, "said": line.said}]}
        y = {"field": "level", "type": "quantitative", "scale": {"domain": list(domain), "nice": False}}
        rule = {"type": "rule", "color": colour, "strokeDash": dash, "strokeWidth": 1.5, "tooltip": None}
        rules.append({"data": data, "mark": rule, "encoding": {"y": y}})
        labels += _label(slot, colour, data, y, colours)
    return rules, labels


LABEL_PX, AXIS_PX = 18, 40  # a line of text with its distance; what axis and title take of a chart's height


def label_height(domain: tuple[float, float], height: int) -> float:
    """What one line of text takes on the score axis of a chart `height` pixels high."""
    return (domain[1] - domain[0]) * LABEL_PX / max(LABEL_PX, height - AXIS_PX)


@dataclass(frozen=True)
class Busy:
    """A place that something stands on: at the left or the right of a chart, from `low` to `high` on the score axis."""

    left: bool
    low: float
    high: float

    def touches(self, other: Busy) -> bool:
        return self.left == other.left and self.low < other.high and other.low < self.high

    def wider(self, by: float) -> Busy:
        return Busy(self.left, self.low - by, self.high + by)


@dataclass(frozen=True)
class _Slot:
    """Where a label may stand: over or under its line, at the left or the right."""

    at: Busy
    over: bool

    @property
    def left(self) -> bool:
        return self.at.left

    @property
    def low(self) -> float:
        return self.at.low

    @property
    def high(self) -> float:
        return self.at.high


def _slots(value: float, tall: float) -> list[_Slot]:
    spans = [(True, value, value + tall), (False, value - tall, value)]
    return [_Slot(Busy(left, low, high), over) for left in (True, False) for over, low, high in spans]


def _label(slot: _Slot, colour: str, data: Spec, y: Spec, colours: Palette) -> list[Spec]:
    place = {"baseline": "bottom", "dy": -3} if slot.over else {"baseline": "top", "dy": 3}
    mark = {"align": "left" if slot.left else "right", **place, "color": colour}
    x = {"value": 4} if slot.left else {"value": "width"}
    return haloed(colours, mark, data=data, encoding={"x": x, "y": y, "text": {"field": "said", "type": "nominal"}})


def loss_scale(losses: Sequence[float]) -> Spec:
    """Room above and below the lines for their names; a loss is never below 0, nor is its axis."""
    losses = [loss for loss in losses if math.isfinite(loss)]  # a log may have been edited by hand
    if not losses:
        return {"zero": False}
    low, high = min(losses), max(losses)
    room = LOSS_ROOM * (high - low) or 0.1 * high or 1.0
    return {"domain": [max(0.0, low - room), high + room], "nice": False}


def score_domain(values: Sequence[float]) -> tuple[float, float]:
    """A score axis that holds `values`, in whole tenths so that it seldom moves while values come in; it ends where the scale does."""
    if not values:
        return 0.0, 1.0
    step = 0.1 if max(values) <= 1.0 else 10.0  # a few metrics count to a hundred
    low = int(min(values) / step - 0.3) * step
    high = (int(max(values) / step + 0.3) + 1) * step
    top = 10 * step
    return round(max(0.0, low), 6), round(min(high, top) if max(values) <= top else high, 6)
