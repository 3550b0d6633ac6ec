"""What is done in a process of its own: building models and tasks, timing a trainer, timing label scoring, one life of a training."""

from __future__ import annotations

import importlib.util
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.gpu.contenders import trainer_of
from bench.gpu.learnable_rows import make_version, rows_of, task_for
from bench.gpu.true_shape import build, tokenizer

GB = 2**30


def build_models(models: dict[str, str]) -> dict[str, Any]:
    """`models`: id to folder."""
    for model_id, folder in models.items():
        build(model_id, Path(folder))
    return {}


def make_tasks(tasks: dict[str, dict[str, Any]], model: str) -> dict[str, str]:
    """The version's folder for each task folder; `tasks`: folder to tokens, counts and settings of the training."""
    marks = tokenizer()
    return {
        folder: str(
            make_version(
                Path(folder),
                task_for(model, tokens=fields["tokens"], **fields["training"]),
                marks,
                fields["counts"],
                fields["tokens"],
            ).folder
        )
        for folder, fields in tasks.items()
    }


# --- training speed ------------------------------------------------------------------------------------------------------------


def speed(contender: str, method: str, folder: str, tokens: int, micro: int, steps: int, warm_up: int) -> dict[str, Any]:
    """Tokens a second by the median step after warm-up and the peak of memory; or `missing` or `out_of_memory` in their place."""
    if method == "qlora" and importlib.util.find_spec("bitsandbytes") is None:
        return {"missing": "bitsandbytes"}  # Unsloth would go on in 16 bits without a word in the figures
    if contender == "unsloth" and importlib.util.find_spec("unsloth") is None:
        return {"missing": "unsloth"}
    from training.memory import is_out_of_memory

    try:
        trainer = trainer_of(contender, method, Path(folder), tokens, micro, steps)
        seconds, losses = _timed(trainer)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return {"out_of_memory": True}
    median_s = statistics.median(seconds[warm_up:])
    return {
        "tokens_per_s": round(tokens * micro / median_s, 1),
        "median_step_s": round(median_s, 4),
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "backend": contender if contender != "ours" else _backend_of(trainer),
        **_peaks(),
    }


def _timed(trainer: Any) -> tuple[list[float], list[float]]:
    """Seconds and loss of each optimiser step."""
    from transformers import PrinterCallback, TrainerCallback

    seconds: list[float] = []
    losses: list[float] = []

    class StepTimer(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            _synchronise()
            seconds.append(time.perf_counter() - self.began)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if logs and "loss" in logs:
                losses.append(round(float(logs["loss"]), 4))

    trainer.add_callback(StepTimer())
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return seconds, losses


def _backend_of(trainer: Any) -> str:
    return "unsloth" if type(trainer).__name__ == "_FusedLossTrainer" else "plain"


def _synchronise() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _peaks() -> dict[str, float]:
    """The most this process held: on the card, allocated and reserved; without one, resident."""
    import torch

    if torch.cuda.is_available():
        allocated, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
        return {"peak_gb": round(allocated / GB, 3), "peak_reserved_gb": round(reserved / GB, 3)}
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GB, 3)
    return {"peak_gb": peak, "peak_reserved_gb": peak}


# --- finding labels ------------------------------------------------------------------------------------------------------------


def scoring(folder: str, tokens: int, labels: int, rows: int, turns: int) -> dict[str, Any]:
    """Label scoring against one bare forward pass over the same prompts, by turns; then once more with memory for half a batch."""
    from training.backends import choose_backend, heavy_imports, open_backend

    with heavy_imports():
        from training.data.tokens import RowEncoder
        from training.device import choose_device
        from training.evaluation.at_once import AtOnce
        from training.evaluation.label_scoring import BATCH_TOKENS, score_labels
    backend, device = open_backend(choose_backend()), choose_device()
    loaded = backend.load(Path(folder), device, max_tokens=tokens)
    backend.for_answers(loaded)
    encoder = RowEncoder(task_for(folder, tokens=tokens, labels=labels), loaded.tokenizer, tokens)
    prompts = [encoder.prompt_ids(row.input)[0] for row in rows_of(encoder, rows, tokens, part="scored")]
    choices, pad = encoder.choices(None), loaded.tokenizer.pad_token_id

    def score(at_once: Any) -> list[int]:
        with _autocast(device):
            found = score_labels(loaded.model, prompts, choices, pad_id=pad, at_once=at_once)
        return [int(place) for place in found.best]

    def forward() -> None:
        with _autocast(device):
            _bare_pass(loaded.model, prompts, BATCH_TOKENS)

    forward(), score(AtOnce(BATCH_TOKENS))  # warm-up
    forward_s, ours_s = [], []
    for _ in range(turns):
        forward_s.append(_seconds(forward))
        ours_s.append(_seconds(lambda: score(AtOnce(BATCH_TOKENS))))
    ours, bare = statistics.median(ours_s), statistics.median(forward_s)
    figures = {
        "rows_per_s": round(rows / ours, 1),
        "ours_s": round(ours, 4),
        "forward_s": round(bare, 4),
        "ratio": round(ours / bare, 3),
    }
    from bench.gpu.short_of_memory import scored_short_of_memory

    return {**figures, **_peaks(), "short": scored_short_of_memory(score, loaded.model, AtOnce(BATCH_TOKENS))}


def _bare_pass(model: Any, prompts: list[list[int]], batch_tokens: int) -> None:
    """Every prompt read once, logits at its last position: what cannot be avoided. The prompts are of one length."""
    import torch

    at_once = max(1, batch_tokens // max(map(len, prompts)))
    order = sorted(prompts, key=len, reverse=True)
    with torch.inference_mode():
        for first in range(0, len(order), at_once):
            batch = order[first : first + at_once]
            width = len(batch[0])
            ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in batch], device=model.device)
            mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in batch], device=model.device)
            model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=1)


def _autocast(device: Any) -> Any:
    import torch

    return torch.autocast(device.type, dtype=device.dtype, enabled=device.dtype != torch.float32)


def _seconds(work: Callable[[], object]) -> float:
    _synchronise()
    began = time.perf_counter()
    work()
    _synchronise()
    return time.perf_counter() - began


# --- a life of a training ------------------------------------------------------------------------------------------------------


def train(version: str, resume: bool = False, at_most_gb: float | None = None, at_most_rows: int | None = None) -> dict[str, Any]:
    """`worker.run` in this process, with less memory than the machine has where that is asked; how it ended and what it noticed."""
    from bench.gpu.short_of_memory import limit_card, pretend_limit
    from coach.version_folder import Version
    from training.clock import local_now
    from training.event_log import read_events
    from training.worker import run

    if at_most_gb is not None:
        limit_card(at_most_gb)
    if at_most_rows is not None:
        pretend_limit(at_most_rows)
    trained = Version(Path(version))
    ended = run(trained, resume=resume, now=local_now)
    events = [event for event in read_events(trained.events_path) if event["type"] == "notice" and event.get("code") == "N06"]
    return {"ended": ended, "fewer_rows": [{**event["data"], "step": event.get("step")} for event in events], **_peaks()}


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    "build_models": build_models,
    "make_tasks": make_tasks,
    "speed": speed,
    "scoring": scoring,
    "train": train,
}
