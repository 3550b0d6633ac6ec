"""Every chart is a valid Vega-Lite document with its rows and one line of text, in both languages and both themes."""

import re

import altair
import pandas as pd
import pytest

from coach.growth import Growth, GrowthPoint
from coach.text import LANGUAGES
from pages.ui import charts
from pages.ui.chart_theme import DARK, LIGHT, palette, score_domain
from pages.ui.curve_charts import downsampled
from pages.ui.matrix_chart import in_lines

HAN = re.compile(r"[\u3400-\u9fff]")
LABELS = ["cat", "dog", "<img src=x> [a](b)"]
COUNTS = [[9, 10, 3, 0], [5, 35, 5, 2], [0, 0, 0, 0]]


def evaluation(step, value, loss, best=False):
    return {"step": step, "value": value, "loss": loss, "best": best}


EVALS = [evaluation(5, 0.4, 1.2, True), evaluation(10, 0.6, 0.9, True), evaluation(15, 0.55, None)]
GROWTH = Growth(
    500,
    500,
    (GrowthPoint(60, 0.4, 0.5, 0.6), GrowthPoint(500, 0.6, 0.65, 0.7), GrowthPoint(1500, 0.6, 0.7, 0.8, bold=True)),
    "never", None, (),
)  # fmt: skip
STEPS = [{"step": step, "loss": 3 / step} for step in range(1, 16)]


