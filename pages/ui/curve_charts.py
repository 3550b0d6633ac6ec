"""Curves over training steps: the primary metric against its target and baselines, and the losses.

Pure: events in, `Chart` out. How they look is chart_theme.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    loss_scale,
    palette,
    score_domain,
)  # fmt: skip
from training.events import Event
from training.run_numbers import TFIDF

MOST_POINTS = 500  # a series: more cost the browser and show nothing
LABEL_REACH = 1.5  # lines of text from a point's middle to the far edge of its label
ENDS = 0.35  # of the width at either end, which a line's label may cover
TRAINING, VALIDATION = "training", "validation"


def metric_curve(
    evals: Sequence[Event],
    *,
    metric: str,
    target: float | None,
    baselines: Mapping[str, float],
    total_steps: int | None,
    language: Language,
    dark: bool,
    height: int = 210,
) -> Chart:
    """Validation scores by step, the target dashed, each baseline (name → score) dotted, the best step a labelled diamond.

    `evals` are eval events in order of step; those without a value are left out.
    """
    colours, name = palette(dark), metric_name(metric, language)
    scored = [event for event in evals if event.get("value") is not None]
    best = next((event for event in reversed(scored) if event.get("best")), None)
    levels = [*baselines.values(), *([target] if target is not None else [])]
    domain = score_domain([*(float(event["value"]) for event in scored), *levels])
    tall = label_height(domain, height)
    rows = [_metric_row(event, event is best, name, total_steps, language) for event in scored]
    for row in rows:
        row["above"] = _has_room_above(float(str(row["value"])), levels, domain, tall)
    data = pd.DataFrame(rows, columns=["step", "value", "best", "label", "side", "said", "above"])
    goal = Line(target, text("ui.charts.target", language, value=target)) if target is not None else None
    lines = [Line(score, _baseline_label(each, score, language)) for each, score in baselines.items()]
    encoding = {"x": _step_axis(total_steps, language), "y": _score_axis(domain), "tooltip": {"field": "said", "type": "nominal"}}
    rules, labels = level_lines(goal, lines, domain, colours, height=height, busy=_busy(rows, total_steps, tall))
    curve, *points = _metric_layers(encoding, colours)
    layers = [*rules, curve, *labels, *points]
    return Chart(framed(height, colours, layer=layers), data, _metric_alt(scored, best, name, language))


def _baseline_label(name: str, score: float, language: Language) -> str:
    """The run's own baseline is scored on the validation rows; on which rows a person's own was, nobody said."""
    key = "ui.charts.baseline_valid" if name == TFIDF else "ui.charts.baseline"
    return text(key, language, name=name, value=score)


def _has_room_above(value: float, levels: Sequence[float], domain: tuple[float, float], tall: float) -> bool:
    """Whether a point's label keeps clear of lines and of the plot's edge above the point, or at least no better below it."""
    reach = LABEL_REACH * tall
    over, under = (any(low < level < high for level in levels) for low, high in ((value, value + reach), (value - reach, value)))
    if value + reach > domain[1]:
        return value - reach < domain[0]
    return not over or under or value - reach < domain[0]


def _busy(rows: Sequence[Mapping[str, object]], total_steps: int | None, tall: float) -> list[Busy]:
    """Where points and the best one's label stand, at the chart's left and right ends: labels of lines reach no further."""
    last = (
        total_steps or max((int(str(row["step"])) for row in rows), default=0) or 1
    )  # the baseline's one evaluation is at step 0
    found = []
    for row in rows:
        place, value = int(str(row["step"])) / last, float(str(row["value"]))
        if ENDS <= place <= 1 - ENDS:
            continue
        up, down = (LABEL_REACH, 0.3) if row["above"] else (0.3, LABEL_REACH)
        if not row["best"]:
            up = down = 0.3
        found.append(Busy(place < ENDS, value - down * tall, value + up * tall))
    return found


def _metric_row(event: Event, best: bool, name: str, total_steps: int | None, language: Language) -> dict[str, object]:
    step, value = int(event["step"]), float(event["value"])
    place = step / total_steps if total_steps else 0.5
    side = "left" if place < 0.12 else "right" if place > 0.88 else "center"
    label = text("ui.charts.best", language, value=value) if best else ""
    said = text("ui.charts.point", language, step=step, metric=name, value=value)
    return {"step": step, "value": value, "best": best, "label": label, "side": side, "said": said}


def _metric_layers(encoding: Spec, colours: Palette) -> list[Spec]:
    shape = {"condition": {"test": "datum.best", "value": "diamond"}, "value": "circle"}
    size = {"condition": {"test": "datum.best", "value": 150}, "value": 40}
    points = {"type": "point", "filled": True, "color": colours.accent, "opacity": 1}
    side = {"baseline": {"expr": "datum.above ? 'bottom' : 'top'"}, "dy": {"expr": "datum.above ? -9 : 10"}}
    label = {"align": {"expr": "datum.side"}, **side, "fontWeight": "bold", "color": colours.accent}
    return [
        {"mark": {"type": "line", "color": colours.accent, "strokeWidth": 2, "tooltip": None}, "encoding": encoding},
        {"mark": points, "encoding": {**encoding, "shape": shape, "size": size}},
        *haloed(
            colours,
            label,
            transform=[{"filter": "datum.best"}],
            encoding={"x": encoding["x"], "y": encoding["y"], "text": {"field": "label", "type": "nominal"}},
        ),
    ]


def _metric_alt(scored: Sequence[Event], best: Event | None, name: str, language: Language) -> str:
    if not scored:
        return text("ui.charts.alt.metric_none", language, metric=name)
    last, top = scored[-1], best or max(scored, key=lambda event: event["value"])
    numbers = {"step": last["step"], "value": last["value"], "best_step": top["step"], "best": top["value"]}
    return text("ui.charts.alt.metric", language, metric=name, **numbers)


def loss_curve(
    steps: Sequence[Event],
    evals: Sequence[Event],
    *,
    total_steps: int | None,
    language: Language,
    dark: bool,
    height: int = 210,
) -> Chart:
    """Training loss by step as a solid line (at most 500 points), validation loss dashed with dots; each named at its end.

    Steps and evaluations without a finite loss are left out.
    """
    colours = palette(dark)
    trained, valid = downsampled(_losses(steps), MOST_POINTS), _losses(evals)
    names = {TRAINING: text("ui.charts.training_loss", language), VALIDATION: text("ui.charts.validation_loss", language)}
    valid_above = bool(trained and valid and valid[-1][1] >= trained[-1][1])
    beside = bool(total_steps and trained and trained[-1][0] < 0.6 * total_steps)  # there is room behind the line's end
    series = [_series(trained, TRAINING, names, not valid_above, beside), _series(valid, VALIDATION, names, valid_above, beside)]
    data = pd.concat(series, ignore_index=True)
    encoding: Spec = {
        "x": _step_axis(total_steps, language),
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": None,
            "scale": loss_scale([loss for _, loss in (*trained, *valid)]),
            "axis": {"tickCount": 5, "format": "~g"},
        },
    }
    chart = framed(height, colours, layer=_loss_layers(encoding, names, colours))
    return Chart(chart, data, _loss_alt(_losses(steps), valid, language))


def _losses(events: Sequence[Event]) -> list[tuple[int, float]]:
    return [(int(event["step"]), float(event["loss"])) for event in events if event.get("loss") is not None]


def _series(points: list[tuple[int, float]], series: str, names: Mapping[str, str], above: bool, beside: bool) -> pd.DataFrame:
    """One line's rows; the last carries the line's name, to stand `above` or below it, `beside` its end or before it."""
    steps, values = [step for step, _ in points], [value for _, value in points]
    label = [""] * len(points)
    if points:
        label[-1] = f"{names[series]} {values[-1]:.3f}"
    columns = {"step": steps, "value": values, "series": series, "label": label, "above": above, "beside": beside}
    return pd.DataFrame(columns)


def _loss_layers(encoding: Spec, names: Mapping[str, str], colours: Palette) -> list[Spec]:
    first, second = colours.categorical[:2]
    label = {
        "align": {"expr": "datum.beside ? 'left' : 'right'"},
        "baseline": {"expr": "datum.above ? 'bottom' : 'top'"},
        "dx": {"expr": "datum.beside ? 7 : 0"},
        "dy": {"expr": "datum.above ? (datum.beside ? 0 : -8) : (datum.beside ? 0 : 10)"},
    }
    solid = {"type": "line", "color": first, "strokeWidth": 1.5}
    dashed = {"type": "line", "color": second, "strokeWidth": 2, "strokeDash": [5, 3], "tooltip": None}
    dots = {"type": "point", "filled": True, "opacity": 1, "size": 40, "color": second}
    layers: list[Spec] = [
        _of(TRAINING, mark=solid, encoding={**encoding, "tooltip": _loss_tooltip(encoding, names[TRAINING])}),
        _of(VALIDATION, mark=dashed, encoding=encoding),
        _of(VALIDATION, mark=dots, encoding={**encoding, "tooltip": _loss_tooltip(encoding, names[VALIDATION])}),
    ]
    colour = {"condition": {"test": f"datum.series === '{VALIDATION}'", "value": second}, "value": first}
    text_encoding = {**encoding, "text": {"field": "label", "type": "nominal"}}
    halo, plain = haloed(colours, label, transform=[{"filter": "datum.label !== ''"}], encoding=text_encoding)
    return [*layers, halo, {**plain, "encoding": {**text_encoding, "color": colour}}]


def _loss_tooltip(encoding: Spec, name: str) -> list[Spec]:
    return [
        {"field": "step", "type": "quantitative", "title": encoding["x"]["title"]},
        {"field": "value", "type": "quantitative", "title": name, "format": ".3f"},
    ]


def _of(series: str, **layer: object) -> Spec:
    return {"transform": [{"filter": f"datum.series === '{series}'"}], **layer}


def _loss_alt(trained: list[tuple[int, float]], valid: list[tuple[int, float]], language: Language) -> str:
    if not trained:
        return text("ui.charts.alt.loss_none", language)
    ends = {"first": trained[0][1], "last": trained[-1][1]}
    if not valid:
        return text("ui.charts.alt.loss", language, **ends)
    return text("ui.charts.alt.loss_both", language, **ends, valid=valid[-1][1], lowest=min(value for _, value in valid))


def downsampled(points: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most `most` of `points`: the lowest and the highest of each of most/2 buckets in their order, the first and the last kept."""
    if len(points) <= most:
        return list(points)
    inner, buckets = points[1:-1], (most - 2) // 2
    kept = [points[0]]
    for number in range(buckets):
        bucket = inner[number * len(inner) // buckets : (number + 1) * len(inner) // buckets]
        ends = {min(bucket, key=lambda point: point[1]), max(bucket, key=lambda point: point[1])}
        kept += sorted(ends)
    return [*kept, points[-1]]


def _step_axis(total_steps: int | None, language: Language) -> Spec:
    axis = {"grid": False, "tickMinStep": 1, "format": "d", "titleAnchor": "end", "labelOverlap": "greedy", "labelSeparation": 8}
    scale = {"domain": [0, total_steps], "nice": False} if total_steps else {"domainMin": 0, "nice": False}
    return {"field": "step", "type": "quantitative", "title": text("ui.charts.step", language), "scale": scale, "axis": axis}


def _score_axis(domain: tuple[float, float]) -> Spec:
    scale = {"domain": list(domain), "nice": False}
    return {"field": "value", "type": "quantitative", "title": None, "scale": scale, "axis": {"tickCount": 5, "format": ".2~f"}}
