"""How cost grows with rows, prompt length and labels: `python bench/cost_growth.py [--cells 0,4,8]`, half an hour or so.

Nine cells on the starter model, three on each axis while the other two stand still (all 27 would take hours): rows 100, 400, 1600; prompts
of 32, 128, 512 tokens; 3, 50, 500 labels (at 1600 rows, so that 500 labels have rows to be split). 400 rows and 1600 rows of 32 tokens with
3 labels come up twice: how far the two agree is how far a figure can be trusted. Each cell in a process of its own: a fixed number of steps
of 8 rows, a fixed number of prompt tokens scored, and once everything before the first step that grows with the rows.

Writes cost_growth.json and the table between the two marks in bench/README.md; tests/bench/test_cost_growth.py holds one against the other.
`--part` prints the figures of one cell, `--table` writes the table anew from the JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench import record
from bench.growth_cell import BATCH_ROWS, STEPS, WARM_UP, Cell, measure

README = ROOT / "bench" / "README.md"
BEGIN, END = "<!-- cost_growth.py writes from here", "<!-- to here -->"


CELLS = (
    *(Cell(rows, 32, 3) for rows in (100, 400, 1600)),
    *(Cell(400, tokens, 3) for tokens in (32, 128, 512)),
    *(Cell(1600, 32, labels) for labels in (3, 50, 500)),
)
AXES = ("rows", "rows", "rows", "prompt", "prompt", "prompt", "labels", "labels", "labels")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", default=",".join(str(place) for place in range(len(CELLS))))
    parser.add_argument("--part", type=int)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--try", dest="tried", action="store_true", help="prints the table and writes nothing")
    asked = parser.parse_args()
    if asked.part is not None:
        print(json.dumps(measure(CELLS[asked.part])))
        return
    if not asked.table:
        cells = [in_a_process(int(place)) for place in asked.cells.split(",")]
        if asked.tried:
            print("\n".join(table(cells)))
            return
        record.write("cost_growth", {"steps": STEPS - WARM_UP, "batch_rows": BATCH_ROWS, "cells": cells})
    found = json.loads((record.FOLDER / "cost_growth.json").read_text(encoding="utf-8"))
    README.write_text(with_table(README.read_text(encoding="utf-8"), found), encoding="utf-8")


def in_a_process(place: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--part", str(place)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    figures = {"axis": AXES[place], **asdict(CELLS[place]), **json.loads(said.splitlines()[-1])}
    print(figures, file=sys.stderr, flush=True)
    return figures


# --- the table -----------------------------------------------------------------------------------------------------------------


def table(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """The cells as lines of Markdown; what grows along the axis stands first."""
    header = "| axis | rows | prompt tokens | labels | training, tokens/s | scored rows/s | peak GB | audit, split, baseline, dataset: s |"
    lines = [header, "|" + "---|" * 8]
    for cell in cells:
        before = ", ".join(f"{cell['before_s'][name]:.2f}" for name in ("audit_s", "split_s", "baseline_s", "dataset_s"))
        lines.append(
            f"| {cell['axis']} | {cell['rows']} | {cell['prompt_tokens']} | {cell['labels']} | {cell['tokens_per_s']:.0f} | "
            f"{cell['scored_rows_per_s']:.1f} | {cell['peak_memory_gb']:.2f} | {before} |"
        )
    return lines


def with_table(readme: str, found: Mapping[str, Any]) -> str:
    """The README with the table between its marks made from the figures. Raises ValueError where the marks are gone."""
    first, last = readme.index(BEGIN), readme.index(END)
    mark = readme[first : readme.index("\n", first)]
    machine = found["machine"]
    measured = (
        f"Measured {found['measured'][:10]}, commit {found['commit']}, {machine['cores']} cores, load {machine['load_1m']}."
    )
    return "\n".join([readme[:first] + mark, "", *table(found["cells"]), "", measured, "", readme[last:]])


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    main()