def every_chart(language="en", dark=False):
    look = {"language": language, "dark": dark}
    curve = {"metric": "macro_f1", "target": 0.7, "baselines": {"TF-IDF": 0.57, "words": 0.56}, "total_steps": 20}
    versions = [charts.VersionScore("v1", 0.6, 0.5, 0.7), charts.VersionScore("v2", 0.65)]
    many = [f"class {number}" for number in range(50)]
    return {
        "metric": charts.metric_curve(EVALS, **curve, **look),
        "metric, nothing yet": charts.metric_curve([], **{**curve, "target": None, "baselines": {}, "total_steps": None}, **look),
        "loss": charts.loss_curve(STEPS, EVALS, total_steps=20, **look),
        "loss, nothing yet": charts.loss_curve([], [], total_steps=None, **look),
        "matrix": charts.confusion_matrix(LABELS, COUNTS, selectable=True, **look),
        "matrix of fifty": charts.confusion_matrix(many, [[int(i == j) for j in range(51)] for i in range(50)], **look),
        "matrix, no labels": charts.confusion_matrix([], [], **look),
        "distribution": charts.class_distribution({"cat": 1200, "dog": 3}, **look),
        "distribution, none": charts.class_distribution({}, **look),
        "scores": charts.amount_bars([("cat", 0.5), ("dog", 1.0)], "score", **look),
        "small shares": charts.amount_bars([("here", 0.03), ("from", 0.02)], "share", **look),
        "lengths": charts.length_histogram([1, 5, 5, 200], **look),
        "lengths, none": charts.length_histogram([], **look),
        "versions": charts.version_scores(versions, metric="macro_f1", target=0.7, baselines={"TF-IDF": 0.5}, **look),
        "versions, none": charts.version_scores([], metric="macro_f1", target=None, **look),
        "forecast": charts.forecast_band(0.6, 0.65, 0.7, metric="macro_f1", target=0.8, baseline=0.5, **look),
        "growth": charts.growth_chart(GROWTH, metric="macro_f1", target=0.8, **look),
        "growth, no target": charts.growth_chart(GROWTH, metric="macro_f1", target=None, **look),
        "forecast alone": charts.forecast_band(0.6, 0.65, 0.7, metric="macro_f1", target=None, baseline=None, **look),
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", every_chart())
def test_each_spec_is_a_valid_vega_lite_document_without_its_rows(name, dark):
    chart = every_chart(dark=dark)[name]
    altair.Chart.from_dict(chart.spec)
    assert "data" not in chart.spec and isinstance(chart.data, pd.DataFrame)


@pytest.mark.parametrize("name", every_chart())
def test_each_chart_says_in_the_readers_language_what_it_shows(name):
    said = {language: every_chart(language)[name] for language in LANGUAGES}
    assert HAN.search(said["zh-TW"].alt) and not HAN.search(said["en"].alt)
    assert not HAN.search(str(said["en"].spec)) and not HAN.search(said["en"].data.to_json(force_ascii=False))


@pytest.mark.parametrize("name", every_chart())
def test_the_theme_changes_the_colours_and_nothing_else(name):
    light, dark = (str(every_chart(dark=dark)[name].spec) for dark in (False, True))
    assert light != dark and LIGHT.ink in light and DARK.ink in dark
    colours = r"#[0-9a-f]{6}|share > [0-9.]+"  # the second: from which shade on a number is written in the other colour
    assert re.sub(colours, "", light) == re.sub(colours, "", dark)


def test_no_text_stands_on_its_side():
    for chart in every_chart().values():
        assert chart.spec["config"]["axis"]["labelAngle"] == 0
        assert "270" not in str(chart.spec) and "-90" not in str(chart.spec)


def test_the_axis_of_a_loss_never_goes_below_nothing_and_leaves_room_above():
    steps = [{"type": "step", "step": step, "loss": loss} for step, loss in ((1, 5.0), (2, 1.0), (3, 0.001))]
    chart = charts.loss_curve(steps, [], total_steps=3, language="en", dark=False)
    low, high = chart.spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low == 0.0 and high > 5.3
    spoilt = [*steps, {"type": "step", "step": 4, "loss": float("inf")}]
    chart = charts.loss_curve(spoilt, [], total_steps=4, language="en", dark=False)
    assert chart.spec["layer"][0]["encoding"]["y"]["scale"]["domain"] == [low, high]


def layers_with(chart, **mark):
    found = [layer for layer in chart.spec["layer"] if mark.items() <= layer["mark"].items()]
    assert found
    return found


def test_target_and_baselines_are_named_in_the_plot_and_the_target_is_dashed():
    chart = every_chart()["metric"]
    (rule,) = layers_with(chart, type="rule", strokeDash=[6, 4])
    assert rule["data"]["values"] == [{"level": 0.7, "said": "Target 0.70"}] and rule["mark"]["color"] == "#b5494e"
    dotted = layers_with(chart, type="rule", strokeDash=[2, 3])
    assert [layer["data"]["values"][0]["said"] for layer in dotted] == ["TF-IDF (validation) 0.57", "Baseline: words 0.56"]


def places(target, **baselines):
    curve = {"metric": "macro_f1", "target": target, "baselines": baselines, "total_steps": 20}
    chart = charts.metric_curve(EVALS, **curve, language="en", dark=False)
    labels = [layer for layer in chart.spec["layer"] if layer["mark"]["type"] == "text" and "data" in layer]
    return {layer["data"]["values"][0]["said"]: (layer["mark"]["align"], layer["mark"]["baseline"]) for layer in labels}


def test_labels_of_lines_that_are_close_do_not_stand_on_one_another():
    assert set(places(0.9, far=0.5).values()) == {("left", "bottom")}
    near = places(0.75, a=0.72)
    assert {side for side, _ in near.values()} == {"left", "right"}
    assert len(set(places(0.75, a=0.74, b=0.73).values())) == 3


def test_a_label_of_a_line_keeps_off_the_dots_and_their_numbers():
    versions = [charts.VersionScore("v1", 0.62), charts.VersionScore("v2", 0.8)]

    def place(tfidf):
        look = {"metric": "macro_f1", "target": None, "baselines": {"TF-IDF": tfidf}, "language": "en", "dark": False}
        layers = charts.version_scores(versions, **look).spec["layer"]
        (label,) = {str(layer["mark"]["align"] + layer["mark"]["baseline"]) for layer in layers if "baseline" in layer["mark"]}
        return label

    assert place(0.61) == "rightbottom" and place(0.70) == "leftbottom"


def best_label_above(value, **lines):
    evals = [evaluation(5, 0.5, 1.0), evaluation(10, value, 1.0, True)]
    chart = charts.metric_curve(evals, metric="macro_f1", target=None, baselines=lines, total_steps=20, language="en", dark=False)
    return bool(chart.data[chart.data["best"]]["above"].item())


def test_the_best_label_keeps_off_a_line_and_the_edge_of_the_plot():
    assert best_label_above(0.7) and not best_label_above(0.7, near=0.72)
    assert best_label_above(0.7, under=0.69) and not best_label_above(1.0)


def test_the_last_best_step_alone_is_marked_by_shape_and_label():
    data = every_chart()["metric"].data
    assert list(data[data["best"]]["step"]) == [10] and list(data["label"]) == ["", "Best 0.600", ""]


def test_losses_that_are_no_number_are_left_out_and_each_series_is_named_once():
    data = every_chart()["loss"].data
    assert list(data[data["series"] == "validation"]["step"]) == [5, 10]
    assert [label for label in data["label"] if label] == ["training loss 0.200", "validation loss 0.900"]
    assert data["value"].notna().all()


def test_ten_thousand_steps_become_five_hundred_points_that_keep_peaks_and_ends():
    points = [(step, 1.0) for step in range(10_000)]
    points[4321] = (4321, 9.0)
    points[77] = (77, -9.0)
    kept = downsampled(points, 500)
    assert len(kept) <= 500 and {points[0], points[-1], (4321, 9.0), (77, -9.0)} <= set(kept)
    assert kept == sorted(kept)


def test_few_points_stay_as_they_are():
    assert downsampled([(1, 2.0), (2, 1.0)], 500) == [(1, 2.0), (2, 1.0)]


def test_matrix_is_shaded_by_row_and_a_class_without_rows_shows_dashes():
    data = every_chart()["matrix"].data.set_index(["actual", "predicted"])
    assert data.loc[("cat", "cat"), "share"] == pytest.approx(9 / 22)
    assert set(data.loc[LABELS[2], "number"]) == {"–"} and set(data.loc[LABELS[2], "share"]) == {0.0}


@pytest.mark.parametrize("dark", [False, True])
def test_a_number_can_be_read_on_every_shade(dark):
    colours = palette(dark)
    for share in range(101):
        cell = mixed(colours.second, colours.accent, share / 100)
        written = colours.on_accent if share / 100 > colours.turn else colours.ink
        assert contrast(cell, parts(written)) > 3.6, share


def parts(colour):
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def mixed(low, high, share):
    return [a + (b - a) * share for a, b in zip(parts(low), parts(high))]


def contrast(one, other):
    """WCAG 2.2: relative luminances of two sRGB colours, the lighter over the darker."""
    dim, bright = sorted(luminance(colour) for colour in (one, other))
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour):
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_answers_outside_the_format_have_a_column_only_where_there_are_some():
    with_some = every_chart()["matrix"].data
    assert list(with_some["predicted"].unique()) == [*LABELS, charts.OUTSIDE]
    assert with_some[with_some["predicted"] == charts.OUTSIDE]["answer"].unique().tolist() == ["no label"]
    without = charts.confusion_matrix(["a", "b"], [[1, 0, 0], [0, 2, 0]], language="en", dark=False)
    assert charts.OUTSIDE not in set(without.data["predicted"]) and charts.OUTSIDE not in str(without.spec)


