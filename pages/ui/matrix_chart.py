"""The confusion matrix, read by row: which rows of a class got which answer.

Pure: labels and counts in, `Chart` out. What a click on a cell opens is the page's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from coach.text import Language, text
from pages.ui.chart_theme import Chart, Palette, Spec, framed, palette

OUTSIDE = "\ue000outside"  # `predicted` of the extra column; a private-use character, so that no label can be the same
CELL = "cell"  # the selection's name
MOST_NUMBERED = 12  # labels: beyond it the cells are too small for a number
ROW_PX, LEAST_PX, MOST_PX = 44, 150, 640


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
    where it is not all zero, with `OUTSIDE` as its value of `predicted`. A class without rows shows dashes. With `selectable` a click
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
    encoding = {"x": _across(columns, language), "y": _down(labels, language)}
    layers = [_cells(encoding, colours, selectable, language)]
    if len(labels) <= MOST_NUMBERED:
        layers.append(_numbers(encoding, colours))
    height = height or min(MOST_PX, max(LEAST_PX, ROW_PX + len(labels) * (ROW_PX if len(labels) <= 5 else 30 if len(labels) <= 12 else 12)))
    return Chart(framed(height, colours, layer=layers), data, _alt(labels, counts, language))


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


def _across(columns: Sequence[str], language: Language) -> Spec:
    outside = json.dumps(text("ui.charts.outside", language), ensure_ascii=False)
    axis = {
        "orient": "top",
        "labelExpr": f"datum.value === '{OUTSIDE}' ? {outside} : datum.label",
        "labelLimit": max(30, 340 // len(columns)) if columns else 100,
        "labelOverlap": "greedy",
        "ticks": False,
        "domain": False,
        "labelPadding": 5,
        "titlePadding": 4,
    }
    return _band("predicted", columns, text("ui.charts.predicted", language), axis)


def _down(labels: Sequence[str], language: Language) -> Spec:
    """The title stands level with the column labels, above the row labels, so that no text is turned on its side."""
    title = {"titleAngle": 0, "titleAlign": "right", "titleBaseline": "bottom", "titleX": -8, "titleY": -6}
    axis = {"labelLimit": 110, "labelOverlap": "greedy", "ticks": False, "domain": False, "labelPadding": 8, **title}
    return _band("actual", labels, text("ui.charts.actual", language), axis)


def _band(field: str, values: Sequence[str], title: str, axis: Spec) -> Spec:
    scale = {"domain": list(values), "paddingInner": 0.05 if len(values) <= MOST_NUMBERED else 0.02, "paddingOuter": 0}
    return {"field": field, "type": "nominal", "title": title, "sort": None, "scale": scale, "axis": axis}


def _cells(encoding: Spec, colours: Palette, selectable: bool, language: Language) -> Spec:
    chosen = [{"param": CELL, "empty": False, "value": colours.ink}] if selectable else []
    wide = [{"param": CELL, "empty": False, "value": 3}] if selectable else []
    titles = [("actual", "actual"), ("answer", "predicted"), ("count", "rows"), ("share", "share")]
    tooltip = [{"field": field, "type": "nominal", "title": text(f"ui.charts.{key}", language)} for field, key in titles]
    tooltip[-1] |= {"type": "quantitative", "format": ".0%"}
    layer: Spec = {
        "mark": {"type": "rect", "cornerRadius": 3, "cursor": "pointer" if selectable else "default"},
        "encoding": {
            **encoding,
            "color": {
                "field": "share",
                "type": "quantitative",
                "legend": None,
                "scale": {"domain": [0, 1], "range": [colours.second, colours.accent]},
            },
            "stroke": {"condition": [*chosen, {"test": "datum.hit", "value": colours.accent}], "value": colours.border},
            "strokeWidth": {"condition": [*wide, {"test": "datum.hit", "value": 1.5}], "value": 0.5},
            "tooltip": tooltip,
            "description": {"field": "said", "type": "nominal"},
        },
    }
    if selectable:
        select = {"type": "point", "fields": ["actual", "predicted"], "toggle": False}
        layer["params"] = [{"name": CELL, "select": select}]
    return layer


def _numbers(encoding: Spec, colours: Palette) -> Spec:
    shade = [{"test": "datum.share > 0.5", "value": colours.on_accent}, {"test": "datum.count === 0", "value": colours.muted}]
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
