"""The confusion matrix, read by row: which rows of a class got which answer.

Pure: labels and counts in, `Chart` out. What a click on a cell opens is the page's.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence

import pandas as pd

from coach.text import Language, text
from pages.ui.chart_theme import TEXT_PX, Chart, Palette, Spec, framed, palette

OUTSIDE = "\ue000outside"  # `predicted` of the extra column; a private-use character, so that no label can be the same
CELL = "cell"  # the selection's name
MOST_NUMBERED = 12  # labels: beyond it the cells are too small for a number
HEAD_PX, LEAST_PX, MOST_PX = 44, 150, 640
LINE_PX, LATIN_WIDTH = 14, 0.56  # the second a share of the text size
ACROSS_PX = 340  # of the columns together, where the chart stands in a narrow part of a page


def confusion_matrix(
    labels: Sequence[str],
    counts: Sequence[Sequence[int]],
    *,
    language: Language,
    dark: bool,
    selectable: bool = False,
    height: int | None = None,
) -> Chart:
    """Rows are the actual class, columns the prediction, shaded by the share of the row; the diagonal is outlined.

    `counts` has a row for each label and a column for each label, and may have one more for answers outside the format: drawn only
    where it is not all zero, with `OUTSIDE` as its value of `predicted`. A class without rows shows dashes. Beyond 12 labels classes
    are numbered: rows read `1 name`, columns `1`, and a cell says its names and count when pointed at. With `selectable` a click
    on a cell is a selection named `cell` on the fields `actual` and `predicted`. `height` in pixels; by default after the labels.
    """
    colours = palette(dark)
    columns = [*labels, OUTSIDE] if _has_outside(labels, counts) else list(labels)
    rows = [
        _cell(actual, predicted, count, sum(row), len(labels) <= MOST_NUMBERED, language)
        for actual, row in zip(labels, counts)
        for predicted, count in zip(columns, row)
    ]
    data = pd.DataFrame(rows, columns=["actual", "predicted", "answer", "count", "share", "number", "hit", "said"])
    many = len(labels) > MOST_NUMBERED
    encoding = {"x": _across(columns, many, language), "y": _down(labels, many, language)}
    layers = [_cells(encoding, colours, many, selectable, language)]
    if not many:
        layers.append(_numbers(encoding, colours))
    return Chart(framed(height or _height(len(labels)), colours, layer=layers), data, _alt(labels, counts, language))


def _height(labels: int) -> int:
    row_px = 44 if labels <= 5 else 30 if labels <= MOST_NUMBERED else 12
    return min(MOST_PX, max(LEAST_PX, HEAD_PX + labels * row_px))


def _has_outside(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> bool:
    return any(len(row) > len(labels) and row[len(labels)] for row in counts)


def _cell(actual: str, predicted: str, count: int, in_row: int, numbered: bool, language: Language) -> dict[str, object]:
    answer = text("ui.charts.outside", language) if predicted == OUTSIDE else predicted
    return {
        "actual": actual,
        "predicted": predicted,
        "answer": answer,
        "count": count,
        "share": count / in_row if in_row else 0.0,
        "number": ("–" if not in_row else str(count)) if numbered else "",
        "hit": actual == predicted,
        "said": text("ui.charts.cell", language, actual=actual, predicted=answer, count=count),
    }


def _across(columns: Sequence[str], many: bool, language: Language) -> Spec:
    """Column names in up to three lines of the column's width, all standing on the matrix."""
    outside = text("ui.charts.outside", language)
    px = ACROSS_PX // max(1, len(columns))
    said = {column: in_lines(outside if column == OUTSIDE else column, px) for column in columns}
    if many:
        said = {column: [str(place + 1)] if column != OUTSIDE else ["–"] for place, column in enumerate(columns)}
    tallest = max((len(lines) for lines in said.values()), default=1)
    level = {column: [""] * (tallest - len(lines)) + lines for column, lines in said.items()}
    padding = 5 + (tallest - 1) * LINE_PX  # Vega lets further lines of a label above an axis run down into the plot
    limit = 24 if many else px + 12
    axis = {
        **_axis(level),
        "orient": "top",
        "labelPadding": padding,
        "labelLineHeight": LINE_PX,
        "titlePadding": 4,
        "labelLimit": limit,
    }
    return _band("predicted", columns, text("ui.charts.predicted", language), axis)


def _down(labels: Sequence[str], many: bool, language: Language) -> Spec:
    """The title stands level with the column labels, above the row labels, so that no text is turned on its side."""
    said = {label: f"{place + 1}  {label}" if many else label for place, label in enumerate(labels)}
    title = {"titleAngle": 0, "titleAlign": "right", "titleBaseline": "bottom", "titleX": -8, "titleY": -6}
    return _band(
        "actual", labels, text("ui.charts.actual", language), {**_axis(said), "labelLimit": 110, "labelPadding": 8, **title}
    )


