"""Label scoring against one forward pass over prompt and fixed output prefix: `python bench/label_scoring.py [rows]`.

Compares, in this one run, on the same rows in the same batches: scoring all labels (ours), one bare forward pass that computes logits
at the last position only, and the naive way (a full pass for each label). Also counts rows on which ours and the naive way, which
shares no code with it, choose differently, in bf16 and in float32.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import torch
from record import write

from coach.workspace import Task
from training.backends.plain import PlainBackend
from training.commands import local_now
from training.data.rows import read_rows
from training.data.tokens import RowEncoder
from training.device import Device
from training.evaluation.label_scoring import BATCH_TOKENS, score_labels
from training.samples import write_sample
from training.starter_model import ensure_starter_model

REPEATS = 3


def batches(prompts):
    """Rows of like length, longest first, at most BATCH_TOKENS padded tokens: written apart from the code measured."""
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    while order:
        size = max(1, BATCH_TOKENS // len(prompts[order[0]]))
        yield order[:size]
        order = order[size:]


@torch.inference_mode()
def forward_only(model, prompts, pad):
    """One pass over every prompt, logits at the last position: what cannot be avoided."""
    for indices in batches(prompts):
        width = max(len(prompts[i]) for i in indices)
        ids = torch.tensor([[pad] * (width - len(prompts[i])) + prompts[i] for i in indices])
        mask = torch.tensor([[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in indices])
        hidden = model.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        model.lm_head(hidden[:, -1].contiguous())


@torch.inference_mode()
def naive(model, prompts, answers):
    """For each label a full pass over each row alone, each choice normalised over the labels that still agree."""
    chosen = []
    for prompt in prompts:
        totals = []
        for answer in answers:
            hidden = model.model(input_ids=torch.tensor([prompt + answer]), use_cache=False).last_hidden_state[0]
            total = 0.0
            for place, token in enumerate(answer):
                allowed = sorted({other[place] for other in answers if other[:place] == answer[:place] and len(other) > place})
                row = hidden[len(prompt) + place - 1].float() @ model.lm_head.weight[allowed].float().T
                total += float(row[allowed.index(token)] - torch.logsumexp(row, 0))
            totals.append(total)
        chosen.append(max(range(len(answers)), key=lambda index: totals[index]))
    return chosen


def timed(work) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def measure(folder: Path, encoder, rows, dtype) -> dict[str, object]:
    loaded = PlainBackend().load(folder, Device("cpu", dtype, ""), max_tokens=None)
    PlainBackend().expect_length(loaded, 200)
    model = loaded.model.eval()
    prompts = [encoder.prompt_ids(row.input)[0] + encoder.lead_ids(None, {}) for row in rows]
    answers = [encoder.answer_ids({None: label}) for label in encoder.task.targets[None]]
    choices, pad = encoder.choices(None), loaded.tokenizer.pad_token_id
    score_labels(model, prompts[:32], choices, pad_id=pad)  # warm-up
    forward_only(model, prompts[:32], pad)
    ours_s = timed(lambda: score_labels(model, prompts, choices, pad_id=pad))
    forward_s = timed(lambda: forward_only(model, prompts, pad))
    mine = score_labels(model, prompts, choices, pad_id=pad).log_probs.argmax(1).tolist()
    start = time.perf_counter()
    reference = naive(model, prompts, answers)
    naive_s = time.perf_counter() - start
    different = sum(a != b for a, b in zip(mine, reference, strict=True))
    return {
        "ours_s": round(ours_s, 3),
        "forward_s": round(forward_s, 3),
        "ratio": round(ours_s / forward_s, 3),
        "naive_s": round(naive_s, 2),
        "rows_with_other_label_than_naive": different,
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    folder = ensure_starter_model()
    with tempfile.TemporaryDirectory() as place:
        sample = Path(place) / "news"
        write_sample("news-sentiment", sample, now=local_now())
        task = Task.open(sample).file
        rows = read_rows(sample / "data" / "test.jsonl")[:count]
        from training.backends.plain import open_tokenizer

        encoder = RowEncoder(task, open_tokenizer(folder), 1024)
        found = {
            str(dtype).removeprefix("torch."): measure(folder, encoder, rows, dtype) for dtype in (torch.bfloat16, torch.float32)
        }
    write("label_scoring", {"rows": count, "labels": len(task.targets[None]), "threads": torch.get_num_threads(), **found})


if __name__ == "__main__":
    main()
