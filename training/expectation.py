"""The estimate a run begins with, and the same beside what then came.

`expectation` is frozen into the `started` event, so that what is said afterwards is what was said before. After a run its own times and
memory are kept for later estimates (measurements.py).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from coach.errors import CoachError
from coach.estimate import reckoned
from coach.hardware import this_machine
from coach.measured import factor
from coach.processor_cost import Part
from coach.repeats import task_folder
from coach.sentence import Sentence, sentence
from coach.text import Language
from coach.version_folder import Version
from training.event_log import read_events
from training.events import Event
from training.measurements import keep, measurement
from training.model_shape import known_model
from training.part_times import part_times
from training.run_estimate import estimate_task, peft_of, work_of
from training.run_view import RunView

STEPS_NEEDED = 5  # fewer say more about a warm-up than about a training
Numbers = dict[str, Any]


def expectation(version: Version, max_steps: int | None) -> Numbers | None:
    """`minutes` and `memory_gb`, [low, high] each, `memory_of` (`gpu` or `ram`) and how they were come by; None where nothing is known."""
    try:
        found = estimate_task(version.config, version.data_folder, this_machine(), near=task_folder(version), max_steps=max_steps)
    except (
        CoachError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
    ):  # rows that do not fit are the training's to refuse, in a sentence
        return None
    if found.minutes_range is None or found.memory_range is None:
        return None
    return {
        "minutes": list(found.minutes_range),
        "memory_gb": list(found.memory_range),
        "memory_of": "gpu" if found.vram_range else "ram",
        "measured": found.measured.how if found.measured else None,
    }


def in_own_process() -> bool:
    """Whether this thread's training has its process to itself; else the server's own memory is in what is counted."""
    return threading.current_thread() is threading.main_thread()


@dataclass(frozen=True)
class Came:
    """What was expected and what came. Minutes over all attempts; memory in GB, None where the run left no results."""

    expected_minutes: tuple[float, float]
    expected_gb: tuple[float, float]
    minutes: float
    memory_gb: float | None
    shared: bool  # the memory of a whole server, with everything else it holds
    ended_at: tuple[int, int] | None  # (step, of how many) where the training ended before its last step
    beside_others: bool = False  # other programs had the processor too: what it took is not kept for later estimates

    def say(self, language: Language) -> str:
        return self.sentence().say(language)

    def sentence(self) -> Sentence:
        (low, high), (low_gb, high_gb) = self.expected_minutes, self.expected_gb
        memory = "unknown" if self.memory_gb is None else "shared" if self.shared else "own"
        said = sentence(
            f"estimate.came.{memory}", low=low, high=high, low_gb=low_gb, high_gb=high_gb, minutes=self.minutes, gb=self.memory_gb
        )
        if self.ended_at is not None:
            said = sentence("estimate.came.ended_early", said=said, step=self.ended_at[0], total=self.ended_at[1])
        return sentence("estimate.came.beside_others", said=said) if self.beside_others else said


def came(view: RunView, results: Mapping[str, Any] | None) -> Came | None:
    """What a run expected beside what came; None where it is not finished or began without an estimate."""
    said, ended = view.estimate, view.terminal
    if said is None or ended is None or ended["type"] != "finished" or view.took_s is None:
        return None
    try:
        minutes, memory = (tuple(float(value) for value in said[name]) for name in ("minutes", "memory_gb"))
        (low, high), (low_gb, high_gb) = minutes, memory
    except (KeyError, TypeError, ValueError):  # of a later version, or changed by hand
        return None
    peak = ((results or {}).get("cost") or {}).get("peak_memory_bytes")
    early = view.total_steps is not None and view.step < view.total_steps
    return Came(
        expected_minutes=(low, high),
        expected_gb=(low_gb, high_gb),
        minutes=view.took_s / 60,
        memory_gb=peak / 2**30 if isinstance(peak, int | float) and peak > 0 else None,
        shared=said.get("memory_of") != "gpu" and view.worker.get("own_process") is False,
        ended_at=(view.step, view.total_steps or 0) if early else None,
        beside_others=_threads_changed(view.notices),
    )


def keep_what_it_took(version: Version) -> None:
    """Keeps a run's times and memory for later estimates, where they say something; never a reason for a run that has ended to fail."""
    try:
        learn(version, read_events(version.events_path))
    except Exception:
        logging.getLogger(__name__).warning("%s: what it took was not kept", version.folder, exc_info=True)


def learn(version: Version, events: Iterable[Event]) -> bool:
    """Keeps what the last attempt in `events` took beside what is reckoned for its work; False where it says nothing. Raises ModelError.

    Nothing is kept of an attempt of a few steps, of one whose threads changed, and of memory that a server's own share is in.
    """
    of_attempt = _last_attempt(list(events))
    took = part_times(of_attempt)
    if took.steps < STEPS_NEEDED or _threads_changed(of_attempt):
        return False
    training, machine = version.config.training, this_machine()
    model, whole = known_model(training.base_model, task_folder(version)), work_of(version.config, version.data_folder)
    if whole is None:
        return False
    work = replace(whole, max_steps=took.steps, test_rows=0)
    expected, memory_gb = reckoned(model, peft_of(training), machine, work)
    factors: dict[Part, float] = {"training": factor(took.training_s, expected["training"])}
    if took.evaluations:
        share = took.evaluations / work.evaluations
        factors["answering"] = factor(took.answering_s, expected["answering"] * share)
    if took.loading_s and not took.prepared:
        factors["loading"] = factor(took.loading_s, expected["loading"])
    peak = _peak_gb(version, of_attempt)
    memory = factor(peak, memory_gb) if peak else None
    return keep(measurement(training, machine, whole, how="run", factors=factors, memory=memory))


def _threads_changed(events: Iterable[Event]) -> bool:
    """Whether other programs took so much of the processor that the training gave threads up."""
    return any(event.get("code") == "N03" for event in events)


def _last_attempt(events: list[Event]) -> list[Event]:
    begun = max((place for place, event in enumerate(events) if event["type"] in ("started", "resumed")), default=None)
    return [] if begun is None else events[begun:]


def _peak_gb(version: Version, events: list[Event]) -> float | None:
    """The run's own peak; None where it is not finished, or others' memory is in it."""
    if events[-1]["type"] != "finished":
        return None
    worker = events[0].get("worker") or {}
    results = version.results() or {}
    peak = (results.get("cost") or {}).get("peak_memory_bytes")
    on_gpu = (results.get("environment") or {}).get("device") != "cpu"
    return peak / 2**30 if peak and (on_gpu or worker.get("own_process")) else None
