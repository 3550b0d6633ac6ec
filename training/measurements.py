"""What trainings took on this machine, kept beside the cached models, so that later estimates are narrow without being asked for.

Owns that file: a factor for each part of a training (measured seconds over reckoned ones), with what it was measured on. A file that is
damaged, or a cache that cannot be read or written, counts as nothing measured: an estimate is never a reason to stop.
"""

from __future__ import annotations

import json
import math
import platform
import statistics
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coach.atomic_write import write_atomically
from coach.errors import CoachError
from coach.estimate import RECKONED_BY
from coach.hardware import Hardware
from coach.measured import LEAST, MOST, How, Measured
from coach.processor_cost import PARTS, Part
from coach.task_schema import Training
from coach.work import Work
from training.device_lock import device_name
from training.starter_model import cache_root

KEPT = 100  # measurements, the newest
RELATED_LOOKED_AT = 5
JUST_NOW_S = 600.0


class Measurement(BaseModel):
    """One look at a training. `alike` is the same for trainings that go step by step at one pace; `related` for those that may differ.

    `how`: `steps` of a calibration or a whole `run`; `t` in Unix seconds; `memory` None where another program's share is in it.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    reckoned_by: str
    alike: str
    related: str
    how: str = Field(pattern="^(steps|run)$")
    t: float
    factors: dict[Part, float]
    memory: float | None


def measurement(
    training: Training, machine: Hardware, work: Work, *, how: str, factors: Mapping[Part, float], memory: float | None
) -> Measurement:
    related = _related(training, machine)
    return Measurement(
        reckoned_by=RECKONED_BY, alike=_alike(related, training, work), related=related, how=how, t=time.time(),
        factors={part: round(factor, 4) for part, factor in factors.items()}, memory=memory and round(memory, 4),
    )  # fmt: skip


def measured(training: Training, machine: Hardware, work: Work) -> Measured | None:
    """What is known of trainings like this one on this machine; None where nothing is."""
    related = _related(training, machine)
    known = [found for found in _read() if found.related == related and found.reckoned_by == RECKONED_BY]
    alike = [found for found in known if found.alike == _alike(related, training, work)]
    if alike:
        latest = alike[-1]
        return Measured(_how(latest), latest.factors, _latest_memory(alike))
    return _joined(known[-RELATED_LOOKED_AT:]) if known else None


def keep(found: Measurement) -> bool:
    """Adds it to the file; False where that cannot be written. Two writers at once: one of the two is lost, which costs nothing."""
    path = measurements_path()
    kept = [*_read(), found][-KEPT:]
    lines = [json.dumps(one.model_dump()) for one in kept]
    with suppress(OSError, CoachError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, "\n".join(lines) + "\n")
        return True
    return False


def measurements_path() -> Path:
    """This machine's file, and this device's: one home may serve several."""
    return cache_root() / "measured" / f"{platform.node()[:60]}.{device_name()}.jsonl"


def _read() -> list[Measurement]:
    """In the order they were written; lines that are none are passed over."""
    try:
        lines = measurements_path().read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    found = []
    for line in lines:
        with suppress(ValidationError, ValueError):
            one = Measurement.model_validate_json(line)
            values = [*one.factors.values(), *([] if one.memory is None else [one.memory])]
            if all(LEAST <= value <= MOST for value in values):
                found.append(one)
    return found


def _how(found: Measurement) -> How:
    if found.how == "run":
        return "run"
    return "now" if 0 <= time.time() - found.t < JUST_NOW_S else "steps"


def _latest_memory(found: list[Measurement]) -> float:
    return next((one.memory for one in reversed(found) if one.memory is not None), 1.0)


def _joined(found: list[Measurement]) -> Measured:
    factors: dict[Part, float] = {}
    for part in PARTS:
        if values := [one.factors[part] for one in found if part in one.factors]:
            factors[part] = statistics.median(values)
    memory = [one.memory for one in found if one.memory is not None]
    return Measured("related", factors, statistics.median(memory) if memory else 1.0)


def _related(training: Training, machine: Hardware) -> str:
    peft = "none" if training.lora is None else training.quantization if training.quantization != "none" else "lora"
    return "|".join((machine.gpu_name or "cpu", str(machine.cores), training.base_model, training.method, peft))


def _alike(related: str, training: Training, work: Work) -> str:
    """What a step's and an evaluation's pace depends on; epochs, rates and seeds are not among it. Lengths within a quarter are alike."""
    lora = training.lora.model_dump() if training.lora else None
    shape = (
        _coarse(work.row_tokens),
        _coarse(work.long_row_tokens),
        work.labels,
        work.further_choices,
        _coarse(work.answer_tokens),
    )
    said = repr((related, lora, training.batch_size, training.max_seq_tokens, shape))
    return f"{zlib.crc32(said.encode()):08x}"


def _coarse(value: float) -> int:
    """The same number for lengths that differ by less than about a quarter."""
    return round(math.log(max(1.0, value)) / math.log(1.25))