def test_a_label_that_reads_like_the_outside_column_stays_a_label():
    chart = charts.confusion_matrix(["no label"], [[1, 1]], language="en", dark=False)
    assert list(chart.data["predicted"]) == ["no label", charts.OUTSIDE]


def test_cells_can_be_chosen_only_where_asked_for():
    chosen = every_chart()["matrix"].spec["layer"][0]["params"][0]
    assert chosen == {"name": "cell", "select": {"type": "point", "fields": ["actual", "predicted"], "toggle": False}}
    plain = charts.confusion_matrix(LABELS, COUNTS, language="en", dark=False)
    assert "params" not in str(plain.spec) and "'cell'" not in str(plain.spec)


def test_fifty_labels_are_numbered_and_carry_no_numbers_inside():
    chart = every_chart()["matrix of fifty"]
    assert set(chart.data["number"]) == {""} and len(chart.spec["layer"]) == 1
    assert '"class 49": "50  class 49"' in chart.spec["layer"][0]["encoding"]["y"]["axis"]["labelExpr"]


def test_the_matrix_names_the_most_frequent_slip():
    assert every_chart()["matrix"].alt == (
        'Confusion matrix: 44 of 69 rows correct; the most frequent slip is "cat" taken for "dog", 10 rows.'
    )


def test_long_labels_break_at_spaces_and_end_in_an_ellipsis():
    assert in_lines("很長的類別", 40) == ["很長的", "類別"]
    assert in_lines("類別00", 34) == ["類別", "00"]
    assert in_lines("customer service", 70) == ["customer", "service"]
    assert in_lines("a" * 100, 70)[-1].endswith("…") and len(in_lines("a" * 100, 70)) == 3
    assert in_lines("", 70) == [""]


def test_score_axis_keeps_to_whole_tenths_and_holds_every_value():
    for values in ([0.31, 0.66, 0.7], [0.0], [1.0], [0.97, 0.99], [31.0, 44.0]):
        low, high = score_domain(values)
        assert low <= min(values) and max(values) <= high
    assert score_domain([0.31, 0.66]) == score_domain([0.32, 0.665])


def test_an_axis_of_shares_ends_at_one():
    assert score_domain([0.7, 0.99])[1] == score_domain([1.0])[1] == 1.0 and score_domain([44.0, 100.0])[1] == 100.0


def test_length_bins_hold_every_row_once():
    data = charts.length_histogram(list(range(1, 1001)), language="en", dark=False).data
    assert data["rows"].sum() == 1000 and len(data) <= 24
