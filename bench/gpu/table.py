"""The figures of a GPU check as one Markdown page. Pure: figures in, text out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

TARGET = 0.97
Figures = Mapping[str, Any]


def page(found: Figures) -> str:
    device = found["device"]
    head = [
        f"# GPU check: {device['name']}",
        "",
        f"Measured {found['measured']}, commit {found['commit']}, {device['memory_gb']} GB, Unsloth {device['unsloth']}, "
        f"torch {device['torch']}. Medians after warm-up, random weights of true shape, every cell in a process of its own.",
    ]
    if found["rehearsal"]:
        head[2:] = [
            "**A rehearsal: a tiny model on a processor. It shows that the check runs, no figure here says anything of a GPU.**"
        ]
    parts = [
        ("Training", _training(found["cells"])),
        ("Against a plain Unsloth script", [summary_line(found["cells"])]),
        ("Finding a label, against one bare forward pass", _scoring(found.get("scoring") or [])),
        ("From the command to the first step", _first_step(found.get("first_step"))),
        ("Stopped, killed (-9), resumed", _interrupted(found.get("interrupted"))),
        ("Out of memory on purpose", _out_of_memory(found.get("out_of_memory"))),
    ]
    lines = head
    for title, part in parts:
        lines += ["", f"## {title}", "", *part]
    return "\n".join(lines) + "\n"


def ratios(cells: Sequence[Figures], against: str) -> list[float]:
    """ours / `against`, by tokens a second, of the cells where both were measured."""
    return [found for cell in cells if (found := _ratio(cell, against)) is not None]


def summary_line(cells: Sequence[Figures]) -> str:
    found = ratios(cells, "unsloth")
    if not found:
        return f"Not measured: no cell has both. Target {TARGET}."
    median, lowest = statistics.median(found), min(found)
    verdict = "met" if median >= TARGET else "missed"
    return f"ours / plain Unsloth: median {median:.3f}, lowest {lowest:.3f}, over {len(found)} cells. Target {TARGET}: {verdict}."


def faults(found: Figures) -> list[str]:
    """What must hold and does not, a line each; what was not measured is no fault."""
    lines = [
        f"{cell['model']} {cell['method']} {cell['tokens']} × {cell['micro']} {name}: {cell[name]['failed']}"
        for cell in found["cells"]
        for name in ("ours", "unsloth", "trl")
        if "failed" in (cell.get(name) or {})
    ]
    for cell in found.get("scoring") or []:
        if "failed" in cell or not cell["short"]["same_labels"]:
            lines.append(f"scoring {cell['model']} {cell['tokens']}: {cell.get('failed', 'other labels with less memory')}")
    promised = {"first_step": None, "interrupted": "equal", "out_of_memory": "survived"}
    for name, promise in promised.items():
        part = found.get(name)
        if part and ("failed" in part or (promise and not part[promise])):
            lines.append(f"{name}: {part.get('failed', f'not {promise}')}")
    return lines


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, *rows)]
    return [lines[0], "|" + "---|" * len(header), *lines[1:]] if rows else ["Not measured."]


def _training(cells: Sequence[Figures]) -> list[str]:
    header = [
        "model", "method", "tokens", "rows at once", "ours, tokens/s", "Unsloth", "TRL", "ours / Unsloth", "ours / TRL",
        "peak GB: ours", "Unsloth", "TRL", "predicted GB", "actual / predicted",
    ]  # fmt: skip
    rows = []
    for cell in cells:
        names = ("ours", "unsloth", "trl")
        peak = _first_peak(cell)
        predicted = cell["predicted_gb"]
        rows.append(
            [
                cell["model"], cell["method"], str(cell["tokens"]), str(cell["micro"]),
                *(_value(cell.get(name), "tokens_per_s", "{:,.0f}") for name in names),
                _number(_ratio(cell, "unsloth"), "{:.3f}"), _number(_ratio(cell, "trl"), "{:.2f}"),
                *(_value(cell.get(name), "peak_gb", "{:.2f}") for name in names),
                _number(predicted, "{:.2f}"), _number(peak / predicted if peak and predicted else None, "{:.2f}"),
            ]
        )  # fmt: skip
    return _table(header, rows)


def _first_peak(cell: Figures) -> float | None:
    """Ours, or where ours is not built Unsloth's."""
    return next((cell[name]["peak_gb"] for name in ("ours", "unsloth") if "peak_gb" in (cell.get(name) or {})), None)


def _ratio(cell: Figures, against: str) -> float | None:
    ours, other = (cell.get(name) or {} for name in ("ours", against))
    return ours["tokens_per_s"] / other["tokens_per_s"] if "tokens_per_s" in ours and "tokens_per_s" in other else None


def _value(found: Figures | None, key: str, form: str) -> str:
    """The figure, or why there is none."""
    if not found:
        return "not measured"
    if key in found:
        return form.format(found[key])
    if "missing" in found:
        return f"no {found['missing']}"
    if found.get("out_of_memory"):
        return "out of memory"
    return str(found.get("not_built", "failed"))


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _scoring(cells: Sequence[Figures]) -> list[str]:
    header = ["model", "tokens", "labels", "rows/s", "times one pass", "with memory for half a batch"]
    rows = []
    for cell in cells:
        short = cell.get("short") or {}
        said = "–" if not short else "same labels" if short["same_labels"] else "OTHER LABELS"
        fewer = ", ".join(f"{step['before']} → {step['rows']} rows" for step in short.get("fewer_rows", []))
        figures = [_value(cell, "rows_per_s", "{:.1f}"), _value(cell, "ratio", "{:.2f}")]
        rows.append([cell["model"], str(cell["tokens"]), str(cell["labels"]), *figures, f"{said} ({fewer})" if fewer else said])
    return _table(header, rows)


def _first_step(found: Figures | None) -> list[str]:
    if not found or "failed" in found:
        return [f"Failed: {found['failed']}" if found else "Not measured."]
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["parts_s"].items())
    return [f"{found['total_s']:.1f} s: {parts}."]


def _interrupted(found: Figures | None) -> list[str]:
    if not found or "failed" in found:
        return [f"Failed: {found['failed']}" if found else "Not measured."]
    by_itself = found["difference_of_two_in_one_go"]
    beside = "" if by_itself is None else f"; two trainings in one go differ by {by_itself:.2g}"
    return [
        f"Killed after step {found['killed_after_step']}, resumed, {found['stopped']}, resumed, {found['ended']}. "
        f"Largest difference of the weights to a training in one go: {found['difference']:.2g} of the largest weight{beside}. "
        f"{'Equal within rounding.' if found['equal'] else 'NOT EQUAL.'}"
    ]


def _out_of_memory(found: Figures | None) -> list[str]:
    if not found or "failed" in found:
        return [f"Failed: {found['failed']}" if found else "Not measured."]
    limit = f"{found['at_most_gb']} GB" if "at_most_gb" in found else f"pretended above {found.get('at_most_rows')} rows"
    fewer = ", ".join(f"{step['before']} → {step['rows']} rows at step {step['step']}" for step in found["fewer_rows"])
    return [f"Memory: {limit}. {'Survived' if found['survived'] else 'NOT SURVIVED'}: {fewer or 'nothing was halved'}."]
