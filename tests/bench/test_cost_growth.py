"""The table of how cost grows: what README says is what the JSON says, and a cell's rows are what it claims."""

import json

import pytest

from bench import cost_growth, growth_cell
from bench.cost_growth import AXES, CELLS, README, in_a_process, table, with_table

MEASURED = README.with_name("cost_growth.json")
FIGURES = {
    "measured": "2026-11-24T10:00:00+00:00",
    "commit": "abc1234",
    "machine": {"cores": 2, "load_1m": 0.1},
    "cells": [
        {
            "axis": axis,
            "rows": cell.rows,
            "prompt_tokens": cell.prompt_tokens,
            "labels": cell.labels,
            "tokens_per_s": 600.4,
            "scored_rows_per_s": 70.04,
            "peak_memory_gb": 1.7,
            "before_s": {"audit_s": 0.1, "split_s": 0.2, "baseline_s": 1.25, "dataset_s": 0.03},
        }
        for axis, cell in zip(AXES, CELLS, strict=True)
    ],
}


def test_the_readmes_table_is_made_from_the_figures():
    readme = README.read_text(encoding="utf-8")
    if not MEASURED.is_file():
        assert "Not yet measured." in readme[readme.index(cost_growth.BEGIN) : readme.index(cost_growth.END)]
        return
    assert with_table(readme, json.loads(MEASURED.read_text(encoding="utf-8"))) == readme


def test_a_new_table_takes_the_place_of_the_old_one_and_nothing_else():
    readme = README.read_text(encoding="utf-8")
    once = with_table(readme, FIGURES)
    assert with_table(once, FIGURES) == once
    assert "| rows | 100 | 32 | 3 | 600 | 70.0 | 1.70 | 0.10, 0.20, 1.25, 0.03 |" in once
    first, last = readme.index(cost_growth.BEGIN), readme.index(cost_growth.END)
    assert once.startswith(readme[:first]) and once.endswith(readme[last:])
    with pytest.raises(ValueError):
        with_table(readme.replace(cost_growth.END, ""), FIGURES)


def test_three_cells_on_each_axis_change_nothing_but_it():
    assert len(CELLS) == len(AXES) == 9
    for axis, field in (("rows", "rows"), ("prompt", "prompt_tokens"), ("labels", "labels")):
        cells = [cell for name, cell in zip(AXES, CELLS, strict=True) if name == axis]
        others = {tuple(value for name, value in vars(cell).items() if name != field) for cell in cells}
        assert len(cells) == len({getattr(cell, field) for cell in cells}) == 3 and len(others) == 1
    assert len(table(FIGURES["cells"])) == 2 + 9


@pytest.mark.parametrize("count", [3, 50, 500])
def test_there_are_as_many_labels_as_asked_for(count):
    assert len(set(growth_cell.label_names(count))) == count


def test_what_comes_before_a_training_is_timed_on_real_rows():
    texts = [
        (f"第{place}則新聞講的是{'好' if place % 2 else '壞'}消息", growth_cell.label_names(3)[place % 3]) for place in range(60)
    ]
    task = growth_cell.task_of(growth_cell.Cell(60, 32, 3))
    found, parts = growth_cell.work_before(texts, task)
    assert set(found) == {"audit_s", "split_s", "baseline_s"} and all(value >= 0 for value in found.values())
    assert sum(map(len, parts.values())) == 60 and len(parts["train"]) == 48


def test_a_cells_figures_are_the_last_line_its_process_prints(monkeypatch):
    class Said:
        stdout = 'a library speaks\n{"tokens_per_s": 5.0}\n'

    monkeypatch.setattr(cost_growth.subprocess, "run", lambda command, **named: Said)
    assert in_a_process(3) == {"axis": "prompt", "rows": 400, "prompt_tokens": 32, "labels": 3, "tokens_per_s": 5.0}
