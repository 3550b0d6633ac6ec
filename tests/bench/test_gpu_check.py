"""The GPU check as far as a processor can tell: true shapes, exact rows, honest cells, and a rehearsal from end to end.

Not covered for want of a GPU: the cells of Unsloth (its arguments are held against its signatures), limits on a card's memory.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.gpu import table
from bench.gpu.cells import REHEARSAL, Cell, Grid, predicted_gb
from bench.gpu.contenders import CONTENDERS
from bench.gpu.learnable_rows import rows_of, task_for
from bench.gpu.lives import memory_limit_gb
from bench.gpu.true_shape import MODELS, TINY, build, config_of, tokenizer
from coach.reference_data import model_row
from training.data.tokens import RowEncoder

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "bench" / "gpu_check.py"


@pytest.mark.parametrize("model_id", MODELS)
def test_a_model_is_of_true_shape(model_id):
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config_of(model_id))
    parameters = sum(value.numel() for value in model.parameters())
    assert parameters / 1e9 == pytest.approx(model_row(model_id).params_b, rel=0.01)


def test_a_built_model_loads_through_our_own_code_and_is_not_built_twice(tmp_path):
    from training.base_model import resolve_base_model
    from training.data.render import chat_prompt

    folder = build(TINY, tmp_path / "tiny")
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert resolve_base_model(str(build(TINY, folder))) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    before, ending = chat_prompt(tokenizer(), "say")
    assert before == "<|im_start|>user\nsay<|im_end|>\n<|im_start|>assistant\n" and ending.startswith("<|im_end|>")


@pytest.mark.parametrize("tokens", [48, 512])
@pytest.mark.parametrize("labels", [3, 500])
def test_rows_have_exactly_the_tokens_asked_for_and_their_first_letter_tells_the_label(tokens, labels):
    encoder = RowEncoder(task_for("model", tokens=tokens, labels=labels), tokenizer(), tokens)
    rows = rows_of(encoder, 9, tokens)
    encoded = [encoder.encode(row) for row in rows]
    assert {row.length for row in encoded} == {tokens} and not any(row.cut for row in encoded)
    assert all(row.input["text"][0] == row.output[0] for row in rows)
    assert rows_of(encoder, 9, tokens) == rows


def test_a_row_too_short_for_its_template_is_refused_in_words():
    with pytest.raises(ValueError, match="no room for a text"):
        rows_of(RowEncoder(task_for("model", tokens=48), tokenizer(), 48), 1, 20)


def test_what_is_not_built_in_our_trainer_is_not_asked_of_it():
    grid = Grid()
    asked = {(cell.method, name) for cell in grid.cells() for name in grid.asked(cell)}
    assert asked == {("lora", "ours"), *((method, name) for method in ("lora", "full", "qlora") for name in CONTENDERS[1:])}
    assert len(list(grid.cells())) == 3 * 3 * 3 * 2
    assert predicted_gb(Cell("Qwen/Qwen3-4B", "lora", 512, 8)) > 8 and predicted_gb(next(iter(REHEARSAL.cells()))) is None


def speed(tokens_per_s, peak=4.0):
    return {"tokens_per_s": tokens_per_s, "peak_gb": peak, "peak_reserved_gb": peak}


def cell(method, tokens, predicted, **figures):
    return {"model": "m", "method": method, "tokens": tokens, "micro": 8, "predicted_gb": predicted, **figures}


FOUND = {
    "rehearsal": False,
    "measured": "2026-11-24T10:00:00+00:00",
    "commit": "abc1234",
    "device": {"name": "NVIDIA Test", "memory_gb": 24.0, "unsloth": "2026.10.7", "torch": "2.13.0"},
    "cells": [
        cell("lora", 128, 5.0, ours=speed(980.0), unsloth=speed(1000.0), trl=speed(490.0)),
        cell("lora", 512, 5.0, ours=speed(900.0), unsloth=speed(1000.0), trl={"out_of_memory": True}),
        cell(
            "qlora", 128, 2.0, ours={"not_built": "not built"}, unsloth={"missing": "bitsandbytes"}, trl={"failed": "ValueError"}
        ),
    ],
}


def test_the_table_names_the_card_the_ratio_and_why_a_cell_is_empty():
    page = table.page(FOUND)
    assert page.startswith("# GPU check: NVIDIA Test") and "rehearsal" not in page.lower()
    assert "| m | lora | 128 | 8 | 980 | 1,000 | 490 | 0.980 | 2.00 | 4.00 | 4.00 | 4.00 | 5.00 | 0.80 |" in page
    assert "not built | no bitsandbytes | failed" in page and "out of memory" in page
    assert "median 0.940, lowest 0.900, over 2 cells. Target 0.97: missed." in page


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ({}, None),
        ({"interrupted": {"equal": True}, "out_of_memory": {"survived": True}}, None),
        ({"interrupted": {"equal": False}}, "interrupted: not equal"),
        ({"out_of_memory": {"survived": False}}, "out_of_memory: not survived"),
        ({"first_step": {"failed": "it ended"}}, "first_step: it ended"),
        (
            {"scoring": [{"model": "m", "tokens": 9, "short": {"same_labels": False}}]},
            "scoring m 9: other labels with less memory",
        ),
    ],
)
def test_what_must_hold_and_does_not_is_a_fault(part, fault):
    assert table.faults({**FOUND, "cells": FOUND["cells"][:2], **part}) == ([fault] if fault else [])
    assert table.faults({**FOUND, **part})[0].startswith("m qlora 128 × 8 trl: ValueError")


def test_the_limit_on_memory_lies_between_one_row_and_eight():
    assert 2.0 < memory_limit_gb(speed(1.0, 2.0), speed(1.0, 6.0)) < 6.0
    assert memory_limit_gb(speed(1.0, 2.0), {"out_of_memory": True}) is None


def test_every_argument_of_the_plain_unsloth_script_is_one_of_its_own():
    recorded = json.loads((ROOT / "tests" / "data" / "unsloth_signatures.json").read_text(encoding="utf-8"))["parameters"]
    calls = [
        (ast.unparse(node.func), keyword.arg)
        for node in ast.walk(ast.parse((ROOT / "bench" / "gpu" / "contenders.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("FastLanguageModel.")
        for keyword in node.keywords
    ]
    assert len(calls) >= 12
    assert [call for call in calls if call[1] not in recorded[call[0]]] == []


def test_a_measurement_runs_in_a_process_of_its_own(tmp_path):
    folder = build(TINY, tmp_path / "tiny")
    values = {"contender": "trl", "method": "lora", "folder": str(folder), "tokens": 48, "micro": 2, "steps": 3, "warm_up": 1}
    words = ["--job", "speed", json.dumps(values), str(tmp_path / "answer.json"), str(tmp_path / "said.log")]
    subprocess.run([sys.executable, str(SCRIPT), *words], check=True, cwd=tmp_path)
    found = json.loads((tmp_path / "answer.json").read_text())
    assert found["tokens_per_s"] > 0 and found["peak_gb"] > 0 and found["first_loss"] > 0


def test_without_a_gpu_it_says_so_in_three_lines(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    found = subprocess.run([sys.executable, str(SCRIPT)], cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 2 and not found.stdout
    assert len(found.stderr.strip().splitlines()) == 3 and "GPU" in found.stderr


def test_a_rehearsal_on_a_processor_goes_through_from_end_to_end(tmp_path):
    found = subprocess.run([sys.executable, str(SCRIPT), "--tiny", "--out", str(tmp_path)], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    page = (tmp_path / "gpu_check.md").read_text(encoding="utf-8")
    assert "A rehearsal" in page and "Failed" not in page and "Target 0.97" in page
    figures = json.loads((tmp_path / "gpu_check.json").read_text(encoding="utf-8"))
    [lora, full] = figures["cells"]
    assert lora["ours"]["tokens_per_s"] > 0 and lora["trl"]["tokens_per_s"] > 0 and full["ours"] == {"not_built": "not built"}
    assert figures["scoring"][0]["short"] == {"same_labels": True, "fewer_rows": [{"before": 12, "rows": 6}]}
    assert figures["interrupted"]["stopped"] == "stopped" and figures["interrupted"]["ended"] == "finished"
    assert figures["interrupted"]["equal"] and figures["out_of_memory"]["survived"]
    assert set(figures["first_step"]["parts_s"]) >= {"imports", "baseline", "first step"}