def _axis(said: Mapping[str, object]) -> Spec:
    names = json.dumps(said, ensure_ascii=True)  # a Vega expression; JSON is one
    return {
        "labelExpr": f"({names})[datum.value]",
        "labelOverlap": "greedy",
        "labelSeparation": 3,
        "ticks": False,
        "domain": False,
    }


def in_lines(label: str, px: int, most: int = 3) -> list[str]:
    """`label` in at most `most` lines of about `px` pixels, the last ending in … if it goes on.

    Broken at a space or between wide and narrow script where there is such a place, else where the line is full.
    """
    lines: list[str] = []
    rest = label.strip()
    while rest:
        end = _fitting(rest, px)
        if end < len(rest):
            good = [
                place for place in range(1, end + 1) if rest[place] == " " or _is_wide(rest[place]) != _is_wide(rest[place - 1])
            ]
            end = good[-1] if good else end
        if len(lines) == most - 1 and end < len(rest):
            return [*lines, rest[: max(1, _fitting(rest, px - TEXT_PX))].rstrip() + "…"]
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return lines or [""]


def _fitting(said: str, px: int) -> int:
    """How many of the first characters of `said` fit `px` pixels at the charts' text size; at least one."""
    width = 0.0
    for place, character in enumerate(said):
        width += TEXT_PX if _is_wide(character) else TEXT_PX * LATIN_WIDTH
        if width > px:
            return max(1, place)
    return len(said)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _band(field: str, values: Sequence[str], title: str, axis: Spec) -> Spec:
    scale = {"domain": list(values), "paddingInner": 0.05 if len(values) <= MOST_NUMBERED else 0.02, "paddingOuter": 0}
    return {"field": field, "type": "nominal", "title": title, "sort": None, "scale": scale, "axis": axis}


def _cells(encoding: Spec, colours: Palette, many: bool, selectable: bool, language: Language) -> Spec:
    chosen = [{"param": CELL, "empty": False, "value": colours.ink}] if selectable else []
    wide = [{"param": CELL, "empty": False, "value": 3}] if selectable else []
    titles = [("actual", "actual"), ("answer", "predicted"), ("count", "rows"), ("share", "share")]
    tooltip = [{"field": field, "type": "nominal", "title": text(f"ui.charts.{key}", language)} for field, key in titles]
    tooltip[-1] |= {"type": "quantitative", "format": ".0%"}
    layer: Spec = {
        "mark": {"type": "rect", "cornerRadius": 0 if many else 3, "cursor": "pointer" if selectable else "default"},
        "encoding": {
            **encoding,
            "color": {
                "field": "share",
                "type": "quantitative",
                "legend": None,
                "scale": {"domain": [0, 1], "range": [colours.second, colours.accent], "interpolate": "rgb"},
            },
            "stroke": {"condition": [*chosen, {"test": "datum.hit", "value": colours.accent}], "value": colours.border},
            "strokeWidth": {
                "condition": [*wide, {"test": "datum.hit", "value": 0.8 if many else 1.5}],
                "value": 0.3 if many else 0.5,
            },
            "tooltip": tooltip,
            "description": {"field": "said", "type": "nominal"},
        },
    }
    if selectable:
        select = {"type": "point", "fields": ["actual", "predicted"], "toggle": False}
        layer["params"] = [{"name": CELL, "select": select}]
    return layer


def _numbers(encoding: Spec, colours: Palette) -> Spec:
    dark_cell = {"test": f"datum.share > {colours.turn}", "value": colours.on_accent}
    shade = [dark_cell, {"test": "datum.count === 0", "value": colours.muted}]
    return {
        "mark": {"type": "text", "fontSize": 14, "tooltip": None, "aria": False},
        "encoding": {
            **encoding,
            "text": {"field": "number", "type": "nominal"},
            "color": {"condition": shade, "value": colours.ink},
        },
    }


def _alt(labels: Sequence[str], counts: Sequence[Sequence[int]], language: Language) -> str:
    total = sum(sum(row) for row in counts)
    if not total:
        return text("ui.charts.alt.matrix_none", language)
    right = sum(row[place] for place, row in enumerate(counts))
    if right == total:
        return text("ui.charts.alt.matrix_clean", language, total=total)
    slips = [(count, place, column) for place, row in enumerate(counts) for column, count in enumerate(row) if column != place]
    count, place, column = max(slips, key=lambda slip: slip[0])
    answer = labels[column] if column < len(labels) else text("ui.charts.outside", language)
    found = {"total": total, "right": right, "actual": labels[place], "predicted": answer, "count": count}
    return text("ui.charts.alt.matrix", language, **found)
